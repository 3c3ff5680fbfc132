/* SPDX-License-Identifier: MIT
 *
 * A stage is made, or opened.  Each opening is a session of its own, with a
 * random number that is part of the name of all that it writes.
 */
#include "staging.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "date.h"
#include "digest.h"
#include "eraser.h"
#include "must.h"

#define MIB ((uint64_t)1 << 20)
#define COST (sizeof(struct staging) + 32768)

static const char taken_text[] = "sluice stage taken\n";

int64_t staging_now_s(void) {
  return date_now_ms() / 1000;
}

/* ---- the end ------------------------------------------------------------ */

static void stop_calls(struct staging *staging) {
  s3_listing_cancel(&staging->listing);
  stagewrite_fini(&staging->writing);
  stageread_fini(&staging->reading);
  if (staging->call != NULL)
    s3_call_cancel(staging->call);
  staging->call = NULL;
  stagefetch_cancel(&staging->fetch);
}

static void leave_claim(struct staging *staging) {
  char key[STAGENAME_MAX];
  stagename_write(key, staging->base, &staging->mine);
  eraser_add(staging->loop->eraser, key);
}

/* No record says what they are, so no later session reads them. */
static void erase_unnamed(const struct staging *staging) {
  char key[STAGENAME_MAX];
  for (uint32_t i = staging->named; i < staging->segments; i++) {
    stagename_segment(key, staging->base, i, staging->mine.session);
    eraser_add(staging->loop->eraser, key);
  }
}

bool staging_lives(const struct staging *staging) {
  return staging->fate != STAGING_WAITS;
}

void staging_end(struct staging *staging, enum sluice_status status,
                 const char *why) {
  struct sluice_op *op = staging->op;
  char said[sizeof staging->why];
  if (staging->fate != STAGING_WAITS) { /* the first reason is the reason */
    staging->failure = staging->fate == STAGING_STORED ? SLUICE_OK : status;
    snprintf(staging->why, sizeof staging->why, "%s", why == NULL ? "" : why);
    if (staging->fate == STAGING_STORED)
      staging->named = staging->segments; /* they are erased with all */
    staging->fate = STAGING_WAITS;
    stop_calls(staging);
    staging_drop_put(staging);
    if (staging->untold)
      leave_claim(staging);
  }
  if (staging->adding || staging->sweeping)
    return;
  status = staging->failure;
  memcpy(said, staging->why, sizeof said);
  staging_drop_bytes(staging);
  erase_unnamed(staging);
  if (staging->busy)
    stagebusy_remove(&staging->loop->s3->busy, staging->base);
  sluice_memory_give(staging->loop->host, staging->cost);
  free(staging);
  if (status == SLUICE_OK)
    sluice_done(op, SLUICE_OK, NULL);
  else
    sluice_done(op, status, "%s", said);
}

static void staging_cancel(void *work) {
  struct staging *staging = work;
  if (staging->fate == STAGING_STORES)
    put_cancel(staging->put);
  else
    staging_end(staging, SLUICE_ECANCELED, "canceled");
}

/* ---- records ------------------------------------------------------------ */

void staging_needless(struct staging *staging, const char *key) {
  must(staging->needless_count < STAGERECORD_PIECES + 4);
  snprintf(staging->needless[staging->needless_count++], STAGENAME_MAX, "%s",
           key);
}

void staging_erase_needless(struct staging *staging) {
  for (size_t i = 0; i < staging->needless_count; i++)
    eraser_add(staging->loop->eraser, staging->needless[i]);
  staging->needless_count = 0;
}

bool staging_is_mine(const struct staging *staging) {
  const struct stagename_record *newest = &staging->look.newest;
  return staging->look.any && newest->turn == staging->mine.turn &&
         newest->session == staging->mine.session;
}

static bool staging_on_first(void *arg, const char *key) {
  struct staging *staging = arg;
  struct stagename_record record;
  if (!stagename_read(&record, key))
    return true;
  stagename_look(&staging->look, &record);
  return false;
}

void staging_look(struct staging *staging,
                  void (*done)(void *arg, enum sluice_status,
                               const char *why)) {
  staging->look = (struct stagename_look){0};
  snprintf(staging->prefix, sizeof staging->prefix, "%sr/", staging->base);
  staging->listing = (struct s3_listing){.loop = staging->loop,
                                         .op = staging->op,
                                         .prefix = staging->prefix,
                                         .max = 1,
                                         .key = staging_on_first,
                                         .done = done,
                                         .arg = staging};
  s3_listing_start(&staging->listing);
}

static void on_checked(void *arg, enum sluice_status status, const char *why) {
  struct staging *staging = arg;
  if (status != SLUICE_OK)
    staging_end(staging, status, why);
  else if (!staging_is_mine(staging))
    staging_end(staging, SLUICE_EPRECOND,
                "another request has taken the upload, or ended it");
  else
    staging->recorded(staging);
}

static void on_recorded(void *arg, enum sluice_status status,
                        const char *why) {
  struct staging *staging = arg;
  if (status != SLUICE_OK)
    staging_end(staging, status, why);
  else
    staging_look(staging, on_checked);
}

