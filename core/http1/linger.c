/* SPDX-License-Identifier: MIT
 *
 * Lingering close: a client that is still sending when its connection is
 * closed would be reset, and lose the answer that it didn't read yet.  So its
 * connection is closed for writing only, and what still comes is dropped, for
 * so many bytes, so much silence and time, and so many connections.
 */
#include "ingress_private.h"

#include <openssl/err.h>
#include <event2/bufferevent_ssl.h>
#include <sys/socket.h>

#define LINGER_MAX 256
#define LINGER_BYTES (64 << 20)
#define LINGER_SECONDS 10

bool linger_can(const struct ingress_conn *conn) {
  return !conn->eof && !conn->ingress->draining &&
         conn->ingress->lingering < LINGER_MAX;
}

/* Deferred, as it may be called from inside evhttp. */
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

void linger_start(struct ingress_conn *conn) {
  struct ingress *ingress = conn->ingress;
  struct evbuffer *input = bufferevent_get_input(conn->bev);
  conn->state = INGRESS_DEAF;
  evbuffer_drain(input, evbuffer_get_length(input));
  if (!linger_can(conn)) {
    linger_end(conn);
    return;
  }
  conn->lingers = true;
  conn->skipped = 0;
  ingress->lingering++;
  event_base_gettimeofday_cached(loop_base(ingress->loop),
                                 &conn->linger_until);
  conn->linger_until.tv_sec += LINGER_SECONDS;
  event_add(conn->timer, ingress->linger_silence);
  say_goodbye(conn);
}

static bool is_over(const struct ingress_conn *conn) {
  struct timeval now;
  event_base_gettimeofday_cached(loop_base(conn->ingress->loop), &now);
  return conn->skipped > LINGER_BYTES ||
         evutil_timercmp(&now, &conn->linger_until, >);
}

void linger_drop(struct ingress_conn *conn) {
  struct evbuffer *input = bufferevent_get_input(conn->bev);
  conn->skipped += evbuffer_get_length(input);
  evbuffer_drain(input, evbuffer_get_length(input));
  if (!conn->lingers)
    return;
  if (is_over(conn))
    linger_end(conn);
  else
    event_add(conn->timer, conn->ingress->linger_silence);
}

void linger_forget(struct ingress_conn *conn) {
  if (conn->lingers)
    conn->ingress->lingering--;
  conn->lingers = false;
}
