/* SPDX-License-Identifier: MIT
 *
 * The gateway's side of an operation, and its life: started, signals delivered
 * from the loop, freed when the plugin is done with it and nobody listens.
 */
#include "op_private.h"

#include <assert.h>
#include <stdlib.h>

#include "log.h"

static void op_free(struct sluice_op *op) {
  for (size_t i = 0; i < op->text_count; i++)
    free(op->texts[i]);
  for (size_t i = 0; i < op->item_count; i++)
    free(op->items[i]);
  free(op->items);
  free(op->token);
  free(op->meta);
  free(op->why);
  free(op->state);
  free(op);
}

static void op_over(struct sluice_op *op) {
  struct op_backend *backend = op->backend;
  if (op->released != NULL)
    op->released(op->released_arg);
  if (backend->ended != NULL) {
    op->next = *backend->ended;
    *backend->ended = op;
  } else {
    op_free(op);
  }
  loop_release(backend->host.loop);
}

void op_forget(struct op_backend *backend) {
  while (*backend->ended != NULL) {
    struct sluice_op *op = *backend->ended;
    *backend->ended = op->next;
    op_free(op);
  }
}

static bool op_takes(struct sluice_op *op, enum op_signal signal) {
  bool said = (op->said & signal) != 0;
  op->said &= ~(unsigned)signal;
  return said && !op->left;
}

static void op_end(struct sluice_op *op) {
  enum sluice_status status = op->status;
  if (status == SLUICE_OK && !op->left && op->kind == OP_PUT && !op->committed)
    status = SLUICE_EUPSTREAM; /* done before there was anything to commit */
  if (op->left)
    op->backend->late++;
  else if (op->events->done != NULL)
    op->events->done(op->arg, status, op->why);
}

static void op_deliver(struct loop_task *task) {
  struct sluice_op *op = (struct sluice_op *)task;
  op->queued = false;
  if (op_takes(op, OP_SAID_META) && op->events->meta != NULL)
    op->events->meta(op->arg, &op->meta->meta);
  /* What was lent went back with the plugin's done. */
  if (op_takes(op, OP_SAID_CHUNK) && !op->done && op->events->chunk != NULL)
    op->events->chunk(op->arg, &op->chunk);
  if (op_takes(op, OP_SAID_ALIVE) && op->events->alive != NULL)
    op->events->alive(op->arg);
  if (op_takes(op, OP_SAID_NEXT) && op->events->next != NULL)
    op->events->next(op->arg);
  if (op_takes(op, OP_SAID_NONSENSE) && !op->done) {
    op_end(op);
    op_leave(op, NULL, NULL);
  }
  if (op->done && !op->queued) {
    op_end(op);
    op_over(op);
  }
}

static struct sluice_op *op_new(struct op_backend *backend, enum op_kind kind,
                                const struct op_events *events, void *arg) {
  assert(loop_is_mine(backend->host.loop));
  struct sluice_op *op = calloc(1, sizeof *op);
  assert(op != NULL); /* the limits of memory are kept by who asks */
  op->task.run = op_deliver;
  op->backend = backend;
  op->kind = kind;
  op->events = events;
  op->arg = arg;
  op->plugins_turn = true;
  backend->operations++;
  loop_hold(backend->host.loop);
  return op;
}

struct sluice_op *op_head(struct op_backend *backend, const char *key,
                          const struct op_events *events, void *arg) {
  struct sluice_op *op = op_new(backend, OP_HEAD, events, arg);
  backend->plugin->head(backend->handle, op, key);
  return op;
}

struct sluice_op *op_get(struct op_backend *backend,
                         const struct sluice_get *get,
                         const struct op_events *events, void *arg) {
  struct sluice_op *op = op_new(backend, OP_GET, events, arg);
  backend->plugin->get(backend->handle, op, get);
  return op;
}

struct sluice_op *op_put(struct op_backend *backend,
                         const struct sluice_put *put,
                         const struct op_events *events, void *arg) {
  struct sluice_op *op = op_new(backend, OP_PUT, events, arg);
  backend->plugin->put(backend->handle, op, put);
  return op;
}

struct sluice_op *op_list(struct op_backend *backend,
                          const struct sluice_list *list,
                          const struct op_events *events, void *arg) {
  struct sluice_op *op = op_new(backend, OP_LIST, events, arg);
  backend->plugin->list(backend->handle, op, list);
  return op;
}

struct sluice_op *op_remove(struct op_backend *backend, const char *key,
                            const struct op_events *events, void *arg) {
  struct sluice_op *op = op_new(backend, OP_REMOVE, events, arg);
  backend->plugin->remove(backend->handle, op, key);
  return op;
}

struct sluice_op *op_ping(struct op_backend *backend,
                          const struct op_events *events, void *arg) {
  struct sluice_op *op = op_new(backend, OP_PING, events, arg);
  backend->plugin->ping(backend->handle, op);
  return op;
}

struct sluice_op *op_presign(struct op_backend *backend,
                             const struct sluice_link *link,
                             const struct op_events *events, void *arg) {
  struct sluice_op *op = op_new(backend, OP_PRESIGN, events, arg);
  if (backend->plugin->presign != NULL)
    backend->plugin->presign(backend->handle, op, link);
  else
    sluice_done(op, SLUICE_ENOTSUP, "the backend makes no links");
  return op;
}

struct sluice_op *op_verify(struct op_backend *backend,
                            const struct sluice_claim *claim,
                            const struct op_events *events, void *arg) {
  struct sluice_op *op = op_new(backend, OP_VERIFY, events, arg);
  if (backend->plugin->verify != NULL)
    backend->plugin->verify(backend->handle, op, claim);
  else
    sluice_done(op, SLUICE_ENOTSUP, "its links aren't served here");
  return op;
}

void op_read(struct sluice_op *op, uint64_t first, uint64_t count) {
  assert(op->kind == OP_GET && op->described && !op->reading && !op->left);
  if (op->done)
    return;
  op->reading = true;
  op->plugins_turn = true;
  op->backend->plugin->read(op->backend->handle, op, first, count);
}

void op_more(struct sluice_op *op) {
  assert(op->kind == OP_GET && op->lent && !op->left);
  op->lent = false;
  if (op->done)
    return;
  op->plugins_turn = !op->chunk.last;
  op->backend->plugin->more(op->backend->handle, op);
}

void op_data(struct sluice_op *op, const struct sluice_chunk *chunk) {
  assert(op->kind == OP_PUT && !op->plugins_turn && !op->left);
  if (op->done)
    return;
  op->plugins_turn = true;
  op->backend->plugin->data(op->backend->handle, op, chunk);
}

void op_commit(struct sluice_op *op, const struct sluice_object *object) {
  assert(op->kind == OP_PUT && !op->plugins_turn && !op->left);
  if (op->done)
    return;
  op->committed = true;
  op->plugins_turn = true;
  op->backend->plugin->commit(op->backend->handle, op, object);
}

void op_leave(struct sluice_op *op, void (*released)(void *),
              void *released_arg) {
  assert(!op->left);
  op->left = true;
  op->released = released;
  op->released_arg = released_arg;
  if (!op->done) {
    op->lent = false;
    op->backend->plugin->cancel(op->backend->handle, op);
  }
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
