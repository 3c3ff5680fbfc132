/* SPDX-License-Identifier: MIT
 *
 * A stage's way to disk.  A save makes the file durable, then its row says how
 * many bytes of it count: so a crash leaves at most bytes that nobody was told
 * of, over which the next request writes.
 */
#include "stager.h"

#include "codec.h"
#include "garbage.h"
#include "local.h"
#include "uploader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OWNER_MAX 1024
#define ID_LEN 16 /* hexadecimal digits */

static void sync_stage(void *arg);
static void synced(void *arg);
static void write_tail(void *arg);

/* ---- an operation's task ------------------------------------------------ */

static struct task *start(struct local_handle *handle, struct sluice_op *op,
                          enum task_kind kind, enum stage_step step) {
  struct task *task = task_start(handle, op, kind);
  task->stage = calloc(1, sizeof *task->stage);
  if (!task->stage) {
    task->status = SLUICE_ENOMEM;
    task_end(task);
    return NULL;
  }
  task->stage->step = step;
  buf_init(&task->stage->state, SLUICE_STAGE_STATE_MAX);
  buf_init(&task->stage->owner, OWNER_MAX);
  return task;
}

void stager_let_go(struct task *task) {
  if (!task->stage)
    return;
  if (task->stage->seat)
    seat_leave(task->stage->seat);
  share_close_stage(task->stage->mark);
  buf_fini(&task->stage->state);
  buf_fini(&task->stage->owner);
  free(task->stage);
  task->stage = NULL;
}

/* No stage has another one. */
static bool stager_read_id(struct task *task, const char *text) {
  unsigned char bytes[ID_LEN / 2];
  if (strlen(text) != ID_LEN || !codec_unhex(bytes, sizeof bytes, text)) {
    task->status = SLUICE_ENOENT;
    return false;
  }
  task->stage->id = 0;
  for (size_t i = 0; i < sizeof bytes; i++)
    task->stage->id = (int64_t)((uint64_t)task->stage->id << 8 | bytes[i]);
  return true;
}

static bool keep_state(struct task *task, const struct sluice_save *save) {
  struct stage *stage = task->stage;
  buf_clear(&stage->state);
  stage->expires_s = save->expires_s;
  if (buf_add(&stage->state, save->state, save->state_size))
    return true;
  task_fail(task, SLUICE_EINVAL, "a state of %zu bytes is too large",
            save->state_size);
  return false;
}

static void on_lane(struct task *task, void (*then)(void *)) {
  task->reserve = false;
  task_lane(task, task->handle->local->writer.lane, then);
}

static void tell(struct task *task, uint64_t offset) {
  const struct stage *stage = task->stage;
  struct sluice_staged staged = {.size = sizeof staged,
                                 .offset = offset,
                                 .state = stage->state.data,
                                 .state_size = stage->state.len,
                                 .expires_s = stage->expires_s,
                                 .complete = stage->complete};
  sluice_staged(task->op, &staged);
}

/* ---- opened ------------------------------------------------------------- */

static void say_id(struct task *task) {
  char id[ID_LEN + 1];
  snprintf(id, sizeof id, "%016llx", (unsigned long long)task->stage->id);
  sluice_text(task->op, id);
}

static void opened(void *arg) {
  struct task *task = arg;
  if (!task_goes_on(task))
    return;
  struct stage *stage = task->stage;
  if (stage->again) { /* the one before writes a chunk: soon it is over */
    stage->again = false;
    stage->step = STAGE_OPEN;
    on_lane(task, opened);
    return;
  }
  if (stage->step == STAGE_MAKE)
    say_id(task);
  task->written = stage->size;
  tell(task, stage->size);
}

void stager_stage(void *arg, struct sluice_op *op,
                  const struct sluice_stage *from) {
  struct task *task =
      start(arg, op, TASK_STAGE, from->id ? STAGE_OPEN : STAGE_MAKE);
  if (!task)
    return;
  struct stage *stage = task->stage;
  if (from->id) {
    stager_read_id(task, from->id);
  } else if (keep_state(task, from->save)) {
    stage->id = stage_new_id();
    stage->unmade = from->unheard;
    stage->owner_max = *from->owner ? from->owner_max : 0;
    if (!buf_adds(&stage->owner, from->owner))
      task_fail(task, SLUICE_EINVAL, "the owner's name is too long");
  }
  if (task->status != SLUICE_OK || !task_may_write(task)) {
    task_end(task);
  } else if (stage->unmade) {
    say_id(task);
    tell(task, 0);
  } else {
    on_lane(task, opened);
  }
}

/* More than one transaction needs a row: `then` goes on, with its step. */
static void stager_make_first(struct task *task, void (*then)(void *)) {
  if (task->stage->unmade) {
    task->stage->step = STAGE_MAKE;
    on_lane(task, then);
  } else {
    then(task);
  }
}

/* ---- bytes -------------------------------------------------------------- */

