/* SPDX-License-Identifier: MIT
 *
 * A layer over a storage that has one object, of three bytes.
 */
#ifndef TESTS_ASKKIT_H
#define TESTS_ASKKIT_H

#include "ask.h"
#include "budget.h"
#include "layer.h"
#include "op_private.h"

#define ASK_RIG_MEMORY (1 << 20) /* of the budget */

struct ask_rig {
  struct loop *loop;
  struct sluice_backend storage, own;
  struct layer layer;
  struct op_backend below, above;
  struct op_layer on_loop;
  struct sluice_store store;
  struct budget memory;

  struct sluice_op *op;   /* of the layer */
  struct sluice_op *deep; /* of the storage */
  struct sluice_ask *ask; /* the layer's */
  bool hangs;             /* the storage says nothing of its own accord */
  size_t data, committed; /* bytes; times */
  size_t metas, chunks, nexts, alives, dones, canceled;
  enum sluice_status status;
  char why[80];
};

/* `own`: what the layer has itself. */
void ask_rig_begin(struct ask_rig *, const struct sluice_backend *own);
void ask_rig_turn(struct ask_rig *); /* runs what is ready to run */
/* All memory has to be given back by then. */
void ask_rig_end(struct ask_rig *);

/* Whole operations of the layer; put and get have to end well. */
void ask_rig_get(struct ask_rig *);
void ask_rig_put(struct ask_rig *);
void ask_rig_head(struct ask_rig *);

extern const struct sluice_chunk ask_rig_last; /* three bytes */
extern const struct op_events ask_rig_events;  /* they count */
void ask_rig_on_meta(void *rig, const struct sluice_meta *);
void ask_rig_on_done(void *rig, enum sluice_status, const char *why);

/* Entries: of a layer that asks its storage for the head, and of the storage.
 */
void ask_rig_ask_head(void *rig, struct sluice_op *, const char *key);
void ask_rig_deep_put(void *rig, struct sluice_op *,
                      const struct sluice_put *);
void ask_rig_deep_presign(void *rig, struct sluice_op *,
                          const struct sluice_link *);
/* sluice_meta() of the object. */
void ask_rig_tell(struct sluice_op *);

#endif
