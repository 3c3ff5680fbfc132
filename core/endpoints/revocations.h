/* SPDX-License-Identifier: MIT
 *
 * The revocations of each backend, as its storage keeps them below .sluice/:
 * read by whoever needs to know, at most so often, and raised by whoever takes
 * links back.  What was raised here is in force at once on all loops; what
 * others raised, once it is read.
 */
#ifndef ENDPOINTS_REVOCATIONS_H
#define ENDPOINTS_REVOCATIONS_H

#include <stddef.h>

#include "linkmark.h"
#include "marks.h"
#include "op.h"

/* Older knowledge isn't acted on. */
#define REVOCATIONS_AGE_MS 5000
/* Older knowledge is read anew, while it is acted on. */
#define REVOCATIONS_REFRESH_MS 2000

struct gate;
struct revocations;

/* Of the gate's loop and backends, which outlive it.  NULL: no memory. */
struct revocations *revocations_new(struct gate *);
void revocations_free(struct revocations *); /* nobody waits any more */

struct revocations_waiter {
  struct revocations_waiter *next;
  uint64_t since_us; /* of a reading that does: it began then, or later */
  /* SLUICE_OK: they are known; or they can't be read, and why. */
  void (*told)(void *arg, enum sluice_status, const char *why);
  void *arg;
};

/* Are they known, as of `age_ms` ago at the most? */
bool revocations_known(struct revocations *, size_t backend, uint64_t age_ms);
/* Tells the waiter when they are known, as of `age_ms` ago at the most; at
 * once where they are. */
void revocations_ask(struct revocations *, size_t backend, uint64_t age_ms,
                     struct revocations_waiter *);
/* It isn't told any more; does nothing when it doesn't wait. */
void revocations_leave(struct revocations *, size_t backend,
                       struct revocations_waiter *);

/* Of what is known. */
bool revocations_hold(struct revocations *, size_t backend,
                      const struct ownlink *);
/* The number that a link which is made now carries. */
uint64_t revocations_number(struct revocations *, size_t backend);

#endif
