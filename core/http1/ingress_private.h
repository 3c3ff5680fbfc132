/* SPDX-License-Identifier: MIT
 *
 * A connection's inside, for ingress.c (its life), ingress_head.c (heads),
 * ingress_request.c (requests), answer.c (their answers), ingress_body.c
 * (bodies), handshake.c (of TLS) and linger.c (endings).
 */
#ifndef HTTP1_INGRESS_PRIVATE_H
#define HTTP1_INGRESS_PRIVATE_H

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <sys/queue.h>

#include "chunked.h"
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
  struct evbuffer_cb_entry *watch; /* of its input */
  struct event *deferred; /* what is due is done in a turn of its own */
  struct event *timer;    /* for a whole head, a body, or the next head */
  struct event *readable; /* plain connections: all that they read; those of
                             TLS whose client speaks plain HTTP: the rest */
  evutil_socket_t fd;
  enum ingress_state state;
  enum ingress_end end; /* if it ended now */
  size_t calls;         /* of its own are on the stack, which need it */
  short ended;          /* of TLS: such an event came, and is handled soon */
  bool closed;          /* it goes with the last of them */
  bool reading;
  bool sent; /* a request waited in the socket when draining began */
  char peer[48];
  struct tally_ticket counted; /* by its peer */
  uint64_t due_us, armed_us;   /* the time that is up, and the timer's; 0 */

  uint64_t received; /* bytes, of all that came */
  struct pace pace;

  char *text; /* a head that isn't complete yet */
  size_t text_len, text_room, searched;
  size_t charged; /* for a large head, also once it has an owner */

  /* The request, from WHOLE until it is answered. */
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

  /* Its answer. */
  struct buf fields;
  bool is_head;               /* no body goes with it */
  bool closes;                /* it says so */
  bool whole;                 /* nothing comes behind what is unsent */
  void (*drained)(void *arg); /* NULL, or: little is unsent */
  void *drained_arg;

  void (*secured)(struct ingress_conn *); /* of TLS, after its handshake */
  char dialed[8];                         /* and the first that came, a text */
  bool spoke;                             /* something came */
};

TAILQ_HEAD(ingress_conns, ingress_conn);

#define INGRESS_DATE_SIZE 40 /* "Date: ", the date, CRLF and a NUL */

struct ingress {
  struct loop *loop;
  SSL_CTX *tls;
  struct ingress_owner owner;
  uint64_t head_us, body_us, idle_us; /* time-outs */
  struct budget *memory;              /* NULL: heads aren't charged */
  struct ingress_conns conns;
  struct ingress_conns lingerers; /* oldest first */
  size_t open, lingering;
  int64_t allowance[PACE_WAITS]; /* bytes that a client may fall behind by */
  int64_t write_timeout_ms;
  uint64_t min_rate;
  struct event *sweeper;
  bool draining, retiring;
  time_t dated;                 /* the second that `date` is of */
  char date[INGRESS_DATE_SIZE]; /* a line of an answer's head */
  char scratch[INGRESS_WINDOW]; /* what a socket has, for a moment */
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

static inline bool ingress_awaits_head(const struct ingress_conn *conn) {
  return conn->state == INGRESS_HEAD || conn->state == INGRESS_IDLE;
}

/* conn.c */
void conn_arm(struct ingress_conn *, uint64_t now_us); /* for what is due */
/* A call of its own begins, and ends: it may be closed in between, and is no
 * more behind the second. */
void ingress_enter(struct ingress_conn *);
void ingress_leave(struct ingress_conn *);
/* Tells its owner, and ends it. */
void ingress_end_conn(struct ingress_conn *);
/* Its time is up then, and no more by what was set before; 0: never. */
void ingress_wait(struct ingress_conn *, uint64_t us);
void ingress_reading(struct ingress_conn *, bool on);
void ingress_uncharge(struct ingress_conn *); /* its head is no more */
void linger_forget(struct ingress_conn *);    /* it lingers no more */

/* ingress_head.c: looks at what the input holds, or at bytes that aren't there
 * yet: what is left of these is added to it.  A head may be whole then. */
void ingress_scan(struct ingress_conn *);
void ingress_feed(struct ingress_conn *, const char *data, size_t len);

/* ingress_end.c: before a connection ends. */
void ingress_note_end(struct ingress_conn *, short what);

/* handshake.c: before the first byte of a connection of TLS is read.  `then`
 * sets the callbacks of its bufferevent, as bytes are HTTP from there on. */
void handshake_watch(struct ingress_conn *,
                     void (*then)(struct ingress_conn *));

/* ingress_request.c */
void ingress_hand_over(struct ingress_conn *); /* the head that is whole */
void ingress_answer(struct ingress_conn *);    /* the answer begins */
/* Its last byte is on its way.  The connection may be no more. */
void ingress_answered(struct ingress_conn *);

/* ingress_body.c */
void ingress_body_reset(struct ingress_conn *);
void ingress_body_stop(struct ingress_conn *); /* reads no more of it */
void ingress_body_came(struct ingress_conn *); /* bytes of it, or behind it */
void ingress_body_cut(struct ingress_conn *);  /* nothing more comes */
void ingress_read_on(struct ingress_conn *);   /* where there is room */
/* Drops what is there of the body; false when it is malformed, or too long to
 * go on.  conn->body says whether its end was reached. */
bool ingress_body_skip(struct ingress_conn *);

/* ingress_read.c: bytes came; the client has said its last word. */
void ingress_on_bytes(struct ingress_conn *);
void ingress_on_eof(struct ingress_conn *);
void ingress_on_readable(evutil_socket_t, short what, void *conn);

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
void linger_drop(struct ingress_conn *); /* what is in the input */
void linger_end(struct ingress_conn *);  /* soon */
/* Ends up to `count`, the oldest first; how many. */
size_t linger_evict(struct ingress *, size_t count);
void linger_drain(struct ingress *); /* the gateway stops: they end earlier */

#endif
