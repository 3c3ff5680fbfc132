/* SPDX-License-Identifier: MIT
 *
 * Clients of an ingress that is tested.
 */
#include "ingresskit.h"

#include <arpa/inet.h>
#include <assert.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void on_got(struct bufferevent *bev, void *arg) {
  struct client *c = arg;
  struct evbuffer *input = bufferevent_get_input(bev);
  size_t len = evbuffer_get_length(input);
  const char *data = (const char *)evbuffer_pullup(input, -1);
  for (size_t i = 0; i < len; i++)
    c->answers += data[i] == '#';
  buf_add(&c->got, data, len);
  evbuffer_drain(input, len);
}

static void on_end(struct bufferevent *bev, short what, void *arg) {
  struct client *c = arg;
  (void)bev;
  if ((what & BEV_EVENT_CONNECTED) != 0) {
    c->connected = true;
    return;
  }
  if ((what & BEV_EVENT_WRITING) == 0)
    c->ended = true;
  c->broken |= (what & BEV_EVENT_ERROR) != 0;
}

void client_free(struct client *c) {
  struct client **at = &c->bed->clients;
  while (*at != c)
    at = &(*at)->next;
  *at = c->next;
  bufferevent_free(c->bev);
  buf_fini(&c->got);
  free(c);
}

struct client *client_new(struct bed *bed) {
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)bed->port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct event_base *base = loop_base(bed->loop);
  struct client *c = calloc(1, sizeof *c);
  int size = BED_KERNEL_BUFFER, on = 1;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  int failed = connect(fd, (struct sockaddr *)&address, sizeof address);
  assert(failed == 0);
  evutil_make_socket_nonblocking(fd);
  *c = (struct client){
      .bed = bed, .next = bed->clients, .connected = bed->tls == NULL};
  buf_init(&c->got, 64 << 20);
  bed->clients = c;
  c->bev = bed->tls == NULL
               ? bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE)
               : bufferevent_openssl_socket_new(base, fd, SSL_new(bed->tls),
                                                BUFFEREVENT_SSL_CONNECTING,
                                                BEV_OPT_CLOSE_ON_FREE);
  bufferevent_setcb(c->bev, on_got, NULL, on_end, c);
  bufferevent_enable(c->bev, EV_READ | EV_WRITE);
  return c;
}

void client_send_bytes(struct client *c, const void *data, size_t len) {
  bufferevent_write(c->bev, data, len);
}

void client_send(struct client *c, const char *text) {
  client_send_bytes(c, text, strlen(text));
}

static bool has_sent(void *arg, size_t count) {
  return client_unsent(arg) <= count;
}

void client_dribble(struct client *c, const char *text) {
  struct event_base *base = loop_base(c->bed->loop);
  for (; *text != '\0'; text++) {
    client_send_bytes(c, text, 1);
    bed_await(c->bed, has_sent, c, 0);
    for (int i = 0; i < 3; i++) /* loopback needs no time */
      event_base_loop(base, EVLOOP_NONBLOCK);
  }
}

void client_fill(struct client *c, char letter, size_t count) {
  char *bytes = malloc(count);
  memset(bytes, letter, count);
  client_send_bytes(c, bytes, count);
  free(bytes);
}

size_t client_unsent(const struct client *c) {
  return evbuffer_get_length(bufferevent_get_output(c->bev));
}

void client_half_close(struct client *c) {
  bed_await(c->bed, has_sent, c, 0);
  shutdown(bufferevent_getfd(c->bev), SHUT_WR);
}

void client_close(struct client *c) {
  bed_await(c->bed, has_sent, c, 0);
  client_free(c);
}

void client_reset(struct client *c) {
  struct linger now = {.l_onoff = 1, .l_linger = 0};
  setsockopt(bufferevent_getfd(c->bev), SOL_SOCKET, SO_LINGER, &now,
             sizeof now);
  client_free(c);
}

void client_deafen(struct client *c) {
  bufferevent_disable(c->bev, EV_READ);
}

void client_listen(struct client *c) {
  bufferevent_enable(c->bev, EV_READ);
}

static bool has_answers(void *arg, size_t count) {
  const struct client *c = arg;
  return c->answers >= count || c->ended;
}

bool client_await(struct client *c, size_t answers) {
  return bed_await(c->bed, has_answers, c, answers) && c->answers == answers;
}

static bool has_ended(void *arg, size_t count) {
  (void)count;
  return ((struct client *)arg)->ended;
}

bool client_await_end(struct client *c) {
  return bed_await(c->bed, has_ended, c, 0);
}

size_t client_count(const struct client *c, const char *text) {
  size_t count = 0;
  const char *at = c->got.len > 0 ? c->got.data : "";
  while ((at = strstr(at, text)) != NULL) {
    count++;
    at += strlen(text);
  }
  return count;
}

bool client_got(const struct client *c, const char *text) {
  return client_count(c, text) > 0;
}
