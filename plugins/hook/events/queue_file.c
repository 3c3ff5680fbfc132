/* SPDX-License-Identifier: MIT
 *
 * Opens the queue, or makes it.  The lock of SQLite's exclusive mode keeps
 * other gateways, and other hooks of this one, away.
 */
#include "queue_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backoff.h"

#define WAIT_MS 2000 /* for a gateway that is just ending */

static const char tuning[] =
    "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;"
    "PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF;"
    "PRAGMA cache_size = -1024; PRAGMA mmap_size = 0;"
    "PRAGMA journal_size_limit = 16777216";

static const char schema[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE event(number INTEGER PRIMARY KEY AUTOINCREMENT,"
    " id TEXT NOT NULL, key BLOB NOT NULL, created INTEGER NOT NULL,"
    " due INTEGER NOT NULL, attempts INTEGER NOT NULL,"
    " ready INTEGER NOT NULL, body BLOB NOT NULL);"
    "CREATE INDEX event_key ON event(key, number);"
    "CREATE INDEX event_due ON event(due, number) WHERE ready = 1;"
    "PRAGMA application_id = 1397511510;"
    "PRAGMA user_version = 1;"
    "COMMIT";

static const struct {
  size_t offset;
  const char *sql;
} statements[] = {
    {offsetof(struct queue, begin), "BEGIN IMMEDIATE"},
    {offsetof(struct queue, commit), "COMMIT"},
    {offsetof(struct queue, rollback), "ROLLBACK"},
    {offsetof(struct queue, put),
     "INSERT INTO event(id, key, created, due, attempts, ready, body)"
     " VALUES(?1, ?2, ?3, ?3, 0,"
     " NOT EXISTS(SELECT 1 FROM event WHERE key = ?2), ?4)"},
    {offsetof(struct queue, next),
     "UPDATE event SET ready = 1 WHERE number ="
     " (SELECT min(number) FROM event WHERE number > ?1 AND key ="
     " (SELECT key FROM event WHERE number = ?1))"},
    {offsetof(struct queue, erase), "DELETE FROM event WHERE number = ?1"},
    {offsetof(struct queue, again),
     "UPDATE event SET due = ?2, attempts = ?3 WHERE number = ?1"},
    {offsetof(struct queue, ready),
     "SELECT number, due, id, created, attempts, body FROM event"
     " WHERE ready = 1 ORDER BY due, number"},
};

static bool exec(sqlite3 *db, const char *sql) {
  return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

static bool read_number(sqlite3 *db, const char *sql, int64_t *number) {
  sqlite3_stmt *statement = NULL;
  bool read = sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
              sqlite3_step(statement) == SQLITE_ROW;
  if (read)
    *number = sqlite3_column_int64(statement, 0);
  sqlite3_finalize(statement);
  return read;
}

static bool broken(sqlite3 *db, const char *path, struct errmsg *why) {
  int code = sqlite3_errcode(db) & 0xff;
  if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
    return errmsg_set(why,
                      "%s is used by another gateway or hook; give each a "
                      "directory of its own",
                      path);
  return errmsg_set(why,
                    "%s can't be used: %s; mend that, or choose another "
                    "directory",
                    path, sqlite3_errmsg(db));
}

/* Nothing is written before it is known whose it is. */
static bool identify(sqlite3 *db, const char *path, struct errmsg *why) {
  int64_t application, version, tables;
  if (!read_number(db, "PRAGMA application_id", &application) ||
      !read_number(db, "PRAGMA user_version", &version) ||
      !read_number(db, "SELECT count(*) FROM sqlite_master", &tables))
    return broken(db, path, why);
  bool fresh = application == 0 && version == 0 && tables == 0;
  if (!fresh && application != 1397511510)
    return errmsg_set(
        why, "%s belongs to another program; choose another directory", path);
  if (!fresh && version != 1)
    return errmsg_set(why,
                      "%s was written by a later version; use that one, or "
                      "another directory",
                      path);
  return (exec(db, tuning) && (!fresh || exec(db, schema))) ||
         broken(db, path, why);
}

/* A clock that was set back must not make events wait for years. */
static bool revive(sqlite3 *db, int64_t now_ms) {
  char sql[128];
  snprintf(sql, sizeof sql,
           "UPDATE event SET due = %" PRId64 " WHERE due > %" PRId64, now_ms,
           now_ms + BACKOFF_AFTER_MAX_MS);
  return exec(db, sql);
}

static bool prepare(struct queue *queue) {
  for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
    void *at = (char *)queue + statements[i].offset;
    if (sqlite3_prepare_v3(queue->db, statements[i].sql, -1,
                           SQLITE_PREPARE_PERSISTENT, (sqlite3_stmt **)at,
                           NULL) != SQLITE_OK)
      return false;
  }
  return true;
}

static bool connect(struct queue *queue, const char *path, int64_t now_ms,
                    struct errmsg *why) {
  int result = sqlite3_open_v2(path, &queue->db,
                               SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
                                   SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                               NULL);
  if (result != SQLITE_OK)
    return errmsg_set(why,
                      "%s can't be opened: %s; give the gateway access to it",
                      path, sqlite3_errstr(result));
  sqlite3_busy_timeout(queue->db, WAIT_MS);
  return identify(queue->db, path, why) &&
         ((revive(queue->db, now_ms) && prepare(queue)) ||
          broken(queue->db, path, why));
}

/* SQLite syncs what is in the directory; its own name is ours to sync. */
static bool make(const char *directory) {
  char above[4096];
  if (mkdir(directory, 0700) != 0)
    return errno == EEXIST;
  snprintf(above, sizeof above, "%s/..", directory);
  int fd = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  bool synced = fd >= 0 && fsync(fd) == 0;
  if (fd >= 0)
    close(fd);
  return synced;
}

struct queue *queue_open(const char *directory, int64_t now_ms,
                         struct errmsg *why) {
  char path[4096];
  struct queue *queue = calloc(1, sizeof *queue);
  int len = snprintf(path, sizeof path, "%s/" QUEUE_FILE, directory);
  if (queue == NULL || len >= (int)sizeof path) {
    errmsg_set(why, queue == NULL ? "no memory is left"
                                  : "'directory' is too long a path");
    free(queue);
    return NULL;
  }
  if (!make(directory))
    errmsg_set(why,
               "'directory' %s can't be made: %s; make the folder above "
               "it, or give the gateway access",
               directory, strerror(errno));
  else if (connect(queue, path, now_ms, why))
    return queue;
  queue_close(queue);
  return NULL;
}

void queue_close(struct queue *queue) {
  sqlite3_stmt *statement;
  if (queue == NULL)
    return;
  while (queue->db && (statement = sqlite3_next_stmt(queue->db, NULL)))
    sqlite3_finalize(statement);
  sqlite3_close(queue->db);
  free(queue);
}
