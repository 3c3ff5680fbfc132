/* SPDX-License-Identifier: MIT
 *
 * Blobs without a row.  Their descriptions say which objects they are, so a
 * row can be made again, of the newest one of each key.
 */
#include "checker.h"

#include "blob.h"
#include "folder.h"
#include "index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct stray {
  struct checker *checker;
  sqlite3_stmt *scan, *find, *put, *recent, *settle, *is_bad;
  uint64_t number;
  bool lost, committed; /* in lost+found */
  int fd;
  char *key;
  struct row said; /* by its description */
};

static const struct index_sql statements[] = {
    {offsetof(struct stray, scan), "SELECT lost, blob, committed FROM seen"
                                   " WHERE lost OR blob NOT IN (SELECT blob "
                                   "FROM owned) ORDER BY lost, blob"},
    {offsetof(struct stray, find),
     "SELECT " ROW_COLUMNS " FROM object WHERE key = ?1"},
    {offsetof(struct stray, put),
     "INSERT OR REPLACE INTO object(key, " ROW_COLUMNS ")"
     " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"},
    {offsetof(struct stray, recent),
     "INSERT OR IGNORE INTO recent VALUES(?1)"},
    {offsetof(struct stray, settle), "DELETE FROM bad WHERE key = ?1"},
    {offsetof(struct stray, is_bad), "SELECT 1 FROM bad WHERE key = ?1"},
    {0, NULL}};

bool checker_put_aside(struct checker *checker, uint64_t number) {
  char name[32];
  snprintf(name, sizeof name, "%016llx.old", (unsigned long long)number);
  int lost = folder_make(checker->dir, "lost+found");
  bool ok = lost >= 0 && store_move(&checker->store, number, lost, name) &&
            fsync(lost) == 0;
  if (lost >= 0)
    close(lost);
  return ok;
}

/* ---- made an object again ----------------------------------------------- */

static bool bring_back_file(struct stray *stray) {
  char name[24];
  struct store_file file = {.fd = stray->fd};
  int lost = checker_open(stray->checker, "lost+found");
  snprintf(name, sizeof name, "%016llx", (unsigned long long)stray->number);
  bool ok = lost >= 0 &&
            store_link(&stray->checker->store, &file, stray->number) &&
            unlinkat(lost, name, 0) == 0;
  if (lost >= 0)
    close(lost);
  return ok;
}

static bool adopt(struct stray *stray, const char *what, const char *text,
                  uint64_t old) {
  struct checker *checker = stray->checker;
  if (!checker->repair) {
    checker_tell(checker, what, stray->key, false,
                 "%s; --repair brings it back", text);
    return true;
  }
  if ((stray->lost && !bring_back_file(stray)) ||
      (old != 0 && !checker_put_aside(checker, old) && errno != ENOENT) ||
      !store_commit(&checker->store, stray->number)) {
    checker_tell(checker, what, stray->key, false,
                 "%s, and blob %016llx can't be put into its place: %s", text,
                 (unsigned long long)stray->number, strerror(errno));
    return true;
  }
  stray->said.blob = stray->number;
  row_bind(&stray->said, stray->put, stray->key);
  bool ok =
      index_run(stray->put) && index_run_number(stray->recent, stray->number);
  index_bind(stray->settle, 1, stray->key, strlen(stray->key));
  ok = ok && index_run(stray->settle);
  if (ok)
    checker_tell(checker, what, stray->key, true, "%s; it was brought back",
                 text);
  return ok;
}

static bool is_bad(struct stray *stray) {
  index_bind(stray->is_bad, 1, stray->key, strlen(stray->key));
  bool bad = index_step(stray->is_bad) == SQLITE_ROW;
  index_reset(stray->is_bad);
  return bad;
}

static bool set_aside(struct stray *stray) {
  struct checker *checker = stray->checker;
  if (stray->lost)
    return true;
  bool done = checker->repair && checker_put_aside(checker, stray->number);
  checker_tell(checker, "superseded-blob", stray->key, done,
               "blob %016llx has an older version of it%s",
               (unsigned long long)stray->number,
               done ? "; it was moved to lost+found"
                    : "; --repair moves it to lost+found");
  return true;
}

