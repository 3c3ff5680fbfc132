/* SPDX-License-Identifier: MIT
 *
 * Lingering close: a client that is still sending when its connection is
 * closed would be reset, and lose the answer that it didn't read yet.  So its
 * connection is closed for writing only, and what still comes is dropped: for
 * LINGER_SECONDS, however much it is, and until it is silent.  Of too many
 * such connections the oldest end, and while the gateway stops they have less
 * time.
 */
#include "ingress_private.h"

#include <openssl/err.h>
#include <event2/bufferevent_ssl.h>
#include <sys/socket.h>

#define LINGER_MAX 1024 /* of an ingress */
#define LINGER_SECONDS 30
#define LINGER_DRAIN_SECONDS 5
#define LINGER_SILENCE_US 5000000

bool linger_can(const struct ingress_conn *conn) {
  return !conn->eof;
}

/* Deferred, as it may be called from inside of any call. */
void linger_end(struct ingress_conn *conn) {
  bufferevent_trigger_event(conn->bev, BEV_EVENT_READING | BEV_EVENT_EOF,
                            BEV_OPT_DEFER_CALLBACKS);
}

static void say_goodbye(struct ingress_conn *conn) {
  SSL *ssl = bufferevent_openssl_get_ssl(conn->bev);
  if (ssl != NULL) {
    SSL_shutdown(ssl);
    ERR_clear_error();
  }
  shutdown(conn->fd, SHUT_WR);
}

static void set_end(struct ingress_conn *conn, time_t seconds) {
  event_base_gettimeofday_cached(loop_base(conn->ingress->loop),
                                 &conn->linger_until);
  conn->linger_until.tv_sec += seconds;
}

void linger_start(struct ingress_conn *conn) {
  struct ingress *ingress = conn->ingress;
  struct evbuffer *input = bufferevent_get_input(conn->bev);
  ingress_become(conn,
                 linger_can(conn) ? INGRESS_LINGERING : INGRESS_DISCARDING);
  evbuffer_drain(input, evbuffer_get_length(input));
  if (conn->state == INGRESS_DISCARDING) {
    linger_end(conn);
    return;
  }
  if (ingress->lingering == LINGER_MAX)
    linger_evict(ingress, 1);
  TAILQ_INSERT_TAIL(&ingress->lingerers, conn, in_lingerers);
  ingress->lingering++;
  set_end(conn, ingress->draining ? LINGER_DRAIN_SECONDS : LINGER_SECONDS);
  ingress_wait(conn, LINGER_SILENCE_US);
  ingress_reading(conn, true);
  say_goodbye(conn);
}

static bool is_over(const struct ingress_conn *conn) {
  struct timeval now;
  event_base_gettimeofday_cached(loop_base(conn->ingress->loop), &now);
  return evutil_timercmp(&now, &conn->linger_until, >);
}

void linger_drop(struct ingress_conn *conn) {
  struct evbuffer *input = bufferevent_get_input(conn->bev);
  evbuffer_drain(input, evbuffer_get_length(input));
  if (conn->state != INGRESS_LINGERING)
    return;
  if (is_over(conn))
    linger_end(conn);
  else
    ingress_wait(conn, LINGER_SILENCE_US);
}

size_t linger_evict(struct ingress *ingress, size_t count) {
  size_t ended = 0;
  for (; ended < count && !TAILQ_EMPTY(&ingress->lingerers); ended++) {
    struct ingress_conn *conn = TAILQ_FIRST(&ingress->lingerers);
    linger_forget(conn);
    linger_end(conn);
  }
  return ended;
}

void linger_drain(struct ingress *ingress) {
  struct ingress_conn *conn;
  for (conn = TAILQ_FIRST(&ingress->lingerers); conn != NULL;
       conn = TAILQ_NEXT(conn, in_lingerers))
    set_end(conn, LINGER_DRAIN_SECONDS);
}
