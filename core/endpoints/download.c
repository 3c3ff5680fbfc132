/* SPDX-License-Identifier: MIT
 *
 * GET /files/download, and the same by a link: the conditions and the
 * range are decided here, on what the backend says of the object, so that
 * they are the same for every backend.
 */
#include <event2/buffer.h>
#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "answer.h"
#include "date.h"
#include "endpoints.h"
#include "expirynote.h"
#include "filetype.h"
#include "key.h"
#include "linkcheck.h"
#include "linkuses.h"
#include "mime.h"
#include "must.h"
#include "objectkey.h"
#include "presign.h"
#include "query.h"
#include "range.h"
#include "reply.h"
#include "send.h"
#include "updigest.h"

#define COST_DOWNLOAD (128 * 1024) /* a chunk in memory, or TLS's */
#define CONDITION_MAX 32768        /* bytes of one on several lines */
#define SMALL 65536 /* so much goes in one piece with the head */

struct download {
  struct send *send; /* NULL until the body is streamed */
  struct range range;
  uint64_t left; /* of the range, to come from the backend */
  int status;    /* 200 or 206 */
  bool is_inline;
  bool decided;        /* there is a body to come */
  struct exchange *ex; /* of one by a link, whose uses are counted */
  struct linkuses_waiter use;
  bool taken; /* a use, for which nothing was sent yet */
  char *md5;  /* of the object, all of which is sent, or NULL */
};

/* A use is given back where the storage failed before the first byte. */
static void download_left(void *work) {
  struct download *download = work;
  struct exchange *ex = download->ex;
  if (ex == NULL)
    return;
  linkuses_leave(ex->gate->linkuses, &download->use);
  if (download->taken && ex->status != EXCHANGE_CLIENT_GONE)
    linkuses_give(ex->gate->linkuses, ex->request.backend, ex->link,
                  download->use.last);
}

static void download_free(void *work) {
  struct download *download = work;
  send_free(download->send);
  free(download->md5);
  free(download);
}

/* ---- the head ----------------------------------------------------------- */

static void say_disposition(struct exchange *ex,
                            const struct download *download,
                            const struct sluice_meta *meta) {
  struct buf value;
  char last[KEY_MAX + 1];
  const char *filename = presign_filename(meta);
  if (ex->link != NULL && ex->link->filename != NULL)
    filename = ex->link->filename;
  key_name(last, ex->key);
  buf_init(&value, 8 * KEY_MAX);
  mime_disposition(&value, download->is_inline,
                   filename != NULL ? filename : last);
  if (!value.overflown)
    reply_header(ex, "Content-Disposition", value.data);
  buf_fini(&value);
}

static void say_validators(struct exchange *ex,
                           const struct sluice_meta *meta) {
  char date[DATE_HTTP_SIZE], etag[256];
  date_http(date, meta->mtime_ms / 1000);
  reply_header(ex, "Last-Modified", date);
  if (meta->etag != NULL &&
      snprintf(etag, sizeof etag, "\"%s\"", meta->etag) < (int)sizeof etag)
    reply_header(ex, "ETag", etag);
}

/* A link may be taken back at any time, so it is asked again each time. */
static void say_link_caching(struct exchange *ex) {
  reply_header(ex, "Cache-Control",
               ex->link->uses > 0 ? "no-store" : "private, no-cache");
}

/* The object's own goes before the configuration's. */
static void say_caching(struct exchange *ex, const struct sluice_meta *meta) {
  const char *ours = ex->gate->settings->downloads.cache_control;
  if (ex->link != NULL) {
    say_link_caching(ex);
    return;
  }
  if (ex->request.debug) { /* Server-Timing is for this one */
    reply_header(ex, "Cache-Control", "private, no-cache");
    return;
  }
  if (op_expires(meta) > 0) { /* it may not outlive itself in a cache */
    reply_header(ex, "Cache-Control",
                 strstr(ours, "no-store") != NULL ? "no-store"
                                                  : "private, no-cache");
    return;
  }
  if (meta->cache_control != NULL)
    reply_header(ex, "Cache-Control", meta->cache_control);
  if (meta->expires != NULL)
    reply_header(ex, "Expires", meta->expires);
  if (meta->cache_control == NULL && meta->expires == NULL && *ours != '\0')
    reply_header(ex, "Cache-Control", ours);
}

