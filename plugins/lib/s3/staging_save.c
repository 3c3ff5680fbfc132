/* SPDX-License-Identifier: MIT
 *
 * A save: full segments land, what is new of the tail is stored as a piece,
 * and then a record says how far the stage is.
 */
#include <string.h>

#include "staging.h"

/* ---- the record --------------------------------------------------------- */

static void saved(struct staging *staging) {
  struct buf *text = &staging->reading.text;
  buf_clear(text);
  buf_add(text, staging->writing.text.data, staging->writing.text.len);
  staging_erase_needless(staging);
  staging_tell(staging);
}

static void write_record(struct staging *staging) {
  const struct stagerecord *record = &staging->reading.record;
  const struct stagename_record *open = &staging->reading.look.open;
  struct buf *text = &staging->writing.text;
  char key[STAGENAME_MAX];
  buf_clear(text);
  if (!stagerecord_write(text, record)) {
    staging_end(staging, SLUICE_ETOOBIG, "the record of a stage is too long");
    return;
  }
  staging->named = staging->segments;
  stagename_write(key, staging->base, &staging->mine);
  staging_needless(staging, key);
  if (staging->reading.look.has_open) { /* of the session before */
    stagename_write(key, staging->base, open);
    staging_needless(staging, key);
    stagename_write(key, staging->base, &staging->reading.look.newest);
    staging_needless(staging, key); /* this one's claim */
  }
  staging->reading.look.has_open = false;
  staging_record(staging, STAGENAME_OPEN, record->expires_s, saved);
}

/* ---- the tail ----------------------------------------------------------- */

static void forget_pieces(struct staging *staging, size_t kept, size_t had) {
  const struct stagerecord *record = &staging->reading.record;
  char key[STAGENAME_MAX];
  for (size_t i = kept; i < had; i++) {
    stagename_piece(key, staging->base, record->pieces[i].session,
                    record->pieces[i].number);
    staging_needless(staging, key);
  }
}

static void on_piece(struct staging *staging,
                     struct staging_segment *segment) {
  struct stagerecord *record = &staging->reading.record;
  record->pieces[record->piece_count++] =
      (struct stagepiece){.session = staging->mine.session,
                          .number = staging->mine.number + 1,
                          .size = segment->sum.count};
  write_record(staging);
}

static void write_tail(struct staging *staging) {
  struct stagerecord *record = &staging->reading.record;
  struct staging_segment *tail = staging->filling;
  uint32_t new = staging->segments - stagerecord_segments(record);
  size_t had = record->piece_count;
  if (new > 0) { /* what was the tail is part of a segment */
    stagerecord_add(record, staging->mine.session, new);
    record->piece_count = 0;
  }
  uint64_t stored = stagerecord_tail(record);
  uint64_t length = tail == NULL ? 0 : spool_length(tail->spool);
  uint64_t more = length > stored ? length - stored : 0;
  uint64_t again = more == 0 ? 0 : stagerecord_merge(record, more);
  forget_pieces(staging, record->piece_count, had);
  if (more == 0) {
    write_record(staging);
    return;
  }
  stagename_piece(tail->key, staging->base, staging->mine.session,
                  staging->mine.number + 1);
  staging_send(tail, stored - again, more + again, on_piece);
}

void s3_save(void *handle, struct sluice_op *op,
             const struct sluice_save *save) {
  struct staging *staging = s3_task_of(op)->work;
  struct stagerecord *record = &staging->reading.record;
  (void)handle;
  if (staging->reading.complete || staging->made ||
      save->state_size > SLUICE_STAGE_STATE_MAX) {
    staging_end(staging, SLUICE_EINVAL,
                "the stage is complete, or its state too large");
    return;
  }
  record->expires_s = save->expires_s;
  record->state.size = save->state_size;
  memcpy(record->state.bytes, save->state, save->state_size);
  staging_land(staging, write_tail);
}
