/* SPDX-License-Identifier: MIT
 *
 * A start after a clean stop is a few reads.  After a crash the index is
 * checked where that is quick, and the blobs that may have no row are looked
 * at.
 */
#include "recover.h"

#include "hold.h"
#include "index.h"
#include "local.h"
#include "salvage.h"
#include "schema.h"
#include "sweep.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A larger index is checked in about as many seconds as it has GiB; SQLite
 * itself recovers from a crash, so that is for a person to ask for. */
#define CHECK_MAX (256 << 20)
#define NUMBER_MAX (INT64_MAX - (int64_t)LEDGER_BLOCK)

static bool recover_has_index(const struct local *local, off_t *size) {
  struct stat st;
  *size = 0;
  if (fstatat(local->datadir.dir, INDEX_FILE, &st, 0) == 0)
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
               local->datadir.path);
  else if (identity_marked(&local->datadir))
    errmsg_set(err,
               "directory %s held a store, as store.id says, but " INDEX_FILE
               " is gone; restore that, or remove store.id to begin anew",
               local->datadir.path);
  else
    return false;
  return true;
}

struct state {
  int64_t next, low, clean;
};

static bool recover_read_number(sqlite3 *db, const char *name,
                                int64_t *number) {
  char sql[64];
  snprintf(sql, sizeof sql, "SELECT value FROM state WHERE name = '%s'", name);
  return index_number(db, sql, number);
}

static bool read_state(sqlite3 *db, struct state *state) {
  return recover_read_number(db, "next", &state->next) &&
         recover_read_number(db, "low", &state->low) &&
         recover_read_number(db, "clean", &state->clean) && state->low > 0 &&
         state->next >= state->low && state->next <= NUMBER_MAX;
}

/* The kernel may have more of the WAL in memory than the disk has, after a
 * fault that the last instance met.  So its pages are written anew into
 * index.db, and synced. */
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
                    local->datadir.path);
}

static bool not_ready(struct local *local, struct errmsg *err) {
  struct errmsg what;
  index_fault(local->writer.db, &what);
  return errmsg_set(err, "directory %s can't be made ready: %s; mend that",
                    local->datadir.path, what.text);
}

/* The facts by which the fate of a blob is decided. */
struct recover_blobs {
  struct local *local;
  uint64_t next; /* the index handed out none from this number on */
  sqlite3_stmt *recent, *stage;
  int64_t last; /* number that a row has; -1: not looked for yet */
};

/* An index that can't be read counts as yes. */
static bool has_row(sqlite3_stmt *find, uint64_t number) {
  sqlite3_bind_int64(find, 1, (int64_t)number);
  int result = index_step(find);
  index_reset(find);
  return result != SQLITE_DONE;
}

/* The index didn't hand that number out, so it is older than the blob; or else
 * it makes no sense, and rows have such numbers. */
static bool is_later(struct recover_blobs *blobs, uint64_t number) {
  return (blobs->last >= 0 ||
          index_number(blobs->local->writer.db,
                       "SELECT coalesce(max(blob), 0) FROM"
                       " (SELECT max(blob) AS blob FROM object"
                       " UNION ALL SELECT max(blob) FROM stage)",
                       &blobs->last)) &&
         number > (uint64_t)blobs->last;
}

/* A crash of the gateway leaves blobs that nobody was told of, and none that
 * is committed; an index that was lost, or put back, the others.  Blobs of
 * earlier versions don't tell which they are. */
static enum sweep_verdict recover_decide(void *arg, uint64_t number,
                                         bool committed) {
  struct recover_blobs *blobs = arg;
  if (number >= blobs->next)
    return is_later(blobs, number) ? SWEEP_MOVE : SWEEP_KEEP;
  if (has_row(blobs->stage, number))
    return SWEEP_LEAVE;
  if (has_row(blobs->recent, number))
    return SWEEP_KEEP;
  return committed || number < blobs->local->marked ? SWEEP_MOVE : SWEEP_DROP;
}

