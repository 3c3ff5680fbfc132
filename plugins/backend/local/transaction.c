/* SPDX-License-Identifier: MIT
 *
 * One transaction: what the tasks of a batch want, and what the ledger wants
 * to have in the index by now.
 */
#include "transaction.h"

#include "clock.h"
#include "date.h"
#include "index.h"
#include "local.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The numbers of a row that is damaged may be those of other objects, whose
 * bytes have to stay: what it had is left lying. */
static void leave_bytes(struct local *local, const char *key) {
  uint64_t count = census_note_damage(local);
  sluice_log(local->host, SLUICE_LOG_WARN,
             "the row of \"%.512s\" isn't what was written: it goes, and its "
             "bytes stay on the disk (damage was met %llu times since the "
             "start)",
             key, (unsigned long long)count);
}

/* Takes what the key has out of the tables beside `object`. */
static bool detach(struct local *local, struct task *task, const char *key,
                   bool *found) {
  struct writer *writer = &local->writer;
  size_t key_len = strlen(key);
  index_bind(writer->find, 1, key, key_len);
  int result = index_step(writer->find);
  struct row_fields row = {.small = 0};
  bool intact =
      result != SQLITE_ROW || row_read(&row, writer->find, key, key_len);
  unsigned char md5[DIGEST_MD5_LEN] = {0};
  bool over = false;
  if (result == SQLITE_ROW && intact) { /* while it is in the statement */
    memcpy(md5, row.md5, sizeof md5);
    over = row_is_over(&row);
  }
  index_reset(writer->find);
  *found = result == SQLITE_ROW;
  task->was_there = *found && !over;
  bool counts = task->if_ended ? over : task->was_there;
  bool conditional = task->if_ended || task->condition != TASK_ALWAYS;
  if (!counts && conditional && task->kind != TASK_COPY)
    task->status = task->kind == TASK_REMOVE && !task->was_there
                       ? SLUICE_ENOENT
                       : SLUICE_EPRECOND;
  if (!*found || task->status != SLUICE_OK)
    return *found || result == SQLITE_DONE;
  if (task->exclusive && !over) {
    task->status = SLUICE_EEXIST;
    return true;
  }
  if (task->kind != TASK_COPY && !task_matches(task, md5)) {
    task->status = SLUICE_EPRECOND;
    return true;
  }
  if (!intact) {
    leave_bytes(local, key);
    return true;
  }
  task->old = row.blob;
  return (row.small == 0 ||
          index_run_number(writer->erase_small, row.small)) &&
         (task->old == 0 || index_run_number(writer->put_garbage, task->old));
}

static bool erase_key(struct local *local, struct task *task,
                      const char *key) {
  struct writer *writer = &local->writer;
  bool found;
  task->old = 0;
  if (!detach(local, task, key, &found))
    return false;
  if (task->status != SLUICE_OK || !found)
    return true;
  index_bind(writer->erase, 1, key, strlen(key));
  return index_run(writer->erase);
}

