/* SPDX-License-Identifier: MIT
 *
 * After a clean stop this is a few reads.  After a crash the index is checked
 * where that is quick, and the blobs that may have no row are looked at.
 */
#include "recover.h"

#include "index.h"
#include "local.h"
#include "schema.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A larger index is checked in about as many seconds as it has GiB; SQLite
 * itself recovers from a crash, so that is for a person to ask for. */
#define CHECK_MAX (256 << 20)

static bool has_index(const struct local *local, off_t *size) {
  struct stat st;
  *size = 0;
  if (fstatat(local->home.dir, INDEX_FILE, &st, 0) == 0)
    *size = st.st_size;
  return *size > 0;
}

/* An empty index would take the place of all that was stored, and hand out
 * numbers again that are in use. */
static bool lost_index(const struct local *local, struct errmsg *err) {
  if (!store_empty(&local->store))
    errmsg_set(err,
               "directory %s holds blobs but no " INDEX_FILE "; restore that, "
               "or choose another directory",
               local->home.path);
  else if (identity_marked(&local->home))
    errmsg_set(err,
               "directory %s held a store, as store.id says, but " INDEX_FILE
               " is gone; restore that, or remove store.id to begin anew",
               local->home.path);
  else
    return false;
  return true;
}

struct state {
  int64_t next, low, clean;
};

static bool read_number(sqlite3 *db, const char *name, int64_t *number) {
  char sql[64];
  snprintf(sql, sizeof sql, "SELECT value FROM state WHERE name = '%s'", name);
  return index_number(db, sql, number);
}

static bool read_state(sqlite3 *db, struct state *state) {
  return read_number(db, "next", &state->next) &&
         read_number(db, "low", &state->low) &&
         read_number(db, "clean", &state->clean) && state->low > 0 &&
         state->next >= state->low &&
         state->next <= INT64_MAX - (int64_t)LEDGER_BLOCK;
}

/* Where the last instance met a fault of the disk, or the machine one, it may
 * be that the kernel's memory has more of the WAL than the disk.  Its pages
 * are written anew into index.db, and synced. */
static bool make_durable(sqlite3 *db) {
  struct errmsg why;
  errno = 0;
  return sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL,
                                   NULL) == SQLITE_OK ||
         index_fault(db, &why) == SLUICE_ENOSPC;
}

static bool has_row(void *arg, uint64_t number) {
  sqlite3_stmt *find = arg;
  sqlite3_bind_int64(find, 1, (int64_t)number);
  int result = index_step(find);
  index_reset(find);
  return result != SQLITE_DONE; /* in doubt it stays */
}

static bool sweep(struct local *local, const struct state *state) {
  sqlite3_stmt *find = NULL;
  if (sqlite3_prepare_v2(local->writer.db,
                         "SELECT 1 FROM recent WHERE blob = ?1", -1, &find,
                         NULL) != SQLITE_OK)
    return false;
  uint64_t count = store_sweep(&local->store, (uint64_t)state->low,
                               (uint64_t)state->next, has_row, find);
  sqlite3_finalize(find);
  if (count > 0)
    sluice_log(local->host, SLUICE_LOG_INFO, "swept %llu orphan blobs",
               (unsigned long long)count);
  return true;
}

static bool unlink_garbage(struct local *local) {
  sqlite3_stmt *scan = NULL;
  int result = sqlite3_prepare_v2(local->writer.db, "SELECT blob FROM garbage",
                                  -1, &scan, NULL);
  bool ok = result == SQLITE_OK;
  while (ok && (result = index_step(scan)) == SQLITE_ROW)
    ok = store_unlink(&local->store, (uint64_t)sqlite3_column_int64(scan, 0));
  sqlite3_finalize(scan);
  return ok && result == SQLITE_DONE;
}

/* From here on the directory counts as in use. */
static bool begin(struct local *local, const struct state *state) {
  char sql[512];
  int64_t reserved = state->next + LEDGER_BLOCK;
  snprintf(sql, sizeof sql,
           "BEGIN IMMEDIATE; DELETE FROM garbage; DELETE FROM recent;"
           "UPDATE state SET value = 0 WHERE name = 'clean';"
           "UPDATE state SET value = %lld WHERE name = 'low';"
           "UPDATE state SET value = %lld WHERE name = 'next'; COMMIT",
           (long long)state->next, (long long)reserved);
  if (!index_exec(local->writer.db, sql))
    return false;
  ledger_init(&local->ledger, (uint64_t)state->next, (uint64_t)reserved);
  return true;
}

static bool open_index(struct local *local, struct errmsg *err) {
  if (!home_open_room(&local->home, err))
    return false;
  err->text[0] = '\0';
  local->writer.db = index_open(local->home.path, local->sync, err);
  if (!local->writer.db)
    return false;
  /* Earlier versions kept it; it holds nothing that the WAL doesn't. */
  unlinkat(local->home.dir, INDEX_FILE "-shm", 0);
  return true;
}

static bool not_ready(struct local *local, struct errmsg *err) {
  struct errmsg what;
  index_fault(local->writer.db, &what);
  return errmsg_set(err, "directory %s can't be made ready: %s; mend that",
                    local->home.path, what.text);
}

/* What can be refused, before anything is changed. */
static bool check(struct local *local, struct state *state, off_t size,
                  struct errmsg *err) {
  sqlite3 *db = local->writer.db;
  if (!read_state(db, state))
    return errmsg_set(err,
                      "%s/" INDEX_FILE " is damaged (its state makes no "
                      "sense); restore it from a backup",
                      local->home.path);
  return state->clean || size > CHECK_MAX ||
         index_check(db, local->home.path, err);
}

bool recover(struct local *local, struct errmsg *err) {
  off_t size;
  int64_t id;
  struct state state;
  bool fresh = !has_index(local, &size);
  if (fresh && lost_index(local, err))
    return false;
  if (!open_index(local, err) || !check(local, &state, size, err))
    return false;
  sqlite3 *db = local->writer.db;
  if (!schema_upgrade(db) || !read_number(db, "id", &id))
    return not_ready(local, err);
  if (!identity_mark(&local->home, (uint64_t)id, err))
    return false;
  if ((!state.clean && (!make_durable(db) || !sweep(local, &state))) ||
      !unlink_garbage(local) || !begin(local, &state))
    return not_ready(local, err);
  if (fresh)
    sluice_log(local->host, SLUICE_LOG_INFO,
               "a new store was made in %s; where one should have been, stop, "
               "mount its disk and set create: false",
               local->home.path);
  return true;
}
