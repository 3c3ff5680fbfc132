/* SPDX-License-Identifier: MIT
 *
 * Writes answers.  On plain connections a small one goes to the socket at
 * once, from where it lies; what the kernel doesn't take waits in the
 * bufferevent's output, as what goes over TLS does.
 */
#include "answer.h"

#include <event2/bufferevent_struct.h>
#include <stdio.h>
#include <sys/uio.h>
#include <time.h>

#include "date.h"
#include "ingress_private.h"

#define FIELDS_ROOM 1024 /* for those of most answers */
#define PIECES 8         /* of a body, that are sent at once */
#define TLS_RECORD 16384 /* the most that one holds: RFC 8446, section 5.1 */

/* ---- the head ----------------------------------------------------------- */

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

/* RFC 9112, section 6.3: never, whatever the fields say. */
static bool has_body(const struct ingress_conn *conn, int status) {
  return !conn->is_head && status != 204 && status != 304;
}

static const char *date_line(struct ingress *ingress) {
  time_t now = time(NULL);
  if (ingress->dated != now) {
    char date[DATE_HTTP_SIZE];
    date_http(date, now);
    snprintf(ingress->date, sizeof ingress->date, "Date: %s\r\n", date);
    ingress->dated = now;
  }
  return ingress->date;
}

struct buf *answer_fields(struct ingress_conn *conn) {
  if (conn->fields.room == 0)
    buf_reserve(&conn->fields, FIELDS_ROOM);
  return &conn->fields;
}

/* The answer begins: the rest of its head. */
static void end_fields(struct ingress_conn *conn) {
  struct buf *fields = answer_fields(conn);
  ingress_answer(conn);
  if (conn->closes)
    buf_adds(fields, "Connection: close\r\n");
  else if (conn->head.minor == 0)
    buf_adds(fields, "Connection: keep-alive\r\n");
  buf_adds(fields, date_line(conn->ingress));
}

/* The client couldn't tell else where the next answer begins. */
static void say_length(struct ingress_conn *conn, size_t len) {
  char number[24];
  struct buf *fields = &conn->fields;
  if (fields_get(fields, fields->len, "Content-Length") != NULL)
    return;
  snprintf(number, sizeof number, "%zu", len);
  fields_add(fields, "Content-Length", number);
}

/* ---- the way out -------------------------------------------------------- */

static struct evbuffer *output_of(struct ingress_conn *conn) {
  return bufferevent_get_output(conn->bev);
}

/* A record of TLS is made of each piece of the output, and a write(2) of each
 * record: head and body of a small answer go as one. */
static void join_pieces(struct evbuffer *output) {
  size_t len = evbuffer_get_length(output);
  size_t most = len < TLS_RECORD ? len : TLS_RECORD;
  if (evbuffer_get_contiguous_space(output) < most)
    evbuffer_pullup(output, (ev_ssize_t)most);
}

/* In this turn of the loop: without it, epoll would have to be asked first
 * whether the socket takes bytes. */
static void write_soon(struct ingress_conn *conn) {
  if (conn->ingress->tls == NULL)
    return; /* libevent takes a sendfile(2) that would wait for an end */
  join_pieces(output_of(conn));
  event_active(&conn->bev->ev_write, EV_WRITE, 1);
}

/* The kernel takes so much of `pieces` at once; an error is met again by the
 * bufferevent, which is handed the rest. */
static size_t write_now(const struct ingress_conn *conn,
                        const struct evbuffer_iovec *pieces, int count) {
  ssize_t sent = writev(conn->fd, (const struct iovec *)pieces, count);
  return sent > 0 ? (size_t)sent : 0;
}

/* The bytes of `piece` behind the first `*sent`, which are less by as many as
 * it has. */
static void add_rest(struct evbuffer *output,
                     const struct evbuffer_iovec *piece, size_t *sent) {
  size_t gone = *sent < piece->iov_len ? *sent : piece->iov_len;
  *sent -= gone;
  if (gone < piece->iov_len)
    evbuffer_add(output, (const char *)piece->iov_base + gone,
                 piece->iov_len - gone);
}

/* Status line and fields, then the body, if there is one. */
static void put(struct ingress_conn *conn, int status, struct evbuffer *body) {
  char line[64];
  struct evbuffer *output = output_of(conn);
  struct evbuffer_iovec pieces[2 + PIECES];
  int more = 0;
  size_t sent = 0;
  int len = snprintf(line, sizeof line, "HTTP/1.1 %d %s\r\n", status,
                     reason_of(status));
  buf_add(&conn->fields, "\r\n", 2);
  must(!conn->fields.overflown); /* they are charged with the request */
  pieces[0] = (struct evbuffer_iovec){line, (size_t)len};
  pieces[1] = (struct evbuffer_iovec){conn->fields.data, conn->fields.len};
  if (conn->ingress->tls == NULL && conn->whole &&
      evbuffer_get_length(output) == 0) {
    if (body != NULL)
      more = evbuffer_peek(body, -1, NULL, pieces + 2, PIECES);
    sent = write_now(conn, pieces, 2 + (more < PIECES ? more : PIECES));
  }
  add_rest(output, &pieces[0], &sent);
  add_rest(output, &pieces[1], &sent);
  buf_fini(&conn->fields);
  if (body != NULL) {
    evbuffer_drain(body, sent);
    evbuffer_add_buffer(output, body);
  }
}

void answer_whole(struct ingress_conn *conn, int status,
                  struct evbuffer *body) {
  end_fields(conn);
  conn->whole = true;
  if (has_body(conn, status))
    say_length(conn, body == NULL ? 0 : evbuffer_get_length(body));
  else if (body != NULL)
    evbuffer_drain(body, evbuffer_get_length(body));
  put(conn, status, body);
  if (evbuffer_get_length(output_of(conn)) > 0)
    write_soon(conn);
  else /* not from inside this call */
    event_active(conn->deferred, EV_TIMEOUT, 1);
}

/* ---- in chunks ---------------------------------------------------------- */

void answer_begin(struct ingress_conn *conn, int status) {
  end_fields(conn);
  put(conn, status, NULL);
}

void answer_chunk(struct ingress_conn *conn, struct evbuffer *body, size_t low,
                  void (*sent)(void *), void *arg) {
  conn->drained = sent;
  conn->drained_arg = arg;
  bufferevent_setwatermark(conn->bev, EV_WRITE, low, 0);
  evbuffer_add_buffer(output_of(conn), body);
  write_soon(conn);
}

size_t answer_unsent(struct ingress_conn *conn) {
  return evbuffer_get_length(output_of(conn));
}

void answer_end(struct ingress_conn *conn) {
  conn->whole = true;
  conn->drained = NULL;
  if (answer_unsent(conn) == 0) {
    ingress_answered(conn);
    return;
  }
  bufferevent_setwatermark(conn->bev, EV_WRITE, 0, 0);
}
