/* SPDX-License-Identifier: MIT
 *
 * The life of evhttp's connections.
 */
#include "ingress_private.h"
#include "wipe.h"

#include <arpa/inet.h>
#include <event2/bufferevent_ssl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define SINGLE_WRITE (256 * 1024)
#define LINGER_SILENCE_MS 5000

/* ---- a connection's life ------------------------------------------------ */

static void conn_free(struct ingress_conn *conn) {
  struct ingress *ingress = conn->ingress;
  if (conn->fd >= 0 && (size_t)conn->fd < ingress->fds &&
      ingress->by_fd[conn->fd] == conn)
    ingress->by_fd[conn->fd] = NULL;
  TAILQ_REMOVE(&ingress->conns, conn, link);
  ingress->open--;
  if (conn->deferred != NULL)
    event_free(conn->deferred);
  if (conn->timer != NULL)
    event_free(conn->timer);
  if (conn->readable != NULL)
    event_free(conn->readable);
  linger_forget(conn);
  tally_leave(&conn->counted);
  ingress_uncharge(conn);
  head_fini(&conn->head);
  buf_fini(&conn->fields);
  wipe_free(conn->text);
  free(conn);
  ingress->owner.count(ingress->owner.arg, -1);
}

static void on_close(struct evhttp_connection *evcon, void *arg) {
  struct ingress_conn *conn = arg;
  (void)evcon;
  evbuffer_remove_cb_entry(bufferevent_get_input(conn->bev), conn->watch);
  struct evhttp_request *request = conn->request;
  if (request != NULL) {
    conn->events->gone(conn->arg);
    /* evhttp lets go of a request whose answer hasn't begun. */
    if (evhttp_request_get_connection(request) == NULL)
      evhttp_request_free(request);
  }
  conn_free(conn);
}

static bool remember_fd(struct ingress_conn *conn) {
  struct ingress *ingress = conn->ingress;
  size_t fd = (size_t)conn->fd;
  if (fd >= ingress->fds) {
    size_t fds = ingress->fds == 0 ? 256 : ingress->fds;
    while (fds <= fd)
      fds *= 2;
    struct ingress_conn **grown =
        realloc(ingress->by_fd, fds * sizeof(*grown));
    if (grown == NULL)
      return false;
    memset(grown + ingress->fds, 0, (fds - ingress->fds) * sizeof(*grown));
    ingress->by_fd = grown;
    ingress->fds = fds;
  }
  ingress->by_fd[fd] = conn;
  return true;
}

/* False: the connection was reset, and nobody is at its other end; which isn't
 * a Unix socket therefore, as some configurations trust. */
static bool learn_peer(struct ingress_conn *conn) {
  struct sockaddr_storage address = {0};
  socklen_t len = sizeof address;
  snprintf(conn->peer, sizeof conn->peer, "unix:");
  if (getpeername(conn->fd, (struct sockaddr *)&address, &len) < 0)
    return false;
  const void *ip = NULL;
  if (address.ss_family == AF_INET)
    ip = &((struct sockaddr_in *)&address)->sin_addr;
  else if (address.ss_family == AF_INET6)
    ip = &((struct sockaddr_in6 *)&address)->sin6_addr;
  if (ip == NULL)
    return true;
  inet_ntop(address.ss_family, ip, conn->peer, sizeof conn->peer);
  int on = 1;
  setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return true;
}

