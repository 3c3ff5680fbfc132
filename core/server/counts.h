/* SPDX-License-Identifier: MIT
 *
 * The numbers of the whole process: those of all generations, by the names of
 * the newest one's routes and backends, so that a reload begins none anew.
 * What the newest has no name for isn't shown any more.  The main thread's.
 */
#ifndef SERVER_COUNTS_H
#define SERVER_COUNTS_H

#include <stdbool.h>

struct gateway;
struct generation;
struct metrics;

/* Zeroed.  False: no memory; metrics_fini() at the end. */
bool counts_sum(const struct gateway *, struct metrics *);
/* Another generation is about to be the newest: `out`, for it, is what ended
 * ones have counted.  False: no memory. */
bool counts_translate(const struct gateway *, const struct generation *,
                      struct metrics *out);
/* It is about to be freed. */
void counts_retire(struct gateway *, const struct generation *);

#endif
