/* SPDX-License-Identifier: MIT
 *
 * A request as hooks see it, and its way through their phases.
 */
#ifndef GATE_REQUEST_H
#define GATE_REQUEST_H

#include "about.h"
#include "attributes.h"
#include "cidr.h"
#include "head.h"
#include "loop.h"
#include "op.h"
#include "intent.h"

#define REQUEST_ID_MAX 128
#define REQUEST_IDENTITY_MAX 256
#define REQUEST_HEADERS_MAX 32 /* that hooks add to an answer */
#define REQUEST_STATE_MAX 4096 /* bytes that a hook keeps of a request */
/* Requests that ended before a hook has resumed them, on one loop; with so
 * many it isn't asked about more. */
#define REQUEST_PENDING_MAX 256

enum request_phase {
  REQUEST_ON_REQUEST,
  REQUEST_ON_KEY,
  REQUEST_ON_BODY,
  REQUEST_ON_CHANGE
};

/* The turns of a phase. */
enum request_turn {
  REQUEST_IDLE,     /* the gateway's: no phase runs */
  REQUEST_ASKING,   /* a hook's: its function runs */
  REQUEST_WAITING,  /* a hook's, until sluice_request_resume() */
  REQUEST_RESUMING, /* the loop's: that came, and is about to be acted on */
  REQUEST_GONE      /* nobody's: a hook may not even ask about it */
};

/* The interest in how a phase ends. */
enum request_interest {
  REQUEST_WANTED,  /* the exchange, which goes on by it */
  REQUEST_VAIN,    /* nobody: it was answered in another way, or has ended */
  REQUEST_PENDING, /* nobody; and the hook's debts count it */
};

/* A hook's presence on one loop. */
struct request_hook {
  const struct sluice_hook *plugin;
  void *handle;
  struct sluice_host host;
  uint64_t misused; /* violations of the contract, on this loop */
  uint64_t silent;  /* requests that waited too long for it */
  size_t pending;   /* requests that ended, and that it hasn't resumed */
  struct repeats repeats;
};

struct sluice_request {
  struct loop *loop;
  const struct head *head;
  const char *operation; /* NULL: of no route */
  char peer[48], client[CIDR_TEXT_SIZE];
  const char *key;
  char id[REQUEST_ID_MAX + 1];
  char identity[REQUEST_IDENTITY_MAX + 1]; /* "": nobody said */
  char *subject; /* of the client's certificate; NULL: it has none */

  struct about about;                 /* its trace */
  const struct sluice_effort *effort; /* in on_log */

  struct request_hook *const *hooks; /* all of this loop's */
  const size_t *chain;               /* indices of this request's */
  size_t chain_count;
  struct request_hook *last; /* once it is gone: its hook */

  /* It goes to one of these: its route's, another one that a hook chose, or a
   * link's.  NULL, where a hook is tried without any: all names are there. */
  struct op_backend *const *backends;
  size_t backend_count, backend;
  size_t backend_kept; /* without what hooks that guard have chosen */
  struct attributes attributes;

  bool cors;      /* is configured, so its headers are the gateway's own */
  bool is_signed; /* hooks that guard aren't asked */
  bool debug;     /* its client may know how long what took */
  bool astray;    /* a hook chose a backend that isn't there */
  int status;     /* of the answer; 0 before */
  size_t calling; /* the hook that runs, or waits: index into the chain */
  size_t waited;  /* the one that waited last */
  struct request_state *states;

  /* While a phase runs. */
  enum request_phase phase;
  struct sluice_object object; /* in REQUEST_ON_CHANGE */
  struct sluice_chunk chunk;   /* in REQUEST_ON_BODY */
  enum request_turn turn;
  enum request_interest interest;
  bool allowed; /* by a hook that guards */
  size_t at;    /* index into the chain */
  size_t asked; /* so many were asked about it as another operation */
  enum sluice_verdict verdict;
  struct loop_task resume;
  void (*then)(void *arg, bool admitted);
  void *arg;

  struct intent *intent; /* of the upload; NULL: no object is made of bytes */
  uint64_t sated; /* bits by the chain: these want no more of its bytes */
  char *kept;     /* a chunk that a hook had when the upload was over */
  /* A hook that waits goes on; NULL: nobody counts its time. */
  void (*alive)(void *arg);

  enum sluice_status refusal; /* of the hook that denied */
  bool mistyped;              /* it is for the object's type */
  char message[256];
  struct buf *answer;  /* headers of the answer, in on_response */
  size_t answer_own;   /* so many bytes of them are the gateway's: the first */
  size_t answer_count; /* that hooks added */
};

/* False: there is none of that name. */
bool request_find_backend(const struct sluice_request *, const char *name,
                          size_t *index);
/* The id is the client's own where it sent a sane one. */
void request_init(struct sluice_request *, struct loop *, const struct head *,
                  const char *peer);
/* The client has a certificate of that subject; `name`, where it is an
 * identity, is the request's until a hook says another one. */
void request_certify(struct sluice_request *, const char *name,
                     const char *subject);
/* The identity is this one, if it can be; else false. */
bool request_identify(struct sluice_request *, const char *identity);
void request_fini(struct sluice_request *); /* no hook waits any more */
/* Nobody wants to know any more how the phase ends that runs, if any does;
 * then() is called all the same. */
void request_abandon(struct sluice_request *);
/* It ends.  True when a hook waits and may still resume it, until then() was
 * called. */
bool request_leave(struct sluice_request *);
/* That hook, or the one that runs. */
struct request_hook *request_hook(const struct sluice_request *);
/* In place of what hooks have said before; SLUICE_OK and "": nothing. */
void request_set_refusal(struct sluice_request *, enum sluice_status,
                         const char *message);
/* The one that said SLUICE_DENY. */
const struct request_hook *request_denier(const struct sluice_request *);

/* Runs on_request (before the key is known) or on_key through the chain, then
 * then(): at once, or later, when a hook waits. */
void request_admit(struct sluice_request *, enum request_phase,
                   void (*then)(void *arg, bool admitted), void *arg);
/* The same for on_change, which refuses nothing.  What the object points to
 * is lent until then(), or until it is abandoned. */
void request_change(struct sluice_request *, const struct sluice_object *,
                    void (*then)(void *arg, bool admitted), void *arg);
/* The same for on_body, of hooks that want bytes still.  The chunk is in
 * memory, and lent until then(), or longer by request_keep(). */
void request_show(struct sluice_request *, const struct sluice_chunk *,
                  void (*then)(void *arg, bool admitted), void *arg);
/* Is there any? */
bool request_wants_body(const struct sluice_request *);
/* The upload is over: a chunk that a hook may still have is taken. */
void request_keep(struct sluice_request *, char **data);
/* A hook forbade it, and it is asked about anew, as another operation.  For
 * hooks that guard it ends here as a request that was refused, and another one
 * begins; others are asked once. */
void request_again(struct sluice_request *, const char *operation);
/* Is any hook of the chain one that guards? */
bool request_guarded(const struct sluice_request *);
/* Headers may be added to `answer`. */
void request_response(struct sluice_request *, struct buf *answer);
void request_log(struct sluice_request *, const struct sluice_record *);

#endif
