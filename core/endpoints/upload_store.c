/* SPDX-License-Identifier: MIT
 *
 * An upload's second half: chunks to the backend, and the commit under a key
 * that nobody has.
 */
#include "upload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "date.h"
#include "idempotency.h"
#include "must.h"
#include "reply.h"
#include "updigest.h"
#include "expirynote.h"
#include "upload_expiry.h"
#include "upload_hooks.h"
#include "upload_once.h"
#include "upload_reread.h"
#include "uploads.h"

#define CHUNK_MIN 1024
#define CHUNK_FIRST 8192
#define CHUNK_GROWTH 4
#define PIECE_SPARE 512 /* room that the parser's last piece may need */
#define WINDOW_FIRST 16384

/* Of one buffer: no more than the body can fill. */
static size_t chunk_room(const struct exchange *ex) {
  int64_t length = ex->head.chunked ? UPLOAD_CHUNK : ex->head.length;
  if (length > UPLOAD_CHUNK)
    return UPLOAD_CHUNK;
  return length < CHUNK_MIN ? CHUNK_MIN : (size_t)length;
}

/* A buffer begins small: a client that sends nothing further shall not have
 * the memory of one that sends much. */
static size_t first_room(const struct exchange *ex) {
  size_t most = chunk_room(ex);
  return most < CHUNK_FIRST ? most : CHUNK_FIRST;
}

bool upload_reserve(struct exchange *ex) {
  struct upload *upload = ex->work;
  upload->window = WINDOW_FIRST;
  ingress_body_window(ex->conn, WINDOW_FIRST);
  size_t form = upload->form == NULL ? 0 : FORMDATA_HEADERS_MAX;
  return exchange_charge(ex, sizeof(struct upload) + WINDOW_FIRST + form +
                                 2 * first_room(ex));
}

static void give_room(struct exchange *ex, struct upload_buffer *buffer) {
  if (buffer->data != NULL)
    return;
  buffer->room = first_room(ex) + PIECE_SPARE;
  buffer->data = malloc(buffer->room);
  must_have(buffer->data); /* charged */
}

size_t upload_room(const struct upload *upload) {
  const struct upload_buffer *buffer = &upload->buffers[upload->filling];
  size_t room = buffer->room - PIECE_SPARE;
  return buffer->len < room ? room - buffer->len : 0;
}

bool upload_grow(struct exchange *ex) {
  struct upload *upload = ex->work;
  struct upload_buffer *buffer = &upload->buffers[upload->filling];
  size_t room = buffer->room - PIECE_SPARE, most = chunk_room(ex);
  if (room >= most)
    return false;
  size_t more = room * CHUNK_GROWTH < most ? room * CHUNK_GROWTH : most;
  size_t window = more < INGRESS_WINDOW ? more : INGRESS_WINDOW;
  size_t wider = window > upload->window ? window - upload->window : 0;
  size_t cost = more - room + wider;
  if (!budget_take(ex->gate->memory, cost))
    return false; /* it goes on in smaller chunks */
  ex->cost += cost;
  upload->grown += cost;
  char *data = realloc(buffer->data, more + PIECE_SPARE);
  must_have(data); /* charged */
  buffer->data = data;
  buffer->room = more + PIECE_SPARE;
  if (wider > 0) {
    upload->window = window;
    ingress_body_window(ex->conn, window);
  }
  return true;
}

static void upload_left(void *work) {
  struct upload *upload = work;
  upload_hooks_leave(upload);
  presign_leave(&upload->link);
  idempotency_leave(upload->once);
  upload_reread_leave(upload->reread);
  upload->once = NULL;
  updigest_leave(upload->digest);
  linkcommit_leave(&upload->by_link);
  expirynote_leave(upload->note);
  upload->ex = NULL;
}

/* Not while a thread hashes for it. */
static void upload_free(void *work) {
  struct upload *upload = work;
  if (upload->hash == UPLOAD_HASHING) {
    upload->hash = UPLOAD_ORPHANED;
    return;
  }
  formdata_free(upload->form);
  updigest_free(upload->digest);
  buf_fini(&upload->prefix);
  precondition_fini(&upload->condition);
  for (size_t i = 0; i < 2; i++)
    free(upload->buffers[i].data);
  free(upload->intent);
  free(upload);
}

