/* SPDX-License-Identifier: MIT
 *
 * The answer of /readyz, with its reasons, for operators: the main thread has
 * a loop ask its backends, and waits for nobody.
 */
#ifndef SERVER_READYASK_H
#define SERVER_READYASK_H

#include <jansson.h>
#include <stdbool.h>

#include "loop.h"
#include "readiness.h"

struct gate;
struct gateway;

struct readyask_waiter {
  struct readyask_waiter *next;
  /* `document` is lent: readiness_report(); NULL: no memory. */
  void (*told)(void *arg, json_t *document);
  void *arg;
};

struct readyask { /* the main thread's, but for what a loop is asked with */
  struct gateway *gateway;
  bool asking;
  struct worker *worker; /* that is asked */
  bool lost; /* it ended meanwhile, and the gateway will: none is asked */
  struct readyask_waiter *waiters;

  struct loop_task ask, told;
  struct gate *gate; /* that is held */
  struct readiness_waiter known;
  json_t *document;
};

void readyask_init(struct gateway *);
void readyask_fini(struct gateway *); /* all loops have ended */
/* told() comes once, mostly later; who comes while a loop is asked waits with
 * the others. */
void readyask_ask(struct gateway *, struct readyask_waiter *);
void readyask_leave(struct gateway *, struct readyask_waiter *);
/* The loop has ended; it isn't waited for. */
void readyask_forget(struct gateway *, size_t worker);

#endif
