/* SPDX-License-Identifier: MIT
 *
 * Rows are read from both ends, as far as the damage lets; those of large
 * objects that are missing then come back by the blobs' descriptions.  Small
 * objects are nowhere but in the index.
 */
#include "salvage.h"

#include "folder.h"
#include "identity.h"
#include "index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct salvage {
  struct checker *checker;
  sqlite3 *old;
  sqlite3_stmt *put, *put_small, *small;
};

static const struct index_sql to_new[] = {
    {offsetof(struct salvage, put),
     "INSERT OR IGNORE INTO object(key, " ROW_COLUMNS ")"
     " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"},
    {offsetof(struct salvage, put_small), "INSERT INTO small VALUES(?1, ?2)"},
    {0, NULL}};

/* ---- cut short ---------------------------------------------------------- */

/* While an index is made anew, this file says what the old one is called in
 * lost+found; its first letter, whether there was none. */
#define MARK "repair"
#define MISSING '-'
#define THERE '+'

bool salvage_is_due(int dir) {
  return faccessat(dir, MARK, F_OK, 0) == 0;
}

/* The name, and whether the old one was there; false: no repair was cut. */
static bool read_mark(int dir, char name[32], bool *missing) {
  char text[33] = "";
  int fd = openat(dir, MARK, O_RDONLY | O_CLOEXEC);
  ssize_t got = fd < 0 ? -1 : pread(fd, text, sizeof text - 1, 0);
  if (fd >= 0)
    close(fd);
  if (got < 2 || strchr(text, '/') != NULL)
    return false;
  *missing = text[0] == MISSING;
  snprintf(name, 32, "%s", text + 1);
  return true;
}

static bool write_mark(int dir, const char *name, bool missing) {
  char text[34];
  int len =
      snprintf(text, sizeof text, "%c%s", missing ? MISSING : THERE, name);
  return folder_put(dir, MARK, text, (size_t)len);
}

bool salvage_end(struct checker *checker) {
  if (unlinkat(checker->dir, MARK, 0) == 0 && fsync(checker->dir) == 0)
    return true;
  return errmsg_set(&checker->err, "%s/" MARK " can't be removed: %s",
                    checker->directory, strerror(errno));
}

/* ---- the old one -------------------------------------------------------- */

static bool remove_file(int dir, const char *name) {
  return unlinkat(dir, name, 0) == 0 || errno == ENOENT;
}

/* Finds a name that is free: index.db.N. */
static void choose_name(int lost, char name[32]) {
  char log[40];
  for (int i = 1; i < 1000; i++) {
    snprintf(name, 32, INDEX_FILE ".%d", i);
    snprintf(log, sizeof log, "%s-wal", name);
    if (faccessat(lost, name, F_OK, 0) != 0 &&
        faccessat(lost, log, F_OK, 0) != 0)
      return;
  }
}

/* With its log beside it, by that name. */
static bool move_index(int dir, int lost, const char *name) {
  char log[40];
  snprintf(log, sizeof log, "%s-wal", name);
  return (renameat(dir, INDEX_FILE "-wal", lost, log) == 0 ||
          errno == ENOENT) &&
         (renameat(dir, INDEX_FILE, lost, name) == 0 || errno == ENOENT);
}

/* Moves away what a repair that was cut short has made, as the old one is
 * elsewhere; but it may be one that was put back by hand since. */
static bool move_unfinished(int dir, int lost, const char *name,
                            bool missing) {
  char other[32];
  if (!missing && faccessat(lost, name, F_OK, 0) != 0)
    return true; /* it isn't: this is the old one */
  choose_name(lost, other);
  return remove_file(dir, INDEX_FILE "-journal") &&
         move_index(dir, lost, other);
}

/* To lost+found, and its log beside it by that name. */
static bool move_old(struct checker *checker, char name[32], bool *missing) {
  int lost = folder_make(checker->dir, "lost+found");
  bool again = lost >= 0 && read_mark(checker->dir, name, missing);
  if (lost >= 0 && !again)
    choose_name(lost, name);
  bool ok = lost >= 0 &&
            (again ? move_unfinished(checker->dir, lost, name, *missing)
                   : write_mark(checker->dir, name, *missing)) &&
            move_index(checker->dir, lost, name) && fsync(lost) == 0 &&
            fsync(checker->dir) == 0;
  if (!ok)
    errmsg_set(&checker->err,
               "%s/" INDEX_FILE " can't be moved to lost+found: "
               "%s; let it belong to who repairs",
               checker->directory, strerror(errno));
  if (lost >= 0)
    close(lost);
  return ok;
}

