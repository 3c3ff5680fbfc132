/* SPDX-License-Identifier: MIT
 *
 * After a crash: unlinks the blobs that got a name but no row.  Only numbers
 * that can be such are looked at, so the cost doesn't grow with the store.
 */
#include "store.h"

#include "folder.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct sweep {
  uint64_t first, end, count;
  bool (*keep)(void *arg, uint64_t number);
  void *arg;
  bool dirty; /* the folder at hand */
};

static bool number_of(const char *name, uint64_t *number) {
  if (strlen(name) != 16 || strspn(name, "0123456789abcdef") != 16)
    return false;
  *number = strtoull(name, NULL, 16);
  return true;
}

static bool check_file(void *arg, int folder, const char *name) {
  struct sweep *sweep = arg;
  uint64_t number;
  if (!number_of(name, &number) || number < sweep->first ||
      number >= sweep->end || sweep->keep(sweep->arg, number))
    return true;
  if (unlinkat(folder, name, 0) == 0) {
    sweep->count++;
    sweep->dirty = true;
  }
  return true;
}

static void with_folder(struct sweep *sweep, int parent, const char *name,
                        bool (*each)(void *, int, const char *)) {
  int fd =
      openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0)
    return;
  sweep->dirty = false;
  folder_walk(fd, each, sweep);
  if (sweep->dirty)
    (void)fsync(fd);
  close(fd);
}

static bool check_leaf(void *arg, int folder, const char *name) {
  with_folder(arg, folder, name, check_file);
  return true;
}

uint64_t store_sweep(const struct store *store, uint64_t first, uint64_t end,
                     bool (*keep)(void *arg, uint64_t number), void *arg) {
  struct sweep sweep = {.first = first, .end = end, .keep = keep, .arg = arg};
  char name[24];
  for (uint64_t epoch = first >> 16; end > 0 && epoch <= (end - 1) >> 16;
       epoch++) {
    snprintf(name, sizeof name, "%llx", (unsigned long long)epoch);
    with_folder(&sweep, store->blobs, name, check_leaf);
  }
  return sweep.count;
}
