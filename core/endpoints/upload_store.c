/* SPDX-License-Identifier: MIT
 *
 * An upload's second half: chunks to the backend, the commit under a key that
 * nobody has, the link, and the answer.
 */
#include "upload.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "date.h"
#include "ownurl.h"
#include "presign.h"
#include "reply.h"
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
  return exchange_charge(ex, sizeof(struct upload) + WINDOW_FIRST +
                                 FORMDATA_HEADERS_MAX + 2 * first_room(ex));
}

static void give_room(struct exchange *ex, struct upload_buffer *buffer) {
  if (buffer->data != NULL)
    return;
  buffer->room = first_room(ex) + PIECE_SPARE;
  buffer->data = malloc(buffer->room);
  assert(buffer->data != NULL); /* charged */
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
  assert(data != NULL); /* charged */
  buffer->data = data;
  buffer->room = more + PIECE_SPARE;
  if (wider > 0) {
    upload->window = window;
    ingress_body_window(ex->conn, window);
  }
  return true;
}

void upload_free(void *work) {
  struct upload *upload = work;
  upload->orphaned = true;
  if (upload->hashing)
    return;
  formdata_free(upload->form);
  buf_fini(&upload->prefix);
  for (size_t i = 0; i < 2; i++)
    free(upload->buffers[i].data);
  free(upload);
}

/* ---- answer ------------------------------------------------------------- */

static void add_key(struct exchange *ex, struct buf *out) {
  buf_adds(out, "?key=");
  codec_percent(out, ex->key, strlen(ex->key), CODEC_PATH);
}

/* A backend without links is downloaded from through the gateway. */
static char *own_url(struct exchange *ex) {
  struct buf url;
  buf_init(&url, 8192);
  if (ex->route->download_path != NULL) {
    ownurl_add(ex, &url, ex->route->download_path);
    add_key(ex, &url);
  }
  char *text = buf_take(&url);
  buf_fini(&url);
  return text;
}

static void answer(struct exchange *ex, const char *url, uint32_t seconds) {
  const struct upload *upload = ex->work;
  if (ex->route->download_path != NULL) {
    struct buf location;
    buf_init(&location, 8192);
    ownurl_location(ex, &location, ex->route->download_path);
    add_key(ex, &location);
    reply_header(ex, "Location", location.data);
    buf_fini(&location);
  }
  reply_json(ex, 201,
             json_pack("{s:s, s:s, s:I, s:s, s:s, s:s?, s:I}", "key", ex->key,
                       "filename", upload->filename, "size_bytes",
                       (json_int_t)upload->size, "content_type", upload->type,
                       "md5", upload->md5_hex, "download_url", url,
                       "expires_in", (json_int_t)seconds));
}

static uint32_t default_seconds(const struct exchange *ex) {
  return (uint32_t)(ex->gate->settings->presign.default_ms / 1000);
}

/* The object is stored: an answer without a link beats an error that would
 * have the client upload it again. */
static void on_link(void *arg, enum sluice_status status, const char *why) {
  struct exchange *ex = arg;
  const char *url = status == SLUICE_OK ? op_text(ex->op, 0) : NULL;
  char *own = url == NULL ? own_url(ex) : NULL;
  char *copy = url == NULL ? NULL : strdup(url);
  uint32_t seconds = presign_seconds(ex->op, default_seconds(ex));
  (void)why;
  ex->op = NULL;
  answer(ex, copy != NULL ? copy : own, seconds);
  free(copy);
  free(own);
}

/* ---- commit ------------------------------------------------------------- */

static void on_told(struct exchange *ex) {
  static const struct op_events events = {.alive = exchange_alive,
                                          .done = on_link};
  const struct upload *upload = ex->work;
  presign_link(ex, ex->key, upload->filename, default_seconds(ex), &events);
}

static void on_done(void *arg, enum sluice_status status, const char *why) {
  struct exchange *ex = arg;
  const struct upload *upload = ex->work;
  ex->op = NULL;
  ex->work_lent = false;
  if (status == SLUICE_OK)
    exchange_changed(ex, &upload->object, on_told);
  else
    exchange_failed(ex, status, why);
}

