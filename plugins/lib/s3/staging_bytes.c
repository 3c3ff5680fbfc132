/* SPDX-License-Identifier: MIT
 *
 * Bytes gather in a spool; a full one goes to the service as a segment while
 * the next is filled.  Behind the last segment lies the tail, which is read
 * back before bytes are added to it.
 */
#include "staging.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "must.h"

static void staging_bytes_feed(struct staging *staging);

/* ---- segments ----------------------------------------------------------- */

static void segment_gone(void *arg) {
  free(arg);
}

void staging_segment_free(struct staging_segment *segment) {
  if (segment == NULL)
    return;
  if (segment->call != NULL)
    s3_call_cancel(segment->call);
  spool_free(segment->spool, segment_gone, segment);
}

static struct staging_segment *segment_new(struct staging *staging) {
  struct s3_loop *loop = staging->loop;
  struct staging_segment *segment = calloc(1, sizeof *segment);
  must_have(segment); /* charged with the request */
  segment->staging = staging;
  segment->spool = spool_new(loop->host, &loop->s3->spools);
  must_have(segment->spool);
  return segment;
}

void staging_drop_bytes(struct staging *staging) {
  staging_segment_free(staging->filling);
  for (size_t i = 0; i < STAGING_FLIGHT; i++)
    staging_segment_free(staging->flying[i]);
  if (staging->buffer != NULL)
    sluice_memory_give(staging->loop->host, STAGING_BUFFER);
  free(staging->buffer);
}

/* False: the answer says that other bytes were stored. */
static bool is_stored(const struct staging_segment *segment,
                      const struct s3_call *call) {
  char etag[160], hex[33];
  s3_etag(etag, s3_call_header(call, "ETag"));
  codec_hex(hex, segment->sum.md5, 16);
  return !s3_etag_is_md5(segment->staging->loop) || !s3_etag_tells(call) ||
         strcmp(etag, hex) == 0;
}

static void on_sent(void *arg, struct s3_call *call,
                    const struct s3_answer *answer) {
  struct staging_segment *segment = arg;
  struct staging *staging = segment->staging;
  bool stored = answer->status == SLUICE_OK && is_stored(segment, call);
  segment->call = NULL;
  if (!staging_lives(staging))
    return;
  if (answer->status != SLUICE_OK)
    staging_end(staging, answer->status, answer->why);
  else if (!stored)
    staging_end(staging, SLUICE_EUPSTREAM,
                "the service stored other bytes than it was sent");
  else
    segment->sent(staging, segment);
}

static void staging_bytes_on_summed(void *arg) {
  static const struct s3_events events = {.done = on_sent};
  struct staging_segment *segment = arg;
  struct staging *staging = segment->staging;
  if (!staging_lives(staging))
    return;
  if (segment->sum.failed) {
    staging_end(staging, SLUICE_EIO, "the spool can't be read");
    return;
  }
  put_base64_md5(segment->md5, segment->sum.md5);
  segment->request = (struct s3_request){
      .op = staging->op,
      .method = "PUT",
      .key = segment->key,
      .headers = {{"Content-Type", "application/octet-stream"},
                  {"Content-MD5", segment->md5}},
      .spool = segment->spool,
      .first = segment->sum.first,
      .length = segment->sum.count};
  if (segment->sum.want_sha256) {
    codec_hex(segment->sha256, segment->sum.sha256, 32);
    segment->request.sha256 = segment->sha256;
  }
  segment->call =
      s3_call_start(staging->loop, &segment->request, &events, segment);
}

void staging_send(struct staging_segment *segment, uint64_t first,
                  uint64_t count, staging_sent *sent) {
  segment->sent = sent;
  segment->sum = (struct spool_sum){
      .first = first,
      .count = count,
      .want_sha256 = !segment->staging->loop->s3->endpoint.tls};
  spool_sum(segment->spool, &segment->sum, staging_bytes_on_summed, segment);
}

/* ---- flights ------------------------------------------------------------ */

static bool is_full(const struct staging *staging) {
  return staging->filling != NULL && spool_length(staging->filling->spool) ==
                                         staging->reading.record.part_size;
}

static struct staging_segment **free_place(struct staging *staging) {
  int64_t most = staging->loop->s3->conf->parallel_parts;
  for (int64_t i = 0; i < STAGING_FLIGHT && i < most; i++)
    if (staging->flying[i] == NULL)
      return &staging->flying[i];
  return NULL;
}

static bool any_flies(const struct staging *staging) {
  for (size_t i = 0; i < STAGING_FLIGHT; i++)
    if (staging->flying[i] != NULL)
      return true;
  return false;
}

static void on_landed(struct staging *staging,
                      struct staging_segment *segment);

/* A full segment goes, where there is a place. */
static void staging_bytes_fly(struct staging *staging) {
  struct staging_segment **place = free_place(staging);
  struct staging_segment *segment = staging->filling;
  if (!is_full(staging) || place == NULL)
    return;
  *place = segment;
  staging->filling = NULL;
  stagename_segment(segment->key, staging->base, staging->segments++,
                    staging->mine.session);
  staging_send(segment, 0, staging->reading.record.part_size, on_landed);
}

