/* SPDX-License-Identifier: MIT
 *
 * Both ends of an HTTP client's test: servers that do what a function says,
 * on threads of their own, and calls that record what came.
 *
 * A server's counters are atomic; all else of it is read after server_stop().
 */
#ifndef TESTS_HTTPCKIT_H
#define TESTS_HTTPCKIT_H

#include <event2/event.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>

#include "buf.h"
#include "httpc.h"

#define PEERS_MAX 256
#define HEADS_MAX 8
#define MIB (1024u * 1024)

struct server;

struct peer { /* one connection */
  struct server *server;
  pthread_t thread;
  int fd;
  int number; /* from 0 */
  SSL *ssl;
  struct buf head; /* of the request, up to the empty line */
};

struct server {
  void (*serve)(struct peer *);  /* the connection is closed after it */
  const char *certificate, *key; /* files; NULL: no TLS */
  SSL_CTX *tls;
  int fd, port;
  int tell_fd;
  pthread_t thread;
  pthread_mutex_t lock; /* guards the peers' fd */
  struct peer peers[PEERS_MAX];
  sem_t gate;
  atomic_int accepted, requests, open, most_open;
  atomic_uint_least64_t received; /* bytes of bodies */
  atomic_bool wrong;              /* one of them wasn't the pattern's */
  char heads[HEADS_MAX][4096];    /* of the first requests */
};

struct web { /* a client */
  struct event_base *base;
  struct httpc_settings settings;
  struct httpc *httpc;
  struct server server;
  struct event *told, *watchdog;
  int told_fd;
  int times_told; /* server_tell() */
};

/* With settings for a test of no particular limit; start() makes it work. */
void web_init(struct web *, void (*serve)(struct peer *));
void web_start(struct web *);
void web_fini(struct web *); /* stops the server too */
void web_pass(struct web *); /* waits for one event at least */
void web_wait_told(struct web *, int times);

void server_start(struct server *); /* web_start() does it */
void server_stop(struct server *);  /* more than once is fine */
void server_tell(struct server *);  /* from the server's threads */

bool peer_head(struct peer *); /* reads the next request's; false: it left */
bool peer_has(const struct peer *, const char *text); /* in its head */
void peer_say(struct peer *, const char *text);
void peer_send(struct peer *, const void *data, size_t len);
/* Bytes of the pattern; less when it left. */
uint64_t peer_get_pattern(struct peer *, uint64_t count);
uint64_t peer_put_pattern(struct peer *, uint64_t count);
void peer_wait(struct peer *);  /* for the gate */
void peer_reset(struct peer *); /* RST instead of FIN at the end */
void peer_until_left(struct peer *);

void pattern_fill(void *to, size_t len, uint64_t offset);
bool pattern_is(const void *data, size_t len, uint64_t offset);

enum fetch_leave {
  FETCH_STAYS,
  FETCH_LEAVES_IN_HEAD,
  FETCH_LEAVES_IN_DATA,
  FETCH_LEAVES_IN_READ
};

struct fetch {
  struct web *web;
  const char *method, *path; /* NULL: GET / */
  const char *url;           /* instead of the server's */
  const char *const *headers;
  int64_t length; /* of the body; 0: none, FETCH_EMPTY: it is empty */
  bool new_connection;
  unsigned pause_data, pause_read; /* each time of so many it says not yet */
  bool hold_data, hold_read;       /* not yet, until it is told to go on */
  bool inside;                     /* goes on from inside its own event */
  enum fetch_leave leave;
  struct fetch *leaves; /* who goes instead, in the same event */

  struct httpc_call *call;
  struct event *later;
  unsigned datas, reads, heads, pauses;
  int64_t given;
  uint64_t got;
  bool wrong; /* the body isn't the pattern */
  char body[256];
  bool over, left;
  int status;
  enum httpc_result result;
  char why[512];
  char header[256]; /* of X-Test */
};

#define FETCH_EMPTY (-1)

void fetch_start(struct fetch *, struct web *);
void fetch_wait(struct fetch *);  /* until it is over */
void fetch_go_on(struct fetch *); /* ends a hold */
void fetch_cancel(struct fetch *);
void fetch_fini(struct fetch *);
/* All of it at once. */
void fetch_run(struct fetch *, struct web *);

#endif
