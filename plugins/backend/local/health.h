/* SPDX-License-Identifier: MIT
 *
 * The store's state: it may be written to, or not.  After a write, an fsync or
 * a checkpoint that failed for another reason than room, nobody knows what the
 * disk has: the kernel forgets the pages that it couldn't write, and a later
 * fsync succeeds without them.  So nothing is written any more until a new
 * start has read what is there; reads go on.
 *
 * Any thread may call any of this.
 */
#ifndef LOCAL_HEALTH_H
#define LOCAL_HEALTH_H

#include "errmsg.h"

#include <sluice/plugin.h>
#include <stdatomic.h>

struct health {
  struct sluice_host *host;
  const char *path;     /* the store's, for the log */
  _Atomic int state;    /* enum health_state */
  struct errmsg reason; /* once the state is HEALTH_READ_ONLY */
};

enum health_state { HEALTH_GOOD, HEALTH_CHANGING, HEALTH_READ_ONLY };

/* A write failed with this status.  SLUICE_EIO makes the store read-only, and
 * the first time the log says so; other failures pass. */
void health_fault(struct health *, enum sluice_status, const char *what);
bool health_read_only(const struct health *);
/* Why it is read-only, for the log. */
void health_tell(const struct health *, struct errmsg *);

#endif
