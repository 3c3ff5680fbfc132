/* SPDX-License-Identifier: MIT
 *
 * Token buckets that all loops share without a lock: a table of fixed size,
 * a 64 bit word each, counted by the generic cell rate algorithm (GCRA, ITU-T
 * I.371): the word holds the time at which the bucket is full again.  How far
 * that is ahead of now is what was taken out of it.
 *
 * All times are microseconds.  A bucket that is full holds nothing worth
 * keeping, so its place is free for another.
 */
#ifndef HOOK_BUCKETS_H
#define HOOK_BUCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BUCKETS_WAYS 8 /* places that a hash may take: a line of the cache */
#define BUCKETS_MIN 1024
#define BUCKETS_MAX (1u << 24)
/* Nothing is further ahead than this: 30 days. */
#define BUCKETS_AHEAD_MAX (UINT64_C(30) * 86400 * 1000000)

struct buckets;

/* As many as the next power of two says; NULL: no memory. */
struct buckets *buckets_new(size_t entries);
void buckets_free(struct buckets *);

enum buckets_result {
  BUCKETS_OK,
  BUCKETS_EMPTY, /* `wait` says for how long */
  BUCKETS_FULL   /* no place for a further bucket: nothing was counted */
};

/* Takes `cost` out of a bucket that holds `burst`, or nothing at all. */
enum buckets_result buckets_take(struct buckets *, uint64_t hash, uint64_t now,
                                 uint64_t cost, uint64_t burst,
                                 uint64_t *wait);
/* Is anything in it? */
enum buckets_result buckets_look(struct buckets *, uint64_t hash, uint64_t now,
                                 uint64_t burst, uint64_t *wait);
/* Takes `cost` even from an empty one, down to `most` in all. */
enum buckets_result buckets_charge(struct buckets *, uint64_t hash,
                                   uint64_t now, uint64_t cost, uint64_t most);

#endif