static sqlite3 *open_old(const struct checker *checker, const char *name) {
  sqlite3 *db = NULL;
  char *path = NULL;
  if (asprintf(&path, "%s/lost+found/%s", checker->directory, name) < 0)
    return NULL;
  if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_EXRESCODE,
                      "unix-excl") == SQLITE_OK)
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)NULL);
  free(path);
  return db;
}

/* ---- rows --------------------------------------------------------------- */

static bool take_small(struct salvage *salvage, struct row *row) {
  bool ok = true;
  if (row->small == 0)
    return true;
  sqlite3_bind_int64(salvage->small, 1, (int64_t)row->small);
  ok = index_step(salvage->small) == SQLITE_ROW &&
       (uint64_t)sqlite3_column_bytes(salvage->small, 0) == row->length;
  if (ok) {
    sqlite3_bind_int64(salvage->put_small, 1, (int64_t)row->small);
    index_bind(salvage->put_small, 2, sqlite3_column_blob(salvage->small, 0),
               (size_t)row->length);
    /* It may be there: from the other end. */
    ok = index_run(salvage->put_small) ||
         (sqlite3_errcode(salvage->checker->db) & 0xff) == SQLITE_CONSTRAINT;
  }
  index_reset(salvage->small);
  return ok;
}

static void take_row(struct salvage *salvage, sqlite3_stmt *scan) {
  struct row row;
  row_init(&row);
  char *key = strndup(
      sqlite3_column_blob(scan, 8) != NULL ? sqlite3_column_blob(scan, 8) : "",
      (size_t)sqlite3_column_bytes(scan, 8));
  if (key != NULL && row_load(&row, scan, key) == SLUICE_OK &&
      take_small(salvage, &row)) {
    row_bind(&row, salvage->put, key);
    index_run(salvage->put);
  }
  row_fini(&row);
  free(key);
}

static void take_rows(struct salvage *salvage) {
  static const char *const scans[] = {
      "SELECT " ROW_COLUMNS ", key FROM object ORDER BY key",
      "SELECT " ROW_COLUMNS ", key FROM object ORDER BY key DESC"};
  sqlite3_stmt *scan;
  for (size_t i = 0; i < 2; i++) {
    int result = SQLITE_ERROR;
    if (sqlite3_prepare_v2(salvage->old, scans[i], -1, &scan, NULL) ==
        SQLITE_OK)
      while ((result = index_step(scan)) == SQLITE_ROW)
        take_row(salvage, scan);
    sqlite3_finalize(scan);
    if (result == SQLITE_DONE)
      return; /* it came through from one end to the other */
  }
}

/* Blobs of what was deleted don't come back. */
static void take_garbage(struct salvage *salvage) {
  sqlite3_stmt *scan = NULL;
  char sql[96];
  if (sqlite3_prepare_v2(salvage->old, "SELECT blob FROM garbage", -1, &scan,
                         NULL) == SQLITE_OK)
    while (index_step(scan) == SQLITE_ROW) {
      snprintf(sql, sizeof sql, "INSERT OR IGNORE INTO garbage VALUES(%lld)",
               (long long)sqlite3_column_int64(scan, 0));
      index_exec(salvage->checker->db, sql);
    }
  sqlite3_finalize(scan);
}

static void take_over(struct checker *checker, const char *name) {
  struct salvage salvage = {.checker = checker,
                            .old = open_old(checker, name)};
  if (salvage.old != NULL && index_prepare(checker->db, to_new, &salvage) &&
      sqlite3_prepare_v2(salvage.old, "SELECT bytes FROM small WHERE id = ?1",
                         -1, &salvage.small, NULL) == SQLITE_OK &&
      index_exec(checker->db, "BEGIN IMMEDIATE")) {
    take_rows(&salvage);
    take_garbage(&salvage);
    index_exec(checker->db, "COMMIT");
  }
  sqlite3_finalize(salvage.put);
  sqlite3_finalize(salvage.put_small);
  index_close(salvage.old);
}

/* ---- the new one -------------------------------------------------------- */

/* The number that store.id has, or that file goes, and is made anew. */
static bool keep_id(struct checker *checker) {
  uint64_t id;
  char sql[96];
  if (!identity_read(&checker->datadir, &id))
    return true;
  snprintf(sql, sizeof sql, "UPDATE state SET value = %lld WHERE name = 'id'",
           (long long)id);
  return index_exec(checker->db, sql) || checker_failed(checker);
}

bool salvage(struct checker *checker, bool missing) {
  char name[32] = "";
  if (!move_old(checker, name, &missing))
    return false;
  checker->db = index_open(checker->directory, NULL, true, &checker->err);
  if (checker->db == NULL)
    return false;
  checker->marked = 1;
  if (!missing)
    take_over(checker, name);
  return keep_id(checker);
}
