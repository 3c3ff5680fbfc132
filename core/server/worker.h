/* SPDX-License-Identifier: MIT
 *
 * One loop of the gateway has its own of these: its seats with backends' and
 * hooks' handles, its connections, its share of the limits.  Nothing in it is
 * shared but generations, and what `gateway` points to that doesn't change
 * while loops run.
 */
#ifndef SERVER_WORKER_H
#define SERVER_WORKER_H

#include <event2/listener.h>
#include <pthread.h>
#include <stdatomic.h>

#include "ingress.h"
#include "seat.h"

struct gateway;

struct worker {
  struct gateway *gateway;
  size_t index;
  struct loop *loop;
  struct ingress *plain, *tls;     /* `tls` may be NULL */
  struct evconnlistener **sockets; /* that it listens on */
  size_t socket_count;
  struct seats seats;         /* all but `next` */
  struct seat *seat;          /* where requests begin */
  struct seat *next;          /* opened, and not in use yet */
  struct generation *fresh;   /* main's, for the next `open` */
  struct presences presences; /* handles of all seats */
  struct quarantine spent;    /* exchanges of all seats */
  struct metrics metrics;     /* of connections */
  size_t connections, connections_max;
  bool paused;                      /* accepts nobody for a moment */
  bool let_go;                      /* or ever again */
  struct repeats repeats, refusals; /* `refusals`: of clients */
  bool draining, over;
  bool looking;                     /* `look` is deferred */
  void (*noted)(void *worker);      /* on its thread: something has ended */
  void (*gone)(struct loop_task *); /* on the main thread: a seat has */
  atomic_bool reloading;            /* `reload` is posted */
  _Atomic(SSL_CTX *) renewed;       /* for its ingress; `renew` is posted */
  struct event *resume;             /* of accepting */
  struct event *closing;            /* of the listening sockets, to drain */
  pthread_t thread;
  bool started;       /* the thread is there */
  bool has_ended;     /* main's: it answers nothing any more */
  char failure[1024]; /* why a handle couldn't be opened */

  /* Calls from the main thread, and news for it. */
  struct loop_task open, use, drop, serve, reload, renew, drain, end;
  struct loop_task opened, dropped, served, ended;
  struct loop_task look; /* of the loop's own */
};

/* Makes what the loop needs; `gateway` has its first generation, which has
 * started, and pool and memory.  False and why. */
bool worker_init(struct worker *, struct gateway *, size_t index,
                 struct errmsg *);
void worker_fini(struct worker *);
/* Starts the thread, which opens the handles of `fresh` and posts `opened`;
 * after serve() it accepts, and posts `served`; after drain() it accepts no
 * more, lets requests finish and posts `ended`; end() makes that soon.
 *
 * After open() it opens those of another `fresh`, and posts `opened`; then
 * use() has requests begin there, or drop() closes them and posts
 * `dropped`. */
bool worker_start(struct worker *);
/* From the main thread, while the loop runs: its hooks reload(). */
void worker_reload(struct worker *);
/* From the main thread, while the loop runs: new connections use this one. */
void worker_renew_tls(struct worker *, SSL_CTX *);

#endif