void upload_init(struct upload *upload, struct exchange *ex) {
  upload->ex = ex;
  md5_init(&upload->md5);
  buf_init(&upload->prefix, UPLOAD_TEXT_MAX);
  ex->work = upload;
}

struct upload *upload_new(struct exchange *ex,
                          void (*pump)(struct exchange *)) {
  struct upload *upload = calloc(1, sizeof *upload);
  must_have(upload); /* charged with the request */
  upload_init(upload, ex);
  upload->pump = pump;
  ex->work_free = upload_free;
  ex->work_left = upload_left;
  ex->on_body = pump;
  return upload;
}

/* ---- commit ------------------------------------------------------------- */

static void upload_store_on_seen(void *arg, const struct sluice_meta *meta) {
  upload_note_meta(((struct exchange *)arg)->work, meta);
}

static void upload_store_on_looked(void *arg, enum sluice_status status,
                                   const char *why) {
  struct exchange *ex = arg;
  (void)status, (void)why; /* an answer without an ETag beats an error */
  ex->op = NULL;
  upload_answer(ex);
}

/* A backend of version 1.0 doesn't tell the ETag of what it stored. */
static void upload_store_on_told(struct exchange *ex) {
  static const struct op_events events = {.meta = upload_store_on_seen,
                                          .alive = exchange_alive,
                                          .done = upload_store_on_looked};
  const struct upload *upload = ex->work;
  if (!upload->by_key || upload->etag[0] != '\0') {
    if (upload->once != NULL)
      upload_once_done(ex);
    else
      upload_answer(ex);
    return;
  }
  exchange_watch(ex);
  ex->op = op_head(exchange_backend(ex), ex->key, &events, ex);
}

void upload_note_meta(struct upload *upload, const struct sluice_meta *meta) {
  size_t len = meta->etag == NULL ? 0 : strlen(meta->etag);
  if (len <= UPLOAD_ETAG_MAX)
    snprintf(upload->etag, sizeof upload->etag, "%s",
             len == 0 ? "" : meta->etag);
  if (meta->before != SLUICE_BEFORE_UNKNOWN)
    upload->was_there =
        meta->before == SLUICE_BEFORE_THERE && !upload->was_over;
}

/* Those that a condition of the request may end in are one to its client. */
static enum sluice_status failure(const struct upload *upload,
                                  enum sluice_status status) {
  bool unmet = (upload->only_new && status == SLUICE_EEXIST) ||
               (upload->if_match[0] != '\0' && status == SLUICE_ENOENT);
  return unmet ? SLUICE_EPRECOND : status;
}

static void upload_store_is_taken(struct exchange *ex) {
  reply_error(ex, 409, "object_exists",
              "An object of that key exists, and this link replaces none");
}

static void tell_taken(struct exchange *ex) {
  exchange_failed_as(ex, SLUICE_EEXIST, NULL, upload_store_is_taken);
}

static void tell_failure(struct exchange *ex) {
  const struct upload *upload = ex->work;
  exchange_failed(ex, upload->failure, "the use of its link is given back");
}

/* The one word of a link that it creates; a request's own conditions are
 * told as ever. */
static bool is_refused_by_link(const struct exchange *ex,
                               enum sluice_status status) {
  const struct upload *upload = ex->work;
  return ex->link != NULL && upload->by_key && status == SLUICE_EEXIST &&
         !precondition_is_any(&upload->condition);
}

static void upload_store_on_done(void *arg, enum sluice_status status,
                                 const char *why) {
  struct exchange *ex = arg;
  struct upload *upload = ex->work;
  ex->op = NULL;
  ex->work_lent = false;
  upload->backend = UPLOAD_OVER;
  if (status == SLUICE_OK)
    idempotency_stored(upload->once);
  if (status == SLUICE_OK)
    exchange_changed(ex, &upload->object, upload_store_on_told);
  else if (status == SLUICE_EEXIST && upload_once_shares_key(ex))
    exchange_failed_as(ex, status, why, upload_once_look);
  else if (is_refused_by_link(ex, status))
    linkcommit_undo(&upload->by_link, ex, tell_taken);
  else if (upload->by_link.taken) {
    upload->failure = failure(upload, status);
    reply_log_failure(ex, upload->failure, why);
    linkcommit_undo(&upload->by_link, ex, tell_failure);
  } else
    exchange_failed(ex, failure(upload, status), why);
}

