/* SPDX-License-Identifier: MIT
 *
 * The signals that the process obeys or ignores while it serves, and what each
 * of them means.  None that is sent from outside ends it without a drain, but
 * for SIGKILL.
 */
#ifndef SERVER_SIGNALS_H
#define SERVER_SIGNALS_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>

#define SIGNALS_MAX 16

enum signal_meaning {
  SIGNAL_STOP,   /* requests may finish; a second time: now */
  SIGNAL_RELOAD, /* hooks open and read their files again */
  SIGNAL_NONE    /* none: a line says so */
};

struct signals;
struct signals_event {
  struct signals *signals;
  struct event *event;
};

struct signals {
  struct signals_event events[SIGNALS_MAX];
  size_t count;
  void (*told)(void *arg, const char *name, enum signal_meaning);
  void *arg;
};

/* Ignores what nobody has to hear of, and holds the others back from the
 * calling thread, and those that it starts, until the loop watches them. */
void signals_hold(void);
void signals_release(void);

/* told() is called from that loop, with a literal; false: no memory. */
bool signals_watch(struct signals *, struct event_base *,
                   void (*told)(void *arg, const char *name,
                                enum signal_meaning),
                   void *arg);
void signals_unwatch(struct signals *); /* zeroed: does nothing */

#endif
