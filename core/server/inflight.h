/* SPDX-License-Identifier: MIT
 *
 * The requests in flight, as each loop tells them when it is asked: the main
 * thread posts a question, and nobody waits for a loop that stands still.
 */
#ifndef SERVER_INFLIGHT_H
#define SERVER_INFLIGHT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "loop.h"

#define INFLIGHT_MAX 1000 /* requests that one loop tells of: its oldest */

struct gateway;
struct worker;

struct inflight_task { /* a loop's */
  struct loop_task ask, told;
  struct worker *worker;
  bool asked;       /* main's: the answer is missing */
  json_t *requests; /* an array; NULL: no memory, or none */
  size_t count;     /* all that it has */
};

struct inflight_waiter {
  struct inflight_waiter *next;
  /* `requests` is lent; `count`: how many there are. */
  void (*told)(void *arg, json_t *requests, size_t count);
  void *arg;
};

struct inflight {              /* the main thread's */
  struct inflight_task *tasks; /* as many as workers */
  size_t missing;              /* answers */
  struct inflight_waiter *waiters;
};

bool inflight_init(struct gateway *); /* false: no memory */
void inflight_fini(struct gateway *); /* all loops have ended */
/* told() comes later, once; who comes while loops are asked waits with the
 * others. */
void inflight_ask(struct gateway *, struct inflight_waiter *);
void inflight_leave(struct gateway *, struct inflight_waiter *);
/* The loop has ended; it isn't waited for. */
void inflight_forget(struct gateway *, size_t worker);

#endif
