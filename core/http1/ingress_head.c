/* SPDX-License-Identifier: MIT
 *
 * The way of a head through an ingress: collected and parsed.
 */
#include "clock.h"
#include "ingress_private.h"
#include "wipe.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_ROOM 1024 /* of a head, at first */
#define TEXT_FREE 4096 /* that isn't charged: limits.connections bounds it */
#define TEXT_MAX (INGRESS_HEAD_MAX + 2) /* one too many, and a NUL */

static void head_is_whole(struct ingress_conn *conn) {
  ingress_become(conn, INGRESS_WHOLE);
  conn->searched = conn->text_len = 0;
  ingress_wait(conn, 0);
}

static void refuse(struct ingress_conn *conn, int status, const char *what) {
  struct evbuffer *input = bufferevent_get_input(conn->bev);
  evbuffer_drain(input, evbuffer_get_length(input));
  conn->refusal = (struct head_refusal){.status = status, .what = what};
  wipe_free(conn->text);
  conn->text = NULL;
  ingress_uncharge(conn);
  head_fini(&conn->head);
  conn->head = (struct head){.method = "", .path = "", .length = -1};
  ingress_body_reset(conn);
  conn->body = INGRESS_BODY_REFUSED;
  head_is_whole(conn);
}

static bool has_bare_lf(const char *text, size_t from, size_t len) {
  const char *at = text + from;
  while ((at = memchr(at, '\n', len - (size_t)(at - text))) != NULL) {
    if (at == text || at[-1] != '\r')
      return true;
    at++;
  }
  return false;
}

/* Charges what a head needs beyond TEXT_FREE, which each connection has. */
static bool charge(struct ingress_conn *conn, size_t room) {
  struct budget *memory = conn->ingress->memory;
  size_t more = room > TEXT_FREE ? room - TEXT_FREE - conn->charged : 0;
  if (memory == NULL || more == 0)
    return true;
  if (!budget_take(memory, more))
    return false;
  conn->charged += more;
  return true;
}

/* Room for `more` bytes and one to spare. */
static bool text_reserve(struct ingress_conn *conn, size_t more) {
  size_t need = conn->text_len + more + 1;
  if (conn->text != NULL && need <= conn->text_room)
    return true;
  size_t room = TEXT_ROOM;
  while (room < need)
    room *= 2;
  if (room > TEXT_MAX)
    room = TEXT_MAX;
  if (!charge(conn, room))
    return false;
  char *text = wipe_realloc(conn->text, room);
  if (text == NULL)
    return false;
  conn->text = text;
  conn->text_room = room;
  return true;
}

/* RFC 9112, section 2.2: empty lines before a request are passed over. */
static void drop_empty_lines(struct ingress_conn *conn) {
  size_t len = 0;
  while (conn->text_len - len >= 2 && memcmp(conn->text + len, "\r\n", 2) == 0)
    len += 2;
  if (len == 0)
    return;
  conn->text_len -= len;
  memmove(conn->text, conn->text + len, conn->text_len);
  conn->searched = 0;
}

/* RFC 8446, section 5.1: a record of a handshake.  No method begins so. */
static bool is_hello(const char *text, size_t len) {
  return len >= 3 && text[0] == 0x16 && text[1] == 0x03 && text[2] <= 0x04;
}

static void refuse_hello(struct ingress_conn *conn) {
  const struct ingress_owner *owner = &conn->ingress->owner;
  if (owner->mistaken != NULL)
    owner->mistaken(owner->arg, conn->peer, INGRESS_TLS_ON_HTTP, "");
  refuse(conn, 400,
         "This port speaks plain HTTP; begin the URL with http, not https");
}

/* `end` bytes of the text are a head. */
static void take_head(struct ingress_conn *conn, size_t end) {
  char *text = conn->text;
  conn->text = NULL;
  if (!head_parse(&conn->head, text, end, &conn->refusal)) {
    refuse(conn, conn->refusal.status, conn->refusal.what);
    return;
  }
  ingress_body_reset(conn);
  head_is_whole(conn);
}

