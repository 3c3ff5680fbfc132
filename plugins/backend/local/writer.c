/* SPDX-License-Identifier: MIT
 *
 * The writer's lane, and what an operation does after its transaction.  A
 * batch that fails is tried again job by job, so that one bad job doesn't fail
 * those beside it.  On a full disk removes go first, with room that is kept
 * for them: see datadir.h.
 */
#include "writer.h"

#include "garbage.h"
#include "hold.h"
#include "index.h"
#include "local.h"
#include "transaction.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define WAL_PAGES 1000      /* then what can be copied back is */
#define WAL_PAGES_MAX 16384 /* then readers are waited for */
#define READERS_WAIT_MS 200

static const struct index_sql statements[] = {
    {offsetof(struct writer, begin), "BEGIN IMMEDIATE"},
    {offsetof(struct writer, commit), "COMMIT"},
    {offsetof(struct writer, rollback), "ROLLBACK"},
    {offsetof(struct writer, find),
     "SELECT " ROW_COLUMNS " FROM object WHERE key = ?1"},
    {offsetof(struct writer, put),
     "INSERT OR REPLACE INTO object(key, " ROW_COLUMNS ")"
     " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"},
    {offsetof(struct writer, erase), "DELETE FROM object WHERE key = ?1"},
    {offsetof(struct writer, put_small),
     "INSERT INTO small(bytes) VALUES(?1)"},
    {offsetof(struct writer, erase_small), "DELETE FROM small WHERE id = ?1"},
    {offsetof(struct writer, put_garbage), "INSERT INTO garbage VALUES(?1)"},
    {offsetof(struct writer, erase_garbage),
     "DELETE FROM garbage WHERE blob = ?1"},
    {offsetof(struct writer, next_garbage),
     "SELECT blob FROM garbage WHERE blob >= ?1 ORDER BY blob LIMIT 1"},
    {offsetof(struct writer, put_recent),
     "INSERT OR IGNORE INTO recent VALUES(?1)"},
    {offsetof(struct writer, erase_recent),
     "DELETE FROM recent WHERE blob < ?1"},
    {offsetof(struct writer, put_reserved),
     "UPDATE state SET value = ?1 WHERE name = 'next'"},
    {offsetof(struct writer, put_low),
     "UPDATE state SET value = ?1 WHERE name = 'low'"},
    {offsetof(struct writer, pages), "PRAGMA page_count"},
    {offsetof(struct writer, reserved),
     "SELECT value FROM state WHERE name = 'next'"},
    {0, NULL}};

static int note_wal(void *arg, sqlite3 *db, const char *name, int pages) {
  (void)db, (void)name;
  *(int *)arg = pages;
  return SQLITE_OK;
}

/* Copies the WAL back, so that it can start over, or be cut.  False: not all
 * of it, as somebody reads or copies it, or the disk is full, or failed. */
static bool copy_back(struct local *local, int mode) {
  sqlite3 *db = local->writer.db;
  struct errmsg why;
  if (health_read_only(&local->health))
    return false;
  int hold = hold_take(local->datadir.dir, HOLD_CHANGE);
  if (hold_forbids(hold))
    return false;
  sqlite3_busy_timeout(db, READERS_WAIT_MS);
  bool turn = share_enter(&local->share);
  errno = 0;
  bool ok = turn &&
            sqlite3_wal_checkpoint_v2(db, NULL, mode, NULL, NULL) == SQLITE_OK;
  if (turn && !ok)
    health_fault(&local->health, index_fault(db, &why), why.text);
  share_leave(&local->share);
  sqlite3_busy_timeout(db, INDEX_WAIT_MS);
  hold_end(hold);
  return ok;
}

/* Readers that never pause would keep the WAL from starting over; one that
 * stays, as a backup does, may not hold up every batch. */
static void checkpoint(struct local *local) {
  struct writer *writer = &local->writer;
  int pages = writer->wal_pages;
  writer->wal_pages = 0;
  if (pages < WAL_PAGES)
    return;
  garbage_settle(local);
  if (pages < writer->wal_limit)
    copy_back(local, SQLITE_CHECKPOINT_PASSIVE);
  else if (copy_back(local, SQLITE_CHECKPOINT_RESTART))
    writer->wal_limit = WAL_PAGES_MAX;
  else
    writer->wal_limit = pages + WAL_PAGES_MAX;
}

static bool writer_is_full(const struct task *task) {
  return task->status == SLUICE_ENOSPC;
}

/* Of many keys that can't be removed together some can be. */
static bool run_alone(struct local *local, struct task **task) {
  bool unknown;
  return transaction_run(local, task, 1, &unknown) ||
         ((*task)->many != NULL && !unknown && many_take_less((*task)->many) &&
          transaction_run(local, task, 1, &unknown));
}

