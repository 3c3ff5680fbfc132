/* SPDX-License-Identifier: MIT
 *
 * An upload's way to disk.  Commit of a blob: take a number, give the file
 * that name, make both durable, then write the row.  A crash at any point
 * leaves at most a named file without a row, which the next start removes.
 */
#include "uploader.h"

#include "clock.h"
#include "blob.h"
#include "date.h"
#include "local.h"
#include "stager.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Numbers that an older index, put back from a backup, doesn't know of. */
#define TAKEN_MAX 1000

void uploader_put(void *arg, struct sluice_op *op,
                  const struct sluice_put *put) {
  struct local_handle *handle = arg;
  struct task *task = task_start(handle, op, TASK_PUT);
  uint64_t inline_max = handle->local->inline_max;
  task->large = put->length > 0 && (uint64_t)put->length > inline_max;
  if (task_may_write(task))
    sluice_next(op);
  else
    task_end(task);
}

static void uploader_write_chunk(void *arg) {
  struct task *task = arg;
  struct store *store = &task->handle->local->store;
  if (task->file.fd < 0 && !store_create(store, &task->file)) {
    task_fail_write(task, "a blob can't be made", errno);
    return;
  }
  /* The bytes that came before it was clear that the object is large. */
  size_t before = task->bytes.len;
  if (!store_write(&task->file, task->bytes.data, before, 0) ||
      !store_write(&task->file, task->chunk.data, (size_t)task->chunk.length,
                   task->written + before) ||
      !store_write_along(store, &task->file, task->written,
                         task->written + before + task->chunk.length)) {
    task_fail_write(task, "a blob can't be written", errno);
    return;
  }
  task->written += before + task->chunk.length;
  buf_fini(&task->bytes);
}

static void uploader_chunk_written(void *arg) {
  struct task *task = arg;
  if (task_goes_on(task))
    sluice_next(task->op);
}

static void uploader_room_made(void *arg) {
  struct task *task = arg;
  if (task_goes_on(task))
    task_work(task, uploader_write_chunk, uploader_chunk_written);
}

void uploader_data(void *handle, struct sluice_op *op,
                   const struct sluice_chunk *chunk) {
  struct task *task = task_of(op);
  uint64_t inline_max = task->handle->local->inline_max;
  (void)handle;
  if (task->stage) {
    stager_data(task, chunk);
    return;
  }
  task->large = task->large || chunk->length > inline_max - task->bytes.len;
  if (!task_may_write(task)) {
    task_end(task);
  } else if (task->large && chunk->length > 0) {
    task->chunk = *chunk;
    /* On a full disk the writer tells first whether there is room again. */
    if (atomic_load(&task->handle->local->datadir.full))
      writer_reserve(task, uploader_room_made);
    else
      task_work(task, uploader_write_chunk, uploader_chunk_written);
  } else if (buf_add(&task->bytes, chunk->data, (size_t)chunk->length)) {
    sluice_next(op);
  } else {
    task->status = SLUICE_ENOMEM;
    task_end(task);
  }
}

/* All of it is in the file, or in memory. */
void uploader_reread(struct task *task) {
  bool in_file = task->file.fd >= 0;
  sluice_send(task->op,
              &(struct sluice_chunk){.data = in_file ? NULL : task->bytes.data,
                                     .length = in_file ? task->written
                                                       : task->bytes.len,
                                     .fd = in_file ? task->file.fd : -1,
                                     .last = true});
}

/* ---- commit ---- */

/* The object's time is that of its description. */
bool uploader_describe(struct task *task) {
  struct buf description;
  task->row.mtime_ms = date_now_ms();
  bool ok = blob_describe(&description, task->key, &task->row);
  if (!ok)
    task->status = SLUICE_ENOMEM;
  else if (!store_write(&task->file, description.data, description.len,
                        task->written))
    task_fail_write(task, "a blob can't be written", errno);
  buf_fini(&description);
  return task->status == SLUICE_OK;
}

bool uploader_name(struct task *task) {
  struct local *local = task->handle->local;
  task->reserve = false;
  if (!task->pinned)
    task->pin = ledger_pin(&local->ledger);
  task->pinned = true;
  for (int taken = 0; taken < TAKEN_MAX; taken++) {
    if (!ledger_take(&local->ledger, &task->blob)) {
      task->blob = 0;
      task->reserve = true;
      return false;
    }
    uint64_t since = clock_us();
    if (store_link(&local->store, &task->file, task->blob)) {
      census_note_blob(local, since);
      return true;
    }
    if (errno != EEXIST) {
      task_fail_write(task, "a blob can't be made durable", errno);
      return false;
    }
  }
  task->blob = 0; /* not ours */
  task_fail(task, SLUICE_EIO,
            "the folder blobs holds what the index doesn't know");
  return false;
}

static void link_blob(void *arg) {
  struct task *task = arg;
  task->reserve = false;
  if (uploader_describe(task) && uploader_name(task))
    store_discard(&task->handle->local->store, &task->file);
}

static void reserved(void *arg) {
  struct task *task = arg;
  if (task_is_back(task))
    uploader_link(task);
  else
    writer_undo(task);
}

static void linked(void *arg) {
  struct task *task = arg;
  if (!task_is_back(task))
    writer_undo(task);
  else if (task->reserve)
    writer_reserve(task, reserved);
  else
    writer_submit(task);
}

void uploader_link(struct task *task) {
  task_work(task, link_blob, linked);
}

bool uploader_take(struct task *task, const struct sluice_object *object,
                   uint64_t length) {
  task->exclusive = object->exclusive;
  task_match(task, object->if_match);
  task->status = row_set(&task->row, object);
  task->key = strdup(object->key);
  if (!task->key)
    task->status = SLUICE_ENOMEM;
  else if (task->status == SLUICE_EINVAL)
    task_fail(task, SLUICE_EINVAL, "the object's md5 isn't one");
  else if (object->length != length)
    task_fail(task, SLUICE_EINVAL, "%llu bytes came for an object of %llu",
              (unsigned long long)length, (unsigned long long)object->length);
  return task->status == SLUICE_OK;
}

void uploader_commit(void *handle, struct sluice_op *op,
                     const struct sluice_object *object) {
  struct task *task = task_of(op);
  (void)handle;
  if (!uploader_take(task, object, task->written + task->bytes.len))
    task_end(task);
  else if (task->file.fd >= 0)
    uploader_link(task);
  else
    writer_submit(task);
}

void uploader_remove(void *handle, struct sluice_op *op, const char *key) {
  uploader_remove_if(handle, op, &(struct sluice_removal){.key = key});
}

void uploader_remove_if(void *handle, struct sluice_op *op,
                        const struct sluice_removal *removal) {
  struct task *task = task_start(handle, op, TASK_REMOVE);
  task->key = strdup(removal->key);
  task_match(task, removal->if_match);
  task->if_ended = removal->if_ended;
  if (task->key) {
    writer_submit(task);
    return;
  }
  task->status = SLUICE_ENOMEM;
  task_end(task);
}
