/* SPDX-License-Identifier: MIT
 *
 * The gateway's side of an operation, and its life: started, signals delivered
 * from the loop, freed when the plugin is done with it and nobody listens.
 */
#include "op_private.h"

#include <stdlib.h>

#include "clock.h"
#include "crash.h"
#include "metrics.h"
#include "must.h"

_Static_assert(OP_STAGE_SWEEP + 1 == METRICS_CALLS,
               "each kind of operation is counted");

const char *op_call_name(unsigned call) {
  static const char *const names[] = {[OP_HEAD] = "head",
                                      [OP_GET] = "get",
                                      [OP_PUT] = "put",
                                      [OP_LIST] = "list",
                                      [OP_REMOVE] = "remove",
                                      [OP_REMOVE_MANY] = "remove_many",
                                      [OP_COPY] = "copy",
                                      [OP_PING] = "ping",
                                      [OP_PRESIGN] = "presign",
                                      [OP_VERIFY] = "verify",
                                      [OP_STAGE] = "stage",
                                      [OP_STAGE_REMOVE] = "stage_remove",
                                      [OP_STAGE_SWEEP] = "stage_sweep"};
  return names[call];
}

static void op_free(struct sluice_op *op) {
  struct loop *loop = op->backend->host.loop;
  if (op->released != NULL)
    op->released(op->released_arg);
  for (size_t i = 0; i < op->text_count; i++)
    free(op->texts[i]);
  for (size_t i = 0; i < op->item_count; i++)
    free(op->items[i]);
  free(op->items);
  free(op->failures);
  free(op->token);
  free(op->meta);
  free(op->why);
  free(op->staged_state);
  free(op->state);
  op->state = NULL;
  op->turn = OP_BURIED;
  quarantine_give(&op->backend->ops, op);
  loop_release(loop);
}

static bool op_takes(struct sluice_op *op, enum op_signal signal) {
  bool said = (op->said & signal) != 0;
  op->said &= ~(unsigned)signal;
  return said && !op->left && !op->pending;
}

static void op_end(struct sluice_op *op) {
  enum sluice_status status = op->status;
  if (status == SLUICE_OK && !op->left && op_stores(op) && !op->committed) {
    op_violation(op->backend, "sluice_done", "with SLUICE_OK before commit()");
    status = SLUICE_EUPSTREAM;
  }
  metrics_add_call(op->backend->metrics, op->backend->index, op->kind, status,
                   clock_us() - op->since_us);
  if (op->pending)
    op->backend->pending--;
  if (op->left)
    op->backend->late++;
  else if (op->events->done != NULL)
    op->events->done(op->arg, status, op->why);
}

static void op_deliver(struct loop_task *task) {
  struct sluice_op *op = (struct sluice_op *)task;
  const char *before = crash_about(op->about);
  op->queued = false;
  if (op_takes(op, OP_SAID_META) && op->events->meta != NULL)
    op->events->meta(op->arg, &op->meta->meta);
  /* The chunk that was lent went back with the plugin's done. */
  if (op_takes(op, OP_SAID_CHUNK) && !op_is_done(op) &&
      op->events->chunk != NULL)
    op->events->chunk(op->arg, &op->chunk);
  if (op_takes(op, OP_SAID_ALIVE) && op->events->alive != NULL)
    op->events->alive(op->arg);
  if (op_takes(op, OP_SAID_NEXT) && op->events->next != NULL)
    op->events->next(op->arg);
  if (op_takes(op, OP_SAID_STAGED) && !op_is_done(op) &&
      op->events->staged != NULL)
    op->events->staged(op->arg, &op->staged);
  if (op_takes(op, OP_SAID_NONSENSE) && !op_is_done(op)) {
    op_end(op);
    op_leave(op, NULL, NULL);
  }
  if (op_is_done(op) && !op->queued) {
    op_end(op);
    op_free(op);
  }
  crash_about(before);
}

struct sluice_op *op_new(struct op_backend *backend, enum op_kind kind,
                         const struct op_events *events, void *arg) {
  static const enum op_turn first[] = {
      [OP_HEAD] = OP_HEADING,         [OP_GET] = OP_FINDING,
      [OP_PUT] = OP_STORING,          [OP_LIST] = OP_ANSWERING,
      [OP_REMOVE] = OP_ANSWERING,     [OP_REMOVE_MANY] = OP_ANSWERING,
      [OP_COPY] = OP_HEADING,         [OP_PING] = OP_ANSWERING,
      [OP_PRESIGN] = OP_ANSWERING,    [OP_VERIFY] = OP_ANSWERING,
      [OP_STAGE] = OP_OPENING,        [OP_STAGE_REMOVE] = OP_ANSWERING,
      [OP_STAGE_SWEEP] = OP_ANSWERING};
  must(loop_is_mine(backend->host.loop));
  struct sluice_op *op =
      quarantine_take(&backend->ops, backend->host.loop, sizeof *op);
  must(op != NULL); /* the limits of memory are kept by who asks */
  op->task.run = op_deliver;
  op->backend = backend;
  op->kind = kind;
  op->events = events;
  op->arg = arg;
  op->about = crash_request();
  op->since_us = clock_us();
  op->turn = first[kind];
  backend->operations++;
  loop_hold(backend->host.loop);
  return op;
}

