/* SPDX-License-Identifier: MIT
 *
 * The gateway that runs gives all that it listens on, and what its backends
 * hold, to one that takes over (takeover.h), and goes on as if nothing were
 * until that one serves.  Then it accepts no more, and ends when its requests
 * have.  baton.h has the messages.  The main thread's.
 */
#ifndef SERVER_HANDOVER_H
#define SERVER_HANDOVER_H

#include <event2/event.h>
#include <stdbool.h>
#include <sys/types.h>

#include "settings.h"

#define HANDOVER_PATIENCE_S 600 /* for the other one's start */

struct gateway;

struct handover_waiter { /* who has ordered it */
  void (*told)(void *arg, bool ok, const char *what);
  void *arg;
};

struct handover { /* but for `admins` zeroed: nobody takes over */
  int admins[SETTINGS_ADMIN_MAX]; /* sockets, as the list server.admin */
  int socket;                     /* while `heard` is there */
  struct event *heard;
  struct event *children; /* SIGCHLD or the starter, once one was started */
  pid_t child;            /* 0: none was started, or it has ended */
  pid_t peer;
  struct handover_waiter *waiter;
  bool done; /* the other one is the gateway now */
  bool lent; /* this one stops, and another one has copies of its sockets */
};

/* Somebody asks for it on that socket, which is taken. */
void handover_begin(struct gateway *, int socket);
/* Starts the gateway's program, which takes over.  told() is called once. */
void handover_start(struct gateway *, struct handover_waiter *);
void handover_leave(struct gateway *, struct handover_waiter *);
/* Somebody is taking over, or was started to. */
static inline bool handover_goes_on(const struct handover *handover) {
  return handover->heard != NULL || handover->child != 0;
}
/* The gateway stops: nobody gets it. */
void handover_end(struct gateway *, const char *why);

#endif
