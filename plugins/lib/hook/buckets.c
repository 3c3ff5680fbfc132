/* SPDX-License-Identifier: MIT
 *
 * Token buckets without locks.  A word is a tag, which tells the buckets of a
 * neighbourhood apart, and a time.  Both change together, so nothing is
 * counted for the wrong one.  18 bits of a keyed hash tell them apart well
 * enough: two strangers share a bucket once in some 30000 pairs of neighbours,
 * and nobody can choose with whom.
 */
#include "buckets.h"

#include <stdatomic.h>
#include <stdlib.h>

#define TIME_BITS 46 /* 2.2 years, after which the clock turns around */
#define TIME_MASK ((UINT64_C(1) << TIME_BITS) - 1)

struct buckets {
  size_t mask; /* of neighbourhoods */
  _Atomic uint64_t *words;
};

struct place {
  _Atomic uint64_t *word; /* NULL: none is free */
  uint64_t seen;          /* what was in it */
  uint64_t ahead;         /* of its time; 0: the bucket is full */
  bool ours;              /* it had our tag already */
};

struct buckets *buckets_new(size_t entries) {
  size_t count = BUCKETS_WAYS;
  while (count < entries)
    count *= 2;
  struct buckets *buckets = calloc(1, sizeof *buckets);
  if (buckets == NULL)
    return NULL;
  buckets->mask = count / BUCKETS_WAYS - 1;
  buckets->words = aligned_alloc(BUCKETS_WAYS * sizeof *buckets->words,
                                 count * sizeof *buckets->words);
  if (buckets->words == NULL) {
    free(buckets);
    return NULL;
  }
  for (size_t i = 0; i < count; i++)
    atomic_init(&buckets->words[i], 0);
  return buckets;
}

void buckets_free(struct buckets *buckets) {
  if (buckets == NULL)
    return;
  free(buckets->words);
  free(buckets);
}

/* Never 0, so that a word of 0 is nobody's. */
static uint64_t tag_of(uint64_t hash) {
  uint64_t tag = hash >> TIME_BITS;
  return tag == 0 ? 1 : tag;
}

/* The clock turns around; what is further ahead than anything can be lies in
 * the past. */
static uint64_t ahead_of(uint64_t word, uint64_t now) {
  uint64_t ahead = (word - now) & TIME_MASK;
  return word == 0 || ahead > BUCKETS_AHEAD_MAX ? 0 : ahead;
}

static _Atomic uint64_t *group_of(const struct buckets *buckets,
                                  uint64_t hash) {
  return &buckets->words[(hash & buckets->mask) * BUCKETS_WAYS];
}

/* Our bucket, or else a place for it. */
static struct place buckets_find(const struct buckets *buckets, uint64_t hash,
                                 uint64_t now) {
  _Atomic uint64_t *group = group_of(buckets, hash);
  struct place free = {0};
  for (size_t i = 0; i < BUCKETS_WAYS; i++) {
    uint64_t word = atomic_load(&group[i]);
    uint64_t ahead = ahead_of(word, now);
    if (word >> TIME_BITS == tag_of(hash))
      return (struct place){&group[i], word, ahead, true};
    if (ahead == 0 && free.word == NULL)
      free = (struct place){&group[i], word, 0, false};
  }
  return free;
}

/* Two loops may have made a bucket for the same hash in two places. */
static bool is_double(const struct buckets *buckets, uint64_t hash,
                      const _Atomic uint64_t *ours) {
  _Atomic uint64_t *group = group_of(buckets, hash);
  for (size_t i = 0; i < BUCKETS_WAYS; i++)
    if (&group[i] != ours &&
        atomic_load(&group[i]) >> TIME_BITS == tag_of(hash))
      return true;
  return false;
}

/* False: somebody else was faster, so look again. */
static bool put(const struct buckets *buckets, uint64_t hash,
                struct place *place, uint64_t now, uint64_t ahead) {
  uint64_t word = tag_of(hash) << TIME_BITS | ((now + ahead) & TIME_MASK);
  if (!atomic_compare_exchange_strong(place->word, &place->seen, word))
    return false;
  if (place->ours || !is_double(buckets, hash, place->word))
    return true;
  return !atomic_compare_exchange_strong(place->word, &word, 0);
}

enum buckets_result buckets_take(struct buckets *buckets, uint64_t hash,
                                 uint64_t now, uint64_t cost, uint64_t burst,
                                 uint64_t *wait) {
  for (;;) {
    struct place place = buckets_find(buckets, hash, now);
    if (place.word == NULL)
      return BUCKETS_FULL;
    if (place.ahead + cost > burst) {
      *wait = place.ahead + cost - burst;
      return BUCKETS_EMPTY;
    }
    if (put(buckets, hash, &place, now, place.ahead + cost))
      return BUCKETS_OK;
  }
}

enum buckets_result buckets_look(struct buckets *buckets, uint64_t hash,
                                 uint64_t now, uint64_t burst,
                                 uint64_t *wait) {
  struct place place = buckets_find(buckets, hash, now);
  if (place.word == NULL)
    return BUCKETS_FULL;
  if (place.ahead < burst)
    return BUCKETS_OK;
  *wait = place.ahead - burst + 1;
  return BUCKETS_EMPTY;
}

enum buckets_result buckets_charge(struct buckets *buckets, uint64_t hash,
                                   uint64_t now, uint64_t cost,
                                   uint64_t most) {
  for (;;) {
    struct place place = buckets_find(buckets, hash, now);
    if (place.word == NULL)
      return BUCKETS_FULL;
    uint64_t ahead = cost > most ? most : place.ahead + cost;
    if (put(buckets, hash, &place, now, ahead > most ? most : ahead))
      return BUCKETS_OK;
  }
}