static void say_object(struct exchange *ex, const struct download *download,
                       const struct sluice_meta *meta) {
  const char *type = meta->type;
  if (type == NULL || type[0] == '\0')
    type = FILETYPE_UNKNOWN;
  say_validators(ex, meta);
  expirynote_say(ex, op_expires(meta));
  say_disposition(ex, download, meta);
  reply_header(ex, "Content-Type", type);
  if (meta->encoding != NULL && strcasecmp(meta->encoding, "identity") != 0)
    reply_header(ex, "Content-Encoding", meta->encoding);
  if (meta->language != NULL)
    reply_header(ex, "Content-Language", meta->language);
  say_caching(ex, meta);
  reply_header(ex, "Accept-Ranges", "bytes");
  updigest_say(ex, updigest_kept(meta->user));
  if (filetype_active(type))
    reply_header(ex, "Content-Security-Policy", "sandbox");
}

static void say_range(struct exchange *ex, const struct range *range,
                      uint64_t length) {
  char text[96];
  snprintf(text, sizeof text, "bytes %llu-%llu/%llu",
           (unsigned long long)range->first,
           (unsigned long long)(range->first + range->count - 1),
           (unsigned long long)length);
  reply_header(ex, "Content-Range", text);
}

static void refuse_range(struct exchange *ex, uint64_t length) {
  char text[48];
  snprintf(text, sizeof text, "bytes */%llu", (unsigned long long)length);
  reply_header(ex, "Content-Range", text);
  reply_error(ex, 416, "range_not_satisfiable",
              "The range lies behind the object's end");
}

/* True when the preconditions let the object be sent; else it is answered. */
static bool pass_conditions(struct exchange *ex,
                            const struct range_conditions *conditions,
                            const struct sluice_meta *meta) {
  switch (range_conditions(conditions, meta->etag, meta->mtime_ms / 1000,
                           date_now_ms() / 1000)) {
  case RANGE_GO:
    return true;
  case RANGE_NOT_MODIFIED:
    say_validators(ex, meta);
    say_caching(ex, meta);
    reply_empty(ex, 304);
    return false;
  case RANGE_FAILED:
    break;
  }
  reply_error(ex, 412, "precondition_failed", "A precondition isn't met");
  return false;
}

static bool decide_range(struct exchange *ex,
                         const struct range_conditions *conditions,
                         const struct sluice_meta *meta) {
  struct download *download = ex->work;
  const char *wanted = strcmp(ex->head.method, "GET") == 0 &&
                               range_if_range(conditions, meta->etag)
                           ? head_get(&ex->head, "Range")
                           : NULL;
  download->status = 200;
  download->range = (struct range){.first = 0, .count = meta->length};
  switch (range_parse(wanted, meta->length, &download->range)) {
  case RANGE_WHOLE:
    return true;
  case RANGE_PART:
    download->status = 206;
    say_range(ex, &download->range, meta->length);
    return true;
  case RANGE_BEYOND:
    break;
  }
  refuse_range(ex, meta->length);
  return false;
}

/* Decides what is sent; false when it is answered already.  One that is no
 * list and stands on several lines is malformed when they are joined. */
static bool decide(struct exchange *ex, const struct sluice_meta *meta) {
  static const char *const names[] = {"If-Match", "If-None-Match",
                                      "If-Modified-Since",
                                      "If-Unmodified-Since", "If-Range"};
  struct buf lines[5];
  const char *values[5];
  for (size_t i = 0; i < 5; i++) {
    buf_init(&lines[i], CONDITION_MAX);
    values[i] = head_list(&ex->head, names[i], &lines[i]);
  }
  const struct range_conditions conditions = {.if_match = values[0],
                                              .if_none_match = values[1],
                                              .if_modified_since = values[2],
                                              .if_unmodified_since = values[3],
                                              .if_range = values[4]};
  bool go = pass_conditions(ex, &conditions, meta) &&
            decide_range(ex, &conditions, meta);
  for (size_t i = 0; i < 5; i++)
    buf_fini(&lines[i]);
  if (go)
    say_object(ex, ex->work, meta);
  return go;
}

