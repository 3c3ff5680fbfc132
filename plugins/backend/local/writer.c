/* SPDX-License-Identifier: MIT
 *
 * Transactions.  A batch that fails is tried again job by job, so that one
 * large object on a full disk doesn't fail the removes beside it.
 */
#include "writer.h"

#include "date.h"
#include "index.h"
#include "local.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define WAL_PAGES 1000      /* then what can be copied back is */
#define WAL_PAGES_MAX 16384 /* then readers are waited for */
#define READERS_WAIT_MS 200

static const struct index_sql statements[] = {
    {offsetof(struct writer, begin), "BEGIN IMMEDIATE"},
    {offsetof(struct writer, commit), "COMMIT"},
    {offsetof(struct writer, rollback), "ROLLBACK"},
    {offsetof(struct writer, find),
     "SELECT small, blob FROM object WHERE key = ?1"},
    {offsetof(struct writer, put),
     "INSERT OR REPLACE INTO object(key, " ROW_COLUMNS ")"
     " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"},
    {offsetof(struct writer, erase), "DELETE FROM object WHERE key = ?1"},
    {offsetof(struct writer, put_small),
     "INSERT INTO small(bytes) VALUES(?1)"},
    {offsetof(struct writer, erase_small), "DELETE FROM small WHERE id = ?1"},
    {offsetof(struct writer, put_garbage), "INSERT INTO garbage VALUES(?1)"},
    {offsetof(struct writer, erase_garbage),
     "DELETE FROM garbage WHERE blob = ?1"},
    {offsetof(struct writer, put_recent), "INSERT INTO recent VALUES(?1)"},
    {offsetof(struct writer, erase_recent),
     "DELETE FROM recent WHERE blob < ?1"},
    {offsetof(struct writer, put_reserved),
     "UPDATE state SET value = ?1 WHERE name = 'next'"},
    {offsetof(struct writer, put_low),
     "UPDATE state SET value = ?1 WHERE name = 'low'"},
    {0, NULL}};

/* Takes what the key has out of the tables beside `object`. */
static bool detach(struct writer *writer, struct task *task, bool *found) {
  index_bind(writer->find, 1, task->key, strlen(task->key));
  int result = sqlite3_step(writer->find);
  uint64_t small = 0, blob = 0;
  if (result == SQLITE_ROW) {
    small = (uint64_t)sqlite3_column_int64(writer->find, 0);
    blob = (uint64_t)sqlite3_column_int64(writer->find, 1);
  }
  index_reset(writer->find);
  *found = result == SQLITE_ROW;
  if (!*found)
    return result == SQLITE_DONE;
  if (task->exclusive) {
    task->status = SLUICE_EEXIST;
    return true;
  }
  task->old = blob;
  return (small == 0 || index_run_number(writer->erase_small, small)) &&
         (task->old == 0 || index_run_number(writer->put_garbage, task->old));
}

static bool put_bytes(struct writer *writer, struct task *task) {
  task->row.blob = task->blob;
  task->row.small = 0;
  if (task->blob)
    return index_run_number(writer->put_recent, task->blob);
  if (task->bytes.len == 0)
    return true;
  index_bind(writer->put_small, 1, task->bytes.data, task->bytes.len);
  if (!index_run(writer->put_small))
    return false;
  task->row.small = (uint64_t)sqlite3_last_insert_rowid(writer->db);
  return true;
}

static bool apply(struct writer *writer, struct task *task) {
  bool found;
  task->status = SLUICE_OK;
  task->why.text[0] = '\0';
  task->old = 0;
  if (task->reserve)
    return true;
  if (!detach(writer, task, &found))
    return false;
  if (task->status != SLUICE_OK)
    return true;
  if (task->kind == TASK_REMOVE) {
    index_bind(writer->erase, 1, task->key, strlen(task->key));
    return !found || index_run(writer->erase);
  }
  task->row.mtime_ms = date_now_ms();
  if (!put_bytes(writer, task))
    return false;
  index_bind(writer->put, 1, task->key, strlen(task->key));
  row_bind(&task->row, writer->put);
  return index_run(writer->put);
}

/* What the ledger wants to have in the index by now. */
struct upkeep {
  uint64_t reserved, low;
};

static bool keep_up(struct local *local, struct upkeep *want) {
  struct writer *writer = &local->writer;
  want->reserved = ledger_want_reserved(&local->ledger);
  want->low = ledger_want_low(&local->ledger);
  if (want->reserved != atomic_load(&local->ledger.reserved) &&
      !index_run_number(writer->put_reserved, want->reserved))
    return false;
  if (want->low != local->ledger.low &&
      (!index_run_number(writer->put_low, want->low) ||
       !index_run_number(writer->erase_recent, want->low)))
    return false;
  if (!writer->settling)
    writer->settling = atomic_exchange(&writer->freed, NULL);
  for (struct writer_freed *f = writer->settling; f; f = f->next)
    if (!index_run_number(writer->erase_garbage, f->blob))
      return false;
  return true;
}

static void forget_freed(struct writer *writer) {
  while (writer->settling) {
    struct writer_freed *next = writer->settling->next;
    free(writer->settling);
    writer->settling = next;
  }
}

static void committed(struct local *local, const struct upkeep *now,
                      struct task **tasks, size_t count) {
  atomic_store(&local->ledger.reserved, now->reserved);
  local->ledger.low = now->low;
  forget_freed(&local->writer);
  for (size_t i = 0; i < count; i++) {
    struct task *task = tasks[i];
    if (task->status != SLUICE_OK || !task->blob)
      continue;
    task->blob = 0;
    task->pinned = false;
    ledger_unpin(&local->ledger, task->pin);
  }
}

