/* SPDX-License-Identifier: MIT
 *
 * Hashing is for the pool's threads, so that other requests of the loop
 * needn't wait for it, and where there are many buffers, they are hashed
 * together, which costs hardly more than one.
 */
#include "uploads.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "checksum.h"
#include "digest.h"
#include "digestfield.h"
#include "shuffle.h"
#include "siphash.h"
#include "work.h"

#define HASH_HERE 16384 /* bytes that the loop itself hashes */
#define HASH_ALONE 3    /* so many uploads have a thread each */

struct uploads {
  struct work_share *share;
  struct sluice_lane *together;
  atomic_uint hashing; /* buffers, at the moment */
  unsigned char secret[SIPHASH_KEY_LEN];
  atomic_uint_least32_t count; /* of random parts */
  atomic_uint notes;
};

static void hash_together(void *unused, void **jobs, size_t count) {
  struct md5_piece pieces[SLUICE_LANE_BATCH];
  size_t n = 0;
  (void)unused;
  for (size_t i = 0; i < count; i++) {
    const struct uploads_job *job = jobs[i];
    const struct md5_piece *piece = &job->piece;
    if (piece->md5 != NULL)
      pieces[n++] = *piece;
    if (job->also != NULL)
      checksum_add(job->also, piece->data, piece->len);
    for (size_t sum = 0; sum < 2 && job->sums[sum] != NULL; sum++)
      sums_add(job->sums[sum], piece->data, piece->len);
  }
  md5_add(pieces, n);
}

static void hash_alone(void *job) {
  hash_together(NULL, &job, 1);
}

static void uploads_on_hashed(void *arg) {
  struct uploads_job *job = arg;
  atomic_fetch_sub(&job->uploads->hashing, 1);
  job->then(job->arg);
}

bool uploads_hash(struct uploads *uploads, struct loop *loop,
                  struct uploads_job *job) {
  if (job->piece.len <= HASH_HERE) {
    hash_alone(job);
    return true;
  }
  job->uploads = uploads;
  /* Nothing but MD5s is cheaper together. */
  bool alone = atomic_fetch_add(&uploads->hashing, 1) < HASH_ALONE ||
               job->sums[0] != NULL;
  if (alone)
    work_submit(uploads->share, loop, hash_alone, uploads_on_hashed, job);
  else
    work_lane_add(uploads->together, loop, job, uploads_on_hashed);
  return false;
}

void uploads_run(struct uploads *uploads, struct loop *loop,
                 void (*work)(void *), void (*then)(void *), void *arg) {
  work_submit(uploads->share, loop, work, then, arg);
}

/* A key that is taken would cost the client its upload. */
uint32_t uploads_random(struct uploads *uploads) {
  return shuffle(uploads->secret, atomic_fetch_add(&uploads->count, 1));
}

struct uploads *uploads_new(struct work_share *share) {
  struct uploads *uploads = calloc(1, sizeof *uploads);
  if (uploads == NULL)
    return NULL;
  uploads->share = share;
  atomic_init(&uploads->hashing, 0);
  atomic_init(&uploads->count, 0);
  digest_random(uploads->secret, sizeof uploads->secret);
  uploads->together = work_lane_new(share, hash_together, NULL);
  if (uploads->together != NULL)
    return uploads;
  free(uploads);
  return NULL;
}

void uploads_free(struct uploads *uploads) {
  if (uploads == NULL)
    return;
  work_lane_free(uploads->together);
  digest_wipe(uploads->secret, sizeof uploads->secret);
  free(uploads);
}

void uploads_count_note(struct uploads *uploads) {
  atomic_fetch_add(&uploads->notes, 1);
}

unsigned uploads_notes(struct uploads *uploads) {
  return atomic_load(&uploads->notes);
}
