/* SPDX-License-Identifier: MIT
 *
 * Removing many keys.  Of a backend that removes one at a time it is one
 * operation to the gateway and many to the plugin, of which a few are in
 * flight; it is done when the last of them is.
 */

#include <stdio.h>
#include <stdlib.h>

#include "must.h"
#include "op_private.h"

#define MANY_AT_ONCE 256 /* one transaction of `local` */
#define WHY_MAX 256

struct op_one {
  struct op_many *many;
  struct sluice_op *op; /* NULL: free */
  size_t index;
};

struct op_many {
  struct sluice_op *op;
  const char *const *keys;
  size_t count, next, running;
  bool canceled;
  char why[WHY_MAX]; /* of the first that failed */
  struct op_one ones[MANY_AT_ONCE];
};

static void go_on(struct op_many *many, struct op_one *free_one);

static void on_alive(void *arg) {
  sluice_alive(((struct op_one *)arg)->many->op);
}

static void on_done(void *arg, enum sluice_status status, const char *why) {
  struct op_one *one = arg;
  struct op_many *many = one->many;
  one->op = NULL;
  many->running--;
  if (status != SLUICE_OK && status != SLUICE_ENOENT) {
    sluice_failed(many->op, one->index, status);
    if (many->why[0] == '\0')
      snprintf(many->why, sizeof many->why, "%s",
               why == NULL ? "no reason given" : why);
  }
  sluice_alive(many->op);
  go_on(many, one);
}

static void start_one(struct op_many *many, struct op_one *one) {
  static const struct op_events events = {.alive = on_alive, .done = on_done};
  *one = (struct op_one){.many = many, .index = many->next++};
  many->running++;
  one->op = op_remove(many->op->backend, many->keys[one->index], &events, one);
}

static void end_many(struct op_many *many) {
  struct sluice_op *op = many->op;
  op->many = NULL;
  for (; many->next < many->count; many->next++)
    sluice_failed(op, many->next, SLUICE_ECANCELED);
  sluice_done(op, SLUICE_OK, many->why[0] == '\0' ? NULL : "%s", many->why);
  free(many);
}

static void go_on(struct op_many *many, struct op_one *free_one) {
  if (!many->canceled && many->next < many->count)
    start_one(many, free_one);
  else if (many->running == 0)
    end_many(many);
}

static void cancel(struct op_many *many) {
  many->canceled = true;
  for (size_t i = 0; i < MANY_AT_ONCE; i++)
    if (many->ones[i].op != NULL)
      op_cancel(many->ones[i].op);
}

static void start(struct sluice_op *op, const char *const *keys,
                  size_t count) {
  struct op_many *many = calloc(1, sizeof *many);
  must_have(many); /* the limits of memory are kept by who asks */
  *many = (struct op_many){.op = op, .keys = keys, .count = count};
  op->many = many;
  op->cancel_many = cancel;
  while (many->next < count && many->next < MANY_AT_ONCE)
    start_one(many, &many->ones[many->next]);
  if (count == 0)
    end_many(many);
}

struct sluice_op *op_remove_many(struct op_backend *backend,
                                 const char *const *keys, size_t count,
                                 const struct op_events *events, void *arg) {
  bool offered = backend->plugin->remove_many != NULL;
  if (offered)
    OP_PASS(backend, remove_many);
  struct sluice_op *op = op_new(backend, OP_REMOVE_MANY, events, arg);
  op->item_limit = count;
  if (!op_asks(op))
    return op;
  if (offered)
    op_entries_of(backend)->remove_many(backend->handle, op, keys, count);
  else
    start(op, keys, count);
  return op;
}