void staging_record(struct staging *staging, enum stagename_kind kind,
                    int64_t expires_s, staging_step *then) {
  staging->mine.number++;
  staging->mine.kind = kind;
  staging->mine.expires_s = expires_s;
  staging->recorded = then;
  stagewrite_start(&staging->writing, staging->base, &staging->mine,
                   on_recorded, staging);
}

void staging_tell(struct staging *staging) {
  const struct stagerecord *record = &staging->reading.record;
  bool complete = staging->reading.complete;
  if (complete && record->done_expires_s <= staging_now_s()) {
    staging_end(staging, SLUICE_ENOENT, "the stage has expired");
    return;
  }
  const struct stagestate *state =
      complete || staging->made ? &record->done_state : &record->state;
  struct sluice_staged staged = {
      .size = sizeof staged,
      .offset = complete || staging->made ? record->length
                                          : stagerecord_offset(record),
      .state = state->bytes,
      .state_size = state->size,
      .expires_s = complete ? record->done_expires_s : record->expires_s,
      .complete = complete};
  staging->segments = staging->named = stagerecord_segments(record);
  sluice_staged(staging->op, &staged);
}

/* ---- opened ------------------------------------------------------------- */

static void on_pinned(void *arg, enum sluice_status status, const char *why) {
  struct staging *staging = arg;
  if (status != SLUICE_OK)
    staging_end(staging, status, why);
  else
    staging_tell(staging);
}

/* The state that was read is said again, in a record that is newer than any
 * that the session before may still be writing: those don't count any more. */
static void pin(struct staging *staging) {
  const struct buf *text = &staging->reading.text;
  staging->mine.number++;
  staging->mine.kind = STAGENAME_OPEN;
  staging->mine.expires_s = staging->reading.record.expires_s;
  buf_clear(&staging->writing.text);
  buf_add(&staging->writing.text, text->data, text->len);
  stagewrite_start(&staging->writing, staging->base, &staging->mine, on_pinned,
                   staging);
}

static void staging_on_read(void *arg, enum sluice_status status,
                            const char *why) {
  struct staging *staging = arg;
  const struct stageread *reading = &staging->reading;
  if (status == SLUICE_ENOENT && !reading->look.has_open)
    leave_claim(staging);
  if (status != SLUICE_OK) {
    staging_end(staging, status, why);
  } else if (reading->complete) {
    staging_tell(staging);
  } else if (reading->look.open.expires_s <= staging_now_s()) {
    staging_end(staging, SLUICE_ENOENT, "the stage has expired");
  } else {
    staging->look = reading->look;
    if (!staging_is_mine(staging))
      staging_end(staging, SLUICE_EPRECOND, "another request is faster");
    else if (reading->record.committing)
      staging_find_object(staging, pin);
    else
      pin(staging);
  }
}

static void staging_read_it(struct staging *staging) {
  staging->reading.tidy = true;
  stageread_start(&staging->reading);
}

static void on_claimed(void *arg, enum sluice_status status, const char *why) {
  struct staging *staging = arg;
  if (status != SLUICE_OK)
    staging_end(staging, status, why);
  else
    staging_read_it(staging);
}

static void claim(struct staging *staging) {
  staging->mine.turn = staging->look.newest.turn + 1;
  staging->mine.kind = STAGENAME_TAKEN;
  staging->mine.expires_s = staging->look.newest.expires_s;
  buf_adds(&staging->writing.text, taken_text);
  stagewrite_start(&staging->writing, staging->base, &staging->mine,
                   on_claimed, staging);
}

static void staging_on_found(void *arg, enum sluice_status status,
                             const char *why);

/* A list that is made while a record takes the place of another may have seen
 * neither. */
static void look_again(struct staging *staging) {
  staging->again = true;
  staging_look(staging, staging_on_found);
}

static void staging_on_found(void *arg, enum sluice_status status,
                             const char *why) {
  struct staging *staging = arg;
  const struct stagename_record *newest = &staging->look.newest;
  if (status != SLUICE_OK)
    staging_end(staging, status, why);
  else if (!staging->look.any && !staging->again)
    look_again(staging);
  else if (!staging->look.any || newest->kind == STAGENAME_GONE)
    staging_end(staging, SLUICE_ENOENT, "there is no such stage");
  else if (newest->kind == STAGENAME_DONE)
    staging_read_it(staging);
  else if (stagebusy_has(&staging->loop->s3->busy, staging->base))
    staging_end(staging, SLUICE_EBUSY, STAGING_BUSY);
  else if (newest->kind == STAGENAME_GOING)
    staging_end(staging, SLUICE_EPRECOND, "a sweep has the stage");
  else if (newest->turn >= STAGENAME_TURN_MAX)
    staging_end(staging, SLUICE_EIO, "the stage was opened too often");
  else
    claim(staging);
}

/* ---- made --------------------------------------------------------------- */

static void on_made(void *arg, enum sluice_status status, const char *why) {
  struct staging *staging = arg;
  if (status != SLUICE_OK) {
    staging_end(staging, status, why);
    return;
  }
  char id[STAGENAME_TEXT_LEN + 1];
  staging->untold = false;
  snprintf(id, sizeof id, "%.*s", STAGENAME_TEXT_LEN,
           staging->base + sizeof STAGENAME_ROOT - 1);
  sluice_text(staging->op, id);
  staging_tell(staging);
}

