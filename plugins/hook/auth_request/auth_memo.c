/* SPDX-License-Identifier: MIT
 *
 * Entries hang in a bucket and in a line that begins with the longest unused.
 */
#include "auth_memo.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define BYTES_PER_BUCKET 512
#define BUCKETS_MAX (1 << 20)

struct entry {
  LIST_ENTRY(entry) in_bucket;
  TAILQ_ENTRY(entry) in_line;
  struct auth_answer *answer;
  int64_t until_ms;
  unsigned char digest[DIGEST_SHA256_LEN];
};

LIST_HEAD(bucket, entry);
TAILQ_HEAD(line, entry);

struct memo {
  size_t max, used, count;
  size_t mask; /* buckets - 1; a power of two of them */
  struct line line;
  struct bucket *buckets;
};

struct memo *memo_new(size_t bytes) {
  struct memo *memo = calloc(1, sizeof *memo);
  if (memo == NULL)
    return NULL;
  size_t buckets = 1;
  while (buckets < bytes / BYTES_PER_BUCKET && buckets < BUCKETS_MAX)
    buckets *= 2;
  memo->max = bytes;
  memo->mask = buckets - 1;
  TAILQ_INIT(&memo->line);
  memo->buckets = calloc(buckets, sizeof *memo->buckets);
  if (memo->buckets != NULL)
    return memo;
  free(memo);
  return NULL;
}

static size_t cost(const struct auth_answer *answer) {
  return sizeof(struct entry) + answer->size;
}

static void auth_memo_drop(struct memo *memo, struct entry *entry) {
  LIST_REMOVE(entry, in_bucket);
  TAILQ_REMOVE(&memo->line, entry, in_line);
  memo->used -= cost(entry->answer);
  memo->count--;
  auth_answer_release(entry->answer);
  free(entry);
}

void memo_free(struct memo *memo) {
  if (memo == NULL)
    return;
  while (!TAILQ_EMPTY(&memo->line)) /* each drop moves the first one on */
    auth_memo_drop(memo, TAILQ_FIRST(&memo->line)); // NOLINT(*-unix.Malloc)
  free(memo->buckets);
  free(memo);
}

static struct bucket *bucket_of(struct memo *memo,
                                const unsigned char *digest) {
  size_t hash;
  memcpy(&hash, digest, sizeof hash);
  return &memo->buckets[hash & memo->mask];
}

static struct entry *auth_memo_find(struct memo *memo,
                                    const unsigned char *digest) {
  struct entry *entry;
  LIST_FOREACH(entry, bucket_of(memo, digest), in_bucket)
  if (memcmp(entry->digest, digest, DIGEST_SHA256_LEN) == 0)
    return entry;
  return NULL;
}

struct auth_answer *memo_get(struct memo *memo,
                             const unsigned char digest[DIGEST_SHA256_LEN],
                             int64_t now_ms) {
  struct entry *entry = auth_memo_find(memo, digest);
  if (entry == NULL)
    return NULL;
  if (now_ms >= entry->until_ms) {
    auth_memo_drop(memo, entry);
    return NULL;
  }
  TAILQ_REMOVE(&memo->line, entry, in_line);
  TAILQ_INSERT_TAIL(&memo->line, entry, in_line);
  return entry->answer;
}

void memo_put(struct memo *memo, const unsigned char digest[DIGEST_SHA256_LEN],
              struct auth_answer *answer, int64_t until_ms) {
  struct entry *old = auth_memo_find(memo, digest);
  if (old != NULL)
    auth_memo_drop(memo, old);
  if (cost(answer) > memo->max)
    return;
  while (memo->used + cost(answer) > memo->max)
    auth_memo_drop(memo, TAILQ_FIRST(&memo->line)); // NOLINT(*-unix.Malloc)
  struct entry *entry = calloc(1, sizeof *entry);
  if (entry == NULL)
    return;
  entry->answer = auth_answer_hold(answer);
  entry->until_ms = until_ms;
  memcpy(entry->digest, digest, DIGEST_SHA256_LEN);
  memo->used += cost(answer);
  memo->count++;
  LIST_INSERT_HEAD(bucket_of(memo, digest), entry, in_bucket);
  TAILQ_INSERT_TAIL(&memo->line, entry, in_line);
}

size_t memo_count(const struct memo *memo) {
  return memo->count;
}
