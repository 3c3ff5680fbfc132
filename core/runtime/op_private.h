/* SPDX-License-Identifier: MIT
 *
 * An operation's inside, for the two files that speak for its two sides: op.c
 * for the gateway, op_say.c for the plugin.
 */
#ifndef RUNTIME_OP_PRIVATE_H
#define RUNTIME_OP_PRIVATE_H

#include "about.h"
#include "ask.h"
#include "op.h"
#include "op_turn.h"

enum op_kind {
  OP_HEAD,
  OP_GET,
  OP_PUT,
  OP_LIST,
  OP_REMOVE,
  OP_REMOVE_MANY,
  OP_COPY,
  OP_PING,
  OP_PRESIGN,
  OP_VERIFY,
  OP_STAGE,
  OP_STAGE_REMOVE,
  OP_STAGE_SWEEP
};

enum op_signal { /* said by the plugin, not yet delivered */
                 OP_SAID_META = 1,
                 OP_SAID_CHUNK = 2,
                 OP_SAID_NEXT = 4,
                 OP_SAID_DONE = 8,
                 OP_SAID_ALIVE = 16,
                 OP_SAID_STAGED = 32,
                 OP_SAID_NONSENSE = 64 /* end it without waiting for more */
};

/* An object's key and metadata in one block of memory. */
struct op_item {
  const char *key;
  struct sluice_meta meta;
  bool folded; /* a prefix: no meta */
};

struct op_failure { /* of one of many keys */
  size_t index;
  enum sluice_status status;
};

struct op_many;

struct sluice_op {
  struct loop_task task; /* first: delivers the signals */
  struct op_backend *backend;
  const struct op_events *events;
  void *arg;
  struct about *about; /* the request; outlived by its loop */
  uint64_t serial;     /* its number, as long as it is that one */
  uint64_t since_us;
  enum op_kind kind;
  enum op_turn turn;
  bool committed; /* put: the gateway asked for it */
  bool described; /* the plugin said the meta */
  bool left;      /* the gateway's side is gone */
  bool pending;   /* canceled: counted among those it owes the end of */
  bool queued;    /* for delivery */
  unsigned said;  /* enum op_signal */
  void (*released)(void *);
  void *released_arg;

  void *state;
  size_t state_size;
  struct op_item *meta;
  struct sluice_chunk chunk;
  struct sluice_staged staged;
  char *staged_state; /* its state */
  uint64_t known;     /* stage: bytes that it had, or was lent */
  enum sluice_status status;
  char *why;

  char *texts[OP_TEXTS_MAX];
  size_t text_count;
  struct op_item **items;
  size_t item_count, item_max;
  size_t item_limit;    /* how many were asked for */
  struct op_many *many; /* removes of a backend that has no remove_many() */
  void (*cancel_many)(struct op_many *);
  struct op_failure *failures;
  size_t failure_count, failure_max;
  char *token;

  /* Of a layer. */
  struct sluice_ask *asks; /* in flight, the last one first */
  size_t ask_count;
  size_t charged; /* of limits.memory */
};

/* Is it a way for bytes into the storage? */
static inline bool op_stores(const struct sluice_op *op) {
  return op->kind == OP_PUT || op->kind == OP_STAGE;
}

/* Does it carry an object's bytes? */
static inline bool op_carries(const struct sluice_op *op) {
  return op->kind == OP_GET || op_stores(op);
}

/* Did the plugin say so? */
static inline bool op_is_done(const struct sluice_op *op) {
  return op->turn == OP_DONE || op->turn == OP_BURIED;
}

/* A call of either side: false, and nothing changes, when it is out of turn.
 */
bool op_takes_turn(struct sluice_op *, enum op_call);

/* An operation that its plugin isn't asked for yet. */
struct sluice_op *op_new(struct op_backend *, enum op_kind,
                         const struct op_events *, void *arg);
/* May the plugin be asked?  Else the operation is done. */
bool op_asks(struct sluice_op *);

/* Cancels all that it asked for. */
void op_cancel_asked(struct sluice_op *);
/* Delivers the end that waited for what the operation asked for. */
void op_settle(struct sluice_op *);
/* From now on a word of it waits for op_let_go(), which delivers it at once;
 * false: it is queued already, and op_let_go() isn't called. */
bool op_hold(struct sluice_op *);
void op_let_go(struct sluice_op *);
/* sluice_meta() of what another operation said, without a copy. */
void op_move_meta(struct sluice_op *to, struct sluice_op *from);
/* Is the object that it tells of one whose moment has passed? */
bool op_hides(const struct sluice_op *);
/* Moves the texts, entries and token that were collected. */
void op_move_answer(struct sluice_op *to, struct sluice_op *from);

/* The entries that are called. */
static inline const struct sluice_backend *
op_entries_of(const struct op_backend *backend) {
  return backend->layer == NULL ? backend->plugin : backend->layer->calls;
}

/* From a backend to the one that answers: an operation of which a layer has no
 * step passes to the one below. */
#define OP_PASS(backend, entry)                                              \
  while ((backend)->layer != NULL && (backend)->layer->calls->entry == NULL) \
  (backend) = (backend)->layer->below

/* Queues the delivery of `signal`. */
void op_say(struct sluice_op *, enum op_signal signal);

/* A copy in one block, freed with free(); NULL: no memory, or too large. */
struct op_item *op_item_new(const char *key, const struct sluice_meta *);
/* The place of a text in a meta; NULL: it has no more. */
const char **op_item_text(struct sluice_meta *, size_t index);

/* The request that it works for; NULL: there is none, or it is over. */
struct about *op_about(const struct sluice_op *);

#endif
