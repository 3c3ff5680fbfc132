/* SPDX-License-Identifier: MIT
 *
 * The server's side of the kit: one thread a connection, which blocks as it
 * likes.
 */
#include "httpckit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BLOCK 65536u

static uint64_t pattern_word(uint64_t number) {
  return number * UINT64_C(0x9e3779b97f4a7c15) >> 8;
}

void pattern_fill(void *to, size_t len, uint64_t offset) {
  unsigned char *at = to;
  while (len > 0) {
    uint64_t word = pattern_word(offset / 8);
    size_t skip = offset % 8, n = 8 - skip < len ? 8 - skip : len;
    memcpy(at, (unsigned char *)&word + skip, n);
    at += n;
    len -= n;
    offset += n;
  }
}

bool pattern_is(const void *data, size_t len, uint64_t offset) {
  const char *at = data;
  char want[4096];
  while (len > 0) {
    size_t n = len < sizeof want ? len : sizeof want;
    pattern_fill(want, n, offset);
    if (memcmp(at, want, n) != 0)
      return false;
    at += n;
    len -= n;
    offset += n;
  }
  return true;
}

static ssize_t peer_recv(struct peer *peer, void *to, size_t room) {
  if (peer->ssl != NULL)
    return SSL_read(peer->ssl, to, (int)room);
  return recv(peer->fd, to, room, 0);
}

static ssize_t peer_write(struct peer *peer, const void *data, size_t len) {
  if (peer->ssl != NULL)
    return SSL_write(peer->ssl, data, (int)len);
  return send(peer->fd, data, len, MSG_NOSIGNAL);
}

bool peer_head(struct peer *peer) {
  struct server *server = peer->server;
  buf_clear(&peer->head);
  while (peer->head.len < 4 ||
         memcmp(peer->head.data + peer->head.len - 4, "\r\n\r\n", 4) != 0) {
    char c;
    if (peer_recv(peer, &c, 1) != 1 || !buf_addc(&peer->head, c))
      return false;
  }
  int number = atomic_fetch_add(&server->requests, 1);
  if (number < HEADS_MAX && peer->head.len < sizeof server->heads[0])
    memcpy(server->heads[number], peer->head.data, peer->head.len + 1);
  return true;
}

bool peer_has(const struct peer *peer, const char *text) {
  return strstr(peer->head.data, text) != NULL;
}

void peer_send(struct peer *peer, const void *data, size_t len) {
  const char *at = data;
  while (len > 0) {
    ssize_t n = peer_write(peer, at, len);
    if (n <= 0)
      return;
    at += n;
    len -= (size_t)n;
  }
}

void peer_say(struct peer *peer, const char *text) {
  peer_send(peer, text, strlen(text));
}

uint64_t peer_get_pattern(struct peer *peer, uint64_t count) {
  char *block = malloc(BLOCK);
  uint64_t got = 0;
  while (got < count) {
    size_t room = count - got < BLOCK ? (size_t)(count - got) : BLOCK;
    ssize_t n = peer_recv(peer, block, room);
    if (n <= 0)
      break;
    if (!pattern_is(block, (size_t)n, got))
      peer->server->wrong = true;
    got += (uint64_t)n;
    peer->server->received += (uint64_t)n;
  }
  free(block);
  return got;
}

uint64_t peer_put_pattern(struct peer *peer, uint64_t count) {
  char *block = malloc(BLOCK);
  uint64_t put = 0;
  while (put < count) {
    size_t len = count - put < BLOCK ? (size_t)(count - put) : BLOCK;
    pattern_fill(block, len, put);
    ssize_t n = peer_write(peer, block, len);
    if (n <= 0)
      break;
    put += (uint64_t)n;
  }
  free(block);
  return put;
}

void peer_wait(struct peer *peer) {
  sem_wait(&peer->server->gate);
}

void peer_reset(struct peer *peer) {
  struct linger now = {.l_onoff = 1};
  setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

void peer_until_left(struct peer *peer) {
  char block[4096];
  while (peer_recv(peer, block, sizeof block) > 0)
    ;
}

void server_tell(struct server *server) {
  const uint64_t one = 1;
  while (write(server->tell_fd, &one, sizeof one) < 0)
    ;
}

static void peer_close(struct peer *peer) {
  pthread_mutex_lock(&peer->server->lock);
  close(peer->fd);
  peer->fd = -1;
  pthread_mutex_unlock(&peer->server->lock);
}

static bool peer_secure(struct peer *peer) {
  if (peer->server->tls == NULL)
    return true;
  peer->ssl = SSL_new(peer->server->tls);
  SSL_set_fd(peer->ssl, peer->fd);
  return SSL_accept(peer->ssl) == 1;
}

static void *peer_thread(void *arg) {
  struct peer *peer = arg;
  struct server *server = peer->server;
  int open = atomic_fetch_add(&server->open, 1) + 1;
  int most = server->most_open;
  while (open > most &&
         !atomic_compare_exchange_weak(&server->most_open, &most, open))
    ;
  buf_init(&peer->head, sizeof server->heads[0]);
  if (peer_secure(peer))
    server->serve(peer);
  atomic_fetch_sub(&server->open, 1);
  if (peer->ssl != NULL)
    SSL_shutdown(peer->ssl);
  SSL_free(peer->ssl);
  buf_fini(&peer->head);
  peer_close(peer);
  return NULL;
}

static void *server_thread(void *arg) {
  struct server *server = arg;
  for (;;) {
    int fd = accept(server->fd, NULL, NULL);
    if (fd < 0)
      return NULL;
    int number = server->accepted;
    if (number == PEERS_MAX)
      abort();
    struct peer *peer = &server->peers[number];
    pthread_mutex_lock(&server->lock);
    peer->server = server;
    peer->fd = fd;
    peer->number = number;
    pthread_mutex_unlock(&server->lock);
    server->accepted++; /* before it can answer */
    pthread_create(&peer->thread, NULL, peer_thread, peer);
  }
}

static void server_secure(struct server *server) {
  server->tls = SSL_CTX_new(TLS_server_method());
  if (SSL_CTX_use_certificate_file(server->tls, server->certificate,
                                   SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_use_PrivateKey_file(server->tls, server->key,
                                  SSL_FILETYPE_PEM) != 1)
    abort();
}

void server_start(struct server *server) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t len = sizeof address;
  inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
  pthread_mutex_init(&server->lock, NULL);
  sem_init(&server->gate, 0, 0);
  if (server->certificate != NULL)
    server_secure(server);
  server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(server->fd, (struct sockaddr *)&address, len) != 0 ||
      listen(server->fd, 128) != 0 ||
      getsockname(server->fd, (struct sockaddr *)&address, &len) != 0)
    abort();
  server->port = ntohs(address.sin_port);
  pthread_create(&server->thread, NULL, server_thread, server);
}

void server_stop(struct server *server) {
  if (server->fd < 0)
    return;
  shutdown(server->fd, SHUT_RDWR);
  pthread_join(server->thread, NULL);
  close(server->fd);
  server->fd = -1;
  for (int i = 0; i < server->accepted; i++) {
    pthread_mutex_lock(&server->lock);
    if (server->peers[i].fd >= 0)
      shutdown(server->peers[i].fd, SHUT_RDWR);
    pthread_mutex_unlock(&server->lock);
  }
  for (int i = 0; i < server->accepted; i++) {
    sem_post(&server->gate);
    pthread_join(server->peers[i].thread, NULL);
  }
  SSL_CTX_free(server->tls);
  sem_destroy(&server->gate);
  pthread_mutex_destroy(&server->lock);
}
