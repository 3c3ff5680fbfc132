/* SPDX-License-Identifier: MIT
 *
 * The content of a request, on its way into the stage: gathered in one of two
 * buffers while the backend has the other, and saved once a second, at its
 * end, and when its client leaves.
 */
#include "resumable.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "must.h"
#include "reply.h"

#define LEAVING_MAX 64 /* are saved for clients that left, on one loop */

static void set_tick(struct resumable *r, const struct timeval *after) {
  event_add(&r->tick, after);
}

static struct upload_buffer *filled(struct resumable *r) {
  return &r->upload.buffers[r->upload.filling];
}

/* ---- interim answers ---------------------------------------------------- */

void resumable_interim(struct resumable *r, bool location, bool offset) {
  struct exchange *ex = r->ex;
  struct buf head;
  if (ex->head.minor == 0)
    return;
  buf_init(&head, UPLOADID_MAX + 16384);
  buf_addf(&head,
           "HTTP/1.1 104 Upload Resumption Supported\r\n"
           "Upload-Draft-Interop-Version: %u\r\n",
           r->interop);
  if (location) {
    buf_adds(&head, "Location: ");
    resumable_add_location(ex, &head);
    buf_addf(&head, "\r\nUpload-Limit: max-size=%llu\r\n",
             (unsigned long long)ex->gate->settings->uploads.max_bytes);
  }
  if (offset)
    buf_addf(&head, "Upload-Offset: %llu\r\n", (unsigned long long)r->saved);
  buf_adds(&head, "\r\n");
  if (!head.overflown) {
    ingress_interim(ex->conn, head.data, head.len);
    r->told = r->told || location;
  }
  buf_fini(&head);
}

/* ---- the end of a request ----------------------------------------------- */

static void flooded(struct exchange *ex) {
  const struct resumable *r = resumable_of(ex);
  if (r->length >= 0)
    reply_error(ex, 400, "bad_request",
                "The content is longer than 'Upload-Length' says; the upload "
                "is ended");
  else
    upload_too_large(ex);
}

static void broken(struct exchange *ex) {
  reply_error(ex, 400, "bad_request", "%s", resumable_of(ex)->fault);
}

static void fell_short(struct exchange *ex) {
  reply_error(ex, 400, "bad_request",
              "The content isn't all that 'Upload-Length' says");
}

static void resumable_body_answer(struct exchange *ex) {
  resumable_of(ex)->dialect->go_on(ex);
}

static void body(struct exchange *ex);
static void show(struct exchange *ex);

static void resumable_body_go_on(struct resumable *r,
                                 enum resumable_wait wait) {
  static void (*const ways[])(struct exchange *) = {
      [RESUMABLE_BODY] = body,
      [RESUMABLE_ANSWER] = resumable_body_answer,
      [RESUMABLE_BROKEN] = broken,
      [RESUMABLE_SHORT] = fell_short,
      [RESUMABLE_SHOWN] = show};
  ways[wait](r->ex);
}

static void show(struct exchange *ex) {
  resumable_show(ex, resumable_commit);
}

/* Hooks are shown what is durable. */
static void resumable_body_commit(struct exchange *ex) {
  struct resumable *r = resumable_of(ex);
  if (r->sent > r->saved && request_wants_body(&ex->request))
    resumable_save(r, RESUMABLE_SHOWN);
  else
    show(ex);
}

/* A content that counts whole or not at all isn't saved before its end, and
 * neither is a length that came with it. */
static void save_and(struct resumable *r, enum resumable_wait wait,
                     bool counts) {
  if (counts && (r->sent > r->saved || r->length_new))
    resumable_save(r, wait);
  else
    resumable_body_go_on(r, wait);
}

static void resumable_body_finish(struct resumable *r) {
  struct exchange *ex = r->ex;
  if (ex == NULL) {
    if (r->sent > r->saved)
      resumable_save(r, RESUMABLE_ANSWER);
    else
      resumable_leave(r);
  } else if (r->body == RESUMABLE_BODY_BROKEN && r->fault == NULL) {
    resumable_kill(ex, flooded);
  } else if (r->body == RESUMABLE_BODY_BROKEN) {
    save_and(r, RESUMABLE_BROKEN, !r->summed);
  } else if (!resumable_check_content(ex)) {
    return;
  } else if (r->dialect->ends(r)) {
    resumable_body_commit(ex);
  } else {
    save_and(r, r->last ? RESUMABLE_SHORT : RESUMABLE_ANSWER, true);
  }
}

/* ---- the backend -------------------------------------------------------- */

