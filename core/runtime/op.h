/* SPDX-License-Identifier: MIT
 *
 * One operation of a backend, between the gateway's side (an operation of
 * HTTP) and the plugin's.  It keeps both honest: signals are delivered from
 * the loop and never inside a call, each operation is done once, what a
 * plugin says out of turn is logged by its name and dropped, and a plugin
 * that never answers holds nothing but the operation itself.
 */
#ifndef RUNTIME_OP_H
#define RUNTIME_OP_H

#include <stdatomic.h>

#include "buf.h"
#include "loop.h"
#include "quarantine.h"
#include "repeat.h"

#define OP_STATE_MAX 65536
/* Bytes that an operation of a layer costs beyond those that it declares:
 * itself, what it asks for, and up to OP_LAYER_STATE of state. */
#define OP_LAYER_COST 3072
#define OP_LAYER_STATE 1024
#define OP_USER_MAX 64    /* pairs of metadata */
#define OP_META_MAX 16384 /* bytes of an object's metadata, all told */
#define OP_TEXT_MAX 16384 /* bytes of one sluice_text() */
#define OP_TEXTS_MAX 8
/* Operations that were canceled and that a backend owes the end of, on one
 * loop; with so many it isn't asked for more. */
#define OP_PENDING_MAX 256

struct metrics;
struct violation_watch;
struct budget;
struct work_share;
struct op_layer;

/* A backend's presence on one loop. */
struct sluice_host {
  const char *name;         /* for the log */
  struct loop *loop;        /* NULL in start() and stop() */
  struct work_share *share; /* of the pool */
  const char *spool_directory;
  const struct violation_watch *watch; /* NULL: the log alone */
  struct budget *memory;               /* NULL: there is no bound */
  size_t taken;                        /* of it */
  uint64_t misgiven;                   /* times that it gave back too much */
  struct sluice_store *stores;         /* of a layer: the backends below */
  size_t store_count;
  struct meter_row *row;        /* of its metrics; NULL: nothing is counted */
  struct sluice_handed *handed; /* in start(); NULL: nothing was */
  struct loop_debt debt;        /* operations and jobs that aren't over */
  char failure[1024];           /* of sluice_fail() */
};

struct op_backend {
  /* Of a layer this is all that it offers, also what passes to the backend
   * below. */
  const struct sluice_backend *plugin;
  struct op_layer *layer; /* NULL: it stands on nothing */
  void *handle;
  unsigned abilities; /* enum sluice_ability */
  struct sluice_host host;
  struct quarantine ops; /* each backend's own: it can harm only itself */
  struct repeats repeats;
  struct metrics *metrics; /* NULL: its calls aren't counted */
  size_t index;            /* among the backends, there */
  /* Counters, this loop's. */
  uint64_t operations, late;
  uint64_t misused;      /* violations of the contract */
  uint64_t silent;       /* requests that waited too long for it */
  atomic_size_t pending; /* canceled, and not done; others only read it */
};

struct op_entry {
  const char *key; /* or a folded prefix: then meta is NULL */
  const struct sluice_meta *meta;
};

/* The gateway's side is told by these; each may be NULL.  Called from the
 * loop. */
struct op_events {
  void (*meta)(void *arg, const struct sluice_meta *);
  void (*chunk)(void *arg, const struct sluice_chunk *); /* until op_more() */
  void (*next)(void *arg);  /* the put wants a chunk, or op_commit() */
  void (*alive)(void *arg); /* it goes on */
  /* The stage is open, or saved: op_data(), op_save() or op_stage_commit().
   * The state is good until the next call. */
  void (*staged)(void *arg, const struct sluice_staged *);
  /* The last call; the op is gone after it. */
  void (*done)(void *arg, enum sluice_status, const char *why);
  /* An object whose moment has passed is told like any; else it isn't there,
   * and done() has SLUICE_ENOENT. */
  bool sees_expired;
};

/* Starts an operation.  `arg` is for the events.  op_text() and op_entries()
 * may be used in done(). */
