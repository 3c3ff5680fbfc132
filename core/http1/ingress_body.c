/* SPDX-License-Identifier: MIT
 *
 * A request's body: framing and back-pressure.
 */
#include "ingress_private.h"

static struct evbuffer *input_of(struct ingress_conn *conn) {
  return bufferevent_get_input(conn->bev);
}

void ingress_read_on(struct ingress_conn *conn) {
  if (!conn->eof && evbuffer_get_length(input_of(conn)) < conn->window)
    ingress_reading(conn, true);
}

/* A client that has sent all of it isn't waited for. */
static void wait_for_more(struct ingress_conn *conn) {
  bool whole = !conn->head.chunked &&
               evbuffer_get_length(input_of(conn)) >= conn->left + conn->piece;
  ingress_wait(conn, whole || conn->eof ? 0 : conn->ingress->body_us);
}

/* The window is full: what isn't read holds the client back. */
static void choke(struct ingress_conn *conn) {
  if (evbuffer_get_length(input_of(conn)) < conn->window)
    return;
  if (conn->body == INGRESS_BODY_AHEAD || conn->body == INGRESS_BODY_WANTED) {
    ingress_body_become(conn, INGRESS_BODY_FULL);
    ingress_wait(conn, 0);
  }
  ingress_reading(conn, false);
}

static void unchoke(struct ingress_conn *conn) {
  if (conn->body == INGRESS_BODY_FULL && !conn->eof &&
      evbuffer_get_length(input_of(conn)) < conn->window / 2) {
    ingress_body_become(conn, INGRESS_BODY_AHEAD);
    wait_for_more(conn);
    ingress_reading(conn, true);
  }
}

static void ingress_body_tell(struct ingress_conn *conn) {
  if (ingress_body_is_read(conn->body))
    conn->events->body(conn->arg);
}

void ingress_body_came(struct ingress_conn *conn) {
  if (ingress_body_is_read(conn->body))
    wait_for_more(conn);
  /* Before the owner is told, who may end the connection; and in any case, as
   * a full input that is still read calls back for ever. */
  choke(conn);
  ingress_body_tell(conn);
}

void ingress_body_cut(struct ingress_conn *conn) {
  conn->eof = true;
  ingress_wait(conn, 0);
  ingress_reading(conn, false);
  ingress_body_tell(conn);
}

void ingress_body_reset(struct ingress_conn *conn) {
  conn->left = conn->head.length > 0 ? (uint64_t)conn->head.length : 0;
  if (!conn->head.chunked && conn->left == 0)
    conn->body = INGRESS_BODY_ENDED;
  else if (conn->head.expect_continue)
    conn->body = INGRESS_BODY_EXPECTED;
  else
    conn->body = INGRESS_BODY_UNREAD;
  conn->chunked = (struct chunked){0};
  conn->piece = 0;
  conn->skipped = 0;
  if (conn->window != INGRESS_WINDOW)
    ingress_body_window(conn, INGRESS_WINDOW);
}

void ingress_body_window(struct ingress_conn *conn, size_t window) {
  conn->window = window;
  bufferevent_setwatermark(conn->bev, EV_READ, 0, window);
  unchoke(conn);
  choke(conn);
  ingress_read_on(conn);
}

void ingress_interim(struct ingress_conn *conn, const char *head, size_t len) {
  must(conn->state == INGRESS_BUSY);
  bufferevent_write(conn->bev, head, len);
}

void ingress_body_start(struct ingress_conn *conn) {
  must(conn->state == INGRESS_BUSY);
  if (conn->body == INGRESS_BODY_EXPECTED &&
      evbuffer_get_length(input_of(conn)) == 0) {
    static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";
    ingress_interim(conn, line, sizeof line - 1);
  }
  if (conn->body == INGRESS_BODY_ENDED)
    return;
  ingress_body_become(conn, INGRESS_BODY_AHEAD);
  pace_begin(conn);
  wait_for_more(conn);
  ingress_read_on(conn);
  choke(conn);
  /* The rest of a small body is mostly here by now. */
  if (conn->readable != NULL && conn->body == INGRESS_BODY_AHEAD &&
      conn->reading)
    event_active(conn->readable, EV_READ, 1);
}

