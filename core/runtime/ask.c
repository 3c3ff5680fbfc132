/* SPDX-License-Identifier: MIT
 *
 * A layer's side of the operations that it asks for.  op.c trusts its side, as
 * that is the gateway's; a layer isn't trusted: what it says out of turn is a
 * violation of its own, and dropped.
 */
#include "ask_private.h"

#include <string.h>

#include "must.h"
#include "violation.h"

/* ---- the store ---------------------------------------------------------- */

struct sluice_store *sluice_store(struct sluice_host *host, const char *name) {
  for (size_t i = 0; i < host->store_count; i++)
    if (name == NULL || strcmp(host->stores[i].name, name) == 0)
      return &host->stores[i];
  return NULL;
}

unsigned sluice_store_can(const struct sluice_store *store) {
  return store->abilities;
}

/* ---- the end ------------------------------------------------------------ */

static void ask_unlink(struct sluice_ask *ask) {
  struct sluice_op *parent = ask->parent;
  if (parent == NULL)
    return;
  struct sluice_ask **at = &parent->asks;
  while (*at != ask)
    at = &(*at)->next;
  *at = ask->next;
  parent->ask_count--;
}

/* The operation that is told what isn't looked at; NULL: nobody is. */
static struct sluice_op *hearer(const struct sluice_ask *ask) {
  return ask->parent == NULL || op_is_done(ask->parent) ? NULL : ask->parent;
}

/* An answer to another question would be taken for one to this. */
static const char *answer_fault(const struct sluice_op *from,
                                const struct sluice_op *to) {
  static const bool answers[OP_STAGE_SWEEP + 1] = {[OP_LIST] = true,
                                                   [OP_REMOVE_MANY] = true,
                                                   [OP_PRESIGN] = true,
                                                   [OP_VERIFY] = true};
  if (!answers[to->kind])
    return NULL;
  if (from->kind != to->kind)
    return "of an operation of another kind is handed on, which is no answer";
  if (to->kind == OP_REMOVE_MANY ? from->item_limit != to->item_limit
                                 : from->item_limit > to->item_limit)
    return "of another number of keys or entries than were asked for is "
           "handed on";
  return NULL;
}

/* All that was collected goes along without a copy. */
static void hand_on(struct sluice_op *from, struct sluice_op *to,
                    enum sluice_status status, const char *why) {
  const char *fault = answer_fault(from, to);
  if (fault != NULL && status == SLUICE_OK) {
    op_violation(to->backend, "done", fault);
    status = SLUICE_EUPSTREAM;
  }
  if (fault == NULL && from->kind == to->kind) {
    op_move_answer(to, from);
    if (to->kind == OP_REMOVE_MANY)
      for (size_t i = 0; i < from->failure_count; i++)
        sluice_failed(to, from->failures[i].index, from->failures[i].status);
  }
  if (why == NULL)
    sluice_done(to, status, NULL);
  else
    sluice_done(to, status, "%s", why);
}

/* ---- what is heard ------------------------------------------------------ */

/* Between these two the operation that is asked for collects what it is told,
 * and then tells the gateway's side at once: no call of the layer's, nor of
 * the gateway's for it, is on the stack, as a delivery comes from the loop. So
 * a word goes up through all layers in one event.  NULL: it is queued already,
 * or there is none. */
static struct sluice_op *hold(const struct sluice_ask *ask) {
  struct sluice_op *parent = ask->parent;
  return parent != NULL && op_hold(parent) ? parent : NULL;
}

static void let_go(struct sluice_op *held) {
  if (held != NULL)
    op_let_go(held);
}

static void ask_on_meta(void *arg, const struct sluice_meta *meta) {
  struct sluice_ask *ask = arg;
  struct sluice_op *held = hold(ask);
  if (ask->heard.meta != NULL)
    ask->heard.meta(ask->arg, meta);
  else if (hearer(ask) != NULL)
    op_move_meta(ask->parent, ask->op);
  let_go(held);
}

static void ask_on_chunk(void *arg, const struct sluice_chunk *chunk) {
  struct sluice_ask *ask = arg;
  struct sluice_op *held = hold(ask);
  if (ask->heard.chunk != NULL)
    ask->heard.chunk(ask->arg, chunk);
  else if (hearer(ask) != NULL)
    sluice_send(ask->parent, chunk);
  let_go(held);
}

static void ask_on_next(void *arg) {
  struct sluice_ask *ask = arg;
  struct sluice_op *held = hold(ask);
  if (ask->heard.next != NULL)
    ask->heard.next(ask->arg);
  else if (hearer(ask) != NULL)
    sluice_next(ask->parent);
  let_go(held);
}

static void ask_on_alive(void *arg) {
  struct sluice_ask *ask = arg;
  struct sluice_op *held = hold(ask);
  if (ask->heard.alive != NULL)
    ask->heard.alive(ask->arg);
  else if (hearer(ask) != NULL)
    sluice_alive(ask->parent);
  let_go(held);
}