static void recover_tell(struct local *local, const struct sweep *sweep) {
  if (sweep->dropped > 0)
    sluice_log(local->host, SLUICE_LOG_INFO, "swept %llu orphan blobs",
               (unsigned long long)sweep->dropped);
  if (sweep->moved > 0)
    sluice_log(local->host, SLUICE_LOG_WARN,
               "%llu blobs that the index doesn't know were moved to "
               "%s/lost+found: " INDEX_FILE " is older than they are, or lost "
               "its log; look there for what is missed",
               (unsigned long long)sweep->moved, local->datadir.path);
}

static bool recover_sweep(struct local *local, struct state *state,
                          struct errmsg *err) {
  struct recover_blobs blobs = {
      .local = local, .next = (uint64_t)state->next, .last = -1};
  struct sweep sweep = {
      .first = (uint64_t)state->low, .decide = recover_decide, .arg = &blobs};
  if (sqlite3_prepare_v2(local->writer.db,
                         "SELECT 1 FROM recent WHERE blob = ?1", -1,
                         &blobs.recent, NULL) != SQLITE_OK ||
      sqlite3_prepare_v2(local->writer.db,
                         "SELECT 1 FROM stage WHERE blob = ?1", -1,
                         &blobs.stage, NULL) != SQLITE_OK) {
    sqlite3_finalize(blobs.recent);
    return not_ready(local, err);
  }
  bool ok = sweep_run(&sweep, &local->store, local->datadir.dir);
  int why = errno;
  sqlite3_finalize(blobs.recent);
  sqlite3_finalize(blobs.stage);
  if (blobs.last > NUMBER_MAX)
    return nonsense(local, err);
  if (state->next <= blobs.last)
    state->next = blobs.last + 1;
  recover_tell(local, &sweep);
  return ok ||
         errmsg_set(err,
                    "blobs in %s that have no row can't be looked after: %s; "
                    "let blobs and lost+found belong to the gateway's user",
                    local->datadir.path, strerror(why));
}

/* A blob that can't be unlinked stays in the table. */
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
  if (all && store_sync_unlinked(&local->store))
    return index_exec(db, "DELETE FROM garbage");
  sluice_log(local->host, SLUICE_LOG_WARN,
             "blobs that were deleted can't be removed from %s/blobs; let "
             "all files in it belong to the gateway's user",
             local->datadir.path);
  return true;
}

/* The directory counts as in use from here on. */
static bool recover_begin(struct local *local, const struct state *state) {
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
  local->low = (uint64_t)state->next;
  local->next = (uint64_t)reserved;
  share_note(&local->share, local->low);
  return true;
}

static bool open_index(struct local *local, struct errmsg *err) {
  if (!datadir_open_room(&local->datadir, local->joined, err))
    return false;
  err->text[0] = '\0';
  if (!local->joined &&
      !share_make(&local->share, local->datadir.dir, local->datadir.lock, err))
    return false;
  local->writer.db = index_open(local->datadir.path,
                                shm_vfs(&local->share.shm), local->sync, err);
  if (!local->writer.db)
    return false;
  /* Earlier versions kept it; it holds nothing that the WAL doesn't. */
  unlinkat(local->datadir.dir, INDEX_FILE "-shm", 0);
  return true;
}

/* Refuses an index that makes no sense, before anything is changed. */
static bool recover_check(struct local *local, struct state *state, off_t size,
                          struct errmsg *err) {
  sqlite3 *db = local->writer.db;
  if (!read_state(db, state))
    return nonsense(local, err);
  return state->clean || size > CHECK_MAX ||
         index_check(db, local->datadir.path, err);
}