static void make(struct staging *staging) {
  const struct stagerecord *record = &staging->reading.record;
  staging->untold = true;
  staging->mine.turn = 1;
  staging->mine.kind = STAGENAME_OPEN;
  staging->mine.expires_s = record->expires_s;
  stagerecord_write(&staging->writing.text, record);
  buf_adds(&staging->reading.text, staging->writing.text.data);
  stagewrite_start(&staging->writing, staging->base, &staging->mine, on_made,
                   staging);
}

static void count_last(struct staging *staging) {
  if (stagename_lives(&staging->look, staging_now_s()))
    staging->owned++;
  staging->look = (struct stagename_look){0};
}

/* The records of a stage come together. */
static bool on_owned(void *arg, const char *key) {
  struct staging *staging = arg;
  struct stagename_record record;
  char base[STAGENAME_BASE_LEN + 1];
  if (!stagename_folder(base, key) || !stagename_read(&record, key))
    return true;
  if (strcmp(base, staging->counted) != 0)
    count_last(staging);
  memcpy(staging->counted, base, sizeof base);
  stagename_look(&staging->look, &record);
  return staging->owned < staging->owner_max;
}

static void on_counted(void *arg, enum sluice_status status, const char *why) {
  struct staging *staging = arg;
  count_last(staging);
  if (status != SLUICE_OK)
    staging_end(staging, status, why);
  else if (staging->owned >= staging->owner_max)
    staging_end(staging, SLUICE_ERATE, "the owner has so many stages already");
  else
    make(staging);
}

static void count_owned(struct staging *staging) {
  stagename_owner(staging->prefix, staging->base);
  staging->listing = (struct s3_listing){.loop = staging->loop,
                                         .op = staging->op,
                                         .prefix = staging->prefix,
                                         .key = on_owned,
                                         .done = on_counted,
                                         .arg = staging};
  s3_listing_start(&staging->listing);
}

/* Of all segments, so that no part is too many. */
static uint64_t segment_size(const struct s3 *s3, int64_t length) {
  uint64_t size = s3->conf->part_size, parts = s3->dialect->parts_max;
  uint64_t least = length < 0 ? 0 : ((uint64_t)length + parts - 1) / parts;
  least = (least + MIB - 1) / MIB * MIB;
  return least > size ? least : size;
}

/* ---- the vtable's ------------------------------------------------------- */

static struct staging *staging_start(struct s3_loop *loop,
                                     struct sluice_op *op) {
  if (!sluice_memory_take(loop->host, COST)) {
    sluice_done(op, SLUICE_ENOMEM, "no memory for a stage");
    return NULL;
  }
  struct staging *staging = calloc(1, sizeof *staging);
  must_have(staging); /* taken */
  staging->loop = loop;
  staging->op = op;
  staging->cost = COST;
  stagewrite_init(&staging->writing, loop, op);
  staging->reading = (struct stageread){.loop = loop,
                                        .op = op,
                                        .base = staging->base,
                                        .done = staging_on_read,
                                        .arg = staging};
  buf_init(&staging->reading.text, STAGERECORD_MAX);
  digest_random(&staging->mine.session, sizeof staging->mine.session);
  *s3_task_of(op) = (struct s3_task){
      .cancel = staging_cancel, .work = staging, .data = staging_data};
  return staging;
}

static void start_new(struct staging *staging,
                      const struct sluice_stage *wanted) {
  char text[STAGENAME_TEXT_LEN + 1];
  unsigned char random[STAGENAME_ID_LEN / 2];
  struct stagerecord *record = &staging->reading.record;
  digest_random(random, sizeof random);
  stagename_make(text, wanted->owner, random);
  must(stagename_base(staging->base, text));
  record->part_size = segment_size(staging->loop->s3, wanted->length);
  record->expires_s = wanted->save->expires_s;
  record->state.size = wanted->save->state_size;
  memcpy(record->state.bytes, wanted->save->state, record->state.size);
  staging->owner_max = wanted->owner_max;
  if (record->part_size > staging->loop->s3->dialect->part_max)
    staging_end(staging, SLUICE_ETOOBIG, "the service has no such objects");
  else if (wanted->owner[0] != '\0' && wanted->owner_max > 0)
    count_owned(staging);
  else
    make(staging);
}

void s3_stage(void *handle, struct sluice_op *op,
              const struct sluice_stage *wanted) {
  struct staging *staging = staging_start(handle, op);
  if (staging == NULL)
    return;
  if (wanted->id == NULL && wanted->save->state_size > SLUICE_STAGE_STATE_MAX)
    staging_end(staging, SLUICE_EINVAL, "a state is too large");
  else if (wanted->id == NULL)
    start_new(staging, wanted);
  else if (!stagename_base(staging->base, wanted->id))
    staging_end(staging, SLUICE_ENOENT, "there is no such stage");
  else
    staging_look(staging, staging_on_found);
}
