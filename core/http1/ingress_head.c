/* SPDX-License-Identifier: MIT
 *
 * The way of a head through an ingress: collected, parsed, and hidden from
 * evhttp behind a constant one.
 */
#include "ingress_private.h"
#include "wipe.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TEXT_ROOM 1024 /* of a head, at first */
#define TEXT_FREE 4096 /* that isn't charged: limits.connections bounds it */
#define TEXT_MAX (INGRESS_HEAD_MAX + 2) /* one too many, and a NUL */

static uint64_t now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* The head that evhttp gets to see.  It is always one of HTTP/1.1 without a
 * word on the connection, of which only ingress_answer() decides. */
static const char *constant_head(const struct ingress_conn *conn) {
  bool is_head = strcmp(conn->head.method, "HEAD") == 0;
  return is_head ? "HEAD / HTTP/1.1\r\n\r\n" : "GET / HTTP/1.1\r\n\r\n";
}

/* The state comes first: on_input() hears of the constant head, too. */
static void show_evhttp(struct ingress_conn *conn) {
  struct evbuffer *input = bufferevent_get_input(conn->bev);
  const char *head = constant_head(conn);
  ingress_become(conn, INGRESS_SHOWN);
  conn->searched = conn->text_len = 0;
  event_del(conn->timer);
  evbuffer_prepend(input, head, strlen(head));
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
  show_evhttp(conn);
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

void ingress_uncharge(struct ingress_conn *conn) {
  if (conn->charged > 0)
    budget_give(conn->ingress->memory, conn->charged);
  conn->charged = 0;
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
  while (conn->text_len >= 2 && memcmp(conn->text, "\r\n", 2) == 0) {
    conn->text_len -= 2;
    memmove(conn->text, conn->text + 2, conn->text_len);
    conn->searched = 0;
  }
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

/* The head is whole: `end` bytes of the text, of which the input still has
 * those behind `had`. */
static void take_head(struct ingress_conn *conn, size_t end) {
  char *text = conn->text;
  conn->text = NULL;
  if (!head_parse(&conn->head, text, end, &conn->refusal)) {
    refuse(conn, conn->refusal.status, conn->refusal.what);
    return;
  }
  ingress_body_reset(conn);
  show_evhttp(conn);
}

static void collect_head(struct ingress_conn *conn, struct evbuffer *input) {
  size_t had = conn->text_len;
  size_t len = evbuffer_get_length(input);
  size_t more = INGRESS_HEAD_MAX + 1 - had;
  if (len < more)
    more = len;
  if (had == 0) {
    conn->since_us = now_us();
    pace_begin(conn);
  }
  if (!text_reserve(conn, more)) {
    refuse(conn, 503,
           "The gateway has no memory for so large a head; try "
           "again");
    return;
  }
  evbuffer_copyout(input, conn->text + had, more);
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
    evbuffer_drain(input, end + dropped - had);
    take_head(conn, end);
  } else if (has_bare_lf(conn->text, 0, conn->text_len)) {
    refuse(conn, 400, "A line of the head doesn't end in CRLF");
  } else if (conn->text_len > INGRESS_HEAD_MAX) {
    refuse(conn, 431, "The head is larger than 32 KiB");
  } else {
    evbuffer_drain(input, more);
    if (conn->state == INGRESS_IDLE) {
      event_add(conn->timer, conn->ingress->head_timeout);
      ingress_become(conn, INGRESS_HEAD);
    }
  }
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

static bool awaits_head(const struct ingress_conn *conn) {
  return conn->state == INGRESS_HEAD || conn->state == INGRESS_IDLE;
}

void ingress_scan(struct ingress_conn *conn) {
  struct evbuffer *input = bufferevent_get_input(conn->bev);
  if (conn->state == INGRESS_LINGERING || conn->state == INGRESS_DISCARDING)
    linger_drop(conn);
  if (conn->state == INGRESS_SKIPPING)
    skip_body(conn);
  while (awaits_head(conn) && evbuffer_get_length(input) > 0)
    collect_head(conn, input);
}
