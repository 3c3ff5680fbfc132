/* SPDX-License-Identifier: MIT
 *
 * One request's life: admitted by hooks, its body received, an operation of a
 * backend done, the answer sent.  Its states and events are in
 * exchange_table.c.  But for a change, an upload's commit or a delete, it ends
 * when its client leaves; a change is carried out, and told to hooks, whoever
 * has left.
 */
#ifndef GATE_EXCHANGE_H
#define GATE_EXCHANGE_H

#include <event2/event_struct.h>
#include <sys/queue.h>

#include "buf.h"
#include "ender.h"
#include "exchange_table.h"
#include "gate.h"
#include "ingress.h"
#include "key.h"
#include "ownlink.h"

/* Bytes of limits.memory that a request takes, beside what its operation
 * adds. */
#define EXCHANGE_COST 16384
/* A status for logs, where no client was there to be told one. */
#define EXCHANGE_CLIENT_GONE 499

struct exchange {
  struct sluice_request request;
  struct gate *gate;
  struct ingress_conn *conn; /* NULL: the client has its answer, or left */
  uint64_t since_us;         /* the head's first byte, by CLOCK_MONOTONIC */
  struct head head;
  const struct route *route; /* NULL: none */
  struct ownlink *link;      /* by which it came; NULL: by none */
  enum exchange_state state;
  enum operation asked;          /* a key of several has its own */
  TAILQ_ENTRY(exchange) in_left; /* in a state that exchange_is_left() */
  TAILQ_ENTRY(exchange) in_gate;

  char *key;            /* once it is known: or the prefix of a list */
  struct sluice_op *op; /* in flight, or NULL */
  struct event timer;   /* runs while the backend or a hook has to act */
  uint64_t waits_us;    /* since when it runs; 0: it doesn't */
  uint64_t waited_us[METRICS_WAITS];
  enum metrics_wait waits_for;
  bool work_lent;     /* the backend may still read it after a cancel */
  bool telling, told; /* of a change of several objects, while hooks run */
  void *work;         /* what the operation keeps */
  void (*work_free)(void *work);
  void (*work_left)(void *work); /* NULL, or: the exchange is gone for it */
  void (*on_body)(struct exchange *);
  void (*go_on)(struct exchange *); /* what hooks are asked about first */
  /* NULL, or: in place of an answer to what hooks deny. */
  void (*denied)(struct exchange *, enum sluice_status);
  /* NULL, or: the next object of a change of several; NULL: no more. */
  const struct sluice_object *(*changed_next)(struct exchange *);

  struct exchange *next_pending; /* of those that a hook has yet to resume */

  size_t cost;                 /* taken from the budget */
  struct tally_ticket counted; /* by its client */
  uint64_t bytes_in, bytes_out;
  int status; /* of the answer */
  enum ender ended_by;
  /* An option that set the limit, or a hook's name; NULL: none refused. */
  const char *refused_by;
  const char *code; /* of an error */
  bool describes;   /* the answer's fields are an object's, which may fail */
};

/* The owner of an ingress calls it for each request.  The head's text is
 * taken. */
void exchange_begin(struct gate *, struct ingress_conn *, struct head *,
                    const struct head_refusal *);
/* Those that clients left end, whatever becomes of their change. */
void exchange_break_off(struct gate *);
/* At the end of a loop, when no hook can resume them any more. */
void exchange_free_pending(struct gate *);

/* ---- for the begin and for endpoints ------------------------------------ */

/* How long whom, up to now: the client's part is what nobody else took. */
void exchange_count_times(struct exchange *);
/* Hooks decide on the request, then its endpoint starts. */
void exchange_admit(struct exchange *);
/* The same without hooks. */
void exchange_start(struct exchange *);
/* Its client has the answer, or left. */
void exchange_leave(struct exchange *);
/* Of `timer`. */
void exchange_on_silence(evutil_socket_t, short what, void *exchange);

struct op_backend *exchange_backend(struct exchange *);
/* Can the backend do all of these, bits of enum sluice_ability? */
bool exchange_can(struct exchange *, unsigned abilities);
/* The backend or a hook has to act from now on: 504 when it doesn't in
 * time. */
void exchange_watch(struct exchange *);
void exchange_unwatch(struct exchange *);
/* Digests are waited for from now on, unless somebody else has to act, until
 * the next of these or exchange_hashed(). */
void exchange_hashes(struct exchange *);
void exchange_hashed(struct exchange *);
/* Of op_events: the backend says that it goes on, so that its time begins
 * anew.  Once a download has begun only bytes count. */
void exchange_alive(void *exchange);
/* The operation is no longer wanted: canceled, and its work freed; a change
 * goes on. */
void exchange_drop(struct exchange *);
void exchange_set_key(struct exchange *, const char *key);
/* Keeps the key as ex->key, runs the hooks' on_key, then `then`; what they
 * deny is answered here. */
void exchange_check_key(struct exchange *, const char *key,
                        void (*then)(struct exchange *));
/* The same of a request whose keys each have an operation of their own, which
 * hooks see from now on. */
void exchange_check_as(struct exchange *, enum operation, const char *key,
                       void (*then)(struct exchange *));
/* The same of one of many: `denied` goes on where a hook refuses the key, or
 * takes too long is answered all the same. */
void exchange_try_key(struct exchange *, const char *key,
                      void (*then)(struct exchange *),
                      void (*denied)(struct exchange *, enum sluice_status));
/* Shows hooks the chunk, which is in memory and lent until `then` runs, or
 * longer by request_keep(); what they deny is answered here. */
void exchange_check_body(struct exchange *, const struct sluice_chunk *,
                         void (*then)(struct exchange *));
/* A change is about to begin; it ends in one of the next two. */
void exchange_change(struct exchange *);
/* It took place: hooks are told, then, where a client waits for the answer,
 * `then` runs.  What the object points to is in ex->work, or in ex. */
void exchange_changed(struct exchange *, const struct sluice_object *,
                      void (*then)(struct exchange *));
/* The same of several objects, of one at least, that `next` gives.  Where a
 * hook keeps the client waiting for too long, `then` runs before all are told
 * of: it answers, and needs what it answers with for no longer. */
void exchange_changed_all(
    struct exchange *, const struct sluice_object *(*next)(struct exchange *),
    void (*then)(struct exchange *));
/* The operation failed, and changed nothing: the client is told, where one
 * waits. */
void exchange_failed(struct exchange *, enum sluice_status, const char *why);
/* The same, in words that `answer` knows. */
void exchange_failed_as(struct exchange *, enum sluice_status, const char *why,
                        void (*answer)(struct exchange *));
/* Takes from the memory that requests may use; false, and 503 answered, when
 * there is too little. */
bool exchange_charge(struct exchange *, size_t bytes);
/* Does a browser say by itself who asks, whatever page has it ask?  A hook
 * guards the route, or the client has a certificate. */
bool exchange_is_personal(const struct exchange *);
/* uploads.prefix, for whom the request is; false, and 403 answered, when that
 * isn't a part of a key. */
bool exchange_own_prefix(struct exchange *, char out[KEY_MAX + 1]);

#endif