/* It was read until now; at most a window is read on, to notice when the
 * client leaves. */
static void stop_reading(struct ingress_conn *conn) {
  ingress_wait(conn, 0);
  ingress_read_on(conn);
}

void ingress_body_stop(struct ingress_conn *conn) {
  if (!ingress_body_is_read(conn->body))
    return;
  ingress_body_become(conn, INGRESS_BODY_UNREAD);
  stop_reading(conn);
}

static void body_over(struct ingress_conn *conn, enum ingress_body_state how) {
  bool was_read = ingress_body_is_read(conn->body);
  ingress_body_become(conn, how);
  if (was_read)
    stop_reading(conn);
}

/* Does its owner wait for the client, or the client for its owner? */
static void set_wanted(struct ingress_conn *conn, bool wanted) {
  if (wanted && conn->body == INGRESS_BODY_AHEAD)
    ingress_body_become(conn, INGRESS_BODY_WANTED);
  else if (!wanted && conn->body == INGRESS_BODY_WANTED)
    ingress_body_become(conn, INGRESS_BODY_AHEAD);
}

/* Finds the next piece at the front of the input. */
static enum ingress_body find_piece(struct ingress_conn *conn) {
  struct evbuffer *input = input_of(conn);
  struct evbuffer_iovec front;
  while (conn->body != INGRESS_BODY_ENDED) {
    if (!conn->head.chunked && conn->left == 0) {
      body_over(conn, INGRESS_BODY_ENDED);
      break;
    }
    if (evbuffer_peek(input, -1, NULL, &front, 1) < 1 || front.iov_len == 0)
      return conn->eof ? INGRESS_CUT : INGRESS_WAIT;
    if (!conn->head.chunked) {
      conn->piece = front.iov_len < conn->left ? front.iov_len : conn->left;
      conn->left -= conn->piece;
      return INGRESS_DATA;
    }
    const char *data;
    size_t used = 0, len = 0;
    enum chunked_result result = chunked_next(
        &conn->chunked, front.iov_base, front.iov_len, &used, &data, &len);
    if (result == CHUNKED_DATA)
      used = (size_t)(data - (const char *)front.iov_base);
    evbuffer_drain(input, used);
    switch (result) {
    case CHUNKED_MORE:
      unchoke(conn);
      break;
    case CHUNKED_DATA:
      conn->piece = len;
      return INGRESS_DATA;
    case CHUNKED_DONE:
      body_over(conn, INGRESS_BODY_ENDED);
      break;
    case CHUNKED_BAD:
      body_over(conn, INGRESS_BODY_BAD);
      return INGRESS_BAD;
    }
  }
  return INGRESS_END;
}

enum ingress_body ingress_body_next(struct ingress_conn *conn,
                                    const char **data, size_t *len) {
  if (conn->body == INGRESS_BODY_BAD)
    return INGRESS_BAD;
  if (conn->piece == 0) {
    enum ingress_body found = find_piece(conn);
    set_wanted(conn, found == INGRESS_WAIT);
    if (found != INGRESS_DATA)
      return found;
  }
  struct evbuffer_iovec front;
  evbuffer_peek(input_of(conn), -1, NULL, &front, 1);
  *data = front.iov_base;
  *len = conn->piece;
  return INGRESS_DATA;
}

void ingress_body_take(struct ingress_conn *conn, size_t len) {
  must(len <= conn->piece);
  evbuffer_drain(input_of(conn), len);
  conn->piece -= len;
  unchoke(conn);
}

bool ingress_body_skip(struct ingress_conn *conn) {
  const char *data;
  size_t len;
  for (;;) {
    switch (ingress_body_next(conn, &data, &len)) {
    case INGRESS_DATA:
      conn->skipped += len;
      ingress_body_take(conn, len);
      if (conn->skipped > INGRESS_SKIP_MAX)
        return false;
      break;
    case INGRESS_END:
    case INGRESS_WAIT:
      return true;
    case INGRESS_CUT:
    case INGRESS_BAD:
      return false;
    }
  }
}
