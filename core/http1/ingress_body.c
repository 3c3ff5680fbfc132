/* SPDX-License-Identifier: MIT
 *
 * A request's body: framing, back-pressure, and reading it.  Plain
 * connections are read with readv(2) into evhttp's input buffer, as
 * evbuffer_read() takes no more than 4 KiB at once; TLS ones by their
 * bufferevent.
 */
#include "ingress_private.h"

#include <errno.h>
#include <sys/uio.h>

static struct evbuffer *input_of(struct ingress_conn *conn) {
  return bufferevent_get_input(conn->bev);
}

static void reading_on(struct ingress_conn *conn) {
  if (conn->readable != NULL)
    event_add(conn->readable, conn->ingress->body_timeout);
  else
    bufferevent_enable(conn->bev, EV_READ);
}

static void reading_off(struct ingress_conn *conn) {
  if (conn->readable != NULL)
    event_del(conn->readable);
  else
    bufferevent_disable(conn->bev, EV_READ);
}

/* The window is full: what isn't read holds the client back. */
static void choke(struct ingress_conn *conn) {
  bool reading =
      conn->body == INGRESS_BODY_AHEAD || conn->body == INGRESS_BODY_WANTED;
  if (reading && evbuffer_get_length(input_of(conn)) >= conn->window) {
    ingress_body_become(conn, INGRESS_BODY_FULL);
    reading_off(conn);
  }
}

static void unchoke(struct ingress_conn *conn) {
  if (conn->body == INGRESS_BODY_FULL && !conn->eof &&
      evbuffer_get_length(input_of(conn)) < conn->window / 2) {
    ingress_body_become(conn, INGRESS_BODY_AHEAD);
    reading_on(conn);
  }
}

static void ingress_body_tell(struct ingress_conn *conn) {
  if (ingress_body_is_read(conn->body))
    conn->events->body(conn->arg);
}

/* The client has said its last word, broke the connection, or was silent for
 * too long.  The first isn't the end: it may listen still. */
static void ingress_body_on_event(struct bufferevent *bev, short what,
                                  void *arg) {
  struct ingress_conn *conn = arg;
  if ((what & BEV_EVENT_CONNECTED) != 0)
    return;
  if ((what & BEV_EVENT_READING) == 0 || (what & BEV_EVENT_EOF) == 0) {
    ingress_note_end(conn, what);
    conn->evhttp_event(bev, what, conn->evcon);
    return;
  }
  conn->eof = true;
  reading_off(conn);
  bufferevent_disable(bev, EV_READ);
  ingress_body_tell(conn);
}

static void on_tls_read(struct bufferevent *bev, void *arg) {
  struct ingress_conn *conn = arg;
  (void)bev;
  /* Before the owner is told, who may end the connection; and in any case, as
   * a full input that is still read calls back for ever. */
  choke(conn);
  ingress_body_tell(conn);
}

void ingress_take_callbacks(struct ingress_conn *conn) {
  bool tls = conn->readable == NULL && ingress_body_is_read(conn->body);
  bufferevent_setcb(conn->bev, tls ? on_tls_read : NULL, NULL,
                    ingress_body_on_event, conn);
}

/* evbuffer may offer more room than was asked for. */
static void trim(struct evbuffer_iovec *room, int count, size_t len) {
  for (int i = 0; i < count; i++) {
    if (room[i].iov_len > len)
      room[i].iov_len = len;
    len -= room[i].iov_len;
  }
}

static ssize_t read_input(struct ingress_conn *conn) {
  struct evbuffer *input = input_of(conn);
  struct evbuffer_iovec room[2];
  size_t used = evbuffer_get_length(input);
  if (used >= conn->window) {
    errno = EAGAIN;
    return -1;
  }
  evbuffer_unfreeze(input, 0);
  int n = evbuffer_reserve_space(input, (ev_ssize_t)(conn->window - used),
                                 room, 2);
  trim(room, n, conn->window - used);
  ssize_t got = readv(conn->fd, (const struct iovec *)room, n);
  int error = errno;
  if (got > 0) {
    trim(room, n, (size_t)got);
    evbuffer_commit_space(input, room, n);
  }
  evbuffer_freeze(input, 0);
  errno = error;
  return got;
}

void ingress_on_readable(evutil_socket_t fd, short what, void *arg) {
  struct ingress_conn *conn = arg;
  (void)fd;
  short event = BEV_EVENT_READING;
  if ((what & EV_TIMEOUT) != 0) {
    event |= BEV_EVENT_TIMEOUT;
  } else {
    ssize_t got = read_input(conn);
    if (got > 0) {
      choke(conn);
      ingress_body_tell(conn);
      return;
    }
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
      return;
    event |= got == 0 ? BEV_EVENT_EOF : BEV_EVENT_ERROR;
  }
  reading_off(conn);
  bufferevent_trigger_event(conn->bev, event, 0);
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
  conn->eof = false;
  conn->piece = 0;
  conn->skipped = 0;
  if (conn->window != INGRESS_WINDOW)
    ingress_body_window(conn, INGRESS_WINDOW);
}

void ingress_body_window(struct ingress_conn *conn, size_t window) {
  conn->window = window;
  bufferevent_setwatermark(conn->bev, EV_READ, 0, window);
  unchoke(conn);
}

void ingress_interim(struct ingress_conn *conn, const char *head, size_t len) {
  must(conn->state == INGRESS_BUSY);
  bufferevent_enable(conn->bev, EV_WRITE);
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
  bufferevent_set_timeouts(conn->bev, conn->ingress->body_timeout, NULL);
  ingress_take_callbacks(conn);
  if (conn->readable != NULL)
    bufferevent_disable(conn->bev, EV_READ);
  reading_on(conn);
  choke(conn);
  /* The rest of a small body is mostly here by now. */
  if (conn->readable != NULL && conn->body == INGRESS_BODY_AHEAD)
    event_active(conn->readable, EV_READ, 1);
}

/* It was read until now. */
static void stop_reading(struct ingress_conn *conn) {
  reading_off(conn);
  bufferevent_set_timeouts(conn->bev, NULL, NULL);
  if (conn->eof || conn->state == INGRESS_ANSWERING)
    return;
  /* To notice when the client leaves; at most a window is read ahead. */
  ingress_take_callbacks(conn);
  bufferevent_enable(conn->bev, EV_READ);
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
