/* SPDX-License-Identifier: MIT
 *
 * A request's way to the stage of its upload, and from there to an answer.
 */
#include "resumable.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "date.h"
#include "expirynote.h"
#include "must.h"
#include "presign.h"
#include "reply.h"
#include "upload_hooks.h"

static void resumable_left(void *work) {
  struct resumable *r = work;
  resumable_leave_key(r);
  upload_hooks_leave(&r->upload);
  resumable_show_leave(r);
  presign_leave(&r->upload.link);
  expirynote_leave(r->upload.note);
  if (r->ex->op == r->op) /* the exchange lets go of it */
    r->op = NULL;
  r->ex = NULL;
  r->upload.ex = NULL;
}

static void resumable_free(void *work) {
  resumable_leave(work);
}

struct resumable *resumable_new(struct exchange *ex, enum resumable_act act,
                                const struct resumable_dialect *dialect) {
  if (!exchange_charge(ex, sizeof(struct resumable) + sizeof(struct updigest)))
    return NULL;
  struct resumable *r = calloc(1, sizeof *r);
  must_have(r); /* charged */
  upload_init(&r->upload, ex);
  r->ex = ex;
  r->gate = ex->gate;
  gate_hold(r->gate);
  r->backend = exchange_backend(ex);
  r->dialect = dialect;
  r->act = act;
  r->at = 0;
  r->said = r->length = -1;
  buf_init(&r->metadata, HEAD_TARGET_MAX);
  buf_init(&r->concat, HEAD_TARGET_MAX);
  ex->work_free = resumable_free;
  ex->work_left = resumable_left;
  return r;
}

/* ---- failures ----------------------------------------------------------- */

void resumable_failed(struct exchange *ex, enum sluice_status status,
                      const char *why) {
  if (status == SLUICE_ENOENT)
    resumable_unknown(ex);
  else if (status == SLUICE_EPRECOND)
    reply_error(ex, 409, "upload_taken",
                "Another request goes on with this upload; ask for its offset "
                "first");
  else if (status == SLUICE_ERATE) {
    ex->refused_by = "uploads.resumable.max_open";
    reply_error(ex, 429, "too_many_uploads",
                "%lld uploads of this client aren't complete, which is the "
                "limit; complete or delete some",
                (long long)ex->gate->settings->uploads.max_open);
  } else
    reply_failure(ex, status, why);
}

/* ---- lengths ------------------------------------------------------------ */

static bool resumable_bad(struct exchange *ex, const char *what) {
  reply_error(ex, 400, "bad_request", "%s", what);
  return false;
}

/* Bytes of the content; -1: only its end tells. */
static int64_t content(const struct exchange *ex) {
  if (ex->head.chunked)
    return -1;
  return ex->head.length < 0 ? 0 : ex->head.length;
}

static bool note_length(struct resumable *r, int64_t length) {
  if (r->length >= 0)
    return r->length == length;
  r->length = length;
  r->length_new = true;
  return true;
}

bool resumable_check_lengths(struct exchange *ex, uint64_t at) {
  struct resumable *r = resumable_of(ex);
  const struct settings_uploads *settings = &ex->gate->settings->uploads;
  int64_t most = (int64_t)settings->max_bytes, size = content(ex);
  int64_t end = size < 0 ? -1 : (int64_t)at + size;
  if (r->said > most || end > most) {
    upload_too_large(ex);
    return false;
  }
  if (r->said >= 0 && r->said < (int64_t)at)
    return resumable_bad(ex, "'Upload-Length' is less than what is there");
  if (r->said >= 0 && !note_length(r, r->said))
    return resumable_bad(ex, "'Upload-Length' isn't what it was before");
  if (r->last && end >= 0 && !note_length(r, end))
    return resumable_bad(ex,
                         "The content isn't all that 'Upload-Length' says");
  if (r->length >= 0 && end > r->length)
    return resumable_bad(ex,
                         "The content is longer than 'Upload-Length' says");
  if (r->act == RESUMABLE_APPEND && size > 0 &&
      (uint64_t)size < settings->min_append && !r->last && end != r->length)
    return resumable_bad(ex, "The content is shorter than min-append-size of "
                             "'Upload-Limit'");
  return true;
}

/* ---- the stage ---------------------------------------------------------- */

