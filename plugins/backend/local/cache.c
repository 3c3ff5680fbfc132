/* SPDX-License-Identifier: MIT
 *
 * The table of a loop's cache, least recently used out first.
 */
#include "cache.h"

#include "digest.h"

#include <stdlib.h>
#include <string.h>

#define CHANGING 0xffffu  /* mask: COMMITs under way */
#define CHANGED 0x10000u  /* one that was */
#define ENTRY_PART_MAX 16 /* an entry may fill that part of the cache */

static uint64_t cache_hash(const struct cache_epochs *epochs,
                           const char *key) {
  uint64_t hash = epochs->seed;
  for (; *key != '\0'; key++) {
    hash = (hash ^ (unsigned char)*key) * 0x9e3779b97f4a7c15u;
    hash ^= hash >> 32;
  }
  return hash;
}

static size_t slot_of(uint64_t hash) {
  return hash % CACHE_SLOTS;
}

/* ---- epochs ---- */

void cache_epochs_init(struct cache_epochs *epochs) {
  digest_random(&epochs->seed, sizeof epochs->seed);
  for (size_t i = 0; i < CACHE_SLOTS; i++)
    atomic_init(&epochs->of[i], 0);
}

void cache_change_begin(struct cache_epochs *epochs, const char *key) {
  atomic_fetch_add(&epochs->of[slot_of(cache_hash(epochs, key))], 1);
}

void cache_change_end(struct cache_epochs *epochs, const char *key) {
  atomic_fetch_add(&epochs->of[slot_of(cache_hash(epochs, key))], CHANGED - 1);
}

void cache_changed_all(struct cache_epochs *epochs) {
  for (size_t i = 0; i < CACHE_SLOTS; i++)
    atomic_fetch_add(&epochs->of[i], CHANGED);
}

struct cache_ticket cache_ticket(const struct cache *cache, const char *key) {
  uint64_t hash = cache_hash(cache->epochs, key);
  uint64_t epoch = atomic_load(&cache->epochs->of[slot_of(hash)]);
  return (struct cache_ticket){
      .hash = hash, .epoch = epoch, .open = (epoch & CHANGING) == 0};
}

/* ---- entries ---- */

void cache_leave(struct cache_entry *entry) {
  if (--entry->users > 0)
    return;
  row_fini(&entry->row);
  buf_fini(&entry->bytes);
  free(entry);
}

static void cache_drop(struct cache *cache, struct cache_entry **at) {
  struct cache_entry *entry = *at;
  *at = entry->next;
  TAILQ_REMOVE(&cache->list, entry, link);
  cache->used -= entry->cost;
  cache_leave(entry);
}

static struct cache_entry **cache_place(struct cache *cache,
                                        const struct cache_entry *entry) {
  struct cache_entry **at = &cache->slots[slot_of(entry->hash)];
  while (*at != entry)
    at = &(*at)->next;
  return at;
}

static struct cache_entry **search(struct cache *cache, const char *key,
                                   uint64_t hash) {
  struct cache_entry **at = &cache->slots[slot_of(hash)];
  while (*at != NULL && ((*at)->hash != hash || strcmp((*at)->key, key) != 0))
    at = &(*at)->next;
  return at;
}

struct cache_entry *cache_find(struct cache *cache, const char *key,
                               const struct cache_ticket *ticket, bool bytes) {
  struct cache_entry **at = search(cache, key, ticket->hash);
  struct cache_entry *entry = *at;
  if (entry == NULL)
    return NULL;
  if (!ticket->open || entry->epoch != ticket->epoch) {
    cache_drop(cache, at);
    return NULL;
  }
  if (bytes && !entry->whole)
    return NULL;
  TAILQ_REMOVE(&cache->list, entry, link);
  TAILQ_INSERT_TAIL(&cache->list, entry, link);
  entry->users++;
  return entry;
}

/* A slot holds so many at most, whoever chooses the keys; the last of the
 * chain is the one that came first. */
static void limit_chain(struct cache *cache, size_t slot) {
  struct cache_entry **at = &cache->slots[slot];
  for (unsigned i = 0; i < CACHE_CHAIN_MAX - 1 && *at != NULL; i++)
    at = &(*at)->next;
  while (*at != NULL)
    cache_drop(cache, at);
}

static void cache_make_room(struct cache *cache, size_t cost) {
  while (cache->used + cost > cache->max && !TAILQ_EMPTY(&cache->list))
    cache_drop(cache, cache_place(cache, TAILQ_FIRST(&cache->list)));
}

struct cache_entry *cache_keep(struct cache *cache, const char *key,
                               const struct cache_ticket *ticket,
                               struct row *row, struct buf *bytes,
                               bool whole) {
  size_t len = strlen(key) + 1;
  size_t cost =
      sizeof(struct cache_entry) + len + row->user.room + bytes->room;
  if (!ticket->open || cost > cache->max / ENTRY_PART_MAX)
    return NULL;
  struct cache_entry *entry = malloc(sizeof *entry + len);
  if (entry == NULL)
    return NULL;
  struct cache_entry **at = search(cache, key, ticket->hash);
  if (*at != NULL)
    cache_drop(cache, at);
  size_t slot = slot_of(ticket->hash);
  limit_chain(cache, slot);
  cache_make_room(cache, cost);
  *entry = (struct cache_entry){.next = cache->slots[slot],
                                .hash = ticket->hash,
                                .epoch = ticket->epoch,
                                .users = 2,
                                .cost = cost,
                                .row = *row,
                                .bytes = *bytes,
                                .whole = whole};
  memcpy(entry->key, key, len);
  row_init(row);
  buf_init(bytes, bytes->max);
  cache->slots[slot] = entry;
  TAILQ_INSERT_TAIL(&cache->list, entry, link);
  cache->used += cost;
  return entry;
}

/* ---- life ---- */

struct cache *cache_new(struct cache_epochs *epochs, size_t max) {
  struct cache *cache = calloc(1, sizeof *cache);
  if (cache == NULL)
    return NULL;
  cache->epochs = epochs;
  cache->max = max;
  TAILQ_INIT(&cache->list);
  return cache;
}

void cache_free(struct cache *cache) {
  if (cache == NULL)
    return;
  while (!TAILQ_EMPTY(&cache->list))
    cache_drop(cache, cache_place(cache, TAILQ_FIRST(&cache->list)));
  free(cache);
}