static void ask_on_staged(void *arg, const struct sluice_staged *staged) {
  struct sluice_ask *ask = arg;
  struct sluice_op *held = hold(ask);
  if (ask->heard.staged != NULL) {
    ask->heard.staged(ask->arg, staged);
  } else if (hearer(ask) != NULL) {
    op_move_answer(ask->parent, ask->op); /* the id of a new one */
    sluice_staged(ask->parent, staged);
  }
  let_go(held);
}

static void ask_on_done(void *arg, enum sluice_status status,
                        const char *why) {
  struct sluice_ask *ask = arg;
  struct sluice_op *parent = ask->parent, *held = hold(ask);
  ask_unlink(ask);
  if (ask->heard.done != NULL)
    ask->heard.done(ask->arg, status, why);
  else if (hearer(ask) != NULL)
    hand_on(ask->op, parent, status, why);
  ask->op = NULL;
  struct op_backend *layer = ask->layer;
  quarantine_give(&layer->layer->asks, ask);
  if (held != NULL)
    op_let_go(held);
  else if (parent != NULL)
    op_settle(parent);
  loop_pay(layer->host.loop, &layer->host.debt);
}

const struct op_events ask_events = {.sees_expired = true,
                                     .meta = ask_on_meta,
                                     .chunk = ask_on_chunk,
                                     .next = ask_on_next,
                                     .alive = ask_on_alive,
                                     .staged = ask_on_staged,
                                     .done = ask_on_done};

/* ---- starts ------------------------------------------------------------- */

void ask_check_thread(const struct op_backend *layer, const char *call) {
  if (!loop_is_mine(layer->host.loop))
    violation_of_thread(&layer->host, layer->plugin->name, call);
}

static const char *start_fault(const struct sluice_store *store,
                               const struct sluice_op *parent) {
  if (parent == NULL)
    return NULL;
  if (parent->backend != store->layer)
    return "for an operation that isn't the layer's own";
  if (op_is_done(parent))
    return VIOLATION_AFTER_DONE;
  if (parent->ask_count == SLUICE_ASKS_MAX)
    return "more than 64 times at once for one operation";
  return NULL;
}

struct sluice_ask *ask_new(struct sluice_store *store,
                           struct sluice_op *parent,
                           const struct sluice_heard *heard, void *arg,
                           const char *call) {
  if (store == NULL || store->layer == NULL) {
    if (store != NULL)
      violation_note(&store->host->misgiven, store->host, store->host->name,
                     call, "in start(), where no loop runs yet");
    return NULL;
  }
  struct op_backend *layer = store->layer;
  ask_check_thread(layer, call);
  const char *fault = start_fault(store, parent);
  if (fault != NULL) {
    op_violation(layer, call, fault);
    return NULL;
  }
  struct sluice_ask *ask =
      quarantine_take(&layer->layer->asks, layer->host.loop, sizeof *ask);
  must_have(ask); /* the limits of memory are kept by who asks */
  loop_owe(layer->host.loop, &layer->host.debt);
  ask->layer = layer;
  ask->parent = parent;
  ask->arg = arg;
  if (heard != NULL)
    memcpy(&ask->heard, heard,
           heard->size < sizeof ask->heard ? heard->size : sizeof ask->heard);
  if (parent != NULL) {
    ask->next = parent->asks;
    parent->asks = ask;
    parent->ask_count++;
  }
  return ask;
}

/* ---- answers ------------------------------------------------------------ */

struct sluice_ask *sluice_asked(const struct sluice_op *op) {
  return op->asks;
}

static const struct sluice_op *answer_of(const struct sluice_ask *ask,
                                         const char *name) {
  if (ask == NULL)
    return NULL;
  ask_check_thread(ask->layer, name);
  if (ask->op == NULL)
    op_violation(ask->layer, name, VIOLATION_AFTER_DONE);
  return ask->op;
}

const char *sluice_ask_text(const struct sluice_ask *ask, size_t index) {
  const struct sluice_op *op = answer_of(ask, __func__);
  return op == NULL ? NULL : op_text(op, index);
}

const char *sluice_ask_entry(const struct sluice_ask *ask, size_t index,
                             const struct sluice_meta **meta) {
  const struct sluice_op *op = answer_of(ask, __func__);
  *meta = NULL;
  if (op == NULL || index >= op_entries(op))
    return NULL;
  struct op_entry entry = op_entry(op, index);
  *meta = entry.meta;
  return entry.key;
}

const char *sluice_ask_token(const struct sluice_ask *ask) {
  const struct sluice_op *op = answer_of(ask, __func__);
  return op == NULL ? NULL : op_token(op);
}

enum sluice_status sluice_ask_removed(const struct sluice_ask *ask,
                                      size_t index) {
  const struct sluice_op *op = answer_of(ask, __func__);
  return op == NULL ? SLUICE_EIO : op_removed(op, index);
}
