/* SPDX-License-Identifier: MIT
 *
 * The order of a check, and its words.
 */
#include "checker.h"

#include "hold.h"
#include "index.h"
#include "salvage.h"
#include "schema.h"
#include "snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "folder.h"

/* ---- words -------------------------------------------------------------- */

void checker_tell(struct checker *checker, const char *what, const char *key,
                  bool good, const char *fmt, ...) {
  struct errmsg text;
  va_list args;
  va_start(args, fmt);
  vsnprintf(text.text, sizeof text.text, fmt, args);
  va_end(args);
  if (good)
    checker->mended++;
  else
    checker->damaged++;
  const struct sluice_finding finding = {SLUICE_FINDING, .what = what,
                                         .key = key, .text = text.text,
                                         .good = good};
  checker->chore->tell(checker->chore->arg, &finding);
}

bool checker_failed(struct checker *checker) {
  if (checker->err.text[0] == '\0')
    index_fault(checker->db, &checker->err);
  return false;
}

int checker_open(const struct checker *checker, const char *name) {
  return openat(checker->dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void count_all(const struct checker *checker) {
  const struct {
    const char *what;
    uint64_t number;
  } counts[] = {{"objects", checker->objects},
                {"bytes", checker->bytes},
                {"blobs", checker->blobs},
                {"damaged", checker->damaged},
                {"repaired", checker->mended}};
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
    checker->chore->count(checker->chore->arg, counts[i].what,
                          counts[i].number);
}

/* ---- the copy of the index ---------------------------------------------- */

static bool drop_file(void *arg, int folder, const char *name) {
  (void)arg;
  unlinkat(folder, name, 0);
  return true;
}

static void drop_copies(struct checker *checker) {
  for (size_t i = 0; i < 2; i++) {
    const char *name = checker->copies[i];
    int folder = name[0] == '\0' ? -1 : checker_open(checker, name);
    if (folder < 0)
      continue;
    folder_walk(folder, drop_file, NULL);
    close(folder);
    unlinkat(checker->dir, name, AT_REMOVEDIR);
  }
}

static sqlite3 *open_copy(struct checker *checker, const char *name) {
  char *path = NULL;
  if (asprintf(&path, "%s/%s", checker->directory, name) < 0) {
    errmsg_set(&checker->err, "no memory is left");
    return NULL;
  }
  sqlite3 *db = index_open(path, NULL, false, &checker->err);
  free(path);
  if (db == NULL || schema_upgrade(db))
    return db;
  index_fault(db, &checker->err);
  index_close(db);
  return NULL;
}

/* NULL: there is no index, or it can't be copied (*why, an errno), or used
 * (0).  The caller has HOLD_COPY. */
static sqlite3 *take_copy(struct checker *checker, size_t which, int *why) {
  char *name = checker->copies[which];
  snprintf(name, sizeof checker->copies[0], "check.%ld.%zu", (long)getpid(),
           which);
  int folder = folder_make(checker->dir, name);
  bool ok = folder >= 0 && snapshot_take(checker->dir, folder, &checker->err);
  *why = ok ? 0 : errno;
  if (folder >= 0)
    close(folder);
  return ok ? open_copy(checker, name) : NULL;
}

sqlite3 *checker_copy_again(struct checker *checker) {
  int why, hold = hold_take(checker->dir, HOLD_COPY);
  sqlite3 *db = hold == HOLD_NONE ? NULL : take_copy(checker, 1, &why);
  hold_end(hold);
  return db;
}

static bool is_intact(struct checker *checker) {
  int64_t marked;
  if (!index_check(checker->db, checker->directory, &checker->err))
    return false;
  if (!index_number(checker->db,
                    "SELECT value FROM state"
                    " WHERE name = 'marked'",
                    &marked))
    return checker_failed(checker);
  checker->marked = (uint64_t)marked;
  return true;
}

/* ---- steps -------------------------------------------------------------- */

#define TABLES                                                             \
  "CREATE TEMP TABLE seen(lost INTEGER, blob INTEGER, committed INTEGER,"  \
  " PRIMARY KEY(lost, blob)) WITHOUT ROWID;"                               \
  "CREATE TEMP TABLE owned(blob INTEGER PRIMARY KEY);"                     \
  "CREATE TEMP TABLE bad(key BLOB PRIMARY KEY, blob INTEGER, sum INTEGER," \
  " what TEXT, text TEXT) WITHOUT ROWID;"

/* Files are listed before the copy is taken, but tables are in the copy: the
 * list waits in memory, eight bytes a blob. */
static bool list_files(struct checker *checker, struct strays *strays) {
  bool ok = strays_list(strays, checker, "blobs", false) &&
            strays_list(strays, checker, "lost+found", true);
  return ok || errmsg_set(&checker->err,
                          "blobs can't be listed: %s; let them "
                          "belong to who checks",
                          strerror(errno));
}

static bool compare(struct checker *checker, struct strays *strays) {
  return (index_exec(checker->db, TABLES) || checker_failed(checker)) &&
         strays_note(strays, checker) && checker_rows(checker) &&
         checker_strays(checker) && checker_bad(checker);
}

static bool tell_of_index(struct checker *checker, bool missing) {
  checker_tell(checker, missing ? "no-index" : "damaged-index", NULL, false,
               "%s; --repair makes it anew from the blobs",
               missing ? "there is no " INDEX_FILE : checker->err.text);
  checker->err.text[0] = '\0';
  return true;
}

static bool look(struct checker *checker) {
  struct strays strays = {0};
  int why = 0;
  bool ok = list_files(checker, &strays);
  int hold = ok ? hold_take(checker->dir, HOLD_COPY) : HOLD_NONE;
  if (hold != HOLD_NONE)
    checker->db = take_copy(checker, 0, &why);
  bool copied = checker->db != NULL;
  if (ok && hold == HOLD_NONE)
    ok = errmsg_set(&checker->err,
                    "%s/hold can't be locked: %s; let it belong to who checks",
                    checker->directory, strerror(errno));
  hold_end(hold);
  if (ok && (!copied || !is_intact(checker))) {
    ok = (why == 0 || why == ENOENT) && tell_of_index(checker, why == ENOENT);
  } else if (ok) {
    ok = compare(checker, &strays);
  }
  strays_fini(&strays);
  return ok;
}

static bool repair(struct checker *checker) {
  struct strays strays = {0};
  struct stat st;
  bool missing = fstatat(checker->dir, INDEX_FILE, &st, 0) != 0;
  if (!store_open(&checker->store, checker->dir, true, false, &checker->err) ||
      !list_files(checker, &strays))
    return false;
  if (!missing && !salvage_is_due(checker->dir))
    checker->db = index_open(checker->directory, NULL, true, &checker->err);
  bool ok =
      checker->db != NULL && schema_upgrade(checker->db) && is_intact(checker);
  if (!ok) {
    index_close(checker->db);
    checker->db = NULL;
    struct errmsg why = checker->err;
    checker->err.text[0] = '\0';
    checker->rebuilt = ok = salvage(checker, missing);
    if (ok)
      checker_tell(checker, missing ? "no-index" : "damaged-index", NULL, true,
                   "%s; it was made anew",
                   missing ? "there was no index" : why.text);
  }
  ok = ok &&
       (index_exec(checker->db, "BEGIN IMMEDIATE") ||
        checker_failed(checker)) &&
       compare(checker, &strays) && strays_end(checker) &&
       (index_exec(checker->db, "COMMIT") || checker_failed(checker)) &&
       (!checker->rebuilt || salvage_end(checker));
  strays_fini(&strays);
  if (checker->db != NULL)
    index_copy_back_at_close(checker->db);
  return ok;
}

/* ---- the chore ---------------------------------------------------------- */

static bool checker_begin(struct checker *checker,
                          const struct local_conf *conf) {
  checker->datadir = (struct datadir)DATADIR_CLOSED;
  checker->store = (struct store)STORE_CLOSED;
  if (checker->repair) {
    struct stat st;
    if (stat(conf->directory, &st) != 0)
      return errmsg_set(&checker->err, "directory %s can't be opened: %s",
                        conf->directory, strerror(errno));
    if (!datadir_open(&checker->datadir, conf->directory, true, NULL,
                      &checker->err))
      return false;
    checker->dir = checker->datadir.dir;
    return true;
  }
  checker->dir = open(conf->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (checker->dir < 0)
    return errmsg_set(&checker->err, "directory %s can't be opened: %s",
                      conf->directory, strerror(errno));
  checker->store.blobs = checker_open(checker, "blobs");
  if (checker->store.blobs < 0)
    return errmsg_set(&checker->err,
                      "directory %s holds no store: there is no folder blobs",
                      conf->directory);
  checker->store.modes = true;
  return true;
}

enum sluice_status checker_run(const struct local_conf *conf,
                               struct sluice_host *host,
                               const struct sluice_chore *chore) {
  struct checker checker = {.chore = chore,
                            .host = host,
                            .directory = conf->directory,
                            .dir = -1,
                            .marked = 1,
                            .repair = chore->flags & SLUICE_CHORE_REPAIR,
                            .read = chore->flags & SLUICE_CHORE_READ};
  int hold = HOLD_NONE;
  bool ok = checker_begin(&checker, conf);
  if (ok && checker.repair)
    hold = hold_take(checker.dir, HOLD_COPY);
  ok = ok && (checker.repair ? repair(&checker) : look(&checker));
  index_close(checker.db);
  drop_copies(&checker);
  if (ok)
    count_all(&checker);
  else
    sluice_fail(host, "%s", checker.err.text);
  hold_end(hold);
  store_close(&checker.store);
  if (!checker.repair && checker.dir >= 0)
    close(checker.dir);
  datadir_close(&checker.datadir);
  return ok ? SLUICE_OK : SLUICE_EIO;
}
