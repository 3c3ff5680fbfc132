/* SPDX-License-Identifier: MIT
 *
 * A stage becomes an object.  A record says first what is to be made, with the
 * stage's id as that of the write: so whoever opens it after a crash sees by
 * the object alone whether it was.  Then segments are joined on the service's
 * side, with the tail behind them.
 */
#include <stdio.h>
#include <string.h>

#include "codec.h"
#include "eraser.h"
#include "staging.h"

/* ---- complete ----------------------------------------------------------- */

static void erase_segments(const struct staging *staging) {
  const struct stagerecord *record = &staging->reading.record;
  struct eraser *eraser = staging->loop->eraser;
  char key[STAGENAME_MAX];
  uint32_t index = 0;
  for (size_t run = 0; run < record->run_count; run++)
    for (uint32_t i = 0; i < record->runs[run].count; i++) {
      stagename_segment(key, staging->base, index++,
                        record->runs[run].session);
      eraser_add(eraser, key);
    }
  for (size_t i = 0; i < record->piece_count; i++) {
    stagename_piece(key, staging->base, record->pieces[i].session,
                    record->pieces[i].number);
    eraser_add(eraser, key);
  }
}

/* The record of the end stays, and nothing else. */
static void erase_all(struct staging *staging) {
  const struct stagename_look *look = &staging->reading.look;
  char key[STAGENAME_MAX];
  erase_segments(staging);
  staging_erase_needless(staging);
  stagename_write(key, staging->base, &staging->mine);
  eraser_add(staging->loop->eraser, key);
  if (!look->has_open)
    return;
  stagename_write(key, staging->base, &look->open);
  eraser_add(staging->loop->eraser, key);
  stagename_write(key, staging->base, &look->newest);
  eraser_add(staging->loop->eraser, key);
}

/* Its record may fail: whoever opens the stage finds the object, and writes
 * it. */
static void write_done(struct staging *staging,
                       void (*written)(void *arg, enum sluice_status,
                                       const char *why)) {
  struct stagerecord *record = &staging->reading.record;
  struct stagename_record done = staging->mine;
  struct buf *text = &staging->writing.text;
  /* It is kept as long as was said, from the end of a commit on. */
  record->done_expires_s += staging_now_s() - staging->begun_s;
  buf_clear(text);
  stagerecord_write(text, record);
  stagerecord_write_commit(text, record);
  done.turn = STAGENAME_TURN_DONE;
  done.kind = STAGENAME_DONE;
  done.expires_s = record->done_expires_s;
  stagewrite_start(&staging->writing, staging->base, &done, written, staging);
}

/* ---- an object of a commit before --------------------------------------- */

static void staging_commit_on_head(void *arg, struct s3_call *call,
                                   const struct s3_answer *answer) {
  struct staging *staging = arg;
  const char *id = s3_call_header(call, S3_WRITE_ID);
  uint64_t length;
  staging->call = NULL;
  bool ours =
      answer->status == SLUICE_OK && id != NULL &&
      strncmp(id, stagename_id(staging->base), STAGENAME_ID_LEN) == 0 &&
      s3_length(call, &length) && length == staging->reading.record.length;
  if (ours) {
    staging->made = true;
    s3_etag(staging->etag, s3_call_header(call, "ETag"));
    staging_tell(staging);
  } else if (answer->status == SLUICE_OK || answer->status == SLUICE_ENOENT) {
    staging->absent(staging);
  } else {
    staging_end(staging, answer->status, answer->why);
  }
}

static void staging_commit_on_swept(void *arg, enum sluice_status status) {
  static const struct s3_events events = {.done = staging_commit_on_head};
  struct staging *staging = arg;
  staging->sweeping = false;
  if (!staging_lives(staging)) {
    staging_end(staging, SLUICE_ECANCELED, "canceled");
    return;
  }
  if (status != SLUICE_OK) {
    staging_end(staging, status,
                "unfinished parts of an upload can't be given up");
    return;
  }
  staging->request = (struct s3_request){.behind = staging->op,
                                         .method = "HEAD",
                                         .key = staging->reading.record.key};
  staging->call =
      s3_call_start(staging->loop, &staging->request, &events, staging);
}

/* Another process that was joining it doesn't any more: its parts are given
 * up. */
void staging_find_object(struct staging *staging, staging_step *absent) {
  staging->absent = absent;
  if (stagebusy_has(&staging->loop->s3->busy, staging->base)) {
    staging_end(staging, SLUICE_EBUSY, STAGING_BUSY);
    return;
  }
  if (!key_is_made(staging->reading.record.key)) {
    staging_commit_on_swept(staging, SLUICE_OK);
    return;
  }
  staging->sweeping = true;
  s3_sweep_start(staging->loop,
                 &(struct s3_sweep){.key = staging->reading.record.key,
                                    .done = staging_commit_on_swept,
                                    .arg = staging});
}

/* ---- an object ---------------------------------------------------------- */

static void staging_commit_on_done(void *arg, enum sluice_status status,
                                   const char *why) {
  struct staging *staging = arg;
  if (status == SLUICE_OK)
    erase_all(staging);
  else
    sluice_log(staging->loop->host, SLUICE_LOG_WARN,
               "an upload is stored, but its stage couldn't be told so: %s",
               why);
  staging_end(staging, SLUICE_OK, NULL);
}

static void on_stored(void *arg, enum sluice_status status, const char *why) {
  struct staging *staging = arg;
  const struct put *put = staging->put;
  struct sluice_meta meta = SLUICE_META;
  if (status == SLUICE_OK && put->stored[0] != '\0') {
    meta.length = put->length;
    meta.etag = put->stored;
    meta.type = put->type;
    sluice_meta(staging->op, &meta);
  }
  staging->put = NULL;
  staging->fate = status == SLUICE_OK ? STAGING_STORED : STAGING_LIVES;
  if (status == SLUICE_OK)
    write_done(staging, staging_commit_on_done);
  else
    staging_end(staging, status, why);
}

