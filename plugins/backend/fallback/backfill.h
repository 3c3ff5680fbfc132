/* SPDX-License-Identifier: MIT
 *
 * Objects that were read from a backend behind the first one are written to
 * the first one, by the way: one at a time on each loop, and for nobody.  What
 * can't be done now is left, as it is read again.
 *
 * A client's delete or upload is never undone.  Each key has a place in a
 * table that all loops see; a delete or a commit of a client that is under
 * way, or was since a backfill began, keeps that one from its commit, and
 * waits for one that was begun, and for what follows it.
 */
#ifndef FALLBACK_BACKFILL_H
#define FALLBACK_BACKFILL_H

#include <stdatomic.h>

#include "fallback.h"

#define BACKFILL_QUEUE 256 /* keys that wait on a loop */
#define BACKFILL_PLACES 1024

struct backfill_table { /* of all loops */
  atomic_uint places[BACKFILL_PLACES];
};

struct backfill; /* of one loop */
struct event;

struct backfill *backfill_open(struct fallback_handle *,
                               struct backfill_table *);
void backfill_close(struct backfill *); /* NULL: nothing */
/* The object was read from the backend of that index. */
void backfill_want(struct backfill *, const char *key, size_t from);

/* ---- deletes and commits of clients ------------------------------------- */

/* From before the first backend is asked until the last one has answered. */
void backfill_change_begins(struct backfill *, const char *key);
void backfill_change_ends(struct backfill *, const char *key);
/* A backfill of that key is at its commit: the change has to wait. */
bool backfill_commits(const struct backfill *, const char *key);
/* Until it may have ended. */
void backfill_wait_for(struct event *timer);

/* ---- backfill_job.c ----------------------------------------------------- */

enum backfill_end {
  BACKFILL_DONE,
  BACKFILL_THERE,  /* the first one has it */
  BACKFILL_GONE,   /* from where it was read */
  BACKFILL_LEFT,   /* a change came, or it can't be kept as it is */
  BACKFILL_FAILED, /* `why` */
  BACKFILL_ENDS
};

struct backfill_job;

/* False: it isn't begun, as there is no memory; nothing follows.  over() is
 * the last one; no event comes before this has returned. */
bool backfill_start(struct backfill *, struct fallback_handle *,
                    const char *key, size_t from);
void backfill_over(struct backfill *, enum backfill_end, uint64_t length,
                   const char *key, const char *why);
/* Before the commit; false: a change came since the start. */
bool backfill_may_commit(struct backfill *, const char *key);

#endif