/* ---- the body ----------------------------------------------------------- */

static void on_sent(struct exchange *ex) {
  struct download *download = ex->work;
  struct sluice_op *op = ex->op;
  if (download->left > 0) {
    exchange_watch(ex);
    op_more(op);
    return;
  }
  /* The answer's end may free the exchange, and the backend may be told first,
   * as nothing refers to its memory any more. */
  op_more(op);
  answer_end(ex->conn);
}

/* All of it is here and small: one piece with the head, copied. */
static void send_small(struct exchange *ex, const struct sluice_chunk *chunk) {
  struct download *download = ex->work;
  struct evbuffer *body = evbuffer_new();
  must_have(body);
  evbuffer_add(body, chunk->data, chunk->length);
  download->taken = false;
  int status = download->status;
  op_more(ex->op);
  reply_body(ex, status, body);
  evbuffer_free(body);
}

static void download_on_chunk(void *arg, const struct sluice_chunk *chunk) {
  struct exchange *ex = arg;
  struct download *download = ex->work;
  exchange_unwatch(ex);
  bool fits = chunk->length <= download->left && chunk->length > 0 &&
              chunk->last == (chunk->length == download->left);
  if (!fits) {
    op_violation(exchange_backend(ex), "sluice_send",
                 "with another length than was asked for");
    if (download->send != NULL)
      reply_break_off(ex, SLUICE_EUPSTREAM,
                      "the backend sent another length than it said");
    else
      reply_failure(ex, SLUICE_EUPSTREAM,
                    "the backend sent another length than it said");
    return;
  }
  download->left -= chunk->length;
  if (download->send == NULL && chunk->last && chunk->fd < 0 &&
      chunk->length <= SMALL) {
    send_small(ex, chunk);
    return;
  }
  if (download->send == NULL) {
    download->taken = false;
    download->send = send_new(ex);
    if (download->md5 != NULL)
      send_verify(download->send, download->md5, download->range.count);
    reply_start(ex, download->status, download->range.count);
  }
  send_chunk(download->send, chunk, on_sent);
}

static void read_body(struct exchange *ex) {
  struct download *download = ex->work;
  if (download->left == 0) {
    download->taken = false;
    reply_length(ex, 0);
    reply_empty(ex, download->status);
    return;
  }
  exchange_watch(ex);
  op_read(ex->op, download->range.first, download->range.count);
}

static void on_taken(void *arg, enum sluice_status status, const char *why,
                     const struct linkcount *count) {
  struct exchange *ex = arg;
  (void)count;
  exchange_unwatch(ex);
  if (status == SLUICE_OK) {
    ((struct download *)ex->work)->taken = true;
    read_body(ex);
  } else {
    linkcheck_refuse_count(ex, status, why);
  }
}

static void take_use(struct exchange *ex) {
  struct download *download = ex->work;
  download->use.told = on_taken;
  linkuses_ask(ex->gate->linkuses, ex->request.backend, ex->link,
               LINKUSES_TAKE, &download->use);
}

/* One that goes on counts only where the last one was long ago. */
static void download_on_looked(void *arg, enum sluice_status status,
                               const char *why,
                               const struct linkcount *count) {
  struct exchange *ex = arg;
  if (status != SLUICE_OK)
    linkcheck_refuse_count(ex, status, why);
  else if (date_now_ms() - count->last_ms < LINKUSES_RESUME_MS)
    read_body(ex);
  else
    take_use(ex);
}

/* A use is counted before the first byte is sent. */
static void count_use(struct exchange *ex) {
  struct download *download = ex->work;
  exchange_watch(ex);
  download->ex = ex;
  download->use =
      (struct linkuses_waiter){.told = download_on_looked, .arg = ex};
  if (download->range.first == 0)
    take_use(ex);
  else
    linkuses_ask(ex->gate->linkuses, ex->request.backend, ex->link,
                 LINKUSES_LOOK, &download->use);
}

