/* SPDX-License-Identifier: MIT
 *
 * Objects that were read from a backend behind the first one are written to
 * the first one, by the way: one at a time on each loop, and for nobody.  What
 * can't be done now is left, as it is read again.
 *
 * A client's delete is never undone.  Each key has a place in a table that all
 * loops see; a delete that is under way, or was since a backfill began, keeps
 * that one from its commit, and waits for a commit that was begun.
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

struct backfill *backfill_open(struct fallback_handle *,
                               struct backfill_table *);
void backfill_close(struct backfill *); /* NULL: nothing */
/* The object was read from the backend of that index. */
void backfill_want(struct backfill *, const char *key, size_t from);

/* ---- deletes ------------------------------------------------------------ */

/* From before the first backend is asked until the last one has answered. */
void backfill_delete_begins(struct backfill *, const char *key);
void backfill_delete_ends(struct backfill *, const char *key);
/* A commit of that key is under way: the delete has to wait. */
bool backfill_commits(const struct backfill *, const char *key);

/* ---- backfill_job.c ----------------------------------------------------- */

enum backfill_end {
  BACKFILL_DONE,
  BACKFILL_THERE,  /* the first one has it */
  BACKFILL_GONE,   /* from where it was read */
  BACKFILL_LEFT,   /* a delete came, or it can't be kept as it is */
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
/* Before the commit; false: a delete came since the start. */
bool backfill_may_commit(struct backfill *, const char *key);

#endif
