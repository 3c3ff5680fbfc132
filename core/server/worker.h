/* SPDX-License-Identifier: MIT
 *
 * One loop of the gateway has its own of these: backends' and hooks' handles,
 * its connections, its share of the limits.  Nothing in it is shared but what
 * `gateway` points to, which doesn't change while loops run.
 */
#ifndef SERVER_WORKER_H
#define SERVER_WORKER_H

#include <event2/listener.h>
#include <pthread.h>
#include <stdatomic.h>

#include "gate.h"
#include "ingress.h"

struct gateway;

struct worker {
  struct gateway *gateway;
  const struct settings *settings;
  size_t index;
  struct loop *loop;
  struct ingress *plain, *tls;        /* `tls` may be NULL */
  struct evhttp_bound_socket **bound; /* as many as the settings' listen */
  struct gate gate;                   /* for requests */
  struct metrics metrics;
  struct stagesweep *sweep;    /* NULL: another loop does it */
  struct oncesweep *oncesweep; /* so, too */
  struct linksweep *linksweep; /* so, too */
  size_t connections, connections_max;
  bool paused; /* accepts nobody for a moment */
  struct repeats repeats;
  bool over;
  atomic_bool reloading;      /* `reload` is posted */
  _Atomic(SSL_CTX *) renewed; /* for its ingress; `renew` is posted */
  struct event *resume;       /* of accepting */
  struct event *closing;      /* of the listening sockets, to drain */
  pthread_t thread;
  bool started;       /* the thread is there */
  char failure[1024]; /* why a handle couldn't be opened */

  /* Calls from the main thread, and news for it. */
  struct loop_task open, serve, reload, renew, drain, end;
  struct loop_task opened, served, ended;
};

/* Makes what the loop needs; `gateway` has settings, routes, plugins, pool and
 * memory.  False and why. */
bool worker_init(struct worker *, struct gateway *, size_t index,
                 struct errmsg *);
void worker_fini(struct worker *);
/* Starts the thread, which opens the handles and posts `opened`; after
 * serve() it accepts, and posts `served`; after drain() it accepts no more,
 * lets requests finish and posts `ended`; end() makes that soon. */
bool worker_start(struct worker *);
/* From the main thread: how many operations that backend was left with and
 * hasn't ended. */
size_t worker_pending(const struct worker *, size_t backend);
/* From the main thread, while the loop runs: its hooks reload(). */
void worker_reload(struct worker *);
/* From the main thread, while the loop runs: new connections use this one. */
void worker_renew_tls(struct worker *, SSL_CTX *);

#endif
