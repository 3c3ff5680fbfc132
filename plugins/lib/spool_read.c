/* SPDX-License-Identifier: MIT
 *
 * Reading a spool back, and its digests.  What isn't in the page cache is read
 * by a thread of the pool into memory of its own and kept until it is asked
 * for again: so a read that was once told to wait succeeds, also where pages
 * are short, or the filesystem can't tell whether it would wait.
 */
#include "spool_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "digest.h"
#include "must.h"

#define FETCH_MAX (128u * 1024)
#define FETCH_MIN 4096u /* where there is no memory for more */
#define SUM_PIECE (64u * 1024)

void spool_fetch_free(struct spool_fetch *fetch) {
  LIST_REMOVE(fetch, link);
  sluice_memory_give(fetch->spool->host, fetch->cost);
  free(fetch);
}

/* The fetch for this read; NULL: there is none.  One for `arg` that isn't
 * wanted any more goes. */
static struct spool_fetch *fetch_find(struct spool *spool, uint64_t offset,
                                      const void *arg) {
  struct spool_fetch *fetch = LIST_FIRST(&spool->fetches), *found = NULL;
  while (fetch != NULL) {
    struct spool_fetch *next = LIST_NEXT(fetch, link);
    if (fetch->arg == arg && fetch->offset == offset)
      found = fetch;
    else if (fetch->arg == arg && fetch->over)
      spool_fetch_free(fetch);
    fetch = next;
  }
  return found;
}

static void fetch_work(void *arg) {
  struct spool_fetch *fetch = arg;
  int64_t got =
      spool_file_read(fetch->fd, fetch->data, fetch->room, fetch->offset);
  fetch->got = got > 0 ? got : -2;
}

static void fetch_then(void *arg) {
  struct spool_fetch *fetch = arg;
  void (*ready)(void *) = fetch->ready;
  void *ready_arg = fetch->arg;
  fetch->over = true;
  fetch->spool->spoiled |= fetch->got < 0;
  if (!spool_job_over(fetch->spool) && ready != NULL)
    ready(ready_arg);
}

void spool_unread(struct spool *spool, const void *arg) {
  struct spool_fetch *fetch = LIST_FIRST(&spool->fetches);
  for (; fetch != NULL; fetch = LIST_NEXT(fetch, link))
    if (fetch->arg == arg)
      fetch->ready = NULL;
}

static int64_t fetch_start(struct spool *spool, uint64_t offset, size_t room,
                           void (*ready)(void *arg), void *arg) {
  if (room > FETCH_MAX)
    room = FETCH_MAX;
  size_t cost = room;
  if (!sluice_memory_take(spool->host, cost)) {
    cost = 0; /* a page of each upload is charged with it */
    room = room < FETCH_MIN ? room : FETCH_MIN;
  }
  struct spool_fetch *fetch = calloc(1, sizeof *fetch + room);
  if (fetch == NULL) {
    sluice_memory_give(spool->host, cost);
    return -2;
  }
  fetch->cost = cost;
  fetch->spool = spool;
  fetch->fd = spool->file.fd;
  fetch->offset = offset;
  fetch->room = room;
  fetch->ready = ready;
  fetch->arg = arg;
  LIST_INSERT_HEAD(&spool->fetches, fetch, link);
  spool->jobs++;
  sluice_work(spool->host, fetch_work, fetch_then, fetch);
  return -1;
}

int64_t spool_read(struct spool *spool, uint64_t offset, void *to, size_t room,
                   void (*ready)(void *arg), void *arg) {
  must(!spool->freed);
  if (offset >= spool->length || room == 0)
    return 0;
  if (room > spool->length - offset)
    room = (size_t)(spool->length - offset);
  if (spool->file.fd < 0) {
    memcpy(to, spool->memory + offset, room);
    return (int64_t)room;
  }
  struct spool_fetch *fetch = fetch_find(spool, offset, arg);
  if (fetch == NULL) {
    int64_t got = spool_file_peek(spool->file.fd, to, room, offset);
    if (got > 0)
      return got;
    if (got == 0 || errno != EAGAIN) {
      spool->spoiled = true;
      return -2;
    }
    return fetch_start(spool, offset, room, ready, arg);
  }
  if (!fetch->over)
    return -1;
  int64_t got = fetch->got;
  if (got > 0 && (uint64_t)got > room)
    got = (int64_t)room;
  if (got > 0)
    memcpy(to, fetch->data, (size_t)got);
  spool_fetch_free(fetch);
  return got;
}

static bool sum_update(struct spool_sum *sum, struct digest *md5,
                       struct digest *sha256) {
  const struct spool *spool = sum->spool;
  char *piece = spool->file.fd < 0 ? NULL : malloc(SUM_PIECE);
  if (spool->file.fd >= 0 && piece == NULL)
    return false;
  bool whole = true;
  for (uint64_t at = 0; at < sum->count && whole;) {
    uint64_t left = sum->count - at;
    size_t len = left < SUM_PIECE ? (size_t)left : SUM_PIECE;
    const char *data = piece;
    if (piece == NULL)
      data = spool->memory + sum->first + at;
    else
      whole = spool_file_read(spool->file.fd, piece, len, sum->first + at) ==
              (int64_t)len;
    if (whole) {
      digest_update(md5, data, len);
      if (sha256 != NULL)
        digest_update(sha256, data, len);
    }
    at += len;
  }
  free(piece);
  return whole;
}

static void sum_work(void *arg) {
  struct spool_sum *sum = arg;
  struct digest *md5 = digest_new(DIGEST_MD5);
  struct digest *sha256 = sum->want_sha256 ? digest_new(DIGEST_SHA256) : NULL;
  sum->failed = md5 == NULL || (sum->want_sha256 && sha256 == NULL) ||
                !sum_update(sum, md5, sha256);
  if (!sum->failed) {
    digest_final(md5, sum->md5);
    if (sha256 != NULL)
      digest_final(sha256, sum->sha256);
  }
  digest_free(md5);
  digest_free(sha256);
}

static void sum_nothing(void *arg) {
  struct spool_sum *sum = arg;
  sum->failed = true;
}

static void sum_then(void *arg) {
  struct spool_sum *sum = arg;
  sum->spool->sums--;
  sum->spool->spoiled |= sum->failed;
  if (!spool_job_over(sum->spool))
    sum->summed(sum->arg);
}

void spool_sum(struct spool *spool, struct spool_sum *sum,
               void (*summed)(void *arg), void *arg) {
  must(!spool->freed && !spool->add.busy);
  bool inside =
      sum->first <= spool->length && sum->count <= spool->length - sum->first;
  sum->spool = spool;
  sum->summed = summed;
  sum->arg = arg;
  spool->sums++;
  spool->jobs++;
  sluice_work(spool->host, inside ? sum_work : sum_nothing, sum_then, sum);
}