bool op_asks(struct sluice_op *op) {
  if (op->backend->pending < OP_PENDING_MAX)
    return true;
  sluice_done(op, SLUICE_EBUSY,
              "the backend hasn't ended %u operations that were canceled",
              OP_PENDING_MAX);
  return false;
}

struct sluice_op *op_head(struct op_backend *backend, const char *key,
                          const struct op_events *events, void *arg) {
  struct sluice_op *op = op_new(backend, OP_HEAD, events, arg);
  if (op_asks(op))
    backend->plugin->head(backend->handle, op, key);
  return op;
}

struct sluice_op *op_get(struct op_backend *backend,
                         const struct sluice_get *get,
                         const struct op_events *events, void *arg) {
  struct sluice_op *op = op_new(backend, OP_GET, events, arg);
  if (op_asks(op))
    backend->plugin->get(backend->handle, op, get);
  return op;
}

struct sluice_op *op_put(struct op_backend *backend,
                         const struct sluice_put *put,
                         const struct op_events *events, void *arg) {
  struct sluice_op *op = op_new(backend, OP_PUT, events, arg);
  if (op_asks(op))
    backend->plugin->put(backend->handle, op, put);
  return op;
}

struct sluice_op *op_list(struct op_backend *backend,
                          const struct sluice_list *list,
                          const struct op_events *events, void *arg) {
  struct sluice_op *op = op_new(backend, OP_LIST, events, arg);
  op->item_limit = list->max;
  if (op_asks(op))
    backend->plugin->list(backend->handle, op, list);
  return op;
}

struct sluice_op *op_remove(struct op_backend *backend, const char *key,
                            const struct op_events *events, void *arg) {
  struct sluice_op *op = op_new(backend, OP_REMOVE, events, arg);
  if (op_asks(op))
    backend->plugin->remove(backend->handle, op, key);
  return op;
}

struct sluice_op *op_remove_if(struct op_backend *backend,
                               const struct sluice_removal *removal,
                               const struct op_events *events, void *arg) {
  struct sluice_op *op = op_new(backend, OP_REMOVE, events, arg);
  if (op_asks(op))
    backend->plugin->remove_if(backend->handle, op, removal);
  return op;
}

struct sluice_op *op_copy(struct op_backend *backend,
                          const struct sluice_copy *copy,
                          const struct op_events *events, void *arg) {
  struct sluice_op *op = op_new(backend, OP_COPY, events, arg);
  if (op_asks(op))
    backend->plugin->copy(backend->handle, op, copy);
  return op;
}

struct sluice_op *op_ping(struct op_backend *backend,
                          const struct op_events *events, void *arg) {
  struct sluice_op *op = op_new(backend, OP_PING, events, arg);
  if (op_asks(op))
    backend->plugin->ping(backend->handle, op);
  return op;
}

struct sluice_op *op_presign(struct op_backend *backend,
                             const struct sluice_link *link,
                             const struct op_events *events, void *arg) {
  struct sluice_op *op = op_new(backend, OP_PRESIGN, events, arg);
  if (backend->plugin->presign != NULL && op_asks(op))
    backend->plugin->presign(backend->handle, op, link);
  else if (backend->plugin->presign == NULL)
    sluice_done(op, SLUICE_ENOTSUP, "the backend makes no links");
  return op;
}

struct sluice_op *op_verify(struct op_backend *backend,
                            const struct sluice_claim *claim,
                            const struct op_events *events, void *arg) {
  struct sluice_op *op = op_new(backend, OP_VERIFY, events, arg);
  if (backend->plugin->verify != NULL && op_asks(op))
    backend->plugin->verify(backend->handle, op, claim);
  else if (backend->plugin->verify == NULL)
    sluice_done(op, SLUICE_ENOTSUP, "its links aren't served here");
  return op;
}

bool op_can_stage(const struct op_backend *backend) {
  return backend->plugin->stage != NULL;
}