void upload_name_object(struct upload *upload, const char *key) {
  upload->object = (struct sluice_object){
      .key = key,
      .type = upload->type,
      .length = upload->size,
      .md5 = upload->md5_hex,
      .user = upload_describe(upload),
      .exclusive = !upload->by_key || upload->only_new,
      .if_match = upload->if_match[0] == '\0' ? NULL : upload->if_match};
}

static void store(struct exchange *ex) {
  struct upload *upload = ex->work;
  idempotency_commits(upload->once);
  upload_name_object(upload, ex->key);
  exchange_change(ex);
  op_commit(ex->op, &upload->object);
}

static void upload_store_on_noted(struct exchange *ex) {
  struct upload *upload = ex->work;
  if (upload->once != NULL)
    upload_once_fix(ex, store);
  else
    linkcommit_ask(&upload->by_link, ex, store);
}

static void upload_store_on_key(struct exchange *ex) {
  upload_expiry_set(ex, upload_store_on_noted);
}

bool upload_make_key(struct exchange *ex) {
  struct upload *upload = ex->work;
  const char *earlier = idempotency_earlier(
      upload->once, upload_hooks_said_prefix(upload), upload->filename);
  if (earlier != NULL)
    memcpy(upload->key, earlier, strlen(earlier) + 1);
  if (earlier != NULL ||
      key_make(upload->key, upload->key_prefix, date_now_ms() / 1000,
               uploads_random(ex->gate->uploads), upload->filename))
    return true;
  reply_error(ex, 400, "bad_prefix",
              "Bad 'prefix': the key would be longer than 1024 bytes");
  return false;
}

/* The backend has all of it, and may take long to store it. */
static void drop_room(struct exchange *ex) {
  struct upload *upload = ex->work;
  must(upload->backend == UPLOAD_TOOK && upload->hash == UPLOAD_HASHED);
  for (size_t i = 0; i < 2; i++) {
    free(upload->buffers[i].data);
    upload->buffers[i].data = NULL;
  }
  budget_give(ex->gate->memory, upload->grown);
  ex->cost -= upload->grown;
  upload->grown = 0;
}

/* A link has an operation of its own. */
void upload_check_key(struct exchange *ex, void (*then)(struct exchange *)) {
  enum operation operation = ex->asked;
  if (ex->link != NULL)
    operation = ex->link->replace ? OPERATION_REPLACE : OPERATION_UPLOAD;
  upload_hooks_ask(ex, operation, upload_make_key, then);
}

/* Of the ETag that it replaces, it would have that very one: so would each of
 * several that create it at once, and none of them would be refused.  That of
 * several parts isn't of the bytes alone. */
static bool is_as_ended(const struct upload *upload) {
  bool parts = strchr(upload->if_match, '-') != NULL;
  return upload->takes_over &&
         strcmp(upload->md5_hex,
                parts ? upload->over_md5 : upload->if_match) == 0;
}

static void upload_store_commit(struct exchange *ex) {
  struct upload *upload = ex->work;
  unsigned char md5[MD5_LEN];
  drop_room(ex);
  if (!updigest_check(ex, upload->digest))
    return;
  md5_final(&upload->md5, md5);
  codec_hex(upload->md5_hex, md5, sizeof md5);
  if (is_as_ended(upload)) {
    precondition_refuse(ex);
    return;
  }
  if (idempotency_replays(upload->once))
    upload_once_replay(ex);
  else if (upload->key[0] != '\0' || upload_make_key(ex))
    upload_check_key(ex, upload_store_on_key);
}

/* ---- chunks ------------------------------------------------------------- */

static void upload_store_go_on(struct exchange *ex) {
  const struct upload *upload = ex->work;
  if (upload->backend == UPLOAD_OVER)
    return;
  if (upload->body == UPLOAD_WHOLE)
    upload_push(ex);
  else
    upload->pump(ex);
}

static void upload_store_on_hashed(void *arg) {
  struct upload *upload = arg;
  bool orphaned = upload->hash == UPLOAD_ORPHANED;
  upload->hash = UPLOAD_HASHED;
  if (orphaned)
    upload_free(upload);
  else if (upload->ex != NULL) {
    exchange_hashed(upload->ex);
    upload_store_go_on(upload->ex);
  }
}

static struct sums *file_sums(struct upload *upload) {
  struct updigest *digest = upload->digest;
  return digest != NULL && sums_is_any(&digest->file) ? &digest->file : NULL;
}