static bool judge(struct stray *stray) {
  struct row row;
  row_init(&row);
  index_bind(stray->find, 1, stray->key, strlen(stray->key));
  int result = index_step(stray->find);
  bool there = result == SQLITE_ROW, ok = there || result == SQLITE_DONE;
  bool torn = there && row_load(&row, stray->find, stray->key) != SLUICE_OK;
  index_reset(stray->find);
  if (ok && !there && stray->checker->repair) {
    stray->checker->objects++;
    stray->checker->bytes += stray->said.length;
  }
  bool same = there && !torn && row.length == stray->said.length &&
              memcmp(row.md5, stray->said.md5, sizeof row.md5) == 0;
  if (ok && !there)
    ok = adopt(stray, stray->lost ? "lost-object" : "lost-row",
               "it isn't in the index, and its blob is", 0);
  else if (ok && torn)
    ok = adopt(stray, "torn-row",
               "its row in the index isn't what was written", 0);
  else if (ok && same && is_bad(stray))
    ok = adopt(stray, "missing-blob", "its blob isn't at its place", 0);
  else if (ok && row.mtime_ms < stray->said.mtime_ms)
    ok = adopt(stray, "older-row", "the index has an older version of it",
               row.blob);
  else if (ok)
    ok = set_aside(stray);
  row_fini(&row);
  return ok || checker_failed(stray->checker);
}

/* ---- looked at ---------------------------------------------------------- */

static int open_stray(struct stray *stray) {
  char path[40];
  if (!stray->lost)
    return store_read(&stray->checker->store, stray->number);
  snprintf(path, sizeof path, "lost+found/%016llx",
           (unsigned long long)stray->number);
  return openat(stray->checker->dir, path, O_RDONLY | O_CLOEXEC);
}

/* An upload that goes on, or that a crash cut: the next start looks at it. */
static bool is_unfinished(const struct stray *stray) {
  return !stray->committed && !stray->lost && !stray->checker->rebuilt;
}

static bool look_at(struct stray *stray) {
  struct checker *checker = stray->checker;
  enum sluice_status status =
      blob_read_description(stray->fd, &stray->key, &stray->said);
  if (status == SLUICE_ENOMEM)
    return errmsg_set(&checker->err, "no memory is left");
  bool verified = checker->read || !checker->rebuilt || !stray->committed;
  const char *wrong = "it doesn't say which object it is";
  if (status == SLUICE_OK)
    wrong = verified ? blob_verify(stray->fd, &stray->said) : NULL;
  if (wrong == NULL)
    return judge(stray);
  if (!stray->lost && (stray->committed || status == SLUICE_OK))
    checker_tell(
        checker, "stray-blob", stray->key, false,
        "blob %016llx has no row in the index, and %s; it stays where "
        "it is",
        (unsigned long long)stray->number, wrong);
  return true;
}

static bool next(struct stray *stray) {
  stray->lost = sqlite3_column_int(stray->scan, 0) != 0;
  stray->number = (uint64_t)sqlite3_column_int64(stray->scan, 1);
  stray->committed = sqlite3_column_int(stray->scan, 2) != 0;
  if (is_unfinished(stray))
    return true;
  stray->fd = open_stray(stray);
  if (stray->fd < 0)
    return errno == ENOENT ||
           errmsg_set(&stray->checker->err, "blob %016llx can't be opened: %s",
                      (unsigned long long)stray->number, strerror(errno));
  row_init(&stray->said);
  stray->key = NULL;
  bool ok = look_at(stray);
  free(stray->key);
  row_fini(&stray->said);
  close(stray->fd);
  return ok;
}

bool checker_strays(struct checker *checker) {
  struct stray stray = {.checker = checker};
  bool ok = index_prepare(checker->db, statements, &stray);
  int result = SQLITE_DONE;
  while (ok && (result = index_step(stray.scan)) == SQLITE_ROW)
    ok = next(&stray);
  ok = ok && result == SQLITE_DONE;
  if (!ok)
    checker_failed(checker);
  for (const struct index_sql *one = statements; one->sql; one++)
    sqlite3_finalize(*(sqlite3_stmt **)(void *)((char *)&stray + one->offset));
  return ok;
}
