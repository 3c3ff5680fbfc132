/* SPDX-License-Identifier: MIT
 *
 * The gateway's side of an operation, and its life: started, signals delivered
 * from the loop, freed when the plugin is done with it and nobody listens.
 */
#include "op_private.h"

#include <stdlib.h>

#include "ask_private.h"
#include "budget.h"
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
  struct op_backend *backend = op->backend;
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
  if (op->charged > 0)
    budget_give(op->backend->host.memory, op->charged);
  op->state = NULL;
  op->turn = OP_BURIED;
  quarantine_give(&backend->ops, op);
  loop_pay(backend->host.loop, &backend->host.debt);
}

static bool op_takes(struct sluice_op *op, enum op_signal signal) {
  bool said = (op->said & signal) != 0;
  op->said &= ~(unsigned)signal;
  return said && !op->left && !op->pending;
}

/* The word that is missing, without which SLUICE_OK isn't true; NULL: none. */
static const char *end_fault(const struct sluice_op *op) {
  if (op_stores(op) && !op->committed)
    return "with SLUICE_OK before commit()";
  bool describes = op->kind == OP_HEAD || op->kind == OP_GET;
  return describes && !op->described && !op->pending ? "before sluice_meta()"
                                                     : NULL;
}

static void op_end(struct sluice_op *op) {
  enum sluice_status status = op->status;
  const char *fault = status != SLUICE_OK || op->left ? NULL : end_fault(op);
  if (fault != NULL) {
    op_violation(op->backend, "sluice_done", fault);
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
  struct about *before = crash_about(op_about(op));
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
  /* The bytes that it lent to what it asked for aren't given back before. */
  if (op_is_done(op) && op->asks != NULL)
    op_cancel_asked(op);
  else if (op_is_done(op) && !op->queued) {
    op_end(op);
    op_free(op);
  }
  crash_about(before);
}

void op_settle(struct sluice_op *op) {
  if (op->turn != OP_DONE || op->asks != NULL || op->queued)
    return;
  op->queued = true;
  loop_defer(op->backend->host.loop, &op->task);
}

bool op_hold(struct sluice_op *op) {
  bool free = !op->queued;
  op->queued = true;
  return free;
}

void op_let_go(struct sluice_op *op) {
  op->queued = false;
  if (op->said != 0 || op->turn == OP_DONE)
    op_deliver(&op->task);
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
  must_have(op); /* the limits of memory are kept by who asks */
  op->task.run = op_deliver;
  op->backend = backend;
  op->kind = kind;
  op->events = events;
  op->arg = arg;
  op->about = crash_request();
  op->serial = op->about == NULL ? 0 : op->about->serial;
  op->since_us = clock_us();
  op->turn = first[kind];
  backend->operations++;
  loop_owe(backend->host.loop, &backend->host.debt);
  return op;
}

/* Of a layer: what the operation costs beside those that it asks for. */
static bool op_charge(struct sluice_op *op) {
  const struct op_backend *backend = op->backend;
  size_t cost = OP_LAYER_COST;
  if (backend->layer == NULL || backend->host.memory == NULL)
    return true;
  if (op_carries(op))
    cost += backend->plugin->op_memory;
  if (!budget_take(backend->host.memory, cost))
    return false;
  op->charged = cost;
  return true;
}

bool op_asks(struct sluice_op *op) {
  if (op->backend->pending >= OP_PENDING_MAX)
    sluice_done(op, SLUICE_EBUSY,
                "the backend hasn't ended %u operations that were canceled",
                OP_PENDING_MAX);
  else if (!op_charge(op))
    sluice_done(op, SLUICE_ENOMEM, "limits.memory has no room for the layer");
  else
    return true;
  return false;
}

struct sluice_op *op_head(struct op_backend *backend, const char *key,
                          const struct op_events *events, void *arg) {
  OP_PASS(backend, head);
  struct sluice_op *op = op_new(backend, OP_HEAD, events, arg);
  if (op_asks(op))
    op_entries_of(backend)->head(backend->handle, op, key);
  return op;
}

struct sluice_op *op_get(struct op_backend *backend,
                         const struct sluice_get *get,
                         const struct op_events *events, void *arg) {
  OP_PASS(backend, get);
  struct sluice_op *op = op_new(backend, OP_GET, events, arg);
  if (op_asks(op))
    op_entries_of(backend)->get(backend->handle, op, get);
  return op;
}

struct sluice_op *op_put(struct op_backend *backend,
                         const struct sluice_put *put,
                         const struct op_events *events, void *arg) {
  OP_PASS(backend, put);
  struct sluice_op *op = op_new(backend, OP_PUT, events, arg);
  if (op_asks(op))
    op_entries_of(backend)->put(backend->handle, op, put);
  return op;
}

struct sluice_op *op_list(struct op_backend *backend,
                          const struct sluice_list *list,
                          const struct op_events *events, void *arg) {
  OP_PASS(backend, list);
  struct sluice_op *op = op_new(backend, OP_LIST, events, arg);
  op->item_limit = list->max;
  if (op_asks(op))
    op_entries_of(backend)->list(backend->handle, op, list);
  return op;
}

struct sluice_op *op_remove(struct op_backend *backend, const char *key,
                            const struct op_events *events, void *arg) {
  OP_PASS(backend, remove);
  struct sluice_op *op = op_new(backend, OP_REMOVE, events, arg);
  if (op_asks(op))
    op_entries_of(backend)->remove(backend->handle, op, key);
  return op;
}

struct sluice_op *op_ping(struct op_backend *backend,
                          const struct op_events *events, void *arg) {
  OP_PASS(backend, ping);
  struct sluice_op *op = op_new(backend, OP_PING, events, arg);
  if (op_asks(op))
    op_entries_of(backend)->ping(backend->handle, op);
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
    op_entries_of(op->backend)->read(op->backend->handle, op, first, count);
}

void op_more(struct sluice_op *op) {
  if (op_calls(op, OP_CALL_MORE))
    op_entries_of(op->backend)->more(op->backend->handle, op);
}

void op_data(struct sluice_op *op, const struct sluice_chunk *chunk) {
  if (!op_calls(op, OP_CALL_DATA))
    return;
  op->known += chunk->length;
  op_entries_of(op->backend)->data(op->backend->handle, op, chunk);
}

void op_commit(struct sluice_op *op, const struct sluice_object *object) {
  if (!op_calls(op, OP_CALL_COMMIT))
    return;
  op->committed = true;
  op_entries_of(op->backend)->commit(op->backend->handle, op, object);
}

void op_save(struct sluice_op *op, const struct sluice_save *save) {
  must(op->kind == OP_STAGE);
  if (op_calls(op, OP_CALL_SAVE))
    op_entries_of(op->backend)->save(op->backend->handle, op, save);
}

void op_stage_commit(struct sluice_op *op, const struct sluice_object *object,
                     const struct sluice_save *save) {
  must(op->kind == OP_STAGE);
  if (!op_calls(op, OP_CALL_COMMIT))
    return;
  op->committed = true;
  op_entries_of(op->backend)
      ->stage_commit(op->backend->handle, op, object, save);
}

void op_cancel(struct sluice_op *op) {
  if (op_is_done(op) || op->pending)
    return;
  op->pending = true;
  op->backend->pending++;
  if (op->many != NULL)
    op->cancel_many(op->many);
  else
    op_entries_of(op->backend)->cancel(op->backend->handle, op);
}

void op_cancel_asked(struct sluice_op *op) {
  for (struct sluice_ask *ask = op->asks; ask != NULL; ask = ask->next)
    op_cancel(ask->op);
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
