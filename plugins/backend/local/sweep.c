/* SPDX-License-Identifier: MIT
 *
 * Blobs that got a name but no row.  Those that a crash of the gateway left
 * are unlinked; those that must have had a row once are the only copy of
 * somebody's object, and are moved to lost+found.
 */
#include "sweep.h"

#include "folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SAME_NAME_MAX 1000

struct walk {
  struct sweep *sweep;
  const struct store *store;
  int dir, lost;  /* lost+found; -1: not open yet */
  uint64_t above; /* numbers of the folder at hand: above << 8 | 0..255 */
  int error;
  bool dirty; /* the folder at hand */
};

static bool number_of(const char *name, size_t digits, uint64_t *number) {
  size_t len = strlen(name);
  if (len == 0 || len > 16 || (digits > 0 && len != digits) ||
      strspn(name, "0123456789abcdef") != len)
    return false;
  *number = strtoull(name, NULL, 16);
  return true;
}

static bool sweep_fail(struct walk *walk) {
  if (walk->error == 0)
    walk->error = errno ? errno : EIO;
  return false;
}

/* An earlier one of that number may be there. */
static bool sweep_move(struct walk *walk, int folder, const char *name) {
  char to[32];
  if (walk->lost < 0)
    walk->lost = folder_make(walk->dir, "lost+found");
  if (walk->lost < 0)
    return sweep_fail(walk);
  snprintf(to, sizeof to, "%s", name);
  for (int i = 2; faccessat(walk->lost, to, F_OK, 0) == 0; i++) {
    if (i > SAME_NAME_MAX) {
      errno = EEXIST;
      return sweep_fail(walk);
    }
    snprintf(to, sizeof to, "%s.%d", name, i);
  }
  if (renameat(folder, name, walk->lost, to) != 0)
    return sweep_fail(walk);
  walk->sweep->moved++;
  walk->dirty = true;
  return true;
}

static bool sweep_drop(struct walk *walk, int folder, const char *name) {
  if (unlinkat(folder, name, 0) != 0)
    return sweep_fail(walk);
  walk->sweep->dropped++;
  walk->dirty = true;
  return true;
}

static bool check_file(void *arg, int folder, const char *name) {
  struct walk *walk = arg;
  struct sweep *sweep = walk->sweep;
  struct stat st;
  uint64_t number;
  if (!number_of(name, 16, &number) || number < sweep->first)
    return true;
  if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
    return sweep_fail(walk);
  bool committed = store_is_committed(walk->store, &st);
  switch (sweep->decide(sweep->arg, number, committed)) {
  case SWEEP_KEEP:
    return committed || store_commit(walk->store, number) || sweep_fail(walk);
  case SWEEP_LEAVE:
    return true;
  case SWEEP_DROP:
    return sweep_drop(walk, folder, name);
  case SWEEP_MOVE:
    return sweep_move(walk, folder, name);
  }
  return true;
}

static bool in_folder(struct walk *walk, int parent, const char *name,
                      bool (*each)(void *, int, const char *)) {
  int fd =
      openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) /* what isn't a folder isn't ours */
    return errno == ENOTDIR || errno == ELOOP || sweep_fail(walk);
  walk->dirty = false;
  bool ok = folder_walk(fd, each, walk) || sweep_fail(walk);
  if (walk->dirty && fsync(fd) != 0)
    ok = sweep_fail(walk);
  close(fd);
  return ok && walk->error == 0;
}

static bool check_leaf(void *arg, int folder, const char *name) {
  struct walk *walk = arg;
  uint64_t leaf, above = walk->above;
  if (!number_of(name, 2, &leaf) ||
      (above << 8 | leaf) < walk->sweep->first >> 8)
    return true;
  return in_folder(walk, folder, name, check_file);
}

static bool check_epoch(void *arg, int folder, const char *name) {
  struct walk *walk = arg;
  if (!number_of(name, 0, &walk->above) ||
      walk->above < walk->sweep->first >> 16)
    return true;
  return in_folder(walk, folder, name, check_leaf);
}

bool sweep_run(struct sweep *sweep, const struct store *store, int dir) {
  struct walk walk = {.sweep = sweep, .store = store, .dir = dir, .lost = -1};
  if (!folder_walk(store->blobs, check_epoch, &walk))
    sweep_fail(&walk);
  if (walk.lost >= 0) {
    if (fsync(walk.lost) != 0 || fsync(dir) != 0)
      sweep_fail(&walk);
    close(walk.lost);
  }
  errno = walk.error;
  return walk.error == 0;
}
