/* SPDX-License-Identifier: MIT
 *
 * Opens the index, tells whether it is one that this version understands, and
 * makes it when there is none.
 */
#include "index.h"

#include "schema.h"
#include "store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool index_exec(sqlite3 *db, const char *sql) {
  return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

bool index_number(sqlite3 *db, const char *sql, int64_t *number) {
  sqlite3_stmt *statement = NULL;
  bool ok = sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
            index_step(statement) == SQLITE_ROW;
  if (ok)
    *number = sqlite3_column_int64(statement, 0);
  sqlite3_finalize(statement);
  return ok;
}

void index_close(sqlite3 *db) {
  sqlite3_stmt *statement;
  while (db && (statement = sqlite3_next_stmt(db, NULL)))
    sqlite3_finalize(statement);
  sqlite3_close(db);
}

/* SQLite's own VFS for databases of one process: connections share the WAL's
 * index in memory of the heap.  In a file that is mapped, as index.db-shm
 * would be, a full disk is SIGBUS. */
#define VFS "unix-excl"

static void set_copying(sqlite3 *db, bool copying) {
  sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, copying ? 0 : 1,
                    (int *)NULL);
}

void index_copy_back_at_close(sqlite3 *db) {
  set_copying(db, true);
}

static sqlite3 *index_connect(const char *folder, const char *vfs, int flags,
                              struct errmsg *err) {
  flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  sqlite3 *db = NULL;
  char *path = NULL;
  if (asprintf(&path, "%s/" INDEX_FILE, folder) < 0) {
    errmsg_set(err, "no memory is left");
    return NULL;
  }
  int result = sqlite3_open_v2(path, &db, flags, vfs ? vfs : VFS);
  if (result == SQLITE_OK) {
    sqlite3_busy_timeout(db, INDEX_WAIT_MS);
    set_copying(db, false);
  } else {
    errmsg_set(err, "%s can't be opened: %s; give the gateway access to it",
               path, sqlite3_errstr(result));
    sqlite3_close(db);
    db = NULL;
  }
  free(path);
  return db;
}

static bool index_broken(sqlite3 *db, const char *folder, struct errmsg *err) {
  int code = sqlite3_errcode(db) & 0xff;
  if (code == SQLITE_NOTADB)
    return errmsg_set(err,
                      "%s/" INDEX_FILE " isn't a database; restore it, or "
                      "choose another directory",
                      folder);
  if (code == SQLITE_CORRUPT)
    return errmsg_set(err,
                      "%s/" INDEX_FILE " is damaged (%s); restore it from a "
                      "backup, or mend it with sqlite3's .recover",
                      folder, sqlite3_errmsg(db));
  if (code == SQLITE_BUSY)
    return errmsg_set(err,
                      "%s/" INDEX_FILE " is in use by another program, a "
                      "database shell or a backup say; end that",
                      folder);
  if (code == SQLITE_FULL)
    return errmsg_set(err,
                      "%s/" INDEX_FILE " can't be written: the disk is full; "
                      "make room",
                      folder);
  return errmsg_set(err,
                    "%s/" INDEX_FILE " can't be used: %s; mend that, or "
                    "choose another directory",
                    folder, sqlite3_errmsg(db));
}

/* Is it ours, or still nobody's?  Nothing is written before that is known. */
static bool index_identify(sqlite3 *db, const char *folder, bool *fresh,
                           struct errmsg *err) {
  int64_t application, version, tables;
  if (!index_number(db, "PRAGMA application_id", &application) ||
      !index_number(db, "PRAGMA user_version", &version) ||
      !index_number(db, "SELECT count(*) FROM sqlite_master", &tables))
    return index_broken(db, folder, err);
  *fresh = application == 0 && version == 0 && tables == 0;
  if (*fresh)
    return true;
  if (application != SCHEMA_APPLICATION)
    return errmsg_set(err,
                      "%s/" INDEX_FILE " belongs to another program; choose "
                      "another directory",
                      folder);
  if (version >= 1 && version <= SCHEMA_VERSION)
    return true;
  return errmsg_set(err,
                    "%s/" INDEX_FILE " was written by a later version (schema "
                    "%lld, this is %d); use that one, or another directory",
                    folder, (long long)version, SCHEMA_VERSION);
}

static bool is_wal(sqlite3 *db) {
  sqlite3_stmt *statement = NULL;
  const char *mode = NULL;
  if (sqlite3_prepare_v2(db, "PRAGMA journal_mode = WAL", -1, &statement,
                         NULL) == SQLITE_OK &&
      sqlite3_step(statement) == SQLITE_ROW)
    mode = (const char *)sqlite3_column_text(statement, 0);
  bool wal = mode && strcmp(mode, "wal") == 0;
  sqlite3_finalize(statement);
  return wal;
}

