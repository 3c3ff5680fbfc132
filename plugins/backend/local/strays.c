/* SPDX-License-Identifier: MIT
 *
 * Eight bytes a file wait in memory until there is a table for them: 80 MB
 * for ten million blobs.
 */
#include "strays.h"

#include "checker.h"
#include "folder.h"
#include "index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIGITS 16
#define DEPTH 2 /* folders below blobs */

struct listing {
  struct strays *strays;
  struct checker *checker;
  bool lost;
  int depth, error;
};

static bool note_file(struct listing *listing, uint64_t number,
                      const struct stat *st) {
  struct strays *strays = listing->strays;
  if (strays->count == strays->room) {
    size_t room = strays->room == 0 ? 1024 : 2 * strays->room;
    uint64_t *files = reallocarray(strays->files, room, sizeof *files);
    if (files == NULL)
      return false;
    strays->files = files;
    strays->room = room;
  }
  bool committed = store_is_committed(&listing->checker->store, st);
  strays->files[strays->count++] =
      number << 2 | (uint64_t)listing->lost << 1 | committed;
  if (number > listing->checker->last)
    listing->checker->last = number;
  if (!listing->lost)
    listing->checker->blobs++;
  return true;
}

static bool strays_each_name(void *arg, int folder, const char *name) {
  struct listing *listing = arg;
  struct stat st;
  if (name[0] == '.')
    return true;
  if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
    return errno == ENOENT;
  if (S_ISDIR(st.st_mode) && listing->depth < DEPTH && !listing->lost) {
    int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    listing->depth++;
    bool ok = fd >= 0 && folder_walk(fd, strays_each_name, listing);
    listing->depth--;
    listing->error = ok ? listing->error : errno;
    if (fd >= 0)
      close(fd);
    return ok && listing->error == 0;
  }
  if (!S_ISREG(st.st_mode) || strlen(name) != DIGITS ||
      strspn(name, "0123456789abcdef") != DIGITS)
    return true;
  if (note_file(listing, strtoull(name, NULL, 16), &st))
    return true;
  listing->error = ENOMEM;
  return false;
}

bool strays_list(struct strays *strays, struct checker *checker,
                 const char *folder, bool lost) {
  struct listing listing = {
      .strays = strays, .checker = checker, .lost = lost};
  int fd = checker_open(checker, folder);
  if (fd < 0)
    return errno == ENOENT;
  bool ok = folder_walk(fd, strays_each_name, &listing);
  int why = listing.error != 0 ? listing.error : errno;
  close(fd);
  errno = why;
  return ok && listing.error == 0;
}

void strays_fini(struct strays *strays) {
  free(strays->files);
  *strays = (struct strays){.files = NULL};
}

bool strays_note(const struct strays *strays, struct checker *checker) {
  sqlite3_stmt *add = NULL;
  bool ok =
      sqlite3_prepare_v2(checker->db, "INSERT INTO seen VALUES(?1, ?2, ?3)",
                         -1, &add, NULL) == SQLITE_OK;
  for (size_t i = 0; ok && i < strays->count; i++) {
    uint64_t file = strays->files[i];
    sqlite3_bind_int64(add, 1, file >> 1 & 1);
    sqlite3_bind_int64(add, 2, (int64_t)(file >> 2));
    sqlite3_bind_int64(add, 3, file & 1);
    ok = index_run(add);
  }
  sqlite3_finalize(add);
  return ok || checker_failed(checker);
}

/* A new index knows of all that is there, so nothing is left to look at. */
bool strays_end(struct checker *checker) {
  char sql[400];
  long long next = (long long)checker->last + 1;
  snprintf(
      sql, sizeof sql,
      "UPDATE state SET value = max(value, %lld) WHERE name = 'next';%s", next,
      checker->rebuilt ? "DELETE FROM recent;"
                         "UPDATE state SET value = 1 WHERE name = 'clean';"
                         "UPDATE state SET value ="
                         " (SELECT value FROM state WHERE name = 'next')"
                         " WHERE name = 'low'"
                       : "");
  return index_exec(checker->db, sql) || checker_failed(checker);
}