/* When COMMIT itself meets an I/O error, nobody knows whether a crash would
 * bring the transaction back.  Its blobs stay then, and so do their pins: the
 * next start looks at them. */
static void failed(struct writer *writer, struct task **tasks, size_t count,
                   bool doubtful) {
  struct errmsg why;
  enum sluice_status status = index_fault(writer->db, &why);
  if (!sqlite3_get_autocommit(writer->db))
    index_run(writer->rollback);
  for (size_t i = 0; i < count; i++) {
    tasks[i]->status = status;
    tasks[i]->why = why;
    tasks[i]->old = 0;
    tasks[i]->doubtful = doubtful;
  }
}

static bool write_batch(struct local *local, struct task **tasks, size_t count,
                        bool *doubtful) {
  struct writer *writer = &local->writer;
  struct upkeep now;
  bool ok = index_run(writer->begin);
  for (size_t i = 0; ok && i < count; i++)
    ok = apply(writer, tasks[i]);
  ok = ok && keep_up(local, &now);
  *doubtful = false;
  if (ok && index_run(writer->commit)) {
    committed(local, &now, tasks, count);
    return true;
  }
  *doubtful = ok && (sqlite3_errcode(writer->db) & 0xff) == SQLITE_IOERR;
  failed(writer, tasks, count, *doubtful);
  return false;
}

static int note_wal(void *arg, sqlite3 *db, const char *name, int pages) {
  (void)db, (void)name;
  *(int *)arg = pages;
  return SQLITE_OK;
}

/* Readers that never pause would keep the WAL from starting over; one that
 * stays, as a backup does, may not hold up every batch. */
static void checkpoint(struct writer *writer) {
  int pages = writer->wal_pages;
  bool wait = pages >= writer->wal_limit;
  writer->wal_pages = 0;
  if (pages < WAL_PAGES)
    return;
  if (wait)
    sqlite3_busy_timeout(writer->db, READERS_WAIT_MS);
  sqlite3_wal_checkpoint_v2(writer->db, NULL,
                            wait ? SQLITE_CHECKPOINT_RESTART
                                 : SQLITE_CHECKPOINT_PASSIVE,
                            NULL, NULL);
  if (wait)
    sqlite3_busy_timeout(writer->db, INDEX_WAIT_MS);
  writer->wal_limit = wait ? pages + WAL_PAGES_MAX : writer->wal_limit;
}

static void run(void *arg, void **jobs, size_t count) {
  struct local *local = arg;
  struct task *tasks[SLUICE_LANE_BATCH];
  bool doubtful;
  for (size_t i = 0; i < count; i++)
    tasks[i] = jobs[i];
  if (!write_batch(local, tasks, count, &doubtful) && !doubtful && count > 1)
    for (size_t i = 0; i < count; i++)
      write_batch(local, &tasks[i], 1, &doubtful);
  checkpoint(&local->writer);
}

/* ---- after the transaction, on a thread and on the loop ---- */

static void note_freed(struct writer *writer, uint64_t blob) {
  struct writer_freed *freed = malloc(sizeof *freed);
  if (!freed)
    return; /* the next start tidies up */
  freed->blob = blob;
  freed->next = atomic_load(&writer->freed);
  while (!atomic_compare_exchange_weak(&writer->freed, &freed->next, freed))
    ;
}

static void tidy(void *arg) {
  struct task *task = arg;
  struct local *local = task->handle->local;
  store_discard(&local->store, &task->file);
  if (task->old && store_unlink(&local->store, task->old))
    note_freed(&local->writer, task->old);
  /* What stays, stays pinned, and the next start sweeps it. */
  if (task->doubtful ||
      (task->blob && !store_unlink(&local->store, task->blob)))
    return;
  if (task->pinned)
    ledger_unpin(&local->ledger, task->pin);
  task->pinned = false;
}

static void tidied(void *arg) {
  task_end(arg);
}

void writer_undo(struct task *task) {
  task_work(task, tidy, tidied);
}

static void written(void *arg) {
  struct task *task = arg;
  if (task->old || task->pinned)
    task_work(task, tidy, tidied);
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
  if (!index_prepare(writer->db, statements, writer)) {
    index_fault(writer->db, err);
    return false;
  }
  writer->wal_limit = WAL_PAGES_MAX;
  sqlite3_wal_hook(writer->db, note_wal, &writer->wal_pages);
  writer->lane = sluice_lane_new(local->host, run, local);
  return writer->lane || errmsg_set(err, "no memory is left");
}

static void end_cleanly(struct local *local) {
  struct writer *writer = &local->writer;
  struct upkeep now;
  uint64_t next = atomic_load(&local->ledger.next);
  bool ok = index_run(writer->begin) && keep_up(local, &now) &&
            (!ledger_idle(&local->ledger) ||
             (index_run_number(writer->put_reserved, next) &&
              index_run_number(writer->put_low, next) &&
              index_run_number(writer->erase_recent, next) &&
              index_exec(writer->db, "UPDATE state SET value = 1"
                                     " WHERE name = 'clean'"))) &&
            index_run(writer->commit);
  struct errmsg why;
  if (ok)
    return;
  index_fault(writer->db, &why);
  sluice_log(local->host, SLUICE_LOG_WARN,
             "the index can't be closed cleanly: %s; the next start takes a "
             "little longer",
             why.text);
}

void writer_close(struct local *local) {
  struct writer *writer = &local->writer;
  if (writer->lane) {
    end_cleanly(local);
    sluice_lane_free(writer->lane);
  }
  forget_freed(writer);
  writer->settling = atomic_exchange(&writer->freed, NULL);
  forget_freed(writer);
  index_close(writer->db);
  *writer = (struct writer){.db = NULL};
}