static bool open_file(struct task *task) {
  struct store *store = &task->handle->local->store;
  const struct stage *stage = task->stage;
  if (task->file.fd >= 0)
    return true;
  if (stage->blob ? store_reopen(store, &task->file, stage->blob)
                  : store_create(store, &task->file))
    return true;
  if (stage->blob && errno == ENOENT) /* it was committed, or removed */
    task_fail(task, SLUICE_EPRECOND, "another request has ended the upload");
  else
    task_fail_write(task, "a blob can't be opened", errno);
  return false;
}

/* The seat is held for just the write, which the next one waits for. */
static bool write_at(struct task *task, const void *data, size_t len,
                     uint64_t offset) {
  struct stage *stage = task->stage;
  if (!seat_begin(stage->seat, stage->turn)) {
    task_fail(task, SLUICE_EPRECOND, "another request has taken the upload");
    return false;
  }
  bool ok = store_write(&task->file, data, len, offset);
  int error = errno;
  seat_end(stage->seat);
  if (!ok)
    task_fail_write(task, "a blob can't be written", error);
  return ok;
}

/* A small one goes to a file after all, with the bytes that came. */
static bool write_before(struct task *task) {
  size_t len = task->bytes.len;
  if (len == 0)
    return true;
  bool ok = open_file(task) && write_at(task, task->bytes.data, len, 0);
  if (ok)
    buf_fini(&task->bytes);
  return ok;
}

static void stager_write_chunk(void *arg) {
  struct task *task = arg;
  struct store *store = &task->handle->local->store;
  size_t len = (size_t)task->chunk.length;
  if (!write_before(task) || !open_file(task) ||
      !write_at(task, task->chunk.data, len, task->written))
    return;
  task->written += len;
  if (!store_write_along(store, &task->file, task->written - len,
                         task->written))
    task_fail_write(task, "a blob can't be written", errno);
}

static void stager_chunk_written(void *arg) {
  struct task *task = arg;
  if (task_goes_on(task))
    sluice_next(task->op);
}

static void stager_room_made(void *arg) {
  struct task *task = arg;
  task->reserve = false;
  if (task_goes_on(task))
    task_work(task, stager_write_chunk, stager_chunk_written);
}

/* One that is small and comes in one request needs no file. */
static bool keep_in_memory(struct task *task,
                           const struct sluice_chunk *chunk) {
  uint64_t most = task->handle->local->inline_max;
  const struct stage *stage = task->stage;
  if (task->file.fd >= 0 || stage->blob ||
      (!stage->unmade && !seat_is(stage->seat, stage->turn)) ||
      task->written != task->bytes.len || task->written > most ||
      chunk->length > most - task->written ||
      !buf_add(&task->bytes, chunk->data, (size_t)chunk->length))
    return false;
  task->written += chunk->length;
  return true;
}

/* It has a row. */
static void stager_write(void *arg) {
  struct task *task = arg;
  if (task->stage->unmade && !task_goes_on(task))
    return;
  task->stage->unmade = false;
  task->stage->step = STAGE_SAVE; /* what it is for, on a full disk */
  if (atomic_load(&task->handle->local->datadir.full))
    writer_reserve(task, stager_room_made);
  else
    task_work(task, stager_write_chunk, stager_chunk_written);
}

void stager_data(struct task *task, const struct sluice_chunk *chunk) {
  task->chunk = *chunk;
  if (!task_may_write(task))
    task_end(task);
  else if (chunk->length == 0 || keep_in_memory(task, chunk))
    sluice_next(task->op);
  else
    stager_make_first(task, stager_write);
}

/* ---- saved -------------------------------------------------------------- */

static void undo_or_end(struct task *task) {
  if (task->pinned)
    writer_undo(task);
  else
    task_end(task);
}

/* Until it is in a row, a blob is to be undone with the task. */
static bool is_well(struct task *task) {
  if (task_is_back(task))
    return true;
  undo_or_end(task);
  return false;
}

static void saved(void *arg) {
  struct task *task = arg;
  struct stage *stage = task->stage;
  if (!is_well(task))
    return;
  if (task->blob) /* the row has it now */
    stage->blob = task->blob;
  task->blob = 0;
  stage->size = task->written;
  tell(task, stage->size);
}

static void stager_committed(void *arg) {
  struct task *task = arg;
  bool linked = task->stage->blob != 0;
  task->place = TASK_HERE; /* though it was canceled: it is done */
  if (linked && task->status != SLUICE_OK)
    task->blob = 0; /* the stage still has it */
  if (task->old || task->pinned)
    writer_undo(task);
  else
    task_end(task);
}

/* Numbers were reserved: once more. */
static void stage_reserved(void *arg) {
  struct task *task = arg;
  task->reserve = false;
  if (is_well(task))
    task_work(task,
              task->stage->step == STAGE_COMMIT ? write_tail : sync_stage,
              synced);
}

/* The file as it is becomes durable. */
static void sync_file(struct task *task) {
  const struct store *store = &task->handle->local->store;
  task->reserve = false;
  if (task->file.fd < 0)
    return; /* nothing was written since it was saved */
  if (task->stage->blob == 0)
    uploader_name(task);
  else if (store->sync && fdatasync(task->file.fd) != 0)
    task_fail_write(task, "a blob can't be made durable", errno);
}

