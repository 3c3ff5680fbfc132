/* SPDX-License-Identifier: MIT
 *
 * A real ingress on a loopback socket and its clients, all on one loop.  The
 * path of a request tells what becomes of it.
 */
#ifndef TESTS_INGRESSKIT_H
#define TESTS_INGRESSKIT_H

#include <stdint.h>

#include "buf.h"
#include "ingress.h"

/* The ingress' owner acts by path:
 *   /read   takes the body, then answers "read N#", N being its length; or
 *           "cut N#", "bad N#"
 *   /early  answers "early#" at once
 *   /look   asks for the body and answers "look#" with its first piece untaken
 *   /hold   asks for the body, takes nothing before bed_go()
 *   /wait   does nothing before bed_go(), which answers "wait#"
 *   /big    answers with BED_BIG bytes and "#"
 *   /abort  aborts with the body's first piece
 * A refused head is answered "refused STATUS#". */
#define BED_BIG (16 << 20)
#define BED_KERNEL_BUFFER 65536 /* of each socket */

struct item; /* a request */

struct bed {
  struct loop *loop;
  struct ingress *ingress;
  struct evconnlistener *listener;
  SSL_CTX *tls;
  int port;
  struct item *items; /* newest first */
  struct client *clients;
  struct buf said;   /* "METHOD /path?query;" of each request, in order */
  struct buf bodies; /* all bodies, one after the other */
  size_t requests, finished, gone, most_ahead;
  int opened;
  char peer[48]; /* of the last request */
  uint64_t since;
};

struct client {
  struct bed *bed;
  struct client *next;
  struct bufferevent *bev;
  struct buf got;
  size_t answers; /* "#" seen */
  bool ended;     /* the other end closed, or broke */
  bool broken;
  bool connected; /* TLS: after the handshake */
};

/* `settings` NULL: all times are long. */
void bed_init(struct bed *, bool tls, const struct ingress_settings *);
void bed_fini(struct bed *); /* and of its clients */
void bed_go(struct bed *);   /* for what waits or holds */
/* Runs until nothing has moved for a moment. */
void bed_settle(struct bed *);
/* Until holds(arg, count) does; false when that takes too long. */
bool bed_await(struct bed *, bool (*holds)(void *arg, size_t count), void *arg,
               size_t count);
bool bed_await_requests(struct bed *, size_t count);
bool bed_await_gone(struct bed *, size_t count);
bool bed_await_open(struct bed *, size_t count); /* connections */
/* This is what the newest connection with a request holds of its input. */
size_t bed_ahead(const struct bed *);

struct client *client_new(struct bed *);
void client_free(struct client *);
void client_send(struct client *, const char *text);
void client_send_bytes(struct client *, const void *data, size_t len);
/* Byte by byte, each of which the other end gets to see alone. */
void client_dribble(struct client *, const char *text);
void client_fill(struct client *, char letter, size_t count);
size_t client_unsent(const struct client *);
void client_half_close(struct client *);
void client_close(struct client *);
void client_reset(struct client *);  /* RST */
void client_deafen(struct client *); /* it reads no more */
void client_listen(struct client *); /* it does again */
/* Until it has so many answers.  False: it ended, or time is up. */
bool client_await(struct client *, size_t answers);
bool client_await_end(struct client *);
/* Has it got this text? */
bool client_got(const struct client *, const char *text);
size_t client_count(const struct client *, const char *text);

#endif
