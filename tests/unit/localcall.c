/* SPDX-License-Identifier: MIT
 *
 * Operations of a test: each goes through the gateway's real op layer, and
 * can leave at any of its turns, before or right after it acts.
 */
#include "localkit.h"

#include "codec.h"
#include "digest.h"

#include <assert.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void released(void *arg) {
  ((struct call *)arg)->done = true;
}

/* One turn: act, unless the call leaves. */
static void turn(struct call *call, void (*act)(struct call *)) {
  bool now = call->turns++ == call->turn;
  if (!(now && call->leave == CALL_LEAVES_BEFORE))
    act(call);
  if (now && call->leave != CALL_STAYS) {
    call->left = true;
    op_leave(call->op, released, call);
  }
}

static void commit(struct call *call) {
  unsigned char md5[DIGEST_MD5_LEN];
  char hex[2 * DIGEST_MD5_LEN + 1];
  digest_md5(md5, call->data, call->length);
  codec_hex(hex, md5, sizeof md5);
  struct sluice_object object = {.key = call->key,
                                 .type = call->type,
                                 .length =
                                     call->claim ? call->claim : call->length,
                                 .md5 = call->md5 ? call->md5 : hex,
                                 .user = call->user,
                                 .exclusive = call->exclusive};
  op_commit(call->op, &object);
}

static void feed(struct call *call) {
  if (call->last_sent) {
    commit(call);
    return;
  }
  size_t left = call->length - call->sent;
  size_t len = call->piece && call->piece < left ? call->piece : left;
  struct sluice_chunk chunk = {.data = call->data + call->sent,
                               .length = len,
                               .fd = -1,
                               .last = len == left};
  call->sent += len;
  call->last_sent = chunk.last;
  op_data(call->op, &chunk);
}

static void on_next(void *arg) {
  turn(arg, feed);
}

static void read_body(struct call *call) {
  op_read(call->op, call->first, call->count ? call->count : UINT64_MAX);
}

static void on_meta(void *arg, const struct sluice_meta *meta) {
  struct call *call = arg;
  call->row.length = meta->length;
  call->row.mtime_ms = meta->mtime_ms;
  snprintf(call->etag, sizeof call->etag, "%s", meta->etag);
  snprintf(call->type_said, sizeof call->type_said, "%s",
           meta->type ? meta->type : "");
  for (const struct sluice_pair *p = meta->user; p && p->name; p++)
    buf_addf(&call->row.user, "%s=%s\n", p->name, p->value);
}

static void on_get_meta(void *arg, const struct sluice_meta *meta) {
  on_meta(arg, meta);
  turn(arg, read_body);
}

static void more(struct call *call) {
  op_more(call->op);
}

static void on_chunk(void *arg, const struct sluice_chunk *chunk) {
  struct call *call = arg;
  call->fd = chunk->fd;
  if (chunk->fd < 0) {
    buf_add(&call->body, chunk->data, (size_t)chunk->length);
  } else {
    char *bytes = malloc((size_t)chunk->length + 1);
    ssize_t got =
        pread(chunk->fd, bytes, (size_t)chunk->length, (off_t)chunk->offset);
    assert(got == (ssize_t)chunk->length);
    buf_add(&call->body, bytes, (size_t)got);
    free(bytes);
  }
  assert(chunk->last);
  turn(arg, more);
}

static void on_done(void *arg, enum sluice_status status, const char *why) {
  struct call *call = arg;
  call->status = status;
  snprintf(call->why, sizeof call->why, "%s", why ? why : "");
  call->done = true;
}

static const struct op_events put_events = {.next = on_next, .done = on_done};
static const struct op_events get_events = {
    .meta = on_get_meta, .chunk = on_chunk, .done = on_done};
static const struct op_events head_events = {.meta = on_meta, .done = on_done};
static const struct op_events plain_events = {.done = on_done};

static void on_many_done(void *arg, enum sluice_status status,
                         const char *why) {
  struct call *call = arg;
  for (size_t i = 0; i < call->key_count; i++)
    call->each[i] = op_removed(call->op, i);
  on_done(arg, status, why);
}

static const struct op_events many_events = {.done = on_many_done};

static void begin(struct call *call) {
  row_init(&call->row);
  buf_init(&call->body, 64u << 20);
  call->fd = -1;
}

static void nothing(struct call *call) {
  (void)call;
}

void call_put(struct call *call) {
  struct sluice_put put = {.length = call->hint};
  begin(call);
  call->op = op_put(&call->kit->backend, &put, &put_events, call);
  turn(call, nothing);
}

