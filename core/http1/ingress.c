/* SPDX-License-Identifier: MIT
 *
 * The life of connections.
 */
#include "clock.h"
#include "ingress_private.h"

#include <arpa/inet.h>
#include <event2/bufferevent_ssl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SINGLE_WRITE (256 * 1024)
#define MS_US 1000

/* ---- it begins ---------------------------------------------------------- */

static void on_timer(evutil_socket_t fd, short what, void *arg) {
  struct ingress_conn *conn = arg;
  (void)fd, (void)what;
  uint64_t now = clock_us();
  conn->armed_us = 0;
  if (conn->due_us == 0)
    return;
  if (conn->due_us > now) {
    conn_arm(conn, now);
    return;
  }
  conn->due_us = 0;
  if (conn->state ==
      INGRESS_SKIPPING) { /* it has its answer, and may read it */
    linger_start(conn);
    return;
  }
  bufferevent_trigger_event(conn->bev, BEV_EVENT_READING | BEV_EVENT_TIMEOUT,
                            0);
}

static void learn_peer(struct ingress_conn *conn,
                       const struct sockaddr *address) {
  snprintf(conn->peer, sizeof conn->peer, "unix:");
  const void *ip = NULL;
  if (address->sa_family == AF_INET)
    ip = &((const struct sockaddr_in *)(const void *)address)->sin_addr;
  else if (address->sa_family == AF_INET6)
    ip = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
  if (ip == NULL)
    return;
  inet_ntop(address->sa_family, ip, conn->peer, sizeof conn->peer);
  int on = 1;
  setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static bool has_unread(const struct ingress_conn *conn) {
  char byte;
  return recv(conn->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

/* ---- its events --------------------------------------------------------- */

static void handle_end(struct ingress_conn *conn, short what) {
  if ((what & BEV_EVENT_READING) != 0 && (what & BEV_EVENT_EOF) != 0) {
    ingress_on_eof(conn);
  } else {
    ingress_note_end(conn, what);
    ingress_end_conn(conn);
  }
}

/* It does what was due inside of another call: an answer that is sent, the
 * next request, which had come already, or the end of what comes. */
static void on_deferred(evutil_socket_t none, short what, void *arg) {
  struct ingress_conn *conn = arg;
  (void)none;
  ingress_enter(conn);
  if (conn->state == INGRESS_WHOLE)
    ingress_hand_over(conn);
  else if (conn->state == INGRESS_ANSWERING && conn->whole &&
           evbuffer_get_length(bufferevent_get_output(conn->bev)) == 0)
    ingress_answered(conn);
  if (conn->ended != 0 && !conn->closed) {
    what = conn->ended;
    conn->ended = 0;
    handle_end(conn, what);
  }
  ingress_leave(conn);
}

static void on_tls_read(struct bufferevent *bev, void *arg) {
  struct ingress_conn *conn = arg;
  (void)bev;
  ingress_enter(conn);
  ingress_on_bytes(conn);
  ingress_leave(conn);
}

static void on_written(struct bufferevent *bev, void *arg) {
  struct ingress_conn *conn = arg;
  if (conn->state != INGRESS_ANSWERING)
    return;
  ingress_enter(conn);
  if (!conn->whole && conn->drained != NULL)
    conn->drained(conn->drained_arg);
  else if (conn->whole &&
           evbuffer_get_length(bufferevent_get_output(bev)) == 0)
    ingress_answered(conn);
  ingress_leave(conn);
}

/* The client has said its last word, broke the connection, or was silent for
 * too long.  The first isn't the end: it may listen still. */
static void on_event(struct bufferevent *bev, short what, void *arg) {
  struct ingress_conn *conn = arg;
  (void)bev;
  if ((what & BEV_EVENT_CONNECTED) != 0)
    return;
  if (conn->ingress->tls != NULL && (what & BEV_EVENT_TIMEOUT) == 0) {
    /* It may have come with bytes that aren't in the input yet. */
    if (conn->ended == 0 || (what & BEV_EVENT_EOF) == 0)
      conn->ended = what;
    event_active(conn->deferred, EV_TIMEOUT, 1);
    return;
  }
  ingress_enter(conn);
  handle_end(conn, what);
  ingress_leave(conn);
}

static void listen_to(struct ingress_conn *conn) {
  bool tls = conn->ingress->tls != NULL;
  bufferevent_setcb(conn->bev, tls ? on_tls_read : NULL, on_written, on_event,
                    conn);
}

static void on_input(struct evbuffer *input,
                     const struct evbuffer_cb_info *info, void *arg) {
  struct ingress_conn *conn = arg;
  (void)input;
  conn->received += info->n_added;
}

/* ---- it begins ---------------------------------------------------------- */

static struct bufferevent *make_bev(struct ingress *ingress,
                                    evutil_socket_t fd) {
  struct event_base *base = loop_base(ingress->loop);
  if (ingress->tls == NULL)
    return bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
  SSL *ssl = SSL_new(ingress->tls);
  if (ssl == NULL)
    return NULL;
  struct bufferevent *bev = bufferevent_openssl_socket_new(
      base, fd, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
  if (bev == NULL)
    SSL_free(ssl);
  else
    bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
  return bev;
}

static struct ingress_conn *conn_new(struct ingress *ingress,
                                     evutil_socket_t fd) {
  struct event_base *base = loop_base(ingress->loop);
  struct ingress_conn *conn = calloc(1, sizeof *conn);
  must_have(conn);
  conn->ingress = ingress;
  conn->fd = fd;
  conn->window = INGRESS_WINDOW;
  fields_init(&conn->fields);
  conn->bev = make_bev(ingress, fd);
  conn->deferred = event_new(base, -1, 0, on_deferred, conn);
  conn->timer = evtimer_new(base, on_timer, conn);
  must_have(conn->bev && conn->deferred && conn->timer);
  if (ingress->tls == NULL)
    conn->readable =
        event_new(base, fd, EV_READ | EV_PERSIST, ingress_on_readable, conn);
  must_have(ingress->tls != NULL || conn->readable != NULL);
  conn->watch =
      evbuffer_add_cb(bufferevent_get_input(conn->bev), on_input, conn);
  must_have(conn->watch);
  return conn;
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd,
                      struct sockaddr *address, int len, void *arg) {
  struct ingress *ingress = arg;
  const struct ingress_owner *owner = &ingress->owner;
  (void)listener, (void)len;
  struct ingress_conn *conn = conn_new(ingress, fd);
  bufferevent_setwatermark(conn->bev, EV_READ, 0, INGRESS_WINDOW);
  bufferevent_set_max_single_read(conn->bev, INGRESS_WINDOW);
  bufferevent_set_max_single_write(conn->bev, SINGLE_WRITE);
  learn_peer(conn, address);
  TAILQ_INSERT_TAIL(&ingress->conns, conn, link);
  ingress->open++;
  owner->count(owner->arg, 1);
  if ((ingress->draining && !has_unread(conn)) ||
      (owner->admit != NULL &&
       !owner->admit(owner->arg, conn->peer, &conn->counted))) {
    ingress_end_conn(conn);
    return;
  }
  ingress_wait(conn, ingress->head_us);
  bufferevent_enable(conn->bev, EV_WRITE);
  if (ingress->tls != NULL)
    handshake_watch(conn, listen_to);
  else
    listen_to(conn);
  ingress_reading(conn, true);
}

static void on_accept_error(struct evconnlistener *listener, void *arg) {
  int error = EVUTIL_SOCKET_ERROR();
  struct ingress *ingress = arg;
  (void)listener;
  if (ingress->owner.refused != NULL)
    ingress->owner.refused(ingress->owner.arg, error);
}

struct evconnlistener *ingress_listen(struct ingress *ingress,
                                      evutil_socket_t fd) {
  /* It listens already, and a confined process can't have it do so again. */
  struct evconnlistener *listener =
      evconnlistener_new(loop_base(ingress->loop), on_accept, ingress,
                         LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
  if (listener != NULL)
    evconnlistener_set_error_cb(listener, on_accept_error);
  return listener;
}

/* ---- for its owner ------------------------------------------------------ */

void ingress_limit(struct ingress *ingress,
                   const struct ingress_settings *settings) {
  ingress->head_us = (uint64_t)settings->head_timeout_ms * MS_US;
  ingress->body_us = (uint64_t)settings->body_timeout_ms * MS_US;
  ingress->idle_us = (uint64_t)settings->idle_timeout_ms * MS_US;
  ingress->memory = settings->memory;
  pace_init(ingress, settings);
}

struct ingress *ingress_new(struct loop *loop, SSL_CTX *tls,
                            const struct ingress_settings *settings,
                            const struct ingress_owner *owner) {
  static const struct timeval second = {.tv_sec = 1};
  struct ingress *ingress = calloc(1, sizeof *ingress);
  if (ingress == NULL)
    return NULL;
  ingress->loop = loop;
  ingress->tls = tls;
  ingress->owner = *owner;
  if (tls != NULL)
    SSL_CTX_up_ref(tls);
  TAILQ_INIT(&ingress->conns);
  TAILQ_INIT(&ingress->lingerers);
  ingress_limit(ingress, settings);
  ingress->sweeper =
      event_new(loop_base(loop), -1, EV_PERSIST, ingress_on_sweep, ingress);
  if (ingress->sweeper == NULL || event_add(ingress->sweeper, &second) < 0) {
    ingress_free(ingress);
    return NULL;
  }
  return ingress;
}

void ingress_free(struct ingress *ingress) {
  if (ingress == NULL)
    return;
  ingress_close(ingress);
  if (ingress->sweeper != NULL)
    event_free(ingress->sweeper);
  must(TAILQ_EMPTY(&ingress->conns));
  SSL_CTX_free(ingress->tls);
  free(ingress);
}

void ingress_renew_tls(struct ingress *ingress, SSL_CTX *tls) {
  SSL_CTX_up_ref(tls);
  SSL_CTX_free(ingress->tls);
  ingress->tls = tls;
}

size_t ingress_open(const struct ingress *ingress) {
  return ingress->open;
}

static bool is_idle(const struct ingress_conn *conn) {
  bool head = conn->state == INGRESS_HEAD || conn->state == INGRESS_IDLE;
  return head && conn->text_len == 0;
}

void ingress_evict(struct ingress *ingress, size_t count) {
  struct ingress_conn *conn = TAILQ_FIRST(&ingress->conns);
  while (conn != NULL && count > 0) {
    struct ingress_conn *next = TAILQ_NEXT(conn, link);
    if (is_idle(conn) && !has_unread(conn)) {
      ingress_end_conn(conn);
      count--;
    }
    conn = next;
  }
  if (!ingress->draining)
    linger_evict(ingress, count);
}

void ingress_close(struct ingress *ingress) {
  struct ingress_conn *conn = TAILQ_FIRST(&ingress->conns);
  while (conn != NULL) {
    struct ingress_conn *next = TAILQ_NEXT(conn, link);
    conn->end = INGRESS_CLOSED;
    ingress_end_conn(conn);
    conn = next;
  }
}

void ingress_retire(struct ingress *ingress) {
  ingress->retiring = true;
}

void ingress_drain(struct ingress *ingress) {
  ingress->draining = true;
  ingress_evict(ingress, SIZE_MAX);
  struct ingress_conn *conn = TAILQ_FIRST(&ingress->conns);
  for (; conn != NULL; conn = TAILQ_NEXT(conn, link))
    conn->sent = true;
  linger_drain(ingress);
}

bool ingress_was_sent(const struct ingress_conn *conn) {
  return conn->sent;
}

void ingress_abort(struct ingress_conn *conn) {
  static const struct linger reset = {.l_onoff = 1, .l_linger = 0};
  setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  conn->end = INGRESS_ABORTED;
  ingress_end_conn(conn);
}

enum ingress_end ingress_end(const struct ingress_conn *conn) {
  return conn->end;
}

struct bufferevent *ingress_bev(struct ingress_conn *conn) {
  return conn->bev;
}

bool ingress_is_tls(const struct ingress_conn *conn) {
  return conn->ingress->tls != NULL;
}

const char *ingress_peer(struct ingress_conn *conn) {
  return conn->peer;
}

const X509 *ingress_certificate(struct ingress_conn *conn) {
  SSL *ssl = bufferevent_openssl_get_ssl(conn->bev);
  if (ssl == NULL || SSL_get_verify_mode(ssl) == SSL_VERIFY_NONE ||
      SSL_get_verify_result(ssl) != X509_V_OK)
    return NULL;
  return SSL_get0_peer_certificate(ssl);
}

uint64_t ingress_since(const struct ingress_conn *conn) {
  return conn->since_us;
}
