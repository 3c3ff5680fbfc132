/* SPDX-License-Identifier: MIT
 *
 * Reading.  Plain connections are read with recv(2) and readv(2), as
 * evbuffer_read() takes no more than 4 KiB at once and asks how much there is
 * before; TLS ones by their bufferevent.
 */
#include "ingress_private.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* The bytes that came are a head, a body, or of no use. */
void ingress_on_bytes(struct ingress_conn *conn) {
  switch (conn->state) {
  case INGRESS_HEAD:
  case INGRESS_IDLE:
  case INGRESS_SKIPPING:
  case INGRESS_LINGERING:
  case INGRESS_DISCARDING:
    ingress_scan(conn);
    if (conn->state == INGRESS_WHOLE)
      ingress_hand_over(conn);
    return;
  case INGRESS_WHOLE:
  case INGRESS_BUSY:
  case INGRESS_ANSWERING:
  case INGRESS_STATES:
    break;
  }
  ingress_body_came(conn);
}

/* libevent stops to write, too, when a client of TLS says that it has said
 * all.
 */
static void write_on(struct ingress_conn *conn) {
  if (conn->ingress->tls != NULL &&
      evbuffer_get_length(bufferevent_get_output(conn->bev)) > 0)
    bufferevent_enable(conn->bev, EV_WRITE);
}

/* Where a request is, its client may listen still: it only means that nothing
 * more comes. */
void ingress_on_eof(struct ingress_conn *conn) {
  switch (conn->state) {
  case INGRESS_WHOLE:
  case INGRESS_BUSY:
  case INGRESS_ANSWERING:
    ingress_body_cut(conn);
    if (!conn->closed)
      write_on(conn);
    return;
  case INGRESS_HEAD:
  case INGRESS_IDLE:
  case INGRESS_SKIPPING:
  case INGRESS_LINGERING:
  case INGRESS_DISCARDING:
  case INGRESS_STATES:
    break;
  }
  ingress_end_conn(conn);
}

/* evbuffer may offer more room than was asked for. */
static void trim(struct evbuffer_iovec *room, int count, size_t len) {
  for (int i = 0; i < count; i++) {
    if (room[i].iov_len > len)
      room[i].iov_len = len;
    len -= room[i].iov_len;
  }
}

static ssize_t read_body(struct ingress_conn *conn) {
  struct evbuffer *input = bufferevent_get_input(conn->bev);
  struct evbuffer_iovec room[2];
  size_t used = evbuffer_get_length(input);
  if (used >= conn->window) {
    ingress_reading(conn, false);
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

/* A head, or what is dropped. */
static bool is_passing(const struct ingress_conn *conn) {
  return ingress_awaits_head(conn) || conn->state == INGRESS_LINGERING ||
         conn->state == INGRESS_DISCARDING;
}

static void pass(struct ingress_conn *conn, const char *data, size_t len) {
  if (ingress_awaits_head(conn))
    ingress_feed(conn, data, len);
  else
    linger_drop(conn);
  if (conn->state == INGRESS_WHOLE)
    ingress_hand_over(conn);
}

/* Nobody waits for these bytes: the input gets no more room than it needs. */
static ssize_t read_aside(struct ingress_conn *conn) {
  struct evbuffer *input = bufferevent_get_input(conn->bev);
  char *scratch = conn->ingress->scratch;
  size_t used = evbuffer_get_length(input), most = INGRESS_WINDOW;
  bool passing = is_passing(conn);
  if (!passing && used >= conn->window) {
    ingress_reading(conn, false);
    errno = EAGAIN;
    return -1;
  }
  if (!passing && most > conn->window - used)
    most = conn->window - used;
  ssize_t got = recv(conn->fd, scratch, most, 0);
  int error = errno;
  if (got > 0 && passing) {
    pass(conn, scratch, (size_t)got);
  } else if (got > 0) {
    evbuffer_unfreeze(input, 0);
    evbuffer_add(input, scratch, (size_t)got);
    evbuffer_freeze(input, 0);
    ingress_on_bytes(conn);
  }
  if (got > 0) /* somebody may have proved there who it is */
    explicit_bzero(scratch, (size_t)got);
  errno = error;
  return got;
}

static void read_socket(struct ingress_conn *conn) {
  bool wanted = !is_passing(conn) && ingress_body_is_read(conn->body);
  ssize_t got = wanted ? read_body(conn) : read_aside(conn);
  if (got > 0 && wanted)
    ingress_on_bytes(conn);
  else if (got == 0)
    ingress_on_eof(conn);
  else if (got < 0 && errno != EAGAIN && errno != EINTR)
    ingress_end_conn(conn);
}

void ingress_on_readable(evutil_socket_t fd, short what, void *arg) {
  struct ingress_conn *conn = arg;
  (void)fd, (void)what;
  ingress_enter(conn);
  read_socket(conn);
  ingress_leave(conn);
}