static void on_key(struct exchange *ex) {
  struct upload *upload = ex->work;
  upload->user[0] =
      (struct sluice_pair){"original-filename", upload->filename};
  upload->user[1] = (struct sluice_pair){"md5", upload->md5_hex};
  upload->user[2] = (struct sluice_pair){"uploaded-by", upload->uploader};
  upload->object = (struct sluice_object){.key = ex->key,
                                          .type = upload->type,
                                          .length = upload->size,
                                          .md5 = upload->md5_hex,
                                          .user = upload->user,
                                          .exclusive = true};
  exchange_change(ex);
  op_commit(ex->op, &upload->object);
}

/* The backend has all of it, and may take long to store it. */
static void drop_room(struct exchange *ex) {
  struct upload *upload = ex->work;
  assert(!upload->lent && !upload->hashing);
  for (size_t i = 0; i < 2; i++) {
    free(upload->buffers[i].data);
    upload->buffers[i].data = NULL;
  }
  budget_give(ex->gate->memory, upload->grown);
  ex->cost -= upload->grown;
  upload->grown = 0;
}

static void commit(struct exchange *ex) {
  struct upload *upload = ex->work;
  unsigned char md5[MD5_LEN];
  drop_room(ex);
  md5_final(&upload->md5, md5);
  codec_hex(upload->md5_hex, md5, sizeof md5);
  if (key_make(upload->key, upload->key_prefix, date_now_ms() / 1000,
               uploads_random(ex->gate->uploads), upload->filename))
    exchange_check_key(ex, upload->key, on_key);
  else
    reply_error(ex, 400, "bad_prefix",
                "Bad 'prefix': the key would be longer than 1024 bytes");
}

/* ---- chunks ------------------------------------------------------------- */

static void go_on(struct exchange *ex) {
  const struct upload *upload = ex->work;
  if (upload->complete)
    upload_push(ex);
  else
    upload->pump(ex);
}

static void on_hashed(void *arg) {
  struct upload *upload = arg;
  upload->hashing = false;
  if (upload->orphaned)
    upload_free(upload);
  else if (upload->ex != NULL)
    go_on(upload->ex);
}

/* Until it is done, `filling` stays. */
static void hash(struct exchange *ex, const struct upload_buffer *full) {
  struct upload *upload = ex->work;
  upload->job =
      (struct uploads_job){.piece = {&upload->md5, full->data, full->len},
                           .then = on_hashed,
                           .arg = upload};
  upload->hashing =
      !uploads_hash(ex->gate->uploads, ex->gate->loop, &upload->job);
}

static void lend(struct exchange *ex) {
  struct upload *upload = ex->work;
  struct upload_buffer *full = &upload->buffers[upload->filling];
  upload->wanted = false;
  upload->lent = true;
  upload->last_sent = upload->complete;
  upload->filling = 1 - upload->filling;
  if (!upload->complete)
    give_room(ex, &upload->buffers[upload->filling]);
  upload->buffers[upload->filling].len = 0;
  hash(ex, full);
  exchange_watch(ex);
  op_data(ex->op, &(struct sluice_chunk){.data = full->data,
                                         .length = full->len,
                                         .fd = -1,
                                         .last = upload->complete});
}

void upload_push(struct exchange *ex) {
  const struct upload *upload = ex->work;
  if (!upload->wanted || upload->hashing)
    return;
  if (upload->last_sent)
    commit(ex);
  else
    lend(ex);
}

static void on_next(void *arg) {
  struct exchange *ex = arg;
  struct upload *upload = ex->work;
  upload->lent = false;
  upload->wanted = true;
  exchange_unwatch(ex);
  go_on(ex);
}

/* While the backend owes something; not while the client is waited
 * for. */
static void on_alive(void *arg) {
  struct exchange *ex = arg;
  const struct upload *upload = ex->work;
  if (!upload->wanted || upload->last_sent)
    exchange_watch(ex);
}

void upload_begin(struct exchange *ex) {
  struct upload *upload = ex->work;
  give_room(ex, &upload->buffers[upload->filling]);
  upload->buffers[upload->filling].len = 0;
  upload->size = 0;
}

void upload_open(struct exchange *ex) {
  static const struct op_events events = {
      .next = on_next, .alive = on_alive, .done = on_done};
  ex->work_lent = true;
  exchange_watch(ex);
  ex->op = op_put(
      exchange_backend(ex),
      &(struct sluice_put){.length = ex->head.chunked ? -1 : ex->head.length},
      &events, ex);
}