struct sluice_op *op_head(struct op_backend *, const char *key,
                          const struct op_events *, void *arg);
struct sluice_op *op_get(struct op_backend *, const struct sluice_get *,
                         const struct op_events *, void *arg);
struct sluice_op *op_put(struct op_backend *, const struct sluice_put *,
                         const struct op_events *, void *arg);
struct sluice_op *op_list(struct op_backend *, const struct sluice_list *,
                          const struct op_events *, void *arg);
struct sluice_op *op_remove(struct op_backend *, const char *key,
                            const struct op_events *, void *arg);
/* SLUICE_ENOTSUP where the backend doesn't offer them. */
struct sluice_op *op_remove_if(struct op_backend *,
                               const struct sluice_removal *,
                               const struct op_events *, void *arg);
struct sluice_op *op_copy(struct op_backend *, const struct sluice_copy *,
                          const struct op_events *, void *arg);
/* Of a backend that doesn't offer it, by op_remove().  The keys stay until
 * done(), also after op_leave(): until `released`. */
struct sluice_op *op_remove_many(struct op_backend *, const char *const *keys,
                                 size_t count, const struct op_events *,
                                 void *arg);
struct sluice_op *op_ping(struct op_backend *, const struct op_events *,
                          void *arg);
/* SLUICE_ENOTSUP where the backend doesn't offer it. */
struct sluice_op *op_presign(struct op_backend *, const struct sluice_link *,
                             const struct op_events *, void *arg);
struct sluice_op *op_verify(struct op_backend *, const struct sluice_claim *,
                            const struct op_events *, void *arg);

/* "get", "stage_remove": each of METRICS_CALLS. */
const char *op_call_name(unsigned call);

/* The next four end with SLUICE_ENOTSUP where op_can_stage() is false. */
bool op_can_stage(const struct op_backend *);
struct sluice_op *op_stage(struct op_backend *, const struct sluice_stage *,
                           const struct op_events *, void *arg);
struct sluice_op *op_stage_get(struct op_backend *, const char *id,
                               const struct op_events *, void *arg);
struct sluice_op *op_stage_remove(struct op_backend *, const char *id,
                                  const struct op_events *, void *arg);
struct sluice_op *op_stage_sweep(struct op_backend *, int64_t now_s,
                                 const struct op_events *, void *arg);

void op_read(struct sluice_op *, uint64_t first, uint64_t count);
void op_more(struct sluice_op *);
void op_data(struct sluice_op *, const struct sluice_chunk *);
void op_commit(struct sluice_op *, const struct sluice_object *);
void op_save(struct sluice_op *, const struct sluice_save *);
void op_stage_commit(struct sluice_op *, const struct sluice_object *,
                     const struct sluice_save *);

/* Asks the plugin to end it soon; done() is the only event that follows, and
 * says of a commit or a remove whether it took place all the same.  Does
 * nothing the second time. */
void op_cancel(struct sluice_op *);
/* The gateway's side leaves: no event follows.  A plugin that isn't done is
 * canceled; the chunk last lent to it must stay until `released` (NULL: none
 * is lent) is called with `released_arg`. */
void op_leave(struct sluice_op *, void (*released)(void *),
              void *released_arg);

/* The plugin said what can't be true: counted and logged. */
void op_violation(struct op_backend *, const char *call, const char *what);

/* The moment of an object that ends by itself, in seconds since 1970; 0: it is
 * none.  Has it passed? */
int64_t op_expires(const struct sluice_meta *);
bool op_has_expired(const struct sluice_meta *);

/* Collected by the plugin; until the end of done(). */
size_t op_texts(const struct sluice_op *);
const char *op_text(const struct sluice_op *, size_t index); /* NULL: none */
size_t op_entries(const struct sluice_op *);
struct op_entry op_entry(const struct sluice_op *, size_t index);
const char *op_token(const struct sluice_op *); /* truncated, or NULL */
/* Of op_remove_many(): what became of a key. */
enum sluice_status op_removed(const struct sluice_op *, size_t index);

#endif
