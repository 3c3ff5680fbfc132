/* SPDX-License-Identifier: MIT
 *
 * A loop's cache of objects that it was asked for: rows, and the bytes of
 * small ones, so that asking again costs no thread and no transaction.
 *
 * An entry is never older than what was acknowledged: each key has
 * an epoch, shared with all keys of its slot, that the writer moves on around
 * each COMMIT.  Only what was read under the epoch that still holds is used,
 * and while a COMMIT is under way nothing is.
 */
#ifndef LOCAL_CACHE_H
#define LOCAL_CACHE_H

#include "row.h"

#include <stdatomic.h>
#include <stdint.h>
#include <sys/queue.h>

#define CACHE_SLOTS 4096u /* of epochs; of a cache's table */
#define CACHE_CHAIN_MAX 8u

/* The instance's; low half: COMMITs under way, high half: those that were. */
struct cache_epochs {
  uint64_t seed;
  _Atomic uint64_t of[CACHE_SLOTS];
};

void cache_epochs_init(struct cache_epochs *);
/* Around the COMMIT of what changes a key, whether it succeeds or not. */
void cache_change_begin(struct cache_epochs *, const char *key);
void cache_change_end(struct cache_epochs *, const char *key);
/* Somebody else may have changed any of them. */
void cache_changed_all(struct cache_epochs *);

struct cache_entry {
  TAILQ_ENTRY(cache_entry) link; /* least recently used first */
  struct cache_entry *next;      /* of its slot */
  uint64_t hash, epoch;
  unsigned users; /* tasks, and the cache itself */
  size_t cost;
  struct row row;
  struct buf bytes;
  bool whole; /* the bytes are there, as far as there are any in the index */
  char key[];
};

TAILQ_HEAD(cache_list, cache_entry);

struct cache {
  struct cache_epochs *epochs;
  size_t max, used; /* bytes */
  struct cache_list list;
  struct cache_entry *slots[CACHE_SLOTS];
};

/* A row may be kept if it was read under this epoch. */
struct cache_ticket {
  uint64_t hash, epoch;
  bool open; /* no COMMIT was under way */
};

/* NULL: no memory. */
struct cache *cache_new(struct cache_epochs *, size_t max);
void cache_free(struct cache *); /* nobody uses an entry any more */

/* A ticket is taken before the key is looked up anywhere. */
struct cache_ticket cache_ticket(const struct cache *, const char *key);
/* The entry that is good under the ticket, lent until cache_leave(); NULL:
 * none.  With `bytes`: only one that is whole. */
struct cache_entry *cache_find(struct cache *, const char *key,
                               const struct cache_ticket *, bool bytes);
/* Takes row and bytes where the entry is worth its room, and lends it; NULL:
 * it isn't, and nothing was taken. */
struct cache_entry *cache_keep(struct cache *, const char *key,
                               const struct cache_ticket *, struct row *,
                               struct buf *bytes, bool whole);
void cache_leave(struct cache_entry *);

#endif