void resumable_save(struct resumable *r, enum resumable_wait wait) {
  unsigned char state[RESUMABLE_STATE];
  struct sluice_save save = resumable_state(r, state);
  r->wait = wait;
  r->state = RESUMABLE_SAVING;
  r->due = false;
  r->length_new = false;
  if (r->ex != NULL)
    exchange_watch(r->ex);
  op_save(r->op, &save);
}

void resumable_on_saved(struct resumable *r) {
  if (r->ex == NULL) {
    resumable_leave(r);
    return;
  }
  if (r->interop != 0 && r->wait == RESUMABLE_BODY &&
      r->saved > (uint64_t)r->at)
    resumable_interim(r, false, true);
  resumable_body_go_on(r, r->wait);
}

static void resumable_body_on_hashed(void *arg) {
  struct resumable *r = arg;
  r->upload.hash = UPLOAD_HASHED;
  if (r->ex == NULL)
    resumable_leave(r);
  else {
    exchange_hashed(r->ex);
    body(r->ex);
  }
}

/* An upload that is put together of others has no content. */
static void add_sums(struct resumable *r, struct uploads_job *job) {
  struct updigest *digest = r->upload.digest;
  size_t n = 0;
  if (digest != NULL && sums_is_any(&digest->file))
    job->sums[n++] = &digest->file;
  if (r->source == NULL && sums_is_any(&r->content_sums))
    job->sums[n++] = &r->content_sums;
}

static void resumable_body_lend(struct resumable *r) {
  struct upload *upload = &r->upload;
  struct upload_buffer *full = filled(r);
  r->state = RESUMABLE_BORROWS;
  upload->filling = 1 - upload->filling;
  r->sent += full->len;
  if (r->ex != NULL) {
    upload_give_room(r->ex);
    exchange_watch(r->ex);
  }
  filled(r)->len = 0;
  upload->job =
      (struct uploads_job){.piece = {&upload->md5, full->data, full->len},
                           .also = r->checked ? &r->sum : NULL,
                           .then = resumable_body_on_hashed,
                           .arg = r};
  add_sums(r, &upload->job);
  upload->hash = UPLOAD_HASHING;
  if (uploads_hash(r->gate->uploads, r->gate->loop, &upload->job))
    upload->hash = UPLOAD_HASHED;
  op_data(r->op, &(struct sluice_chunk){
                     .data = full->data, .length = full->len, .fd = -1});
}

void resumable_push(struct resumable *r) {
  const struct upload *upload = &r->upload;
  bool over = r->body != RESUMABLE_BODY_COMES;
  bool drowned =
      r->body == RESUMABLE_BODY_BROKEN && r->fault == NULL && r->ex != NULL;
  bool any = filled(r)->len > 0 && !drowned;
  if (r->state == RESUMABLE_WANTS && upload->hash == UPLOAD_HASHING &&
      r->ex != NULL && (over || upload_room(upload) == 0))
    exchange_hashes(r->ex);
  if (r->state != RESUMABLE_WANTS || upload->hash == UPLOAD_HASHING ||
      r->op == NULL)
    return;
  if (r->due && r->sent > r->saved && !r->summed && !over)
    resumable_save(r, RESUMABLE_BODY);
  else if (any && (over || r->due || r->flush || upload_room(upload) == 0))
    resumable_body_lend(r);
  else if (over)
    resumable_body_finish(r);
}

void resumable_on_next(void *arg) {
  struct resumable *r = arg;
  r->state = RESUMABLE_WANTS;
  if (r->ex == NULL) {
    resumable_leave(r);
    return;
  }
  exchange_unwatch(r->ex);
  body(r->ex);
}

/* ---- the client --------------------------------------------------------- */

static void resumable_body_take(struct exchange *ex, const char *data,
                                size_t len) {
  struct resumable *r = resumable_of(ex);
  struct upload_buffer *buffer = filled(r);
  size_t room = upload_room(&r->upload);
  uint64_t most = r->length >= 0 ? (uint64_t)r->length
                                 : ex->gate->settings->uploads.max_bytes;
  if (len > room)
    len = room;
  if (len > most - r->upload.size) {
    /* Without a fault that it could go on after. */
    r->body = RESUMABLE_BODY_BROKEN;
    return;
  }
  memcpy(buffer->data + buffer->len, data, len);
  buffer->len += len;
  r->upload.size += len;
  ex->bytes_in += len;
  ingress_body_take(ex->conn, len);
}

/* False: the backend's next() goes on. */
static bool resumable_body_make_room(struct exchange *ex) {
  struct resumable *r = resumable_of(ex);
  if (upload_room(&r->upload) > 0 || upload_grow(ex))
    return true;
  resumable_push(r);
  return ex->work == r && r->state != RESUMABLE_SAVING &&
         upload_room(&r->upload) > 0;
}

