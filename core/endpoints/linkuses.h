/* SPDX-License-Identifier: MIT
 *
 * Counts the uses of links, in the storage, so that all gateways count the
 * same: each count is a small object that is replaced only as it was read.
 * Those of one loop that want a use of the same link take theirs together.
 */
#ifndef ENDPOINTS_LINKUSES_H
#define ENDPOINTS_LINKUSES_H

#include <stddef.h>

#include "linkcount.h"
#include "op.h"

/* A download that goes on is no further use for so long after the last one. */
#define LINKUSES_RESUME_MS (3600 * 1000)

struct gate;
struct linkuses;

/* Of the gate's loop and backends, which outlive it.  NULL: no memory. */
struct linkuses *linkuses_new(struct gate *);
void linkuses_free(struct linkuses *); /* nobody waits any more */

enum linkuses_want {
  LINKUSES_LOOK, /* at the count */
  LINKUSES_TAKE, /* a use */
  LINKUSES_GIVE  /* one back, that was taken and came to nothing */
};

/* When uses were taken last: by this one, and before it.  0, 0: one that isn't
 * to be taken back, as others were taken with it. */
struct linkuses_last {
  int64_t ms, before_ms;
};

struct linkuses_waiter {
  struct linkuses_waiter *next;
  struct linkuses_counter *counter; /* NULL: it doesn't wait */
  enum linkuses_want want;
  struct linkuses_last last; /* of the use that it took, or gives back */
  /* SLUICE_OK and the count as it is now; SLUICE_EDENIED: all uses are taken;
   * else it can't be counted, and why. */
  void (*told)(void *arg, enum sluice_status, const char *why,
               const struct linkcount *);
  void *arg;
};

/* The link is lent until it returns. */
void linkuses_ask(struct linkuses *, size_t backend, const struct ownlink *,
                  enum linkuses_want, struct linkuses_waiter *);
/* It isn't told any more, and a use that was taken for it is given back; does
 * nothing when it doesn't wait. */
void linkuses_leave(struct linkuses *, struct linkuses_waiter *);
/* Gives one back, that was taken and came to nothing; nobody is told. */
void linkuses_give(struct linkuses *, size_t backend, const struct ownlink *,
                   struct linkuses_last);
/* Can the storage count? */
bool linkuses_offered(const struct op_backend *);

#endif