static void download_on_meta(void *arg, const struct sluice_meta *meta) {
  struct exchange *ex = arg;
  struct download *download = ex->work;
  exchange_unwatch(ex);
  if (!decide(ex, meta))
    return;
  download->left = download->range.count;
  download->decided = ex->describes = true;
  if (meta->md5 != NULL && download->range.count == meta->length)
    download->md5 = strdup(meta->md5);
  if (ex->link != NULL && ex->link->uses > 0)
    count_use(ex);
  else
    read_body(ex);
}

static void download_on_done(void *arg, enum sluice_status status,
                             const char *why) {
  struct exchange *ex = arg;
  ex->op = NULL;
  if (status == SLUICE_OK) { /* what was wanted would have come before */
    op_violation(exchange_backend(ex), "sluice_done", "before all was said");
    status = SLUICE_EUPSTREAM;
  }
  if (ex->state == EXCHANGE_SENDING)
    reply_break_off(ex, status,
                    why != NULL ? why : "the backend failed in an object");
  else
    reply_failure(ex, status, why);
}

/* HEAD: the same decisions, without a body. */
static void download_on_head_meta(void *arg, const struct sluice_meta *meta) {
  struct exchange *ex = arg;
  struct download *download = ex->work;
  if (decide(ex, meta)) {
    reply_length(ex, meta->length);
    reply_empty(ex, download->status);
  }
}

/* The part that will probably be read.  Without the object's length a range
 * that counts from its end says nothing. */
static struct sluice_get likely(const struct exchange *ex) {
  struct sluice_get get = {.key = ex->key, .count = UINT64_MAX};
  const char *header = head_get(&ex->head, "Range");
  struct range range;
  if (header != NULL && strstr(header, "=-") == NULL &&
      range_parse(header, INT64_MAX, &range) == RANGE_PART) {
    get.first = range.first;
    if (range.count < INT64_MAX - range.first)
      get.count = range.count;
  }
  return get;
}

static void download_on_key(struct exchange *ex) {
  static const struct op_events get = {.meta = download_on_meta,
                                       .chunk = download_on_chunk,
                                       .alive = exchange_alive,
                                       .done = download_on_done};
  static const struct op_events head = {.meta = download_on_head_meta,
                                        .alive = exchange_alive,
                                        .done = download_on_done};
  const struct sluice_get wanted = likely(ex);
  exchange_watch(ex);
  if (strcmp(ex->head.method, "HEAD") == 0)
    ex->op = op_head(exchange_backend(ex), ex->key, &head, ex);
  else
    ex->op = op_get(exchange_backend(ex), &wanted, &get, ex);
}

/* ---- the beginning ------------------------------------------------------ */

static struct download *download_begin(struct exchange *ex) {
  struct download *download = calloc(1, sizeof *download);
  must_have(download); /* charged with the request */
  ex->work = download;
  ex->work_free = download_free;
  ex->work_left = download_left;
  return download;
}

static void download_start(struct exchange *ex) {
  struct buf text;
  char key[KEY_MAX + 1];
  struct download *download = download_begin(ex);
  if (ex->link != NULL) {
    download->is_inline = ex->link->is_inline;
    if (exchange_charge(ex, COST_DOWNLOAD))
      exchange_check_key(ex, ex->link->name, download_on_key);
    return;
  }
  buf_init(&text, KEY_MAX);
  enum query_result found = query_get(&text, ex->head.query, "inline");
  download->is_inline = found == QUERY_FOUND && strcmp(text.data, "true") == 0;
  buf_fini(&text);
  if (objectkey_read(ex, key, key_found_fault) &&
      exchange_charge(ex, COST_DOWNLOAD))
    exchange_check_key(ex, key, download_on_key);
}

const struct endpoint download_endpoint = {.operation = OPERATION_DOWNLOAD,
                                           .method = "GET",
                                           .tail = "/download",
                                           .cost = EXCHANGE_COST,
                                           .start = download_start};

const struct endpoint object_get_endpoint = {.operation = OPERATION_DOWNLOAD,
                                             .method = "GET",
                                             .tail = "/object",
                                             .cost = EXCHANGE_COST,
                                             .start = download_start};