static void on_dropped(void *arg, enum sluice_status status, const char *why) {
  (void)arg, (void)status, (void)why;
}

void staging_drop_put(struct staging *staging) {
  struct put *put = staging->put;
  staging->put = NULL;
  if (put == NULL)
    return;
  put->ended = on_dropped;
  put_cancel(put);
}

/* Copying took its time.  Who took the stage meanwhile may have asked for the
 * object already, so none may be made behind that. */
static void on_last_look(void *arg, enum sluice_status status,
                         const char *why) {
  struct staging *staging = arg;
  if (status == SLUICE_OK && !staging_is_mine(staging)) {
    status = SLUICE_EPRECOND;
    why = "another request has taken the upload, or ended it";
  }
  complete_go_on(staging->put, status, why);
}

static void last_look(void *arg) {
  staging_look(arg, on_last_look);
}

/* The tail's spool becomes the put's own. */
static void make_object(struct staging *staging) {
  struct put *put = staging->put;
  struct staging_segment *tail = staging->filling;
  if (tail != NULL) {
    struct spool *empty = put->spool;
    put->spool = tail->spool;
    tail->spool = empty;
  }
  if (staging->joined.count > 0)
    put->joined = &staging->joined;
  staging->fate = STAGING_STORES;
  put_send(put);
}

static void staging_commit_on_summed(void *arg) {
  struct staging_segment *tail = arg;
  struct staging *staging = tail->staging;
  if (!staging_lives(staging))
    return;
  if (tail->sum.failed) {
    staging_end(staging, SLUICE_EIO, "the spool can't be read");
    return;
  }
  codec_hex(staging->put->sha256_hex, tail->sum.sha256, 32);
  make_object(staging);
}

/* Over plain HTTP a single PUT is signed with its digest; parts have their
 * own. */
static void announced(struct staging *staging) {
  const struct s3 *s3 = staging->loop->s3;
  struct staging_segment *tail = staging->filling;
  uint64_t length = staging->put->length;
  if (s3->endpoint.tls || tail == NULL || staging->joined.count > 0 ||
      length > s3->dialect->put_max) {
    make_object(staging);
    return;
  }
  tail->sum = (struct spool_sum){.count = length, .want_sha256 = true};
  spool_sum(tail->spool, &tail->sum, staging_commit_on_summed, tail);
}

static void announce(struct staging *staging) {
  struct stagerecord *record = &staging->reading.record;
  struct buf *text = &staging->writing.text;
  uint64_t length = staging->segments * record->part_size;
  char key[STAGENAME_MAX];
  if (staging->filling != NULL)
    length += spool_length(staging->filling->spool);
  if (length != staging->put->length) {
    staging_end(staging, SLUICE_EINVAL,
                "the object's length isn't the stage's");
    return;
  }
  if (record->expires_s < record->done_expires_s)
    record->expires_s = record->done_expires_s; /* it outlives its commit */
  buf_clear(text);
  if (!stagerecord_write(text, record) ||
      !stagerecord_write_commit(text, record)) {
    staging_end(staging, SLUICE_ETOOBIG, "the record of a stage is too long");
    return;
  }
  stagerecord_add(record, staging->mine.session,
                  staging->segments - stagerecord_segments(record));
  staging->joined = (struct put_joined){
      .base = staging->base, .record = record, .count = staging->segments};
  stagename_write(key, staging->base, &staging->mine);
  staging_needless(staging, key);
  staging->busy = stagebusy_add(&staging->loop->s3->busy, staging->base);
  staging_record(staging, STAGENAME_OPEN, record->expires_s, announced);
}

static void landed(struct staging *staging) {
  staging_load(staging, announce);
}

static const char *take_object(struct staging *staging,
                               const struct sluice_object *object,
                               const struct sluice_save *save) {
  struct stagerecord *record = &staging->reading.record;
  struct put *put = put_new(staging->loop, staging->op);
  staging->put = put;
  put->ended = on_stored;
  put->ended_arg = staging;
  put->last = last_look;
  put->lasting = true;
  snprintf(put->write_id, sizeof put->write_id, "%.*s", STAGENAME_ID_LEN,
           stagename_id(staging->base));
  staging->begun_s = staging_now_s();
  if (staging->made && (object->length != record->length ||
                        strcmp(object->key, record->key) != 0))
    return "the stage has become another object";
  snprintf(record->key, sizeof record->key, "%s", object->key);
  record->length = object->length;
  record->done_expires_s = save->expires_s;
  if (staging->reading.complete || save->state_size > SLUICE_STAGE_STATE_MAX)
    return "the stage is complete, or its state too large";
  record->done_state.size = save->state_size;
  memcpy(record->done_state.bytes, save->state, save->state_size);
  return put_take_object(put, object);
}

/* A commit before this one stored it. */
static void tell_made(struct staging *staging) {
  struct put *put = staging->put;
  memcpy(put->stored, staging->etag, sizeof put->stored);
  put_end(put, SLUICE_OK, NULL);
}

void s3_stage_commit(void *handle, struct sluice_op *op,
                     const struct sluice_object *object,
                     const struct sluice_save *save) {
  struct staging *staging = s3_task_of(op)->work;
  (void)handle;
  const char *fault = take_object(staging, object, save);
  if (fault != NULL)
    staging_end(staging, SLUICE_EINVAL, fault);
  else if (staging->made)
    tell_made(staging);
  else
    staging_land(staging, landed);
}