static void await_rest(struct ingress_conn *conn) {
  if (conn->state != INGRESS_IDLE)
    return;
  ingress_wait(conn, conn->ingress->head_us);
  ingress_become(conn, INGRESS_HEAD);
}

/* So many of `len` bytes are looked at: up to the end of the head, where it is
 * here in one piece. */
static size_t head_part(const char *data, size_t len) {
  size_t begin = 0, searched = 0;
  while (len - begin >= 2 && memcmp(data + begin, "\r\n", 2) == 0)
    begin += 2;
  size_t end = head_end(data + begin, len - begin, &searched);
  return end > 0 ? begin + end : len;
}

/* How many of the bytes were of a head; what lies behind a refused one counts
 * as such. */
static size_t collect_head(struct ingress_conn *conn, const char *data,
                           size_t len) {
  size_t had = conn->text_len;
  size_t more = INGRESS_HEAD_MAX + 1 - had;
  if (len < more)
    more = len;
  if (had == 0) {
    more = head_part(data, more);
    conn->since_us = clock_us();
    pace_begin(conn);
  }
  if (!text_reserve(conn, more)) {
    refuse(conn, 503,
           "The gateway has no memory for so large a head; try "
           "again");
    return len;
  }
  memcpy(conn->text + had, data, more);
  conn->text_len += more;
  size_t total = conn->text_len;
  drop_empty_lines(conn);
  size_t dropped = total - conn->text_len;
  size_t end = head_end(conn->text, conn->text_len, &conn->searched);
  if (is_hello(conn->text, conn->text_len)) {
    refuse_hello(conn);
  } else if (end > INGRESS_HEAD_MAX) {
    refuse(conn, 431, "The head is larger than 32 KiB");
  } else if (end > 0) {
    take_head(conn, end);
    if (conn->body != INGRESS_BODY_REFUSED)
      return end + dropped - had;
  } else if (has_bare_lf(conn->text, 0, conn->text_len)) {
    refuse(conn, 400, "A line of the head doesn't end in CRLF");
  } else if (conn->text_len > INGRESS_HEAD_MAX) {
    refuse(conn, 431, "The head is larger than 32 KiB");
  } else {
    await_rest(conn);
    return more;
  }
  return len;
}

static void skip_body(struct ingress_conn *conn) {
  /* The last answer is out: when the rest of its request's body is no good,
   * there is nobody to be told. */
  if (!ingress_body_skip(conn)) {
    linger_start(conn);
  } else if (conn->body == INGRESS_BODY_ENDED) {
    head_fini(&conn->head);
    ingress_become(conn, INGRESS_IDLE);
  }
}

void ingress_scan(struct ingress_conn *conn) {
  struct evbuffer *input = bufferevent_get_input(conn->bev);
  struct evbuffer_iovec front;
  if (conn->state == INGRESS_LINGERING || conn->state == INGRESS_DISCARDING)
    linger_drop(conn);
  if (conn->state == INGRESS_SKIPPING)
    skip_body(conn);
  while (ingress_awaits_head(conn) &&
         evbuffer_peek(input, -1, NULL, &front, 1) > 0 && front.iov_len > 0)
    evbuffer_drain(input, collect_head(conn, front.iov_base, front.iov_len));
}

void ingress_feed(struct ingress_conn *conn, const char *data, size_t len) {
  struct evbuffer *input = bufferevent_get_input(conn->bev);
  while (ingress_awaits_head(conn) && len > 0) {
    size_t used = collect_head(conn, data, len);
    conn->received += used;
    data += used;
    len -= used;
  }
  if (len == 0)
    return;
  evbuffer_unfreeze(input, 0);
  evbuffer_add(input, data, len);
  evbuffer_freeze(input, 0);
}
