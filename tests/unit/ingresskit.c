/* SPDX-License-Identifier: MIT
 *
 * The owner of an ingress that is tested, and clients for it.
 */
#include "ingresskit.h"

#include "answer.h"

#include <arpa/inet.h>
#include <assert.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <openssl/ec.h>
#include <openssl/x509.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_S 120
#define QUIET_MS 60

struct item {
  struct item *next;
  struct bed *bed;
  struct ingress_conn *conn;
  struct head head;
  size_t length;
  bool waits;
};

/* ---- the owner ---------------------------------------------------------- */

static void answer(struct item *item, int status, const char *text) {
  struct evbuffer *body = evbuffer_new();
  evbuffer_add(body, text, strlen(text));
  answer_whole(item->conn, status, body);
  evbuffer_free(body);
}

static void answer_length(struct item *item, const char *word) {
  char text[64];
  snprintf(text, sizeof text, "%s %zu#", word, item->length);
  answer(item, 200, text);
}

static void answer_big(struct item *item) {
  char *text = malloc(BED_BIG + 2);
  memset(text, 'x', BED_BIG);
  memcpy(text + BED_BIG, "#", 2);
  answer(item, 200, text);
  free(text);
}

static bool is(const struct item *item, const char *path) {
  return strcmp(item->head.path, path) == 0;
}

static void on_piece(struct item *item, const char *data, size_t len) {
  if (is(item, "/look")) {
    answer(item, 200, "look#");
  } else if (is(item, "/abort")) {
    ingress_abort(item->conn);
  } else {
    buf_add(&item->bed->bodies, data, len);
    item->length += len;
    ingress_body_take(item->conn, len);
  }
}

static void pump(struct item *item) {
  const char *data;
  size_t len;
  enum ingress_body got;
  if (item->waits)
    return;
  while ((got = ingress_body_next(item->conn, &data, &len)) == INGRESS_DATA) {
    bool goes_on = is(item, "/read") || is(item, "/hold");
    on_piece(item, data, len);
    if (!goes_on)
      return;
  }
  if (got == INGRESS_END)
    answer_length(item, "read");
  else if (got == INGRESS_CUT)
    answer_length(item, "cut");
  else if (got == INGRESS_BAD)
    answer_length(item, "bad");
}

static void on_body(void *arg) {
  struct item *item = arg;
  size_t ahead =
      evbuffer_get_length(bufferevent_get_input(ingress_bev(item->conn)));
  if (ahead > item->bed->most_ahead)
    item->bed->most_ahead = ahead;
  pump(item);
}

static void item_end(struct item *item) {
  struct item **at = &item->bed->items;
  while (*at != item)
    at = &(*at)->next;
  *at = item->next;
  head_fini(&item->head);
  free(item);
}

static void on_finished(void *arg) {
  struct item *item = arg;
  item->bed->finished++;
  item_end(item);
}

static void on_gone(void *arg) {
  struct item *item = arg;
  item->bed->gone++;
  item_end(item);
}

static void serve(struct item *item) {
  if (is(item, "/early")) {
    answer(item, 200, "early#");
  } else if (is(item, "/big")) {
    answer_big(item);
  } else if (is(item, "/wait")) {
    item->waits = true;
  } else {
    item->waits = is(item, "/hold");
    ingress_body_start(item->conn);
    pump(item);
  }
}

static void on_request(void *arg, struct ingress_conn *conn, struct head *head,
                       const struct head_refusal *refusal) {
  static const struct ingress_events events = {
      .body = on_body, .finished = on_finished, .gone = on_gone};
  struct bed *bed = arg;
  struct item *item = calloc(1, sizeof *item);
  char text[64];
  *item = (struct item){bed->items, bed, conn, *head, 0, false};
  head->text = NULL;
  bed->items = item;
  bed->requests++;
  ingress_own(conn, &events, item);
  snprintf(bed->peer, sizeof bed->peer, "%s", ingress_peer(conn));
  bed->since = ingress_since(conn);
  if (refusal != NULL) {
    snprintf(text, sizeof text, "refused %d#", refusal->status);
    buf_addf(&bed->said, "refused %d;", refusal->status);
    answer(item, refusal->status, text);
    return;
  }
  buf_addf(&bed->said, "%s %s%s%s;", item->head.method, item->head.path,
           item->head.query ? "?" : "",
           item->head.query ? item->head.query : "");
  serve(item);
}

static void on_count(void *arg, int change) {
  ((struct bed *)arg)->opened += change;
}

void bed_go(struct bed *bed) {
  struct item *next;
  for (struct item *item = bed->items; item != NULL; item = next) {
    next = item->next;
    if (!item->waits)
      continue;
    item->waits = false;
    if (is(item, "/wait"))
      answer(item, 200, "wait#");
    else
      pump(item);
  }
}

size_t bed_ahead(const struct bed *bed) {
  return evbuffer_get_length(
      bufferevent_get_input(ingress_bev(bed->items->conn)));
}

/* ---- waiting ------------------------------------------------------------ */

