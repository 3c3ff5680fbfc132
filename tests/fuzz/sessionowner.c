/* SPDX-License-Identifier: MIT
 *
 * Answers of every kind for the ingress that is fuzzed.
 */
#include "sessionowner.h"

#include "answer.h"

#include <assert.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHORT 5 /* bytes of a short answer */

struct item { /* a request */
  TAILQ_ENTRY(item) link;
  struct owner *owner;
  struct ingress_conn *conn;
  struct head head;
  size_t n, left; /* `left`: to be streamed */
  char kind;
  bool waits, answered;
  struct evbuffer *out;
};

char owner_letter(size_t n) {
  return (char)('a' + n % 26);
}

static void fill(struct evbuffer *body, size_t n, size_t len) {
  char text[OWNER_PIECE];
  assert(len <= sizeof text);
  memset(text, owner_letter(n), len);
  evbuffer_add(body, text, len);
}

static bool is_head(const struct item *item) {
  return item->head.method != NULL && strcmp(item->head.method, "HEAD") == 0;
}

static void number(struct item *item, const char *name, size_t value) {
  char text[24];
  snprintf(text, sizeof text, "%zu", value);
  fields_add(answer_fields(item->conn), name, text);
}

static void begin(struct item *item) {
  assert(!item->answered);
  item->answered = true;
  item->waits = false;
  number(item, "X-N", item->n);
  if (is_head(item))
    number(item, "X-Head", 1);
  if (item->kind == 't')
    number(item, "X-Broken", 1);
}

static void answer(struct item *item, int status) {
  struct evbuffer *body = evbuffer_new();
  bool empty = status == 204 || status == 304;
  begin(item);
  if (!empty) {
    number(item, "Content-Length", SHORT);
    if (!is_head(item))
      fill(body, item->n, SHORT);
  }
  answer_whole(item->conn, status, empty ? NULL : body);
  evbuffer_free(body);
}

/* ---- streams ------------------------------------------------------------ */

static void stream(struct item *item);

static void on_drained(void *arg) {
  struct item *item = arg;
  if (item->kind == 'd')
    item->waits = true;
  else
    stream(item);
}

static void stream(struct item *item) {
  item->waits = false;
  if (item->left == 0) {
    answer_end(item->conn);
    return;
  }
  if (item->kind == 't' && item->left <= OWNER_STREAM / 2) {
    ingress_abort(item->conn);
    return;
  }
  size_t len = item->left < OWNER_PIECE ? item->left : OWNER_PIECE;
  item->left -= len;
  fill(item->out, item->n, len);
  answer_chunk(item->conn, item->out, 0, on_drained, item);
}

static void start_stream(struct item *item) {
  if (is_head(item)) {
    answer(item, 200);
    return;
  }
  begin(item);
  number(item, "Content-Length", OWNER_STREAM);
  item->left = OWNER_STREAM;
  item->out = evbuffer_new();
  answer_begin(item->conn, 200);
  stream(item);
}

/* ---- bodies ------------------------------------------------------------- */

/* False: the request was answered, or is no more. */
static bool take(struct item *item, size_t len) {
  if (item->kind == 'a') {
    ingress_abort(item->conn);
    return false;
  }
  if (item->kind == 'l') {
    answer(item, 200);
    return false;
  }
  /* The last byte isn't taken: it comes again. */
  ingress_body_take(item->conn, len > 100 ? len - 1 : len);
  return true;
}

static void pump(struct item *item) {
  const char *data;
  size_t len;
  enum ingress_body got;
  if (item->waits || item->answered)
    return;
  while ((got = ingress_body_next(item->conn, &data, &len)) == INGRESS_DATA) {
    for (size_t i = 0; i < len; i += 100)
      (void)*(const volatile char *)(data + i);
    if (!take(item, len))
      return;
  }
  if (got == INGRESS_END)
    answer(item, 201);
  else if (got != INGRESS_WAIT)
    answer(item, 400);
}

/* ---- the ingress' calls ------------------------------------------------- */

static void on_body(void *arg) {
  struct item *item = arg;
  assert(!item->answered);
  pump(item);
}

static void end(void *arg) {
  struct item *item = arg;
  TAILQ_REMOVE(&item->owner->items, item, link);
  head_fini(&item->head);
  if (item->out != NULL)
    evbuffer_free(item->out);
  free(item);
}

static void on_finished(void *arg) {
  assert(((struct item *)arg)->answered);
  end(arg);
}

static void serve(struct item *item) {
  switch (item->kind) {
  case 'r':
  case 'l':
  case 'a':
    ingress_body_start(item->conn);
    pump(item);
    break;
  case 'w':
  case 'h':
    item->waits = true;
    break;
  case 'p':
    item->waits = true;
    ingress_body_start(item->conn);
    break;
  case 'n':
    answer(item, 204);
    break;
  case 'x':
    answer(item, 304);
    break;
  case 's':
  case 't':
  case 'd':
    start_stream(item);
    break;
  default:
    answer(item, 200);
  }
}

static void on_request(void *arg, struct ingress_conn *conn, struct head *head,
                       const struct head_refusal *refusal) {
  static const struct ingress_events events = {
      .body = on_body, .finished = on_finished, .gone = end};
  struct owner *owner = arg;
  struct item *item = calloc(1, sizeof *item);
  assert(item != NULL && head->method != NULL && head->path != NULL);
  *item = (struct item){
      .owner = owner, .conn = conn, .head = *head, .n = owner->requests++};
  head->text = NULL;
  TAILQ_INSERT_TAIL(&owner->items, item, link);
  ingress_own(conn, &events, item);
  if (refusal != NULL) {
    assert(refusal->status >= 400);
    answer(item, refusal->status);
    return;
  }
  if (item->head.path[0] == '/' && item->head.path[1] != '\0')
    item->kind = item->head.path[1];
  serve(item);
}

static void go(struct item *item) {
  if (item->left > 0 || item->kind == 'd') {
    stream(item);
  } else if (item->kind == 'h') {
    item->waits = false;
    ingress_body_start(item->conn);
    pump(item);
  } else {
    answer(item, 200);
  }
}

void owner_go(struct owner *owner) {
  struct item *next;
  for (struct item *item = TAILQ_FIRST(&owner->items); item != NULL;
       item = next) {
    next = TAILQ_NEXT(item, link);
    if (item->waits)
      go(item);
  }
}

static void on_count(void *arg, int change) {
  struct owner *owner = arg;
  owner->open = change > 0 ? owner->open + 1 : owner->open - 1;
}

struct ingress_owner owner_init(struct owner *owner) {
  *owner = (struct owner){.ingress = NULL};
  TAILQ_INIT(&owner->items);
  return (struct ingress_owner){
      .request = on_request, .count = on_count, .arg = owner};
}
