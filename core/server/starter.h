/* SPDX-License-Identifier: MIT
 *
 * A process that waits to start the gateway's program anew, for
 * `sluice ctl upgrade`: the gateway itself may start none once it is confined,
 * and what it started would be confined as it is.  It holds nothing of the
 * gateway, as it is a program run anew, and ends with it.
 */
#ifndef SERVER_STARTER_H
#define SERVER_STARTER_H

#include <stdbool.h>
#include <sys/types.h>

#include "errmsg.h"

#define STARTER_FD 3 /* where it is asked */

enum starter_news {
  STARTER_NOTHING,
  STARTER_CHILD_ENDED,
  STARTER_GONE /* nobody can tell any more */
};

struct starter {
  int socket; /* -1: there is none */
};

/* Runs `program --takeover -c file`.  0, or the reason as errno. */
int starter_spawn(const char *program, const char *file, pid_t *pid);
/* Before the gateway is confined. */
bool starter_begin(struct starter *, const char *program, const char *file,
                   struct errmsg *);
/* 0, or the reason; EPIPE: it has ended. */
int starter_ask(const struct starter *, pid_t *pid);
/* After its socket can be read. */
enum starter_news starter_news(const struct starter *, pid_t child);
void starter_end(struct starter *);
/* The process itself; the exit status. */
int starter_serve(const char *program, const char *file);

#endif
