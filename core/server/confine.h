/* SPDX-License-Identifier: MIT
 *
 * The gateway confines itself (server.confine): first to files and ports,
 * before it has threads, then, when all has started, to system calls.  What
 * was given up doesn't come back, so a configuration that reaches more is one
 * for the next process.
 */
#ifndef SERVER_CONFINE_H
#define SERVER_CONFINE_H

#include "generation.h"
#include "reach.h"

struct confine {
  struct reach *reach; /* NULL: files and ports are as they were */
  int version;         /* of landlock; 0: none */
  bool calls;          /* are those of a list alone */
  bool off;            /* as configured, or by a sanitizer */
  char missing[128];   /* why it isn't all; "": it is */
};

/* Does that configuration ask for it, in a build that can? */
bool confine_wanted(const struct settings *);
/* False and why: it is required, and this kernel, or build, can't. */
bool confine_begin(struct confine *, const struct generation *,
                   const char *file, struct errmsg *);
/* With a line of the log for what the next start believes and this one can
 * change; NULL: there is none of that file. */
bool confine_finish(struct confine *, const struct settings *,
                    const char *file, struct errmsg *);
/* May the process go on with that one?  False and why. */
bool confine_allows(const struct confine *, const struct generation *,
                    const char *file, struct errmsg *);
/* Has the process given up anything?  What it starts would have, too. */
bool confine_holds(const struct confine *);
/* "landlock 7, seccomp", "off". */
void confine_describe(const struct confine *, char out[64]);
void confine_end(struct confine *);

#endif
