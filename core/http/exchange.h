/* SPDX-License-Identifier: MIT
 *
 * One request's life: admitted by hooks, its body received, an operation of a
 * backend done, the answer sent.  Each state ends in the next or, when the
 * client leaves or the backend stalls, in the end.  But for a change, an
 * upload's commit or a delete: it is carried out, and told to hooks, whoever
 * has left.
 */
#ifndef HTTP_EXCHANGE_H
#define HTTP_EXCHANGE_H

#include <sys/queue.h>

#include "buf.h"
#include "ingress.h"
#include "key.h"
#include "request.h"
#include "route.h"

struct worker;

enum exchange_state {
  EXCHANGE_ADMITTING, /* hooks decide */
  EXCHANGE_WORKING,   /* the body is received, the backend works */
  EXCHANGE_ANSWERING, /* the answer is on its way */
  EXCHANGE_OVER       /* nobody listens; a hook still has to resume */
};

struct exchange {
  struct sluice_request request;
  struct worker *worker;
  struct ingress_conn *conn; /* NULL: the client has its answer, or left */
  struct evhttp_request *http;
  uint64_t since_us; /* the head's first byte, by CLOCK_MONOTONIC */
  struct head head;
  const struct route *route; /* NULL: none */
  enum exchange_state state;
  bool changing; /* a change takes place, or is told to hooks */
  TAILQ_ENTRY(exchange) in_left; /* while `conn` is NULL */

  char *key;            /* once it is known: or the prefix of a list */
  struct sluice_op *op; /* in flight, or NULL */
  struct event *timer;  /* while the backend owes something */
  void *work;           /* what the operation keeps */
  bool work_lent;       /* the backend may still read it after a cancel */
  void (*work_free)(void *work);
  void (*work_left)(void *work); /* NULL, or: the exchange is gone for it */
  void (*on_body)(struct exchange *);
  void (*go_on)(struct exchange *); /* what hooks are asked about first */

  struct exchange *next_owed; /* of those that a hook still has to resume */

  size_t cost; /* taken from the budget */
  uint64_t bytes_in, bytes_out;
  int status;       /* of the answer */
  const char *code; /* of an error */
};

/* The owner of an ingress calls it for each request.  The head's text is
 * taken. */
void exchange_begin(struct worker *, struct ingress_conn *,
                    struct evhttp_request *, struct head *,
                    const struct head_refusal *);

/* Its client has the answer, or left. */
void exchange_leave(struct exchange *);
/* A hook resumed a request that nobody waits for: nothing is left to do, and
 * it may be freed. */
bool exchange_too_late(struct exchange *);
/* Those that clients left end, whatever becomes of their change. */
void exchange_break_off(struct worker *);
/* At the end of a loop, when no hook can resume them any more. */
void exchange_free_owed(struct worker *);

struct op_backend *exchange_backend(struct exchange *);
/* The backend owes an answer from now on: 504 when it doesn't come in time. */
void exchange_watch(struct exchange *);
void exchange_unwatch(struct exchange *);
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
/* A change is about to begin; it ends in one of the next two. */
void exchange_change(struct exchange *);
/* It took place: hooks are told, then, where a client waits for the answer,
 * `then` runs.  What the object points to is in ex->work, or in ex. */
void exchange_changed(struct exchange *, const struct sluice_object *,
                      void (*then)(struct exchange *));
/* It didn't: the client is told, where one waits. */
void exchange_unchanged(struct exchange *, enum sluice_status,
                        const char *why);
/* Takes from the memory that requests may use; false, and 503 answered, when
 * there is too little. */
bool exchange_charge(struct exchange *, size_t bytes);
/* "https://host": what URLs of this gateway begin with; "" when the request
 * doesn't tell and the configuration neither. */
bool exchange_base_url(struct exchange *, struct buf *);

/* uploads.prefix, for whom the request is; false, and 403 answered, when that
 * isn't a part of a key. */
bool exchange_own_prefix(struct exchange *, char out[KEY_MAX + 1]);

/* The operations, one file each. */
void upload_start(struct exchange *);
void presign_start(struct exchange *);
void download_start(struct exchange *);
void signed_start(struct exchange *);
void list_start(struct exchange *);
void delete_start(struct exchange *);
void healthz_start(struct exchange *);
void readyz_start(struct exchange *);

#endif
