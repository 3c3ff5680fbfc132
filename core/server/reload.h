/* SPDX-License-Identifier: MIT
 *
 * The configuration is read again while the gateway runs (decision 0048).  A
 * new generation is made and started, opened by every loop, and then requests
 * begin there; where any of that fails, nothing changes.  The main thread's.
 */
#ifndef SERVER_RELOAD_H
#define SERVER_RELOAD_H

#include <stdbool.h>
#include <stddef.h>

#include "errmsg.h"
#include "loop.h"

struct gateway;
struct generation;
struct worker;

struct reload_waiter { /* who wants to know what became of it */
  struct reload_waiter *next;
  void (*told)(void *arg, bool ok, const char *what);
  void *arg;
};

struct reload {
  struct generation *next; /* that loops open, or close; NULL: none */
  size_t opened, dropped;  /* loops */
  bool failed, again;
  struct errmsg why;
  struct reload_waiter *waiters;
};

/* `why` is a literal: a signal's name, or who asks. */
void reload(struct gateway *, const char *why);
/* The same, and told() once, perhaps at once. */
void reload_ask(struct gateway *, const char *why, struct reload_waiter *);
void reload_leave(struct gateway *, struct reload_waiter *);

/* Nobody takes over any more: what was asked meanwhile is done. */
void reload_go_on(struct gateway *);

void reload_opened(struct worker *); /* news of the workers */
void reload_on_dropped(struct loop_task *);
void reload_on_gone(struct loop_task *);
/* All loops have ended: stops what is left of all but the last. */
void reload_end(struct gateway *);

#endif