static bool has_unread(const struct ingress_conn *conn) {
  char byte;
  return recv(conn->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

/* Runs once, when evhttp has set the new connection up and before its first
 * byte is read.  That evhttp's callbacks get its connection as argument is a
 * fact of 2.1, which ingress_new() makes sure of. */
static void on_deferred(evutil_socket_t none, short what, void *arg) {
  struct ingress_conn *conn = arg;
  void *evcon = NULL;
  (void)none, (void)what;
  bufferevent_getcb(conn->bev, NULL, NULL, &conn->evhttp_event, &evcon);
  if (evcon == NULL) { /* it failed, and freed the bufferevent */
    conn_free(conn);
    return;
  }
  struct ingress *ingress = conn->ingress;
  conn->evcon = evcon;
  conn->fd = bufferevent_getfd(conn->bev);
  evhttp_connection_set_closecb(conn->evcon, on_close, conn);
  bool has_peer = learn_peer(conn);
  if (ingress->tls == NULL)
    conn->readable =
        event_new(loop_base(ingress->loop), conn->fd, EV_READ | EV_PERSIST,
                  ingress_on_readable, conn);
  if (!remember_fd(conn) || !has_peer ||
      (ingress->tls == NULL && conn->readable == NULL) ||
      (ingress->draining && !has_unread(conn)) ||
      (ingress->owner.admit != NULL &&
       !ingress->owner.admit(ingress->owner.arg, conn->peer, &conn->counted)))
    evhttp_connection_free(conn->evcon);
  else if (ingress->tls != NULL)
    handshake_watch(conn);
}

static void on_timer(evutil_socket_t fd, short what, void *arg) {
  struct ingress_conn *conn = arg;
  (void)fd, (void)what;
  if (conn->state ==
      INGRESS_SKIPPING) { /* it has its answer, and may read it */
    linger_start(conn);
    return;
  }
  bufferevent_trigger_event(conn->bev, BEV_EVENT_READING | BEV_EVENT_TIMEOUT,
                            0);
}

/* ---- evhttp's side ------------------------------------------------------ */

static void on_input(struct evbuffer *input,
                     const struct evbuffer_cb_info *info, void *arg) {
  struct ingress_conn *conn = arg;
  (void)input;
  if (info->n_added == 0)
    return;
  conn->received += info->n_added;
  ingress_scan(conn);
}

static struct bufferevent *make_bev(struct ingress *ingress) {
  struct event_base *base = loop_base(ingress->loop);
  if (ingress->tls == NULL)
    return bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
  SSL *ssl = SSL_new(ingress->tls);
  if (ssl == NULL)
    return NULL;
  struct bufferevent *bev = bufferevent_openssl_socket_new(
      base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
  if (bev == NULL)
    SSL_free(ssl);
  else
    bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
  return bev;
}

/* evhttp asks for the bufferevent of a connection it has accepted.  On NULL it
 * makes a stock one, which would not be watched: so memory for ours is a must
 * (bufferevents themselves are made the same way there). */
static struct bufferevent *on_accept(struct event_base *base, void *arg) {
  struct ingress *ingress = arg;
  struct ingress_conn *conn = calloc(1, sizeof *conn);
  must_have(conn);
  conn->ingress = ingress;
  conn->fd = -1;
  fields_init(&conn->fields);
  conn->bev = make_bev(ingress);
  conn->deferred = event_new(base, -1, 0, on_deferred, conn);
  conn->timer = evtimer_new(base, on_timer, conn);
  must_have(conn->bev && conn->deferred && conn->timer);
  conn->watch =
      evbuffer_add_cb(bufferevent_get_input(conn->bev), on_input, conn);
  must_have(conn->watch);
  bufferevent_setwatermark(conn->bev, EV_READ, 0, INGRESS_WINDOW);
  bufferevent_set_max_single_read(conn->bev, INGRESS_WINDOW);
  bufferevent_set_max_single_write(conn->bev, SINGLE_WRITE);
  event_add(conn->timer, ingress->head_timeout);
  event_active(conn->deferred, EV_TIMEOUT, 1);
  TAILQ_INSERT_TAIL(&ingress->conns, conn, link);
  ingress->open++;
  ingress->owner.count(ingress->owner.arg, 1);
  return conn->bev;
}

struct search {
  const struct evhttp *http;
  struct ingress *found;
};

/* Each ingress has its sweeper on the loop. */
static int look_at(const struct event_base *base, const struct event *event,
                   void *arg) {
  struct search *search = arg;
  (void)base;
  if (event_get_callback(event) != ingress_on_sweep)
    return 0;
  struct ingress *ingress = event_get_callback_arg(event);
  if (ingress->http == search->http)
    search->found = ingress;
  return search->found != NULL;
}

void ingress_on_refused(struct evconnlistener *listener, void *http) {
  int error = EVUTIL_SOCKET_ERROR();
  struct search search = {.http = http};
  event_base_foreach_event(evconnlistener_get_base(listener), look_at,
                           &search);
  const struct ingress *ingress = search.found;
  if (ingress != NULL && ingress->owner.refused != NULL)
    ingress->owner.refused(ingress->owner.arg, error);
}

/* ---- for its owner ------------------------------------------------------ */

/* libevent keeps one queue for each length of time, for ever, and has room for
 * 256 of them; others are as good, and dearer. */
static const struct timeval *timeout_of(struct loop *loop, int64_t ms,
                                        struct timeval *plain) {
  *plain = (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
  const struct timeval *common =
      event_base_init_common_timeout(loop_base(loop), plain);
  return common != NULL ? common : plain;
}

void ingress_limit(struct ingress *ingress,
                   const struct ingress_settings *settings) {
  struct loop *loop = ingress->loop;
  struct timeval *plain = ingress->plain;
  ingress->head_timeout =
      timeout_of(loop, settings->head_timeout_ms, &plain[0]);
  ingress->body_timeout =
      timeout_of(loop, settings->body_timeout_ms, &plain[1]);
  ingress->idle_timeout =
      timeout_of(loop, settings->idle_timeout_ms, &plain[2]);
  ingress->memory = settings->memory;
  pace_init(ingress, settings);
}

struct ingress *ingress_new(struct loop *loop, SSL_CTX *tls,
                            const struct ingress_settings *settings,
                            const struct ingress_owner *owner) {
  must(event_get_version_number() >> 16 == 0x0201);
  static const struct timeval second = {.tv_sec = 1};
  struct ingress *ingress = calloc(1, sizeof *ingress);
  if (ingress == NULL)
    return NULL;
  *ingress = (struct ingress){.loop = loop, .tls = tls, .owner = *owner};
  if (tls != NULL)
    SSL_CTX_up_ref(tls);
  TAILQ_INIT(&ingress->conns);
  TAILQ_INIT(&ingress->lingerers);
  ingress_limit(ingress, settings);
  ingress->linger_silence =
      timeout_of(loop, LINGER_SILENCE_MS, &ingress->linger_plain);
  ingress->http = evhttp_new(loop_base(loop));
  ingress->sweeper =
      event_new(loop_base(loop), -1, EV_PERSIST, ingress_on_sweep, ingress);
  if (ingress->http == NULL || ingress->sweeper == NULL ||
      event_add(ingress->sweeper, &second) < 0) {
    ingress_free(ingress);
    return NULL;
  }
  evhttp_set_allowed_methods(ingress->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
  evhttp_set_bevcb(ingress->http, on_accept, ingress);
  /* An owner says itself what a body is. */
  evhttp_set_default_content_type(ingress->http, NULL);
  evhttp_set_gencb(ingress->http, ingress_on_request, ingress);
  return ingress;
}

void ingress_free(struct ingress *ingress) {
  if (ingress == NULL)
    return;
  if (ingress->http != NULL)
    evhttp_free(ingress->http);
  if (ingress->sweeper != NULL)
    event_free(ingress->sweeper);
  must(TAILQ_EMPTY(&ingress->conns));
  free(ingress->by_fd);
  SSL_CTX_free(ingress->tls);
  free(ingress);
}

void ingress_renew_tls(struct ingress *ingress, SSL_CTX *tls) {
  SSL_CTX_up_ref(tls);
  SSL_CTX_free(ingress->tls);
  ingress->tls = tls;
}

struct evhttp *ingress_http(struct ingress *ingress) {
  return ingress->http;
}

size_t ingress_open(const struct ingress *ingress) {
  return ingress->open;
}

static bool is_idle(const struct ingress_conn *conn) {
  bool head = conn->state == INGRESS_HEAD || conn->state == INGRESS_IDLE;
  return head && conn->text_len == 0 && conn->evcon != NULL;
}

void ingress_evict(struct ingress *ingress, size_t count) {
  struct ingress_conn *conn = TAILQ_FIRST(&ingress->conns);
  while (conn != NULL && count > 0) {
    struct ingress_conn *next = TAILQ_NEXT(conn, link);
    if (is_idle(conn) && !has_unread(conn)) {
      evhttp_connection_free(conn->evcon);
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
    if (conn->evcon != NULL)
      evhttp_connection_free(conn->evcon);
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
  evhttp_connection_free(conn->evcon);
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