static void stop(struct resumable *r, const char *fault) {
  r->fault = fault;
  r->body = fault == NULL ? RESUMABLE_BODY_ENDED : RESUMABLE_BODY_BROKEN;
}

static void resumable_body_pump(struct exchange *ex) {
  struct resumable *r = resumable_of(ex);
  const char *data;
  size_t len;
  bool waits = false;
  while (r->body == RESUMABLE_BODY_COMES && !waits) {
    if (!resumable_body_make_room(ex))
      return;
    switch (ingress_body_next(ex->conn, &data, &len)) {
    case INGRESS_DATA:
      resumable_body_take(ex, data, len);
      break;
    case INGRESS_WAIT:
      waits = true;
      break;
    case INGRESS_END:
      stop(r, NULL);
      break;
    case INGRESS_CUT:
      stop(r, "The body ends early");
      break;
    case INGRESS_BAD:
      stop(r, "The body's chunks are malformed");
      break;
    }
  }
  if (r->body != RESUMABLE_BODY_COMES)
    ex->on_body = NULL;
  resumable_push(r);
}

static void on_tick(evutil_socket_t fd, short what, void *arg) {
  static const struct timeval second = {.tv_sec = 1};
  struct resumable *r = arg;
  (void)fd, (void)what;
  if (r->ex == NULL) { /* the backend doesn't save what was left */
    r->summed = true;
    resumable_leave(r);
    return;
  }
  r->due = true;
  set_tick(r, &second);
  resumable_push(r);
}

/* The first time it asks for the body. */
static void body(struct exchange *ex) {
  struct resumable *r = resumable_of(ex);
  if (r->source != NULL)
    r->source->go_on(ex);
  else if (!event_initialized(&r->tick))
    resumable_body_start(ex);
  else
    resumable_body_pump(ex);
}

void resumable_body_start(struct exchange *ex) {
  static const struct timeval second = {.tv_sec = 1};
  struct resumable *r = resumable_of(ex);
  if (r->checked && !checksum_init(&r->sum, r->checksum.kind)) {
    reply_failure(ex, SLUICE_ENOMEM, NULL);
    return;
  }
  if (!upload_reserve(ex))
    return;
  upload_give_room(ex);
  event_assign(&r->tick, loop_base(r->gate->loop), -1, 0, on_tick, r);
  set_tick(r, &second);
  ex->on_body = resumable_body_pump;
  ingress_body_start(ex->conn);
  resumable_body_pump(ex);
}

/* ---- gone --------------------------------------------------------------- */

static void resumable_end(struct resumable *r) {
  static const struct op_events none = {.done = NULL};
  struct gate *gate = r->gate;
  if (!r->told && r->stage[0] != '\0') /* nobody can go on with it */
    op_stage_remove(r->backend, r->stage, &none, NULL);
  if (r->leaving)
    r->gate->leaving--;
  if (event_initialized(&r->tick))
    event_del(&r->tick);
  if (r->source != NULL)
    r->source->free(r->from);
  checksum_fini(&r->sum);
  updigest_free(r->upload.digest);
  uploadid_fini(&r->id);
  buf_fini(&r->metadata);
  buf_fini(&r->concat);
  buf_fini(&r->upload.prefix);
  free(r->address);
  free(r->upload.intent);
  for (size_t i = 0; i < 2; i++)
    free(r->upload.buffers[i].data);
  free(r);
  gate_release(gate);
}

static void on_released(void *arg) {
  struct resumable *r = arg;
  r->state = RESUMABLE_WANTS;
  resumable_leave(r);
}

/* Is there something that its client may count on, once it is saved? */
static bool is_worth(struct resumable *r) {
  return r->op != NULL && r->told && !r->summed && !r->complete &&
         event_initialized(&r->tick) &&
         (r->sent > r->saved || filled(r)->len > 0 ||
          r->state == RESUMABLE_SAVING) &&
         (r->leaving || r->gate->leaving < LEAVING_MAX);
}

void resumable_leave(struct resumable *r) {
  if (r->state == RESUMABLE_SHOWING || r->state == RESUMABLE_COMMITTING)
    r->state = RESUMABLE_WANTS;
  if (is_worth(r)) {
    if (!r->leaving) {
      r->leaving = true;
      r->gate->leaving++;
      r->body = RESUMABLE_BODY_BROKEN;
      set_tick(r, r->gate->backend_timeout);
    }
    resumable_push(r);
    return;
  }
  bool lent = r->state == RESUMABLE_BORROWS;
  struct sluice_op *op = r->op;
  r->op = NULL;
  if (op != NULL)
    op_leave(op, lent ? on_released : NULL, r);
  if (!lent && r->upload.hash != UPLOAD_HASHING)
    resumable_end(r);
}
