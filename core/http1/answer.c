/* SPDX-License-Identifier: MIT
 *
 * The only calls of evhttp_send_*(), between the two that ingress wants.
 */
#include "answer.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "date.h"
#include "ingress_private.h"

#define FIELDS_ROOM 1024 /* for those of most answers */

static const char *reason_of(int status) {
  static const struct {
    int status;
    const char *reason;
  } reasons[] = {{200, "OK"},
                 {201, "Created"},
                 {204, "No Content"},
                 {206, "Partial Content"},
                 {304, "Not Modified"},
                 {308, "Permanent Redirect"},
                 {400, "Bad Request"},
                 {401, "Unauthorized"},
                 {403, "Forbidden"},
                 {404, "Not Found"},
                 {405, "Method Not Allowed"},
                 {409, "Conflict"},
                 {410, "Gone"},
                 {412, "Precondition Failed"},
                 {413, "Content Too Large"},
                 {414, "URI Too Long"},
                 {415, "Unsupported Media Type"},
                 {416, "Range Not Satisfiable"},
                 {417, "Expectation Failed"},
                 {429, "Too Many Requests"},
                 {431, "Request Header Fields Too Large"},
                 {460, "Checksum Mismatch"},
                 {500, "Internal Server Error"},
                 {501, "Not Implemented"},
                 {502, "Bad Gateway"},
                 {503, "Service Unavailable"},
                 {504, "Gateway Timeout"},
                 {505, "HTTP Version Not Supported"},
                 {507, "Insufficient Storage"}};
  for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
    if (reasons[i].status == status)
      return reasons[i].reason;
  return "Unknown";
}

struct buf *answer_fields(struct ingress_conn *conn) {
  if (conn->fields.room == 0)
    buf_reserve(&conn->fields, FIELDS_ROOM);
  return &conn->fields;
}

/* ---- to evhttp ---------------------------------------------------------- */

/* Both are on the heap, and evhttp's then. */
static void give(struct ingress_conn *conn, char *name, char *value) {
  struct evkeyvalq *headers = evhttp_request_get_output_headers(conn->request);
  struct evkeyval *header = malloc(sizeof *header);
  must_have(header && name && value);
  header->key = name;
  header->value = value;
  TAILQ_INSERT_TAIL(headers, header, next);
}

/* evhttp makes three copies of a header, prints it and frees it again, some
 * 3500 instructions; so it is given one, whose value goes on over the lines of
 * all others.  It is the length, where there is one, as evhttp looks for
 * that. */
static void give_fields(struct ingress_conn *conn) {
  struct buf *fields = answer_fields(conn);
  must(!fields->overflown); /* they are charged with the request */
  const char *begin = fields->data, *end = begin + fields->len;
  const char *first = fields_get(fields, fields->len, "Content-Length");
  if (first == NULL && fields->len > 0)
    first = strchr(begin, ':') + 2;
  if (first == NULL)
    return;
  const char *line = memrchr(begin, '\n', (size_t)(first - begin));
  line = line == NULL ? begin : line + 1;
  const char *next =
      (const char *)memchr(first, '\n', (size_t)(end - first)) + 1;
  size_t len = (size_t)(next - first), before = (size_t)(line - begin);
  char *value = malloc(fields->len + 1);
  must_have(value);
  memcpy(value, first, len);
  memcpy(value + len, begin, before);
  memcpy(value + len + before, next, (size_t)(end - next));
  /* evhttp ends the last line itself. */
  value[len + before + (size_t)(end - next) - 2] = '\0';
  give(conn, strndup(line, (size_t)(first - line) - 2), value);
  buf_fini(fields);
}

/* evhttp would ask the C library for it each time. */
static void give_date(struct ingress_conn *conn) {
  struct ingress *ingress = conn->ingress;
  time_t now = time(NULL);
  if (ingress->dated != now)
    date_http(ingress->date, now);
  ingress->dated = now;
  give(conn, strdup("Date"), strdup(ingress->date));
}

static void begin(struct ingress_conn *conn) {
  give_fields(conn);
  give_date(conn);
  ingress_answer(conn);
}

void answer_whole(struct ingress_conn *conn, int status,
                  struct evbuffer *body) {
  begin(conn);
  evhttp_send_reply(conn->request, status, reason_of(status), body);
  ingress_sent(conn);
  ingress_flush(conn);
}

void answer_begin(struct ingress_conn *conn, int status) {
  begin(conn);
  evhttp_send_reply_start(conn->request, status, reason_of(status));
  ingress_sent(conn);
}

static void on_drained(struct evhttp_connection *evcon, void *arg) {
  struct ingress_conn *conn = arg;
  (void)evcon;
  conn->drained(conn->drained_arg);
}

void answer_chunk(struct ingress_conn *conn, struct evbuffer *body, size_t low,
                  void (*sent)(void *), void *arg) {
  conn->drained = sent;
  conn->drained_arg = arg;
  bufferevent_setwatermark(conn->bev, EV_WRITE, low, 0);
  evhttp_send_reply_chunk_with_cb(conn->request, body, on_drained, conn);
  ingress_sent(conn);
  ingress_write_soon(conn);
}

size_t answer_unsent(struct ingress_conn *conn) {
  return evbuffer_get_length(bufferevent_get_output(conn->bev));
}

void answer_end(struct ingress_conn *conn) {
  evhttp_send_reply_end(conn->request);
}