static void created(struct exchange *ex) {
  struct resumable *r = resumable_of(ex);
  const char *stage = op_text(r->op, 0);
  if (stage == NULL || strlen(stage) > SLUICE_STAGE_ID_MAX) {
    reply_failure(ex, SLUICE_EUPSTREAM, "a new stage has no name");
    return;
  }
  memcpy(r->stage, stage, strlen(stage) + 1);
  r->length_new = false; /* it was saved with the stage */
  if (!resumable_seal(ex)) {
    reply_error(ex, 413, "too_large",
                "'Upload-Metadata' and 'Upload-Concat' are too long to be "
                "kept; shorten them");
    return;
  }
  if (r->interop != 0)
    resumable_interim(r, true, false);
  if (r->source != NULL)
    r->source->start(ex);
  else
    resumable_body_start(ex);
}

static void resumable_append(struct exchange *ex) {
  struct resumable *r = resumable_of(ex);
  if (r->complete) {
    r->dialect->repeat(ex);
  } else if ((uint64_t)r->at != r->saved) {
    r->dialect->describe(ex);
    reply_error(ex, 409, "offset_mismatch",
                "The upload goes on at the offset %llu",
                (unsigned long long)r->saved);
  } else if (resumable_check_lengths(ex, r->saved)) {
    if (r->length_new && !r->summed)
      resumable_save(r, RESUMABLE_BODY);
    else
      resumable_body_start(ex);
  }
}

static void resumable_look(struct exchange *ex) {
  struct resumable *r = resumable_of(ex);
  bool due = r->dialect->way == UPLOADID_TUS && !r->id.partial &&
             !r->complete && r->length >= 0 && (uint64_t)r->length == r->saved;
  if (due) /* who looks after it must find the object */
    resumable_show(ex, resumable_commit);
  else
    resumable_tell(ex);
}

static void opened(struct resumable *r, const struct sluice_staged *staged) {
  static void (*const acts[])(struct exchange *) = {
      [RESUMABLE_CREATE] = created,
      [RESUMABLE_APPEND] = resumable_append,
      [RESUMABLE_LOOK] = resumable_look};
  struct exchange *ex = r->ex;
  r->saved = r->sent = r->upload.size = staged->offset;
  if (!resumable_load(r, staged)) {
    reply_failure(ex, SLUICE_EIO, "the state of a stage isn't what was saved");
    return;
  }
  r->complete = staged->complete;
  acts[r->act](ex);
}

static void resumable_on_staged(void *arg,
                                const struct sluice_staged *staged) {
  struct resumable *r = arg;
  bool opening = r->state == RESUMABLE_OPENING;
  r->expires_s = staged->expires_s;
  r->state = RESUMABLE_WANTS;
  if (r->ex != NULL)
    exchange_unwatch(r->ex);
  if (!opening)
    r->saved = staged->offset;
  if (r->ex == NULL || !opening)
    resumable_on_saved(r);
  else
    opened(r, staged);
}

static void resumable_on_alive(void *arg) {
  struct resumable *r = arg;
  if (r->ex == NULL)
    return;
  if (r->ex->op != NULL)
    exchange_alive(r->ex);
  else if (r->state != RESUMABLE_WANTS && r->state != RESUMABLE_SHOWING &&
           r->state != RESUMABLE_COMMITTING)
    exchange_watch(r->ex);
}

static void resumable_on_told(struct exchange *ex) {
  struct resumable *r = resumable_of(ex);
  r->complete = true;
  r->saved = r->upload.size;
  r->upload.answer = r->act == RESUMABLE_LOOK ? NULL : r->dialect->stored;
  if (r->act == RESUMABLE_LOOK)
    resumable_tell(ex);
  else if (r->dialect->bodiless) /* nobody would see its link */
    r->dialect->stored(ex, NULL);
  else
    upload_answer(ex);
}

static void resumable_on_done(void *arg, enum sluice_status status,
                              const char *why) {
  struct resumable *r = arg;
  struct exchange *ex = r->ex;
  bool committing = ex != NULL && ex->op != NULL && ex->op == r->op;
  r->op = NULL;
  if (r->state == RESUMABLE_BORROWS) /* it went back with the end */
    r->state = RESUMABLE_WANTS;
  if (ex == NULL) {
    resumable_leave(r);
    return;
  }
  if (!committing) {
    resumable_failed(ex, status, why);
    return;
  }
  ex->op = NULL;
  if (status == SLUICE_OK)
    exchange_changed(ex, &r->upload.object, resumable_on_told);
  else if (status == SLUICE_EPRECOND)
    exchange_failed(ex, SLUICE_EEXIST, why);
  else
    exchange_failed(ex, status, why);
}