static bool op_asks_stage(struct sluice_op *op) {
  if (op_can_stage(op->backend))
    return op_asks(op);
  sluice_done(op, SLUICE_ENOTSUP, "uploads can't go on later here");
  return false;
}

struct sluice_op *op_stage(struct op_backend *backend,
                           const struct sluice_stage *stage,
                           const struct op_events *events, void *arg) {
  struct sluice_op *op = op_new(backend, OP_STAGE, events, arg);
  if (op_asks_stage(op))
    backend->plugin->stage(backend->handle, op, stage);
  return op;
}

struct sluice_op *op_stage_get(struct op_backend *backend, const char *id,
                               const struct op_events *events, void *arg) {
  struct sluice_op *op = op_new(backend, OP_GET, events, arg);
  if (op_asks_stage(op))
    backend->plugin->stage_get(backend->handle, op, id);
  return op;
}

struct sluice_op *op_stage_remove(struct op_backend *backend, const char *id,
                                  const struct op_events *events, void *arg) {
  struct sluice_op *op = op_new(backend, OP_STAGE_REMOVE, events, arg);
  if (op_asks_stage(op))
    backend->plugin->stage_remove(backend->handle, op, id);
  return op;
}

struct sluice_op *op_stage_sweep(struct op_backend *backend, int64_t now_s,
                                 const struct op_events *events, void *arg) {
  struct sluice_op *op = op_new(backend, OP_STAGE_SWEEP, events, arg);
  if (op_asks_stage(op))
    backend->plugin->stage_sweep(backend->handle, op, now_s);
  return op;
}

/* The gateway's call, in its turn.  False: the plugin isn't asked any more, as
 * it was done meanwhile, or is to end. */
static bool op_calls(struct sluice_op *op, enum op_call call) {
  must(!op->left);
  if (op_is_done(op) || op->pending)
    return false;
  must(op_takes_turn(op, call));
  return true;
}

void op_read(struct sluice_op *op, uint64_t first, uint64_t count) {
  if (op_calls(op, OP_CALL_READ))
    op->backend->plugin->read(op->backend->handle, op, first, count);
}

void op_more(struct sluice_op *op) {
  if (op_calls(op, OP_CALL_MORE))
    op->backend->plugin->more(op->backend->handle, op);
}

void op_data(struct sluice_op *op, const struct sluice_chunk *chunk) {
  if (!op_calls(op, OP_CALL_DATA))
    return;
  op->known += chunk->length;
  op->backend->plugin->data(op->backend->handle, op, chunk);
}

void op_commit(struct sluice_op *op, const struct sluice_object *object) {
  if (!op_calls(op, OP_CALL_COMMIT))
    return;
  op->committed = true;
  op->backend->plugin->commit(op->backend->handle, op, object);
}

void op_save(struct sluice_op *op, const struct sluice_save *save) {
  must(op->kind == OP_STAGE);
  if (op_calls(op, OP_CALL_SAVE))
    op->backend->plugin->save(op->backend->handle, op, save);
}

void op_stage_commit(struct sluice_op *op, const struct sluice_object *object,
                     const struct sluice_save *save) {
  must(op->kind == OP_STAGE);
  if (!op_calls(op, OP_CALL_COMMIT))
    return;
  op->committed = true;
  op->backend->plugin->stage_commit(op->backend->handle, op, object, save);
}

void op_cancel(struct sluice_op *op) {
  if (op_is_done(op) || op->pending)
    return;
  op->pending = true;
  op->backend->pending++;
  if (op->many != NULL)
    op->cancel_many(op->many);
  else
    op->backend->plugin->cancel(op->backend->handle, op);
}

void op_leave(struct sluice_op *op, void (*released)(void *),
              void *released_arg) {
  must(!op->left);
  op->left = true;
  op->released = released;
  op->released_arg = released_arg;
  op_cancel(op);
}

size_t op_texts(const struct sluice_op *op) {
  return op->text_count;
}

const char *op_text(const struct sluice_op *op, size_t index) {
  return index < op->text_count ? op->texts[index] : NULL;
}

size_t op_entries(const struct sluice_op *op) {
  return op->item_count;
}

struct op_entry op_entry(const struct sluice_op *op, size_t index) {
  const struct op_item *item = op->items[index];
  return (struct op_entry){.key = item->key,
                           .meta = item->folded ? NULL : &item->meta};
}

const char *op_token(const struct sluice_op *op) {
  return op->token;
}

enum sluice_status op_removed(const struct sluice_op *op, size_t index) {
  for (size_t i = 0; i < op->failure_count; i++)
    if (op->failures[i].index == index)
      return op->failures[i].status;
  return op->status;
}
