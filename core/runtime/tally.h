/* SPDX-License-Identifier: MIT
 *
 * Counts of many things by their names' hashes, shared by all loops without a
 * lock, in memory that never grows: a table of 64 bit words, each of which is
 * a tag and a count.  A count of 0 leaves its word to others.
 */
#ifndef RUNTIME_TALLY_H
#define RUNTIME_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TALLY_WAYS 8 /* words that a hash may have: a line of the cache */
#define TALLY_MAX ((UINT32_C(1) << 20) - 1) /* of one count */

struct tally;

/* Words for as many names as the next power of two says; NULL: no memory. */
struct tally *tally_new(size_t entries);
void tally_free(struct tally *);

enum tally_result {
  TALLY_COUNTED, /* to be taken off with tally_drop() */
  TALLY_AT_LIMIT,
  TALLY_NO_ROOM /* its words are others': nothing was counted */
};

/* Of what was counted. */
struct tally_ticket {
  struct tally *tally; /* NULL: nothing was */
  uint64_t hash;
};

/* From any thread.  The hash is keyed, or somebody may choose whose count it
 * shares. */
enum tally_result tally_add(struct tally *, uint64_t hash, uint32_t limit);
void tally_drop(struct tally *, uint64_t hash);
void tally_leave(struct tally_ticket *); /* once */
/* How many there are at the moment. */
uint32_t tally_count(const struct tally *, uint64_t hash);

#endif
