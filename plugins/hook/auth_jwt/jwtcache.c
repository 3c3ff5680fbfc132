/* SPDX-License-Identifier: MIT
 *
 * Verified tokens, found by their digest: whoever hasn't the token can't make
 * one, so comparing it needs no constant time.
 */
#include "jwtcache.h"

#include <stdlib.h>
#include <string.h>

struct entry {
  unsigned char token[DIGEST_SHA256_LEN];
  struct bearer *bearer; /* NULL: free */
};

struct jwtcache {
  unsigned char keys[DIGEST_SHA256_LEN];
  size_t places; /* a power of two; 0: none */
  struct entry entries[];
};

struct jwtcache *jwtcache_new(size_t tokens) {
  size_t places = tokens > 0 ? 1 : 0;
  while (places * JWTCACHE_WAYS < tokens)
    places *= 2;
  struct jwtcache *cache = calloc(
      1, sizeof *cache + places * JWTCACHE_WAYS * sizeof *cache->entries);
  if (cache != NULL)
    cache->places = places;
  return cache;
}

static void forget(struct jwtcache *cache) {
  for (size_t i = 0; i < cache->places * JWTCACHE_WAYS; i++) {
    bearer_drop(cache->entries[i].bearer);
    cache->entries[i].bearer = NULL;
  }
}

void jwtcache_free(struct jwtcache *cache) {
  if (cache != NULL)
    forget(cache);
  free(cache);
}

void jwtcache_keys(struct jwtcache *cache,
                   const unsigned char keys[DIGEST_SHA256_LEN]) {
  if (memcmp(cache->keys, keys, DIGEST_SHA256_LEN) == 0)
    return;
  forget(cache);
  memcpy(cache->keys, keys, DIGEST_SHA256_LEN);
}

static size_t place_of(const struct jwtcache *cache,
                       const unsigned char *token) {
  uint32_t number;
  memcpy(&number, token, sizeof number);
  return (number & (cache->places - 1)) * JWTCACHE_WAYS;
}

struct bearer *jwtcache_get(const struct jwtcache *cache,
                            const unsigned char token[DIGEST_SHA256_LEN],
                            int64_t now) {
  if (cache->places == 0)
    return NULL;
  const struct entry *entry = &cache->entries[place_of(cache, token)];
  for (size_t i = 0; i < JWTCACHE_WAYS; i++, entry++)
    if (entry->bearer != NULL &&
        memcmp(entry->token, token, DIGEST_SHA256_LEN) == 0)
      return now >= entry->bearer->from_s && now < entry->bearer->until_s
                 ? entry->bearer
                 : NULL;
  return NULL;
}

/* The same token's place, else a free one, else that of who ends first. */
static struct entry *choose(struct jwtcache *cache,
                            const unsigned char *token) {
  struct entry *entry = &cache->entries[place_of(cache, token)];
  struct entry *best = entry;
  for (size_t i = 0; i < JWTCACHE_WAYS; i++, entry++) {
    if (entry->bearer != NULL &&
        memcmp(entry->token, token, DIGEST_SHA256_LEN) == 0)
      return entry;
    if (best->bearer != NULL &&
        (entry->bearer == NULL ||
         entry->bearer->until_s < best->bearer->until_s))
      best = entry;
  }
  return best;
}

void jwtcache_add(struct jwtcache *cache,
                  const unsigned char token[DIGEST_SHA256_LEN],
                  struct bearer *bearer) {
  if (cache->places == 0)
    return;
  struct entry *entry = choose(cache, token);
  struct bearer *old = entry->bearer;
  memcpy(entry->token, token, DIGEST_SHA256_LEN);
  entry->bearer = bearer_hold(bearer);
  bearer_drop(old);
}