static bool erase_many(struct local *local, struct task *task) {
  struct many *many = task->many;
  for (size_t i = 0; i < many->taken; i++) {
    if (!erase_key(local, task, many->keys[many->next + i]))
      return false;
    many_note_blob(many, task->old);
  }
  task->old = 0;
  return true;
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

static bool transaction_apply(struct local *local, struct task *task) {
  struct writer *writer = &local->writer;
  bool found;
  task->status = SLUICE_OK;
  task->why.text[0] = '\0';
  task->old = 0;
  task->unknown = false;
  if (!task_needs_no_room(task) && atomic_load(&local->datadir.full)) {
    task_fail(task, SLUICE_ENOSPC, "the disk is full");
    return true;
  }
  if (task->reserve)
    return true;
  if (task->stage) {
    if (!stage_apply(local, task))
      return false;
    if (task->stage->step != STAGE_COMMIT || task->status != SLUICE_OK)
      return true;
  }
  if (task->many)
    return erase_many(local, task);
  if (task->kind == TASK_REMOVE)
    return erase_key(local, task, task->key);
  if (!detach(local, task, task->key, &found))
    return false;
  if (task->status != SLUICE_OK)
    return true;
  if (!task->blob) /* a blob's description has it already */
    task->row.mtime_ms = date_now_ms();
  if (!put_bytes(writer, task))
    return false;
  row_bind(&task->row, writer->put, task->key);
  return index_run(writer->put) &&
         (!task->stage || stage_complete(local, task));
}

bool transaction_reserved(struct writer *writer, uint64_t *number) {
  bool ok = index_step(writer->reserved) == SQLITE_ROW;
  if (ok)
    *number = (uint64_t)sqlite3_column_int64(writer->reserved, 0);
  index_reset(writer->reserved);
  return ok;
}

/* Where another process has reserved numbers since, it has left some. */
static bool reserve(struct local *local, struct upkeep *want) {
  uint64_t reserved = atomic_load(&local->ledger.reserved), written;
  want->reserved = ledger_want_reserved(&local->ledger);
  want->next = local->next;
  if (want->reserved == reserved)
    return true;
  if (!transaction_reserved(&local->writer, &written))
    return false;
  if (written != local->next) {
    want->reserved = reserved + LEDGER_SPAN;
    return true;
  }
  want->next = want->reserved;
  return index_run_number(local->writer.put_reserved, want->next);
}

bool transaction_keep_up(struct local *local, struct upkeep *want) {
  struct writer *writer = &local->writer;
  want->settled = ledger_want_low(&local->ledger);
  share_note(&local->share, want->settled);
  want->low = share_floor(&local->share, want->settled);
  if (!reserve(local, want))
    return false;
  if (want->low > local->low &&
      (!index_run_number(writer->put_low, want->low) ||
       !index_run_number(writer->erase_recent, want->low)))
    return false;
  for (struct writer_freed *f = writer->freed_pending; f; f = f->next)
    if (!index_run_number(writer->erase_garbage, f->blob))
      return false;
  return true;
}

void transaction_forget(struct writer *writer) {
  while (writer->freed_pending) {
    struct writer_freed *next = writer->freed_pending->next;
    free(writer->freed_pending);
    writer->freed_pending = next;
  }
}

/* The next start does it where it fails. */
static void mark(struct local *local, uint64_t blob) {
  struct errmsg why;
  if (store_commit(&local->store, blob))
    return;
  errmsg_set(&why, "a blob can't be marked: %s", strerror(errno));
  if (errno == EIO || errno == EROFS)
    health_fault(&local->health, SLUICE_EIO, why.text);
}

static void transaction_committed(struct local *local,
                                  const struct upkeep *now,
                                  struct task **tasks, size_t count) {
  atomic_store(&local->ledger.reserved, now->reserved);
  local->next = now->next;
  local->ledger.low = now->settled;
  if (now->low > local->low)
    local->low = now->low;
  transaction_forget(&local->writer);
  for (size_t i = 0; i < count; i++) {
    struct task *task = tasks[i];
    if (task->status != SLUICE_OK || !task->blob)
      continue;
    if (task->pinned)
      ledger_unpin(&local->ledger, task->pin);
    task->pinned = false;
    if (task->stage && task->stage->step == STAGE_SAVE)
      continue; /* it grows further */
    mark(local, task->blob);
    task->blob = 0;
  }
}

static bool only_removes(struct task **tasks, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (!task_needs_no_room(tasks[i]))
      return false;
  return true;
}

/* Room in index.db for what the transaction adds.  Removes hardly make it
 * grow, and may not fail for it. */
static bool grow(struct local *local, struct task **tasks, size_t count,
                 int *error) {
  struct writer *writer = &local->writer;
  if (only_removes(tasks, count))
    return true;
  bool ok = index_step(writer->pages) == SQLITE_ROW;
  uint64_t pages = ok ? (uint64_t)sqlite3_column_int64(writer->pages, 0) : 0;
  index_reset(writer->pages);
  if (!ok || datadir_grow_index(&local->datadir, pages * writer->page_size))
    return ok;
  *error = errno;
  return false;
}

/* When COMMIT itself meets an I/O error, nobody knows whether a crash would
 * bring the transaction back.  Its blobs stay then, and so do their pins: the
 * next start looks at them.  `error`: an errno, 0: the index knows. */
static void transaction_failed(struct local *local, struct task **tasks,
                               size_t count, int error, bool unknown) {
  struct writer *writer = &local->writer;
  struct errmsg why;
  enum sluice_status status = index_fault(writer->db, &why);
  if (error) {
    status = store_fault(error);
    errmsg_set(&why, "the index can't grow: %s", strerror(error));
  }
  health_fault(&local->health, status, why.text);
  if (!sqlite3_get_autocommit(writer->db))
    index_run(writer->rollback);
  for (size_t i = 0; i < count; i++) {
    tasks[i]->status = status;
    tasks[i]->why = why;
    tasks[i]->old = 0;
    tasks[i]->unknown = unknown;
    if (tasks[i]->many)
      tasks[i]->many->blob_count = 0;
  }
}

static void change(struct local *local, struct task **tasks, size_t count,
                   void (*step)(struct cache_epochs *, const char *key)) {
  for (size_t i = 0; i < count; i++) {
    const struct many *many = tasks[i]->many;
    if (!tasks[i]->reserve && tasks[i]->key)
      step(&local->epochs, tasks[i]->key);
    for (size_t k = 0; many && k < many->taken; k++)
      step(&local->epochs, many->keys[many->next + k]);
  }
}

/* Nothing is written any more once a write has failed. */
static bool transaction_refused(struct local *local, struct task **tasks,
                                size_t count) {
  if (!health_read_only(&local->health))
    return false;
  for (size_t i = 0; i < count; i++) {
    task_may_write(tasks[i]);
    tasks[i]->old = 0;
    tasks[i]->unknown = false;
    if (tasks[i]->many)
      many_give_up(tasks[i]->many);
  }
  return true;
}

/* Of operations on many keys the first ones go first. */
static void take_keys(struct task **tasks, size_t count) {
  size_t room = MANY_KEYS_MAX;
  for (size_t i = 0; i < count; i++)
    if (tasks[i]->many)
      many_take(tasks[i]->many, &room);
}

bool transaction_run(struct local *local, struct task **tasks, size_t count,
                     bool *unknown) {
  struct writer *writer = &local->writer;
  struct upkeep now;
  int error = 0;
  *unknown = false;
  if (transaction_refused(local, tasks, count))
    return false;
  take_keys(tasks, count);
  share_enter(&local->share);
  bool ok = index_run(writer->begin);
  for (size_t i = 0; ok && i < count; i++)
    ok = transaction_apply(local, tasks[i]);
  ok = ok && transaction_keep_up(local, &now) &&
       grow(local, tasks, count, &error);
  change(local, tasks, count, cache_change_begin);
  uint64_t since = clock_us();
  bool committing = ok && index_run(writer->commit);
  change(local, tasks, count, cache_change_end);
  if (committing) {
    share_leave(&local->share);
    census_note_commit(local, count, since);
    transaction_committed(local, &now, tasks, count);
    return true;
  }
  *unknown = ok && (sqlite3_errcode(writer->db) & 0xff) == SQLITE_IOERR;
  transaction_failed(local, tasks, count, error, *unknown);
  share_leave(&local->share);
  return false;
}