static void on_time(evutil_socket_t fd, short what, void *arg) {
  (void)fd, (void)what;
  *(bool *)arg = true;
}

bool bed_await(struct bed *bed, bool (*holds)(void *, size_t), void *arg,
               size_t count) {
  static const struct timeval patience = {.tv_sec = PATIENCE_S};
  bool late = false;
  struct event *timer = evtimer_new(loop_base(bed->loop), on_time, &late);
  event_add(timer, &patience);
  while (!holds(arg, count) && !late)
    event_base_loop(loop_base(bed->loop), EVLOOP_ONCE);
  event_free(timer);
  return !late;
}

/* A number that changes when anything moves. */
static size_t movement(const struct bed *bed) {
  size_t sum = bed->said.len + bed->bodies.len + bed->finished + bed->gone;
  for (struct client *c = bed->clients; c != NULL; c = c->next)
    sum += c->got.len + client_unsent(c) * 31 + c->ended;
  return sum;
}

/* Handshakes move nothing that movement() sees. */
static bool all_connected(void *arg, size_t count) {
  (void)count;
  const struct client *c = ((struct bed *)arg)->clients;
  while (c != NULL && (c->connected || c->ended))
    c = c->next;
  return c == NULL;
}

void bed_settle(struct bed *bed) {
  static const struct timeval quiet = {.tv_usec = QUIET_MS * 1000};
  size_t before;
  bed_await(bed, all_connected, bed, 0);
  do {
    bool over = false;
    struct event *timer = evtimer_new(loop_base(bed->loop), on_time, &over);
    event_add(timer, &quiet);
    before = movement(bed);
    while (!over)
      event_base_loop(loop_base(bed->loop), EVLOOP_ONCE);
    event_free(timer);
  } while (before != movement(bed));
}

static bool has_requests(void *arg, size_t count) {
  return ((struct bed *)arg)->requests >= count;
}

bool bed_await_requests(struct bed *bed, size_t count) {
  return bed_await(bed, has_requests, bed, count);
}

static bool has_gone(void *arg, size_t count) {
  return ((struct bed *)arg)->gone >= count;
}

bool bed_await_gone(struct bed *bed, size_t count) {
  return bed_await(bed, has_gone, bed, count);
}

static bool has_open(void *arg, size_t count) {
  return ingress_open(((struct bed *)arg)->ingress) == count;
}

bool bed_await_open(struct bed *bed, size_t count) {
  return bed_await(bed, has_open, bed, count);
}

/* ---- life --------------------------------------------------------------- */

static SSL_CTX *make_tls(void) {
  SSL_CTX *tls = SSL_CTX_new(TLS_method());
  EVP_PKEY *key = EVP_EC_gen("P-256");
  X509 *cert = X509_new();
  ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
  X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
  X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
  X509_set_pubkey(cert, key);
  X509_sign(cert, key, EVP_sha256());
  SSL_CTX_use_certificate(tls, cert);
  SSL_CTX_use_PrivateKey(tls, key);
  X509_free(cert);
  EVP_PKEY_free(key);
  return tls;
}

static int make_listener(int *port) {
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof address;
  int size = BED_KERNEL_BUFFER;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  int failed = bind(fd, (struct sockaddr *)&address, len) | listen(fd, 64) |
               getsockname(fd, (struct sockaddr *)&address, &len);
  assert(failed == 0);
  *port = ntohs(address.sin_port);
  return fd;
}

void bed_init(struct bed *bed, bool tls,
              const struct ingress_settings *settings) {
  static const struct ingress_settings patient = {.head_timeout_ms = 60000,
                                                  .body_timeout_ms = 60000,
                                                  .idle_timeout_ms = 60000,
                                                  .write_timeout_ms = 60000};
  signal(SIGPIPE, SIG_IGN); /* as the gateway does */
  *bed = (struct bed){.loop = loop_new(), .tls = tls ? make_tls() : NULL};
  buf_init(&bed->said, 1 << 20);
  buf_init(&bed->bodies, 64 << 20);
  bed->ingress =
      ingress_new(bed->loop, bed->tls, settings ? settings : &patient,
                  &(struct ingress_owner){
                      .request = on_request, .count = on_count, .arg = bed});
  assert(bed->ingress != NULL);
  bed->listener = ingress_listen(bed->ingress, make_listener(&bed->port));
  assert(bed->listener != NULL);
}

void bed_fini(struct bed *bed) {
  while (bed->clients != NULL)
    client_free(bed->clients);
  ingress_drain(bed->ingress);
  ingress_close(bed->ingress);
  loop_stop(bed->loop);
  loop_run(bed->loop);
  assert(ingress_open(bed->ingress) == 0 && bed->opened == 0);
  assert(bed->items == NULL);
  evconnlistener_free(bed->listener);
  ingress_free(bed->ingress);
  loop_free(bed->loop);
  SSL_CTX_free(bed->tls);
  buf_fini(&bed->said);
  buf_fini(&bed->bodies);
}
