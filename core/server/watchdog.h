/* SPDX-License-Identifier: MIT
 *
 * Tells the service manager that all loops turn, as sd_watchdog_enabled(3)
 * wants it: only when each has run a task since the last time, so that one
 * that stands still is noticed.  Without $WATCHDOG_USEC, nothing.
 */
#ifndef SERVER_WATCHDOG_H
#define SERVER_WATCHDOG_H

#include "loop.h"

#define WATCHDOG_HELD_S 600 /* for plugins to start in a reload */

struct gateway;

struct watchdog_beat { /* of one loop */
  struct loop_task turn, back;
  struct watchdog *watchdog;
};

struct watchdog {
  struct gateway *gateway;
  struct event *timer; /* NULL: nobody wants to know */
  struct watchdog_beat *beats;
  size_t away;         /* loops that haven't turned yet */
  uint64_t manager_us; /* what the manager allows */
};

/* All loops run.  False: no memory. */
bool watchdog_start(struct watchdog *, struct gateway *);
/* Another sign of life, where one is wanted. */
void watchdog_say(const struct watchdog *);
/* The main loop won't turn for as long as plugins take to start, which the
 * manager is asked to bear up to WATCHDOG_HELD_S; then it does again. */
void watchdog_hold(const struct watchdog *);
void watchdog_release(const struct watchdog *);
void watchdog_fini(struct watchdog *); /* no loop runs any more */

#endif