static bool recover_held(struct local *local, struct errmsg *err) {
  off_t size;
  int64_t id, marked;
  struct state state;
  if (salvage_is_due(local->datadir.dir))
    return errmsg_set(err,
                      "a repair of directory %s was cut short; run sluice "
                      "check --repair again",
                      local->datadir.path);
  bool fresh = !recover_has_index(local, &size);
  if (fresh && lost_index(local, err))
    return false;
  if (!open_index(local, err) || !recover_check(local, &state, size, err))
    return false;
  sqlite3 *db = local->writer.db;
  if (!schema_upgrade(db) || !recover_read_number(db, "id", &id) ||
      !recover_read_number(db, "marked", &marked))
    return not_ready(local, err);
  local->marked = (uint64_t)marked;
  if (!identity_mark(&local->datadir, (uint64_t)id, err))
    return false;
  if (!state.clean && !make_durable(db))
    return not_ready(local, err);
  if (!recover_sweep(local, &state, err))
    return false;
  if (!unlink_garbage(local) || !recover_begin(local, &state))
    return not_ready(local, err);
  if (fresh)
    sluice_log(local->host, SLUICE_LOG_INFO,
               "a new store was made in %s; where one should have been, stop, "
               "mount its disk and set create: false",
               local->datadir.path);
  return true;
}

/* ---- beside another process ---- */

/* The numbers behind those that are reserved stay that one's: LEDGER_SPAN. */
static bool reserve_beside(struct local *local) {
  sqlite3 *db = local->writer.db;
  struct state state;
  char sql[128];
  if (!index_exec(db, "BEGIN IMMEDIATE"))
    return false;
  bool ok = read_state(db, &state) &&
            state.next <= NUMBER_MAX - (int64_t)LEDGER_SPAN;
  int64_t next = ok ? state.next + (int64_t)LEDGER_SPAN : 1;
  snprintf(sql, sizeof sql,
           "UPDATE state SET value = %" PRId64 " WHERE name = 'next'",
           next + LEDGER_BLOCK);
  share_note(&local->share, (uint64_t)next);
  ok = ok && index_exec(db, sql) && index_exec(db, "COMMIT");
  if (!ok) {
    index_exec(db, "ROLLBACK");
    return false;
  }
  ledger_init(&local->ledger, (uint64_t)next, (uint64_t)next + LEDGER_BLOCK);
  local->low = (uint64_t)state.low;
  local->next = (uint64_t)next + LEDGER_BLOCK;
  return true;
}

/* Nor does SQLite copy the WAL back by itself, at a COMMIT. */
static bool begin_beside(struct local *local) {
  sqlite3_wal_autocheckpoint(local->writer.db, 0);
  share_enter(&local->share);
  bool ok = reserve_beside(local);
  share_leave(&local->share);
  return ok;
}

/* Nothing is looked for: blobs without a row may be the other one's, in use.
 * An index of an earlier version isn't changed below its feet. */
static bool recover_joined(struct local *local, struct errmsg *err) {
  int64_t id, marked, version;
  if (!open_index(local, err))
    return false;
  sqlite3 *db = local->writer.db;
  if (!index_number(db, "PRAGMA user_version", &version) ||
      !recover_read_number(db, "id", &id) ||
      !recover_read_number(db, "marked", &marked))
    return not_ready(local, err);
  if (version != SCHEMA_VERSION)
    return errmsg_set(err,
                      "the index of %s is of another version, which can't be "
                      "changed while a gateway uses it; stop that one, and "
                      "start this one without --takeover",
                      local->datadir.path);
  local->marked = (uint64_t)marked;
  return identity_mark(&local->datadir, (uint64_t)id, err) &&
         (begin_beside(local) || not_ready(local, err));
}

/* A backup or a check that goes on is waited for. */
bool recover(struct local *local, struct errmsg *err) {
  int hold = hold_take(local->datadir.dir, HOLD_CHANGE);
  if (hold_forbids(hold)) {
    sluice_log(local->host, SLUICE_LOG_INFO,
               "waiting for a backup or a check of %s to let go",
               local->datadir.path);
    hold = hold_take(local->datadir.dir, HOLD_START);
  }
  bool ok =
      local->joined ? recover_joined(local, err) : recover_held(local, err);
  hold_end(hold);
  return ok;
}