static void land_when_idle(struct staging *staging) {
  staging_step *landed = staging->landed;
  if (landed == NULL || is_full(staging) || any_flies(staging))
    return;
  staging->landed = NULL;
  landed(staging);
}

static void on_landed(struct staging *staging,
                      struct staging_segment *segment) {
  for (size_t i = 0; i < STAGING_FLIGHT; i++)
    if (staging->flying[i] == segment)
      staging->flying[i] = NULL;
  staging_segment_free(segment);
  staging_bytes_fly(staging);
  if (staging->chunk.data != NULL && !staging->adding)
    staging_bytes_feed(staging);
  else
    land_when_idle(staging);
}

void staging_land(struct staging *staging, staging_step *then) {
  staging->landed = then;
  land_when_idle(staging);
}

/* ---- chunks ------------------------------------------------------------- */

static void staging_bytes_on_added(void *arg, enum sluice_status status,
                                   const char *why) {
  struct staging *staging = arg;
  staging->adding = false;
  if (!staging_lives(staging) || status != SLUICE_OK) {
    staging_end(staging, status, why);
    return;
  }
  staging_bytes_fly(staging);
  staging_bytes_feed(staging);
}

/* No more parts than the service joins, the tail among them. */
static bool has_room(const struct staging *staging) {
  uint32_t most = staging->loop->s3->dialect->parts_max;
  return staging->segments < most && staging->segments < STAGERECORD_SEGMENTS;
}

static void staging_bytes_feed(struct staging *staging) {
  uint64_t left = staging->chunk.length - staging->used;
  if (left == 0) {
    staging->chunk = (struct sluice_chunk){0};
    sluice_next(staging->op);
    return;
  }
  if (is_full(staging))
    return; /* until one has landed */
  if (staging->filling == NULL && !has_room(staging)) {
    staging_end(staging, SLUICE_ETOOBIG,
                "an upload whose length wasn't told has more bytes than "
                "10000 parts; tell it, or raise part_size");
    return;
  }
  if (staging->filling == NULL)
    staging->filling = segment_new(staging);
  struct spool *spool = staging->filling->spool;
  uint64_t room = staging->reading.record.part_size - spool_length(spool);
  size_t len = (size_t)(left < room ? left : room);
  const char *data = staging->chunk.data;
  staging->adding = true;
  spool_add(spool, data + staging->used, len, staging_bytes_on_added, staging);
  staging->used += len;
}

void staging_data(void *work, const struct sluice_chunk *chunk) {
  struct staging *staging = work;
  if (staging->reading.complete || (staging->made && chunk->length > 0)) {
    staging_end(staging, SLUICE_EINVAL, "the stage is complete");
    return;
  }
  if (chunk->length == 0) {
    sluice_next(staging->op);
    return;
  }
  staging->chunk = *chunk;
  staging->used = 0;
  staging_load(staging, staging_bytes_feed);
}

/* ---- the tail ----------------------------------------------------------- */

static void loaded(struct staging *staging) {
  staging_step *then = staging->loaded_then;
  staging->loaded = true;
  then(staging);
}

static void on_tail_added(void *arg, enum sluice_status status,
                          const char *why) {
  struct staging *staging = arg;
  staging->adding = false;
  if (!staging_lives(staging) || status != SLUICE_OK)
    staging_end(staging, status, why);
  else if (staging->fetch.call == NULL && staging->fetch.left == 0)
    loaded(staging);
  else
    stagefetch_go_on(&staging->fetch);
}

static bool on_tail(void *arg, const char *data, size_t len) {
  struct staging *staging = arg;
  if (staging->adding)
    return false;
  must(len <= STAGING_BUFFER);
  memcpy(staging->buffer, data, len);
  staging->adding = true;
  spool_add(staging->filling->spool, staging->buffer, len, on_tail_added,
            staging);
  return true;
}

static void on_tail_read(void *arg, enum sluice_status status,
                         const char *why) {
  struct staging *staging = arg;
  if (status != SLUICE_OK)
    staging_end(staging, status, why);
  else if (!staging->adding)
    loaded(staging);
}

void staging_load(struct staging *staging, staging_step *then) {
  const struct stagerecord *record = &staging->reading.record;
  uint64_t tail = stagerecord_tail(record);
  staging->loaded_then = then;
  if (staging->loaded || tail == 0) {
    loaded(staging);
    return;
  }
  if (staging->buffer == NULL &&
      !sluice_memory_take(staging->loop->host, STAGING_BUFFER)) {
    staging_end(staging, SLUICE_ENOMEM, "no memory to read a stage's tail");
    return;
  }
  staging->buffer = malloc(STAGING_BUFFER);
  must_have(staging->buffer); /* taken */
  staging->filling = segment_new(staging);
  staging->fetch =
      (struct stagefetch){.loop = staging->loop,
                          .op = staging->op,
                          .base = staging->base,
                          .record = record,
                          .first = stagerecord_offset(record) - tail,
                          .left = tail,
                          .data = on_tail,
                          .done = on_tail_read,
                          .arg = staging};
  stagefetch_start(&staging->fetch);
}
