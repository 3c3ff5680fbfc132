/* SPDX-License-Identifier: MIT
 *
 * Blobs that no row has any more.  The transaction that made them so has put
 * them into the table `garbage`; here they are removed, on threads of the
 * pool, or by the writer's lane where they had to wait until nobody copies the
 * store, or where the process that should have removed them has gone.
 */
#ifndef LOCAL_GARBAGE_H
#define LOCAL_GARBAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct local;
struct task;
struct writer;

/* On a thread: drops blobs that the index has as garbage. */
void garbage_drop(struct local *, const uint64_t *blobs, size_t count);
void garbage_drop_old(struct task *); /* task->old, if any */
/* One that it doesn't have. */
bool garbage_drop_blob(struct local *, uint64_t number);

/* From any thread: those who shared the store have gone. */
void garbage_inherit(struct writer *);

/* On the lane: some of those that had to wait. */
void garbage_drop_waiting(struct local *);
/* So: what is durably gone leaves the index with the next transaction. */
void garbage_settle(struct local *);

#endif
