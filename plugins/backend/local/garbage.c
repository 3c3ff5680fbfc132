/* SPDX-License-Identifier: MIT
 *
 * From the table `garbage` a blob's number goes when its unlinking is durable;
 * until then every start unlinks it again.
 */
#include "garbage.h"

#include "hold.h"
#include "index.h"
#include "local.h"
#include "transaction.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define GARBAGE_BATCH 256 /* blobs that are removed at once */

static void garbage_push(_Atomic(struct writer_freed *) *list,
                         struct writer_freed *one) {
  one->next = atomic_load(list);
  while (!atomic_compare_exchange_weak(list, &one->next, one))
    ;
}

static void garbage_note(_Atomic(struct writer_freed *) *list, uint64_t blob) {
  struct writer_freed *one = malloc(sizeof *one);
  if (!one)
    return; /* the next start tidies up */
  one->blob = blob;
  garbage_push(list, one);
}

void garbage_inherit(struct writer *writer) {
  atomic_store(&writer->inherited, 1);
}

/* The next of the garbage that the index has; 0: there is none. */
static uint64_t next_garbage(struct writer *writer, uint64_t from) {
  sqlite3_bind_int64(writer->next_garbage, 1, (int64_t)from);
  uint64_t blob = index_step(writer->next_garbage) == SQLITE_ROW
                      ? (uint64_t)sqlite3_column_int64(writer->next_garbage, 0)
                      : 0;
  index_reset(writer->next_garbage);
  return blob;
}

/* It may also be this one's, which its threads are about to remove: to do so
 * twice makes no difference. */
static void drop_inherited(struct local *local) {
  struct writer *writer = &local->writer;
  uint64_t begun = atomic_load(&writer->inherited), from = begun;
  for (unsigned i = 0; from > 0 && i < GARBAGE_BATCH; i++) {
    uint64_t blob = next_garbage(writer, from);
    if (blob > 0 && store_unlink(&local->store, blob))
      garbage_note(&writer->freed, blob);
    from = blob > 0 ? blob + 1 : 0;
  }
  atomic_compare_exchange_strong(&writer->inherited, &begun, from);
}

/* Some of the blobs that had to wait, on the lane. */
static void drop_postponed(struct local *local) {
  struct writer *writer = &local->writer;
  struct writer_freed *list = atomic_exchange(&writer->postponed, NULL);
  for (unsigned i = 0; list != NULL; i++) {
    struct writer_freed *one = list;
    list = one->next;
    if (i >= GARBAGE_BATCH)
      garbage_push(&writer->postponed, one);
    else if (store_unlink(&local->store, one->blob))
      garbage_push(&writer->freed, one);
    else
      free(one); /* the next start tidies up */
  }
}

void garbage_drop_waiting(struct local *local) {
  const struct writer *writer = &local->writer;
  if ((atomic_load(&writer->postponed) == NULL &&
       atomic_load(&writer->inherited) == 0) ||
      health_read_only(&local->health))
    return;
  int hold = hold_take(local->datadir.dir, HOLD_CHANGE);
  if (hold_forbids(hold))
    return;
  drop_postponed(local);
  drop_inherited(local);
  hold_end(hold);
}

/* A blob that can't be unlinked is left to the next start.  One that is
 * immutable says nothing of the disk. */
bool garbage_drop_blob(struct local *local, uint64_t number) {
  struct errmsg why;
  if (store_unlink(&local->store, number))
    return true;
  errmsg_set(&why, "a blob can't be removed: %s", strerror(errno));
  if (errno == EIO || errno == EROFS)
    health_fault(&local->health, SLUICE_EIO, why.text);
  return false;
}

void garbage_drop(struct local *local, const uint64_t *blobs, size_t count) {
  if (count == 0 || health_read_only(&local->health))
    return;
  int hold = hold_take(local->datadir.dir, HOLD_CHANGE);
  bool forbidden = hold_forbids(hold);
  for (size_t i = 0; i < count; i++)
    if (forbidden)
      garbage_note(&local->writer.postponed, blobs[i]);
    else if (garbage_drop_blob(local, blobs[i]))
      garbage_note(&local->writer.freed, blobs[i]);
  hold_end(hold);
}

void garbage_drop_old(struct task *task) {
  uint64_t old = task->old;
  task->old = 0;
  garbage_drop(task->handle->local, &old, old != 0);
}

/* ---- forgotten ---- */

/* Blobs whose unlinking is durable leave the index's list of garbage with the
 * next transaction.  Until then a start unlinks them again. */
void garbage_settle(struct local *local) {
  struct writer *writer = &local->writer;
  if (writer->freed_pending || health_read_only(&local->health) ||
      !atomic_load(&writer->freed))
    return;
  struct writer_freed *freed = atomic_exchange(&writer->freed, NULL);
  if (store_sync_unlinked(&local->store)) {
    writer->freed_pending = freed;
    return;
  }
  struct errmsg why;
  errmsg_set(&why, "a folder of blobs can't be synced: %s", strerror(errno));
  health_fault(&local->health, store_fault(errno), why.text);
  writer->freed_pending = freed;
  transaction_forget(writer); /* the next start tidies up */
}