static bool tune(sqlite3 *db, const char *folder, bool sync,
                 struct errmsg *err) {
  if (!index_exec(db, "PRAGMA page_size = 4096; PRAGMA trusted_schema = OFF;"
                      "PRAGMA cache_size = -4096; PRAGMA mmap_size = 0;"
                      "PRAGMA journal_size_limit = 67108864;"
                      "PRAGMA secure_delete = FAST"))
    return index_broken(db, folder, err);
  if (!is_wal(db)) {
    if (sqlite3_errcode(db) != SQLITE_OK && sqlite3_errcode(db) < SQLITE_ROW)
      return index_broken(db, folder, err);
    return errmsg_set(err,
                      "%s is on a file system where SQLite can't keep a "
                      "write-ahead log; choose a local one",
                      folder);
  }
  return index_exec(db, sync ? "PRAGMA synchronous = FULL"
                             : "PRAGMA synchronous = NORMAL") ||
         index_broken(db, folder, err);
}

sqlite3 *index_open(const char *folder, const char *vfs, bool sync,
                    struct errmsg *err) {
  sqlite3 *db = index_connect(folder, vfs, SQLITE_OPEN_CREATE, err);
  bool fresh = false;
  if (db && index_identify(db, folder, &fresh, err) &&
      tune(db, folder, sync, err) &&
      (!fresh || schema_make(db) || index_broken(db, folder, err)))
    return db;
  index_close(db);
  return NULL;
}

sqlite3 *index_open_reader(const char *folder, const char *vfs,
                           struct errmsg *err) {
  sqlite3 *db = index_connect(folder, vfs, 0, err);
  if (db &&
      (index_exec(db, "PRAGMA query_only = ON; PRAGMA trusted_schema = OFF;"
                      "PRAGMA cache_size = -512; PRAGMA mmap_size = 0") ||
       index_broken(db, folder, err)))
    return db;
  index_close(db);
  return NULL;
}

/* SQLite tells its findings in lines, and the log takes one. */
static void join_lines(struct errmsg *err) {
  for (char *at = err->text; (at = strchr(at, '\n'));)
    *at = ' ';
}

bool index_check(sqlite3 *db, const char *folder, struct errmsg *err) {
  sqlite3_stmt *statement = NULL;
  const char *found = NULL;
  if (sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &statement, NULL) ==
          SQLITE_OK &&
      sqlite3_step(statement) == SQLITE_ROW)
    found = (const char *)sqlite3_column_text(statement, 0);
  bool ok = found && strcmp(found, "ok") == 0;
  if (!ok && found)
    errmsg_set(err,
               "%s/" INDEX_FILE " is damaged (%s); restore it from a backup, "
               "or mend it with sqlite3's .recover",
               folder, found);
  else if (!ok)
    index_broken(db, folder, err);
  join_lines(err);
  sqlite3_finalize(statement);
  return ok;
}

bool index_prepare(sqlite3 *db, const struct index_sql *table,
                   void *statements) {
  for (; table->sql; table++) {
    sqlite3_stmt **at =
        (sqlite3_stmt **)(void *)((char *)statements + table->offset);
    if (sqlite3_prepare_v3(db, table->sql, -1, SQLITE_PREPARE_PERSISTENT, at,
                           NULL) != SQLITE_OK)
      return false;
  }
  return true;
}

void index_reset(sqlite3_stmt *statement) {
  int error = errno;
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  errno = error;
}

int index_step(sqlite3_stmt *statement) {
  errno = 0;
  return sqlite3_step(statement);
}

bool index_run(sqlite3_stmt *statement) {
  bool ok = index_step(statement) == SQLITE_DONE;
  index_reset(statement);
  return ok;
}

bool index_run_number(sqlite3_stmt *statement, uint64_t number) {
  sqlite3_bind_int64(statement, 1, (int64_t)number);
  return index_run(statement);
}

/* The bytes must stay until the statement is reset.  A failure is seen when
 * it runs: the columns that matter are NOT NULL. */
void index_bind(sqlite3_stmt *statement, int at, const void *blob,
                size_t len) {
  sqlite3_bind_blob64(statement, at, len > 0 ? blob : "", len, SQLITE_STATIC);
}

/* A file that may grow no further is a full one here. */
static enum sluice_status system_fault(int error) {
  enum sluice_status status = store_fault(error);
  return status == SLUICE_ETOOBIG ? SLUICE_ENOSPC : status;
}

enum sluice_status index_fault(sqlite3 *db, struct errmsg *why) {
  int error = errno, code = sqlite3_extended_errcode(db);
  bool system = (code & 0xff) == SQLITE_IOERR && error != 0;
  errmsg_set(why, "the index says: %s (%d)%s%s", sqlite3_errmsg(db), code,
             system ? ", " : "", system ? strerror(error) : "");
  /* A column is NULL only where there was no memory to bind it. */
  if (code == SQLITE_IOERR_NOMEM || code == SQLITE_CONSTRAINT_NOTNULL)
    return SLUICE_ENOMEM;
  switch (code & 0xff) {
  case SQLITE_FULL:
    return SLUICE_ENOSPC;
  case SQLITE_NOMEM:
    return SLUICE_ENOMEM;
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
    return SLUICE_EBUSY;
  case SQLITE_IOERR:
  case SQLITE_CANTOPEN:
    return system_fault(error);
  default:
    return SLUICE_EIO;
  }
}

bool index_is_damaged(sqlite3 *db) {
  int code = sqlite3_errcode(db) & 0xff;
  return code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
}
