/* SPDX-License-Identifier: MIT
 *
 * HTTP/1 as a server speaks it: connections, their requests and what becomes
 * of them (docs/ingress.md).  Every head is parsed strictly, and the body is
 * handed to the request's owner piece by piece.  Sockets and TLS are
 * libevent's bufferevents, and answers are answer.c's.
 *
 * Two facts must stay true:
 *   1. A connection has one request at a time: what comes behind it waits in
 *      the input, of which no more than a window is read ahead.
 *   2. No call of an owner is made from inside a call of the owner's own, but
 *      gone() by ingress_abort() and ingress_close(), and finished() by
 *      answer_end().
 */
#ifndef HTTP1_INGRESS_H
#define HTTP1_INGRESS_H

#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <openssl/ssl.h>

#include "budget.h"
#include "head.h"
#include "loop.h"
#include "tally.h"

#define INGRESS_HEAD_MAX 32768
#define INGRESS_WINDOW 65536 /* of a body, read ahead of its owner */
#define INGRESS_SKIP_MAX                             \
  (1 << 20) /* of a body nobody read: skipped, above \
               that the connection ends */

struct ingress;      /* connections, on one loop */
struct ingress_conn; /* a connection, with at most one request at a time */

struct ingress_settings {
  int64_t head_timeout_ms, body_timeout_ms, idle_timeout_ms, write_timeout_ms;
  uint64_t min_rate;     /* bytes a second; 0: any */
  struct budget *memory; /* NULL, or: what large heads are charged to */
};

/* The causes of gone(). */
enum ingress_end {
  INGRESS_LEFT,       /* the client's own doing */
  INGRESS_LATE,       /* a time-out, or min_rate */
  INGRESS_CLOSED,     /* ingress_close() */
  INGRESS_ABORTED,    /* ingress_abort(), whose caller knows more */
  INGRESS_UNREADABLE, /* a file that is sent is shorter than was said, or
                         can't be read */
};

enum ingress_mistake { /* of who connects */
                       INGRESS_HTTP_ON_TLS,
                       INGRESS_TLS_ON_HTTP,
                       INGRESS_NO_HANDSHAKE, /* it failed */
                       INGRESS_MISTAKES
};

struct ingress_owner { /* of all requests */
  /* A head came, whose text the owner may take; or one that was refused: then
   * `refusal` isn't NULL, the head is empty, and only the answer is left to
   * do.  The owner calls ingress_own() at once. */
  void (*request)(void *arg, struct ingress_conn *, struct head *,
                  const struct head_refusal *);
  /* A connection was opened or closed. */
  void (*count)(void *arg, int change);
  void *arg;
  /* NULL, or: may a connection of that peer stay?  What the ticket is given is
   * taken off when it ends. */
  bool (*admit)(void *arg, const char *peer, struct tally_ticket *);
  /* NULL, or: a connection is closed, as it is below min_rate. */
  void (*slow)(void *arg, const char *peer, const char *what);
  /* NULL, or: a connection came to no request.  `why`: of a handshake. */
  void (*mistaken)(void *arg, const char *peer, enum ingress_mistake,
                   const char *why);
  /* NULL, or: accept(2) failed with that error. */
  void (*refused)(void *arg, int error);
};

struct ingress_events { /* of one request */
  /* After ingress_body_start(): there is news for ingress_body_next(). */
  void (*body)(void *arg);
  /* One of these two is the last event. */
  void (*finished)(void *arg); /* the answer's last byte is on its way */
  void (*gone)(void *arg);     /* the client is, and the request */
};

/* `tls`: NULL for plain connections; else there is one more reference to it.
 * NULL: no memory. */
struct ingress *ingress_new(struct loop *, SSL_CTX *tls,
                            const struct ingress_settings *,
                            const struct ingress_owner *);
void ingress_free(struct ingress *); /* closes what is open */
/* From the next wait on, of all connections. */
void ingress_limit(struct ingress *, const struct ingress_settings *);
/* Of one with TLS: new connections use this one, those that are open keep
 * theirs. */
void ingress_renew_tls(struct ingress *, SSL_CTX *);
/* Accepts connections of a socket that listens, which is the listener's now:
 * its caller frees it.  NULL: no memory. */
struct evconnlistener *ingress_listen(struct ingress *, evutil_socket_t);
size_t ingress_open(const struct ingress *);
/* Closes each connection after its next answer. */
void ingress_retire(struct ingress *);
/* Closes idle connections, and others after their answer. */
void ingress_drain(struct ingress *);
/* When draining began, had its request come already, unread? */
bool ingress_was_sent(const struct ingress_conn *);
/* Closes all connections. */
void ingress_close(struct ingress *);
/* Closes up to `count` connections, oldest first, to make room: idle ones,
 * then those that linger. */
void ingress_evict(struct ingress *, size_t count);

void ingress_own(struct ingress_conn *, const struct ingress_events *,
                 void *arg);

/* How much of the body may be read ahead, INGRESS_WINDOW unless it is said. */
void ingress_body_window(struct ingress_conn *, size_t);

/* Asks for the body (100 Continue where the client waits for it). */
void ingress_body_start(struct ingress_conn *);

/* Before the answer: an interim one, as a whole head with its empty line.  Not
 * to a client of HTTP/1.0. */
void ingress_interim(struct ingress_conn *, const char *head, size_t len);

enum ingress_body {
  INGRESS_DATA, /* data and len, until the next call of any kind */
  INGRESS_WAIT, /* the event body() comes when there is more */
  INGRESS_END,
  INGRESS_CUT, /* the client stopped in the middle */
  INGRESS_BAD  /* the chunks are malformed */
};
enum ingress_body ingress_body_next(struct ingress_conn *, const char **data,
                                    size_t *len);
/* So much of the data is used; what isn't taken holds the client back. */
void ingress_body_take(struct ingress_conn *, size_t len);

/* Ends a connection in the middle of an answer: the client sees that it is
 * incomplete.  gone() is called before this returns. */
void ingress_abort(struct ingress_conn *);

struct bufferevent *ingress_bev(struct ingress_conn *);
/* In gone(). */
enum ingress_end ingress_end(const struct ingress_conn *);
bool ingress_is_tls(const struct ingress_conn *);
/* "127.0.0.1", "::1", "unix:" */
const char *ingress_peer(struct ingress_conn *);
/* The client's certificate, verified; NULL: it has none.  Get. */
const X509 *ingress_certificate(struct ingress_conn *);
/* When the request's first byte came, in microseconds of the monotonic
 * clock. */
uint64_t ingress_since(const struct ingress_conn *);

#endif
