/* SPDX-License-Identifier: MIT
 *
 * Counts without locks.  Tag and count change together, so that nothing is
 * counted for somebody else: 44 bits of a keyed hash tell neighbours apart.
 */
#include "tally.h"

#include <stdatomic.h>
#include <stdlib.h>

#define COUNT_BITS 20
#define COUNT_MASK ((UINT64_C(1) << COUNT_BITS) - 1)

struct tally {
  size_t mask; /* of groups of words */
  _Atomic uint64_t *words;
};

struct tally *tally_new(size_t entries) {
  size_t count = TALLY_WAYS;
  while (count < entries)
    count *= 2;
  struct tally *tally = calloc(1, sizeof *tally);
  if (tally == NULL)
    return NULL;
  tally->mask = count / TALLY_WAYS - 1;
  tally->words = aligned_alloc(TALLY_WAYS * sizeof *tally->words,
                               count * sizeof *tally->words);
  if (tally->words == NULL) {
    free(tally);
    return NULL;
  }
  for (size_t i = 0; i < count; i++)
    atomic_init(&tally->words[i], 0);
  return tally;
}

void tally_free(struct tally *tally) {
  if (tally == NULL)
    return;
  free(tally->words);
  free(tally);
}

static uint64_t tag_of(uint64_t word) {
  return word >> COUNT_BITS;
}

static uint64_t count_of(uint64_t word) {
  return word & COUNT_MASK;
}

static bool is_of(uint64_t word, uint64_t hash) {
  return count_of(word) > 0 && tag_of(word) == tag_of(hash);
}

static _Atomic uint64_t *group_of(const struct tally *tally, uint64_t hash) {
  return &tally->words[(hash & tally->mask) * TALLY_WAYS];
}

/* The word that counts this hash; else one that counts nothing; else NULL.
 * `seen`: what was in it. */
static _Atomic uint64_t *tally_find(const struct tally *tally, uint64_t hash,
                                    uint64_t *seen) {
  _Atomic uint64_t *group = group_of(tally, hash), *unused = NULL;
  for (size_t i = 0; i < TALLY_WAYS; i++) {
    uint64_t word = atomic_load(&group[i]);
    if (is_of(word, hash)) {
      *seen = word;
      return &group[i];
    }
    if (count_of(word) == 0 && unused == NULL) {
      *seen = word;
      unused = &group[i];
    }
  }
  return unused;
}

enum tally_result tally_add(struct tally *tally, uint64_t hash,
                            uint32_t limit) {
  for (;;) {
    uint64_t seen;
    _Atomic uint64_t *word = tally_find(tally, hash, &seen);
    if (word == NULL)
      return TALLY_NO_ROOM;
    uint64_t count = count_of(seen);
    if (count >= limit || count >= TALLY_MAX)
      return TALLY_AT_LIMIT;
    uint64_t more = (hash & ~COUNT_MASK) | (count + 1);
    if (atomic_compare_exchange_strong(word, &seen, more))
      return TALLY_COUNTED;
  }
}

void tally_drop(struct tally *tally, uint64_t hash) {
  for (;;) {
    uint64_t seen;
    _Atomic uint64_t *word = tally_find(tally, hash, &seen);
    /* Two that began at once may have made two words for one name, and the
     * one that was seen be dropped by another meanwhile: then look again. */
    if (word != NULL && is_of(seen, hash) &&
        atomic_compare_exchange_strong(word, &seen, seen - 1))
      return;
  }
}

void tally_leave(struct tally_ticket *ticket) {
  if (ticket->tally != NULL)
    tally_drop(ticket->tally, ticket->hash);
  ticket->tally = NULL;
}

uint32_t tally_count(const struct tally *tally, uint64_t hash) {
  uint64_t seen;
  const _Atomic uint64_t *word = tally_find(tally, hash, &seen);
  bool ours = word != NULL && is_of(seen, hash);
  return ours ? (uint32_t)count_of(seen) : 0;
}