static void one_by_one(struct local *local, struct task **tasks,
                       size_t count) {
  bool unknown;
  for (size_t i = 0; i < count; i++)
    if (!run_alone(local, &tasks[i]) && task_needs_no_room(tasks[i]) &&
        writer_is_full(tasks[i]) &&
        copy_back(local, SQLITE_CHECKPOINT_RESTART))
      transaction_run(local, &tasks[i], 1, &unknown);
}

/* Brings removes to the front, each part in its order. */
static size_t writer_part(struct task **tasks, size_t count) {
  struct task *others[SLUICE_LANE_BATCH] = {NULL};
  size_t removes = 0, rest = 0;
  for (size_t i = 0; i < count; i++)
    if (task_needs_no_room(tasks[i]))
      tasks[removes++] = tasks[i];
    else
      others[rest++] = tasks[i];
  memcpy(tasks + removes, others, rest * sizeof *others);
  return removes;
}

static void writer_make_room(struct local *local) {
  datadir_give_room(&local->datadir);
  copy_back(local, SQLITE_CHECKPOINT_RESTART);
}

void writer_take_room(struct local *local) {
  struct errmsg why;
  if (health_read_only(&local->health))
    return;
  int error = datadir_take_room(&local->datadir);
  if (error == 0)
    return;
  errmsg_set(&why, "room can't be kept: %s", strerror(error));
  health_fault(&local->health, store_fault(error), why.text);
}

/* The WAL grew on the way, and that is room, too. */
static void regain_room(struct local *local) {
  copy_back(local, SQLITE_CHECKPOINT_TRUNCATE);
  writer_take_room(local);
}

/* The index wasn't to be had, after as long a wait as there is: each of those
 * in the batch would wait as long again. */
static bool fail_busy(struct task **tasks, size_t count) {
  if (tasks[0]->status != SLUICE_EBUSY)
    return false;
  for (size_t i = 0; i < count; i++)
    if (tasks[i]->many != NULL)
      many_give_up(tasks[i]->many);
  return true;
}

/* Handles a failure for want of room of a whole batch, and of nothing else.
 * A remove whose outcome is unknown may be tried again, as it makes no
 * difference how often it is done. */
static void run_full(struct local *local, struct task **tasks, size_t count,
                     bool unknown) {
  size_t removes = writer_part(tasks, count);
  bool again;
  if (removes > 0) {
    writer_make_room(local);
    if (!transaction_run(local, tasks, removes, &again))
      one_by_one(local, tasks, removes);
  }
  regain_room(local);
  if (!unknown)
    one_by_one(local, tasks + removes, count - removes);
}

/* The log tells once that the store went, and that it is back. */
static bool is_in_place(struct local *local, struct errmsg *why) {
  struct writer *writer = &local->writer;
  bool away = !identity_holds(&local->identity, &local->datadir, why);
  if (away && !writer->away)
    sluice_log(local->host, SLUICE_LOG_ERROR,
               "%s; until then uploads and deletes are answered with 503",
               why->text);
  else if (!away && writer->away)
    sluice_log(local->host, SLUICE_LOG_INFO,
               "directory %s is back; uploads and deletes are taken again",
               local->datadir.path);
  writer->away = away;
  return !away;
}

/* The old blobs stay: it may be that the index doesn't. */
static void take_back(struct task **tasks, size_t count,
                      const struct errmsg *why) {
  for (size_t i = 0; i < count; i++) {
    if (tasks[i]->status != SLUICE_OK)
      continue;
    tasks[i]->status = SLUICE_EBUSY;
    tasks[i]->why = *why;
    tasks[i]->old = 0;
    if (tasks[i]->many != NULL)
      many_give_up(tasks[i]->many);
  }
}

static void run_batch(struct local *local, struct task **tasks, size_t count) {
  bool unknown;
  if (atomic_load(&local->datadir.full))
    regain_room(local);
  if (!transaction_run(local, tasks, count, &unknown)) {
    if (writer_is_full(tasks[0]))
      run_full(local, tasks, count, unknown);
    else if (!unknown && (count > 1 || tasks[0]->many != NULL) &&
             !health_read_only(&local->health) && !fail_busy(tasks, count))
      one_by_one(local, tasks, count);
  }
}

/* Looks before, so that nothing is written to a store that went; and again
 * afterwards, so that acknowledged objects are in the one that is there. */
static void writer_run(void *arg, void **jobs, size_t count) {
  struct local *local = arg;
  struct task *tasks[SLUICE_LANE_BATCH];
  struct errmsg why;
  for (size_t i = 0; i < count; i++)
    tasks[i] = jobs[i];
  bool there = is_in_place(local, &why);
  if (there) {
    run_batch(local, tasks, count);
    there = is_in_place(local, &why);
  }
  if (!there) {
    take_back(tasks, count, &why);
    return;
  }
  checkpoint(local);
  garbage_drop_waiting(local);
}