static void sync_stage(void *arg) {
  if (write_before(arg))
    sync_file(arg);
}

static void synced(void *arg) {
  struct task *task = arg;
  struct stage *stage = task->stage;
  if (!is_well(task))
    return;
  if (task->reserve) {
    writer_reserve(task, stage_reserved);
    return;
  }
  if (stage->step == STAGE_COMMIT && stage->blob)
    task->blob = stage->blob;
  on_lane(task, stage->step == STAGE_COMMIT ? stager_committed : saved);
}

/* It has a row. */
static void stager_save_on(void *arg) {
  struct task *task = arg;
  if (task->stage->unmade && !is_well(task))
    return;
  task->stage->unmade = false;
  task->stage->step = STAGE_SAVE;
  task_work(task, sync_stage, synced);
}

void stager_save(void *handle, struct sluice_op *op,
                 const struct sluice_save *save) {
  struct task *task = task_of(op);
  (void)handle;
  if (keep_state(task, save) && task_may_write(task))
    stager_make_first(task, stager_save_on);
  else
    task_end(task);
}

/* ---- committed ---------------------------------------------------------- */

/* Cuts what an earlier request wrote behind the bytes that count; the
 * description has to be the file's end. */
static bool cut_tail(struct task *task) {
  struct stage *stage = task->stage;
  if (!seat_begin(stage->seat, stage->turn)) {
    task_fail(task, SLUICE_EPRECOND, "another request has taken the upload");
    return false;
  }
  bool ok = ftruncate(task->file.fd, (off_t)task->written) == 0;
  if (!ok)
    task_fail_write(task, "a blob can't be cut", errno);
  ok = ok && uploader_describe(task);
  seat_end(stage->seat);
  return ok;
}

static void write_tail(void *arg) {
  struct task *task = arg;
  if (task->bytes.len > 0) /* the transaction stores them */
    return;
  if (task->written > 0 && (!open_file(task) || !cut_tail(task)))
    return;
  sync_file(task);
}

void stager_commit(void *handle, struct sluice_op *op,
                   const struct sluice_object *object,
                   const struct sluice_save *save) {
  struct task *task = task_of(op);
  (void)handle;
  task->stage->step = STAGE_COMMIT;
  if (uploader_take(task, object, task->written) && keep_state(task, save) &&
      task_may_write(task))
    task_work(task, write_tail, synced);
  else
    task_end(task);
}

/* ---- without opening it ------------------------------------------------- */

static void open_bytes(void *arg) {
  struct task *task = arg;
  const struct stage *stage = task->stage;
  task->row.length = stage->size;
  if (stage->size == 0)
    return;
  task->file.fd = store_read(&task->handle->local->store, stage->blob);
  if (task->file.fd < 0)
    task_fail_errno(task, "a blob can't be opened", errno);
}

static void bytes_opened(void *arg) {
  struct task *task = arg;
  if (!task_goes_on(task))
    return;
  struct sluice_meta meta = SLUICE_META;
  meta.length = task->row.length;
  sluice_meta(task->op, &meta);
}

static void looked(void *arg) {
  struct task *task = arg;
  if (task->status == SLUICE_OK && task->stage->complete)
    task->status = SLUICE_ENOENT; /* its bytes are an object's */
  if (task_goes_on(task))
    task_work(task, open_bytes, bytes_opened);
}

void stager_get(void *handle, struct sluice_op *op, const char *id) {
  struct task *task = start(handle, op, TASK_STAGE_GET, STAGE_LOOK);
  if (!task)
    return;
  if (stager_read_id(task, id))
    on_lane(task, looked);
  else
    task_end(task);
}

void stager_remove(void *handle, struct sluice_op *op, const char *id) {
  struct task *task = start(handle, op, TASK_STAGE_REMOVE, STAGE_REMOVE);
  if (!task)
    return;
  if (stager_read_id(task, id))
    writer_submit(task);
  else
    task_end(task);
}

static void swept(void *arg);

static void drop_swept(void *arg) {
  garbage_drop_old(arg);
}

static void dropped(void *arg) {
  struct task *task = arg;
  sluice_alive(task->op);
  if (task_goes_on(task))
    on_lane(task, swept);
}

/* One after the other, so that others get their turn of the lane. */
static void swept(void *arg) {
  struct task *task = arg;
  if (!task->stage->again || task->status != SLUICE_OK ||
      task->place == TASK_AWAY_CANCELED) {
    task->stage->again = false;
    if (task_goes_on(task))
      task_end(task);
    return;
  }
  if (task->old)
    task_work(task, drop_swept, dropped);
  else
    dropped(task);
}

void stager_sweep(void *handle, struct sluice_op *op, int64_t now_s) {
  struct task *task = start(handle, op, TASK_STAGE_SWEEP, STAGE_SWEEP);
  if (!task)
    return;
  task->stage->now_s = now_s;
  on_lane(task, swept);
}