static const struct op_events events = {.staged = resumable_on_staged,
                                        .next = resumable_on_next,
                                        .alive = resumable_on_alive,
                                        .done = resumable_on_done};

/* ---- creation ----------------------------------------------------------- */

/* All of it comes with its creation, whose answer tells the address: so it is
 * an object by then, or saved. */
static bool is_unheard(const struct resumable *r) {
  return r->interop == 0 && r->source == NULL && !r->summed && r->length > 0 &&
         r->ex->head.length == r->length;
}

static void make_stage(struct exchange *ex) {
  struct resumable *r = resumable_of(ex);
  unsigned char state[RESUMABLE_STATE];
  struct sluice_save save = resumable_state(r, state);
  struct sluice_object object = {.key = r->upload.key,
                                 .type = r->upload.type,
                                 .user = upload_describe(&r->upload)};
  exchange_watch(ex);
  r->op =
      op_stage(r->backend,
               &(struct sluice_stage){
                   .save = &save,
                   .object = r->id.partial ? NULL : &object,
                   .length = r->length,
                   .owner = r->upload.uploader,
                   .owner_max = (uint64_t)ex->gate->settings->uploads.max_open,
                   .unheard = is_unheard(r)},
               &events, r);
}

static void resumable_on_key(struct exchange *ex) {
  if (op_can_stage(exchange_backend(ex)))
    make_stage(ex);
  else
    reply_failure(ex, SLUICE_ENOTSUP, "its backend has no stages");
}

void resumable_create(struct exchange *ex) {
  struct resumable *r = resumable_of(ex);
  struct upload *upload = &r->upload;
  if (!resumable_check_lengths(ex, 0))
    return;
  if (r->id.partial) {
    resumable_on_key(ex);
    return;
  }
  upload->length = r->length;
  if (upload_make_key(ex))
    upload_hooks_ask(ex, ex->asked, upload_make_key, resumable_on_key);
}

/* ---- a resource --------------------------------------------------------- */

void resumable_open(struct exchange *ex) {
  struct resumable *r = resumable_of(ex);
  exchange_watch(ex);
  r->op =
      op_stage(r->backend, &(struct sluice_stage){.id = r->stage}, &events, r);
}

static void resumable_on_removed(void *arg, enum sluice_status status,
                                 const char *why) {
  struct exchange *ex = arg;
  ex->op = NULL;
  if (status != SLUICE_OK)
    resumable_failed(ex, status, why);
  else
    reply_empty(ex, 204);
}

void resumable_delete(struct exchange *ex) {
  static const struct op_events removed = {.alive = exchange_alive,
                                           .done = resumable_on_removed};
  const struct resumable *r = resumable_of(ex);
  exchange_watch(ex);
  ex->op = op_stage_remove(r->backend, r->stage, &removed, ex);
}

/* ---- what it is --------------------------------------------------------- */

static void tell_state(struct exchange *ex, json_t *object) {
  struct resumable *r = resumable_of(ex);
  char until[DATE_ISO_SIZE];
  date_iso(until, r->expires_s);
  json_t *length =
      r->length < 0 ? json_null() : json_integer((json_int_t)r->length);
  r->dialect->describe(ex);
  reply_json(ex, 200,
             json_pack("{s:I, s:o, s:b, s:s, s:o}", "offset",
                       (json_int_t)r->saved, "length", length, "complete",
                       r->complete ||
                           (r->id.partial && r->length == (int64_t)r->saved),
                       "expires_at", until, "object",
                       object == NULL ? json_null() : object));
}

void resumable_tell_object(struct exchange *ex) {
  struct resumable *r = resumable_of(ex);
  if (r->op != NULL) /* nothing more is asked of the stage */
    op_leave(r->op, NULL, NULL);
  r->op = NULL;
  resumable_read_sums(r);
  exchange_set_key(ex, r->upload.key);
  upload_answer(ex);
}

void resumable_tell(struct exchange *ex) {
  struct resumable *r = resumable_of(ex);
  if (!r->complete || strcmp(ex->head.method, "HEAD") == 0) {
    tell_state(ex, NULL);
    return;
  }
  r->upload.answer = tell_state;
  resumable_tell_object(ex);
}