void call_get(struct call *call) {
  struct sluice_get get = {.key = call->key,
                           .first = call->first,
                           .count = call->count ? call->count : UINT64_MAX};
  begin(call);
  call->op = op_get(&call->kit->backend, &get, &get_events, call);
  turn(call, nothing);
}

void call_head(struct call *call) {
  begin(call);
  call->op = op_head(&call->kit->backend, call->key, &head_events, call);
  turn(call, nothing);
}

void call_remove(struct call *call) {
  begin(call);
  call->op = op_remove(&call->kit->backend, call->key, &plain_events, call);
  turn(call, nothing);
}

void call_remove_many(struct call *call) {
  begin(call);
  call->op = op_remove_many(&call->kit->backend, call->keys, call->key_count,
                            &many_events, call);
  turn(call, nothing);
}

void call_ping(struct call *call) {
  begin(call);
  call->op = op_ping(&call->kit->backend, &plain_events, call);
  turn(call, nothing);
}

static void step(struct call *call) {
  event_base_loop(loop_base(call->kit->loop),
                  EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY);
}

void call_wait(struct call *call) {
  while (!call->done)
    step(call);
}

void call_wait_turns(struct call *call, int turns) {
  while (call->turns < turns)
    step(call);
}

void call_fini(struct call *call) {
  row_fini(&call->row);
  buf_fini(&call->body);
}

enum sluice_status kit_put(struct kit *kit, const char *key, const char *data,
                           size_t length) {
  struct call call = {.kit = kit,
                      .key = key,
                      .data = data,
                      .length = length,
                      .piece = 60000,
                      .hint = -1,
                      .type = "text/plain"};
  call_put(&call);
  call_wait(&call);
  call_fini(&call);
  return call.status;
}

enum sluice_status kit_remove(struct kit *kit, const char *key) {
  struct call call = {.kit = kit, .key = key};
  call_remove(&call);
  call_wait(&call);
  call_fini(&call);
  return call.status;
}

size_t kit_remove_many(struct kit *kit, const char *const *keys, size_t count,
                       enum sluice_status *each) {
  enum sluice_status *ends = calloc(count, sizeof *ends);
  struct call call = {
      .kit = kit, .keys = keys, .key_count = count, .each = ends};
  size_t left = 0;
  assert(ends);
  call_remove_many(&call);
  call_wait(&call);
  call_fini(&call);
  for (size_t i = 0; i < count; i++)
    left += ends[i] != SLUICE_OK;
  if (each)
    memcpy(each, ends, count * sizeof *each);
  free(ends);
  return left;
}

enum sluice_status kit_head(struct kit *kit, const char *key) {
  struct call call = {.kit = kit, .key = key};
  call_head(&call);
  call_wait(&call);
  call_fini(&call);
  return call.status;
}

enum sluice_status kit_ping(struct kit *kit, char why[ERRMSG_MAX]) {
  struct call call = {.kit = kit};
  call_ping(&call);
  call_wait(&call);
  snprintf(why, ERRMSG_MAX, "%s", call.why);
  call_fini(&call);
  return call.status;
}

bool kit_has(struct kit *kit, const char *key, const char *data,
             size_t length) {
  struct call call = {.kit = kit, .key = key};
  call_get(&call);
  call_wait(&call);
  bool same = call.status == SLUICE_OK && call.row.length == length &&
              call.body.len == length &&
              memcmp(call.body.data, data, length) == 0;
  call_fini(&call);
  return same;
}

/* ---- what ends with texts or entries ---- */

struct said {
  struct call call; /* first: on_done() takes it */
  struct buf *out;
};

static void on_page(void *arg, enum sluice_status status, const char *why) {
  struct said *said = arg;
  const struct sluice_op *op = said->call.op;
  for (size_t i = 0; i < op_entries(op); i++) {
    struct op_entry entry = op_entry(op, i);
    buf_addf(said->out, "%c %s\n", entry.meta ? 'k' : 'p', entry.key);
  }
  if (op_token(op))
    buf_addf(said->out, "t %s\n", op_token(op));
  on_done(arg, status, why);
}

static const struct op_events page_events = {.done = on_page};

enum sluice_status kit_list(struct kit *kit, const struct sluice_list *list,
                            struct buf *page) {
  struct said said = {.call = {.kit = kit}, .out = page};
  buf_clear(page);
  said.call.op = op_list(&kit->backend, list, &page_events, &said);
  call_wait(&said.call);
  return said.call.status;
}
