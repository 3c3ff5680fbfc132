/* SPDX-License-Identifier: MIT
 *
 * A sink takes the lines of a log: a file, standard output or syslog.  Used by
 * one thread at a time, which may wait for a disk and for nothing else.
 */
#ifndef LOGS_SINK_H
#define LOGS_SINK_H

#include <stddef.h>

#include "errmsg.h"

struct sink;

struct sink_conf {
  const char *path;     /* of a file; "-"; "syslog:" or "syslog:/socket" */
  const char *facility; /* of syslog */
  const char *tag;      /* 1 to 32 letters, digits, -, _ and . */
};

/* NULL and why.  What the conf points to is lent as long as the sink. */
struct sink *sink_new(const struct sink_conf *, struct errmsg *);
void sink_free(struct sink *);
/* By its name again; `moved`: it is another one now.  False and why: the old
 * one is still used. */
bool sink_reopen(struct sink *, bool *moved, struct errmsg *);
/* Writes of data[0..len), which ends in a newline and begins where the last
 * call stopped; how much, and when that isn't all, why (an errno). */
size_t sink_write(struct sink *, const char *data, size_t len, int *error);

#endif
