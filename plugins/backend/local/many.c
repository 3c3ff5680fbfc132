/* SPDX-License-Identifier: MIT
 *
 * An operation that removes many keys goes from the loop to the writer's lane,
 * from there to the pool, which unlinks the blobs, and round again while keys
 * are left.  Each key ends as a remove of its own would.
 */
#include "many.h"

#include "garbage.h"
#include "local.h"

#include <stdlib.h>

#define DROP_MAX 8 /* blobs that a thread unlinks in one go */

static void many_turn(struct task *task);

/* ---- in a transaction --------------------------------------------------- */

void many_take(struct many *many, size_t *room) {
  size_t left = many->count - many->next;
  size_t most = many->step < *room ? many->step : *room;
  many->taken = left < most ? left : most;
  many->blob_count = 0;
  *room -= many->taken;
}

bool many_take_less(struct many *many) {
  many->step = 1;
  return many->taken > 1;
}

void many_give_up(struct many *many) {
  many->taken = many->count - many->next;
  many->blob_count = 0;
}

void many_note_blob(struct many *many, uint64_t blob) {
  if (blob != 0)
    many->blobs[many->blob_count++] = blob;
}

void many_free(struct many *many) {
  if (many != NULL)
    free(many->blobs);
  free(many);
}

/* ---- after it ----------------------------------------------------------- */

static void fail_next(struct task *task, size_t count,
                      enum sluice_status status) {
  struct many *many = task->many;
  for (; count > 0; count--)
    sluice_failed(task->op, many->next++, status);
}

/* A cancel is told of all that took place. */
static void many_end(struct task *task) {
  struct many *many = task->many;
  fail_next(task, many->count - many->next, SLUICE_ECANCELED);
  task->status = SLUICE_OK;
  task->why = many->why;
  task_end(task);
}

static void many_is_back(struct task *task) {
  task->many->canceled |= task->place == TASK_AWAY_CANCELED;
  task->place = TASK_HERE;
  sluice_alive(task->op);
}

static void drop_blobs(void *arg) {
  const struct many_drop *drop = arg;
  garbage_drop(drop->task->handle->local, drop->blobs, drop->count);
}

static void blobs_dropped(void *arg);

/* False: none are left. */
static bool drop_next(struct many *many, struct many_drop *drop) {
  drop->count = many->blob_count < DROP_MAX ? many->blob_count : DROP_MAX;
  many->blob_count -= drop->count;
  drop->blobs = many->blobs + many->blob_count;
  if (drop->count == 0)
    return false;
  many->dropping++;
  sluice_work(drop->task->handle->host, drop_blobs, blobs_dropped, drop);
  return true;
}

static void blobs_dropped(void *arg) {
  struct many_drop *drop = arg;
  struct task *task = drop->task;
  task->many->dropping--;
  sluice_alive(task->op);
  if (drop_next(task->many, drop) || task->many->dropping > 0)
    return;
  many_is_back(task);
  many_turn(task);
}

/* By several threads, as a file system may take its time for each. */
static void drop_all(struct task *task) {
  struct many *many = task->many;
  task->place = TASK_AWAY;
  for (size_t i = 0; i < MANY_DROPS; i++) {
    many->drops[i].task = task;
    drop_next(many, &many->drops[i]);
  }
}

/* A step that went well is followed by a longer one. */
static void transaction_done(void *arg) {
  struct task *task = arg;
  struct many *many = task->many;
  many_is_back(task);
  if (task->status == SLUICE_OK) {
    many->next += many->taken;
    many->step =
        many->step < MANY_KEYS_MAX / 2 ? 2 * many->step : MANY_KEYS_MAX;
  } else {
    if (many->why.text[0] == '\0')
      many->why = task->why;
    fail_next(task, many->taken, task->status);
  }
  many->taken = 0;
  task->status = SLUICE_OK;
  many_turn(task);
}

static void many_turn(struct task *task) {
  const struct many *many = task->many;
  if (many->blob_count > 0)
    drop_all(task);
  else if (many->next < many->count && !many->canceled)
    task_lane(task, task->handle->local->writer.lane, transaction_done);
  else
    many_end(task);
}

void many_remove(void *handle, struct sluice_op *op, const char *const *keys,
                 size_t count) {
  struct task *task = task_start(handle, op, TASK_REMOVE_MANY);
  struct many *many = calloc(1, sizeof *many);
  task->many = many;
  if (many != NULL)
    many->blobs = calloc(count + 1, sizeof *many->blobs);
  if (many == NULL || many->blobs == NULL) {
    task->status = SLUICE_ENOMEM;
    task_end(task);
    return;
  }
  many->keys = keys;
  many->count = count;
  many->step = MANY_KEYS_MAX;
  many_turn(task);
}
