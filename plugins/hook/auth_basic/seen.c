/* SPDX-License-Identifier: MIT
 *
 * Keys that were seen lately: chains for finding one, and a list of all in
 * the order of their last use.
 */
#include "seen.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

struct member {
  LIST_ENTRY(member) in_chain;
  TAILQ_ENTRY(member) in_order;
  unsigned char key[SEEN_KEY_LEN];
  int64_t until_ms; /* 0: it is free, and in no chain */
};

LIST_HEAD(chain, member);

struct seen {
  TAILQ_HEAD(order, member) order; /* the last used first */
  struct chain *chains;
  size_t max;
  struct member members[];
};

static struct chain *chain_of(const struct seen *seen,
                              const unsigned char *key) {
  uint32_t number;
  memcpy(&number, key, sizeof number);
  return &seen->chains[number % seen->max];
}

struct seen *seen_new(size_t max) {
  struct seen *seen = calloc(1, sizeof *seen + max * sizeof *seen->members);
  if (seen == NULL)
    return NULL;
  seen->chains = calloc(max, sizeof *seen->chains); /* empty lists */
  if (seen->chains == NULL) {
    free(seen);
    return NULL;
  }
  seen->max = max;
  TAILQ_INIT(&seen->order);
  for (size_t i = 0; i < max; i++)
    TAILQ_INSERT_TAIL(&seen->order, &seen->members[i], in_order);
  return seen;
}

void seen_free(struct seen *seen) {
  if (seen == NULL)
    return;
  free(seen->chains);
  digest_wipe(seen->members, seen->max * sizeof *seen->members);
  free(seen);
}

static struct member *seen_find(const struct seen *seen,
                                const unsigned char *key) {
  struct member *member;
  LIST_FOREACH(member, chain_of(seen, key), in_chain)
  if (digest_equal(member->key, key, SEEN_KEY_LEN))
    return member;
  return NULL;
}

static void to_front(struct seen *seen, struct member *member) {
  TAILQ_REMOVE(&seen->order, member, in_order);
  TAILQ_INSERT_HEAD(&seen->order, member, in_order);
}

static void seen_drop(struct seen *seen, struct member *member) {
  LIST_REMOVE(member, in_chain);
  member->until_ms = 0;
  TAILQ_REMOVE(&seen->order, member, in_order);
  TAILQ_INSERT_TAIL(&seen->order, member, in_order);
}

bool seen_has(struct seen *seen, const unsigned char key[SEEN_KEY_LEN],
              int64_t now_ms) {
  struct member *member = seen_find(seen, key);
  if (member == NULL)
    return false;
  if (member->until_ms <= now_ms) {
    seen_drop(seen, member);
    return false;
  }
  to_front(seen, member);
  return true;
}

void seen_add(struct seen *seen, const unsigned char key[SEEN_KEY_LEN],
              int64_t until_ms) {
  struct member *member = seen_find(seen, key);
  if (until_ms <= 0)
    return;
  if (member == NULL) {
    member = TAILQ_LAST(&seen->order, order);
    if (member->until_ms != 0)
      LIST_REMOVE(member, in_chain);
    memcpy(member->key, key, SEEN_KEY_LEN);
    LIST_INSERT_HEAD(chain_of(seen, key), member, in_chain);
  }
  member->until_ms = until_ms;
  to_front(seen, member);
}
