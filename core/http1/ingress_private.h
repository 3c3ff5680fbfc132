/* SPDX-License-Identifier: MIT
 *
 * A connection's inside, for ingress.c (its life), ingress_head.c (heads),
 * ingress_request.c (requests and answers), ingress_body.c (bodies),
 * handshake.c (of TLS) and linger.c (endings).
 */
#ifndef HTTP1_INGRESS_PRIVATE_H
#define HTTP1_INGRESS_PRIVATE_H

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <sys/queue.h>

#include "chunked.h"
#include "date.h"
#include "fields.h"
#include "ingress.h"
#include "ingress_table.h"
#include "must.h"

enum pace_wait { /* what the client owes */
                 PACE_NOTHING,
                 PACE_HEAD,
                 PACE_BODY,
                 PACE_READER, /* it takes an answer */
                 PACE_WAITS
};

struct pace {
  enum pace_wait wait; /* nothing: it begins anew */
  uint64_t seen;       /* bytes that had come, or gone, at the last look */
  int64_t credit;      /* bytes that it may fall behind by */
  int64_t still_ms;    /* a reader has taken nothing for so long */
};

enum pace_result { PACE_FINE, PACE_STILL, PACE_SLOW };

struct ingress_conn {
  struct ingress *ingress;
  TAILQ_ENTRY(ingress_conn) link; /* oldest idle first */
  struct bufferevent *bev;
  struct evhttp_connection *evcon; /* NULL until evhttp has set it up */
  struct evbuffer_cb_entry *watch;
  struct event *deferred; /* the first thing a new connection runs */
  struct event *timer;    /* for a whole head, or for the next one */
  struct event *readable; /* plain connections: own read(2) of bodies; those
                             of TLS whose client speaks plain HTTP: the rest */
  evutil_socket_t fd;
  enum ingress_state state;
  enum ingress_end end; /* if it ended now */
  bool sent; /* a request waited in the socket when draining began */
  char peer[48];
  struct tally_ticket counted; /* by its peer */

  uint64_t received; /* bytes, of all that came */
  struct pace pace;

  char *text; /* a head that isn't complete yet */
  size_t text_len, text_room, searched;
  size_t charged; /* for a large head, also once it has an owner */

  /* The request, from SHOWN until it is answered. */
  struct evhttp_request *request;
  struct head head;
  struct head_refusal refusal;
  enum ingress_body_state body; /* and of what is passed over */
  bool eof;                     /* the client has said its last word */
  uint64_t left;                /* of a body with a length */
  size_t window;                /* bytes of it that may be read ahead */
  size_t piece; /* bytes at the front of the input that are data */
  uint64_t skipped;
  TAILQ_ENTRY(ingress_conn) in_lingerers;
  struct timeval linger_until;
  uint64_t since_us;
  struct chunked chunked;
  const struct ingress_events *events;
  void *arg;
  struct buf fields;          /* of its answer */
  void (*drained)(void *arg); /* of its answer in chunks */
  void *drained_arg;
  bufferevent_event_cb evhttp_event; /* what evhttp wants to hear */
  bufferevent_data_cb evhttp_read, evhttp_write;
  char dialed[8]; /* of TLS: the first that came, a text */
  bool spoke;     /* something came */
};

TAILQ_HEAD(ingress_conns, ingress_conn);

struct ingress {
  struct loop *loop;
  struct evhttp *http;
  SSL_CTX *tls;
  struct ingress_owner owner;
  const struct timeval *head_timeout, *body_timeout, *idle_timeout,
      *linger_silence;
  struct timeval plain[3],
      linger_plain;      /* of those, where libevent has no room for more */
  struct budget *memory; /* NULL: heads aren't charged */
  struct ingress_conns conns;
  struct ingress_conns lingerers; /* oldest first */
  struct ingress_conn **by_fd;
  size_t fds, open, lingering;
  int64_t allowance[PACE_WAITS]; /* bytes that a client may fall behind by */
  int64_t write_timeout_ms;
  uint64_t min_rate;
  size_t strays; /* requests without a checked head: none */
  struct event *sweeper;
  bool draining, retiring;
  time_t dated; /* the second that `date` is of */
  char date[DATE_HTTP_SIZE];
};

static inline void ingress_become(struct ingress_conn *conn,
                                  enum ingress_state next) {
  must(ingress_may_become(conn->state, next));
  conn->state = next;
}

static inline void ingress_body_become(struct ingress_conn *conn,
                                       enum ingress_body_state next) {
  must(ingress_body_may_become(conn->body, next));
  conn->body = next;
}

/* ingress_head.c: keeps the first invariant, whatever the input holds. */
void ingress_scan(struct ingress_conn *);
void ingress_uncharge(struct ingress_conn *); /* its head is no more */

/* ingress_end.c: before evhttp is told that a connection is over. */
void ingress_note_end(struct ingress_conn *, short what);
/* Own callbacks before evhttp's, while it writes an answer. */
void ingress_watch_writing(struct ingress_conn *);

/* handshake.c: before the first byte of a connection of TLS is read. */
void handshake_watch(struct ingress_conn *);

/* ingress_request.c: evhttp's callback, whose argument is the ingress. */
void ingress_on_request(struct evhttp_request *, void *ingress);

/* ingress_request.c, for answer.c */
/* Before evhttp_send_*(): whether the connection may be used again. */
void ingress_answer(struct ingress_conn *);
/* After each but evhttp_send_reply_end(): evhttp reads on, and would take the
 * end of a client's words for the end of the connection. */
void ingress_sent(struct ingress_conn *);
/* After evhttp_send_reply(): sends what goes without waiting. */
void ingress_flush(struct ingress_conn *);
/* The same for a part of one over TLS, in this turn of the loop: without it,
 * epoll would have to be asked first whether the socket takes bytes. */
void ingress_write_soon(struct ingress_conn *);

/* ingress_body.c */
void ingress_body_reset(struct ingress_conn *);
void ingress_body_stop(struct ingress_conn *); /* reads no more of it */
/* Own callbacks instead of evhttp's, as the second invariant demands. */
void ingress_take_callbacks(struct ingress_conn *);
void ingress_on_readable(evutil_socket_t, short what, void *conn);
/* Drops what is there of the body; false when it is malformed, or too long to
 * go on.  conn->body says whether its end was reached. */
bool ingress_body_skip(struct ingress_conn *);

/* ingress_sweep.c: once a second. */
void ingress_on_sweep(evutil_socket_t, short what, void *ingress);

/* pace.c: readers that take nothing, and clients below min_rate. */
void pace_init(struct ingress *, const struct ingress_settings *);
void pace_begin(struct ingress_conn *); /* of a head, a body, an answer */
enum pace_wait pace_of(const struct ingress_conn *);
/* A second has passed. */
enum pace_result pace_look(struct ingress_conn *);

/* linger.c: drops what the client still sends, so that it gets to see the
 * answer instead of a reset; then the connection is closed. */
bool linger_can(const struct ingress_conn *);
void linger_start(struct ingress_conn *);
void linger_drop(struct ingress_conn *);   /* what is in the input */
void linger_end(struct ingress_conn *);    /* soon */
void linger_forget(struct ingress_conn *); /* it is no more */
/* Ends up to `count`, the oldest first; how many. */
size_t linger_evict(struct ingress *, size_t count);
void linger_drain(struct ingress *); /* the gateway stops: they end earlier */

#endif
