/* SPDX-License-Identifier: MIT
 *
 * After a clean stop this is a few reads.  After a crash the index is checked
 * where that is quick, and the blobs that may have no row are looked at.
 */
#include "recover.h"

#include "index.h"
#include "local.h"
#include "schema.h"
#include "sweep.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A larger index is checked in about as many seconds as it has GiB; SQLite
 * itself recovers from a crash, so that is for a person to ask for. */
#define CHECK_MAX (256 << 20)
#define NUMBER_MAX (INT64_MAX - (int64_t)LEDGER_BLOCK)

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
         state->next >= state->low && state->next <= NUMBER_MAX;
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

static bool nonsense(const struct local *local, struct errmsg *err) {
  return errmsg_set(err,
                    "%s/" INDEX_FILE " is damaged (its state makes no sense); "
                    "restore it from a backup",
                    local->home.path);
}

static bool not_ready(struct local *local, struct errmsg *err) {
  struct errmsg what;
  index_fault(local->writer.db, &what);
  return errmsg_set(err, "directory %s can't be made ready: %s; mend that",
                    local->home.path, what.text);
}

/* What a blob's number says of it. */
struct judging {
  struct local *local;
  uint64_t next; /* the index handed out none from this number on */
  sqlite3_stmt *recent;
  int64_t last; /* number that a row has; -1: not looked for yet */
};

/* In doubt there is one. */
static bool has_row(struct judging *judging, uint64_t number) {
  sqlite3_bind_int64(judging->recent, 1, (int64_t)number);
  int result = index_step(judging->recent);
  index_reset(judging->recent);
  return result != SQLITE_DONE;
}

/* The index didn't hand that number out, so it is older than the blob; or else
 * it makes no sense, and rows have such numbers. */
static bool is_later(struct judging *judging, uint64_t number) {
  return (judging->last >= 0 ||
          index_number(judging->local->writer.db,
                       "SELECT coalesce(max(blob), 0) FROM object",
                       &judging->last)) &&
         number > (uint64_t)judging->last;
}

/* A crash of the gateway leaves blobs that nobody was told of, and none that
 * is committed; an index that was lost, or put back, the others.  Blobs of
 * earlier versions don't tell which they are. */
static enum sweep_verdict judge(void *arg, uint64_t number, bool committed) {
  struct judging *judging = arg;
  if (number >= judging->next)
    return is_later(judging, number) ? SWEEP_MOVE : SWEEP_KEEP;
  if (has_row(judging, number))
    return SWEEP_KEEP;
  return committed || number < judging->local->marked ? SWEEP_MOVE
                                                      : SWEEP_DROP;
}

static void tell(struct local *local, const struct sweep *sweep) {
  if (sweep->dropped > 0)
    sluice_log(local->host, SLUICE_LOG_INFO, "swept %llu orphan blobs",
               (unsigned long long)sweep->dropped);
  if (sweep->moved > 0)
    sluice_log(local->host, SLUICE_LOG_WARN,
               "%llu blobs that the index doesn't know were moved to "
               "%s/lost+found: " INDEX_FILE " is older than they are, or lost "
               "its log; look there for what is missed",
               (unsigned long long)sweep->moved, local->home.path);
}

static bool sweep(struct local *local, struct state *state,
                  struct errmsg *err) {
  struct judging judging = {
      .local = local, .next = (uint64_t)state->next, .last = -1};
  struct sweep sweep = {
      .first = (uint64_t)state->low, .judge = judge, .arg = &judging};
  if (sqlite3_prepare_v2(local->writer.db,
                         "SELECT 1 FROM recent WHERE blob = ?1", -1,
                         &judging.recent, NULL) != SQLITE_OK)
    return not_ready(local, err);
  bool ok = sweep_run(&sweep, &local->store, local->home.dir);
  int why = errno;
  sqlite3_finalize(judging.recent);
  if (judging.last > NUMBER_MAX)
    return nonsense(local, err);
  if (state->next <= judging.last)
    state->next = judging.last + 1;
  tell(local, &sweep);
  return ok ||
         errmsg_set(err,
                    "blobs in %s that have no row can't be looked after: %s; "
                    "let blobs and lost+found belong to the gateway's user",
                    local->home.path, strerror(why));
}

/* What can't be unlinked stays noted. */
static bool unlink_garbage(struct local *local) {
  sqlite3 *db = local->writer.db;
  sqlite3_stmt *scan = NULL;
  bool all = true;
  int result =
      sqlite3_prepare_v2(db, "SELECT blob FROM garbage", -1, &scan, NULL);
  if (result == SQLITE_OK)
    while ((result = index_step(scan)) == SQLITE_ROW)
      all = store_unlink(&local->store,
                         (uint64_t)sqlite3_column_int64(scan, 0)) &&
            all;
  sqlite3_finalize(scan);
  if (result != SQLITE_DONE)
    return false;
  if (all)
    return index_exec(db, "DELETE FROM garbage");
  sluice_log(local->host, SLUICE_LOG_WARN,
             "blobs that were deleted can't be removed from %s/blobs; let "
             "all files in it belong to the gateway's user",
             local->home.path);
  return true;
}

/* From here on the directory counts as in use. */
static bool begin(struct local *local, const struct state *state) {
  char sql[512];
  int64_t reserved = state->next + LEDGER_BLOCK;
  snprintf(sql, sizeof sql,
           "BEGIN IMMEDIATE; DELETE FROM recent;"
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

/* What can be refused, before anything is changed. */
static bool check(struct local *local, struct state *state, off_t size,
                  struct errmsg *err) {
  sqlite3 *db = local->writer.db;
  if (!read_state(db, state))
    return nonsense(local, err);
  return state->clean || size > CHECK_MAX ||
         index_check(db, local->home.path, err);
}

bool recover(struct local *local, struct errmsg *err) {
  off_t size;
  int64_t id, marked;
  struct state state;
  bool fresh = !has_index(local, &size);
  if (fresh && lost_index(local, err))
    return false;
  if (!open_index(local, err) || !check(local, &state, size, err))
    return false;
  sqlite3 *db = local->writer.db;
  if (!schema_upgrade(db) || !read_number(db, "id", &id) ||
      !read_number(db, "marked", &marked))
    return not_ready(local, err);
  local->marked = (uint64_t)marked;
  if (!identity_mark(&local->home, (uint64_t)id, err))
    return false;
  if (!state.clean && !make_durable(db))
    return not_ready(local, err);
  if (!sweep(local, &state, err))
    return false;
  if (!unlink_garbage(local) || !begin(local, &state))
    return not_ready(local, err);
  if (fresh)
    sluice_log(local->host, SLUICE_LOG_INFO,
               "a new store was made in %s; where one should have been, stop, "
               "mount its disk and set create: false",
               local->home.path);
  return true;
}