/* ---- after the transaction, on a thread and on the loop ---- */

static void writer_tidy(void *arg) {
  struct task *task = arg;
  struct local *local = task->handle->local;
  store_discard(&local->store, &task->file);
  if (health_read_only(&local->health))
    return; /* all of it stays for the next start */
  garbage_drop_old(task);
  /* A blob that stays also stays pinned, and the next start sweeps it. */
  if (task->unknown ||
      (task->blob && (!garbage_drop_blob(local, task->blob) ||
                      !store_sync_one(&local->store, task->blob))))
    return;
  if (task->pinned)
    ledger_unpin(&local->ledger, task->pin);
  task->pinned = false;
}

static void tidied(void *arg) {
  task_end(arg);
}

void writer_undo(struct task *task) {
  task_work(task, writer_tidy, tidied);
}

static void written(void *arg) {
  struct task *task = arg;
  if (task->old || task->pinned)
    task_work(task, writer_tidy, tidied);
  else
    task_end(task);
}

void writer_submit(struct task *task) {
  task->reserve = false;
  task_lane(task, task->handle->local->writer.lane, written);
}

void writer_reserve(struct task *task, void (*then)(void *task)) {
  task->reserve = true;
  task_lane(task, task->handle->local->writer.lane, then);
}

/* ---- start and stop ---- */

bool writer_open(struct local *local, struct errmsg *err) {
  struct writer *writer = &local->writer;
  int64_t page_size;
  if (!index_number(writer->db, "PRAGMA page_size", &page_size) ||
      !index_prepare(writer->db, statements, writer) ||
      !stage_sql_open(&writer->stage, writer->db)) {
    index_fault(writer->db, err);
    return false;
  }
  writer->page_size = (uint64_t)page_size;
  writer->wal_limit = WAL_PAGES_MAX;
  sqlite3_wal_hook(writer->db, note_wal, &writer->wal_pages);
  writer->lane = sluice_lane_new(local->host, writer_run, local);
  return writer->lane || errmsg_set(err, "no memory is left");
}

/* No number below the next one is anybody's any more. */
static bool say_clean(struct local *local, const struct upkeep *now) {
  struct writer *writer = &local->writer;
  uint64_t next, reserved;
  if (!transaction_reserved(writer, &reserved))
    return false;
  next = reserved == now->next ? atomic_load(&local->ledger.next) : reserved;
  return index_run_number(writer->put_reserved, next) &&
         index_run_number(writer->put_low, next) &&
         index_run_number(writer->erase_recent, next) &&
         index_exec(writer->db, "UPDATE state SET value = 1"
                                " WHERE name = 'clean'");
}

/* Writes into a WAL that starts over, as the disk may be full.  The reserve
 * stays for the next start.  Of several processes the last one says that all
 * is clean. */
static bool end_cleanly(struct local *local) {
  struct writer *writer = &local->writer;
  struct upkeep now;
  bool idle = ledger_idle(&local->ledger);
  bool last = share_is_last(&local->share);
  copy_back(local, SQLITE_CHECKPOINT_RESTART);
  garbage_settle(local);
  share_enter(&local->share);
  bool ok = index_run(writer->begin) && transaction_keep_up(local, &now) &&
            (!idle || !last || say_clean(local, &now)) &&
            index_run(writer->commit);
  share_leave(&local->share);
  struct errmsg why;
  if (ok && idle)
    share_note(&local->share, 0);
  if (ok)
    return last;
  index_fault(writer->db, &why);
  sluice_log(local->host, SLUICE_LOG_WARN,
             "the index can't be closed cleanly: %s; the next start takes a "
             "little longer",
             why.text);
  return false;
}

void writer_close(struct local *local) {
  struct writer *writer = &local->writer;
  int hold = HOLD_NONE;
  if (writer->lane) {
    hold = hold_take(local->datadir.dir, HOLD_CHANGE);
    bool held = hold_forbids(hold);
    /* SQLite then removes the WAL by its name, which may be another's. */
    if (!health_read_only(&local->health) && end_cleanly(local) && !held &&
        identity_holds_index(&local->identity, &local->datadir))
      index_copy_back_at_close(writer->db);
    sluice_lane_free(writer->lane);
  } else {
    share_note(&local->share, 0); /* it has never had any */
  }
  transaction_forget(writer);
  writer->freed_pending = atomic_exchange(&writer->freed, NULL);
  transaction_forget(writer);
  writer->freed_pending = atomic_exchange(&writer->postponed, NULL);
  transaction_forget(writer);
  index_close(writer->db);
  hold_end(hold);
  seats_fini(&writer->seats);
  *writer = (struct writer){.db = NULL};
}
