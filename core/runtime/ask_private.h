/* SPDX-License-Identifier: MIT
 *
 * An ask's inside, for the files that start it, step through it and hear it.
 */
#ifndef RUNTIME_ASK_PRIVATE_H
#define RUNTIME_ASK_PRIVATE_H

#include "ask.h"
#include "op_private.h"

struct sluice_ask {
  struct sluice_ask *next; /* of the same parent */
  struct op_backend *layer;
  struct sluice_op *op;     /* NULL: it is over */
  struct sluice_op *parent; /* it is asked for; NULL: for none */
  struct sluice_heard heard;
  void *arg;
};

/* It hears an operation that was asked for. */
extern const struct op_events ask_events;

/* One that isn't started yet; NULL: `call` breaks the contract. */
struct sluice_ask *ask_new(struct sluice_store *, struct sluice_op *parent,
                           const struct sluice_heard *, void *arg,
                           const char *call);
void ask_check_thread(const struct op_backend *layer, const char *call);

#endif