/* Until it is done, `filling` stays. */
static void upload_store_hash(struct exchange *ex,
                              const struct upload_buffer *full) {
  struct upload *upload = ex->work;
  upload->job =
      (struct uploads_job){.piece = {&upload->md5, full->data, full->len},
                           .sums = {file_sums(upload)},
                           .then = upload_store_on_hashed,
                           .arg = upload};
  if (!uploads_hash(ex->gate->uploads, ex->gate->loop, &upload->job))
    upload->hash = UPLOAD_HASHING;
}

/* A chunk of what was stored before is hashed, and nothing else. */
static void pass_by(struct exchange *ex, const struct upload_buffer *full) {
  struct upload *upload = ex->work;
  bool last = upload->backend == UPLOAD_BORROWS_END;
  upload->backend = last ? UPLOAD_TOOK : UPLOAD_WANTS;
  upload_store_hash(ex, full);
  if (last)
    upload_push(ex);
}

static void upload_store_lend(struct exchange *ex) {
  struct upload *upload = ex->work;
  struct upload_buffer *full = &upload->buffers[upload->filling];
  bool last = upload->body == UPLOAD_WHOLE;
  upload->backend = last ? UPLOAD_BORROWS_END : UPLOAD_BORROWS;
  upload->filling = 1 - upload->filling;
  if (!last)
    give_room(ex, &upload->buffers[upload->filling]);
  upload->buffers[upload->filling].len = 0;
  upload->lent = true;
  if (idempotency_replays(upload->once)) {
    pass_by(ex, full);
    return;
  }
  upload_store_hash(ex, full);
  exchange_watch(ex);
  op_data(ex->op, &(struct sluice_chunk){.data = full->data,
                                         .length = full->len,
                                         .fd = -1,
                                         .last = last});
}

void upload_push(struct exchange *ex) {
  const struct upload *upload = ex->work;
  if (upload->hash == UPLOAD_HASHING) {
    exchange_hashes(ex);
    return;
  }
  if (upload->backend == UPLOAD_TOOK && upload_reread_due(ex))
    upload_reread(ex);
  else if (upload->backend == UPLOAD_TOOK)
    upload_store_commit(ex);
  else if (upload->backend == UPLOAD_WANTS && upload_hooks_due(ex))
    upload_hooks_show(ex, upload_store_lend);
  else if (upload->backend == UPLOAD_WANTS)
    upload_store_lend(ex);
}

static void upload_store_on_next(void *arg) {
  struct exchange *ex = arg;
  struct upload *upload = ex->work;
  bool all = upload->backend == UPLOAD_BORROWS_END ||
             upload->backend == UPLOAD_REREADS;
  upload->backend = all ? UPLOAD_TOOK : UPLOAD_WANTS;
  exchange_unwatch(ex);
  upload_store_go_on(ex);
}

/* While the backend owes something; not while the client is waited
 * for. */
static void upload_store_on_alive(void *arg) {
  struct exchange *ex = arg;
  const struct upload *upload = ex->work;
  if (upload->backend != UPLOAD_WANTS && upload->backend != UPLOAD_SHOWS)
    exchange_watch(ex);
}

void upload_give_room(struct exchange *ex) {
  struct upload *upload = ex->work;
  give_room(ex, &upload->buffers[upload->filling]);
}

void upload_begin(struct exchange *ex) {
  struct upload *upload = ex->work;
  give_room(ex, &upload->buffers[upload->filling]);
  upload->buffers[upload->filling].len = 0;
  upload->size = 0;
}

void upload_ask(struct exchange *ex, const struct sluice_object *object) {
  static const struct op_events events = {.meta = upload_store_on_seen,
                                          .chunk = upload_reread_on_chunk,
                                          .next = upload_store_on_next,
                                          .alive = upload_store_on_alive,
                                          .done = upload_store_on_done};
  struct upload *upload = ex->work;
  int64_t most = object == NULL ? -1 : (int64_t)upload_max(ex);
  upload->backend = UPLOAD_ASKED;
  ex->work_lent = true;
  exchange_watch(ex);
  ex->op = op_put(
      exchange_backend(ex),
      &(struct sluice_put){.length = ex->head.chunked ? most : ex->head.length,
                           .object = object},
      &events, ex);
}
