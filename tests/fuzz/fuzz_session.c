/* SPDX-License-Identifier: MIT
 *
 * Fuzzes an ingress by what clients do, one after the other, on real sockets:
 * an input is a program.  Bytes 1 to 8 and 14 to 31 are orders (below); bytes
 * from 128 on send a whole request, of which the byte and the next one choose
 * version, Connection, method, body and kind of answer; all others are sent as
 * they are.  Whatever comes in, each connection's answers are whole, in order
 * and told apart, each with one Connection at most, nothing follows one that
 * says close, and every request and connection comes to its end.
 */
#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "buf.h"
#include "ingress_private.h"
#include "sessionowner.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CLIENTS 3
#define INPUT_MAX 1024
#define GOT_MAX (4u << 20)
#define GULP 16384
#define TURNS 4 /* of the loop, for one order */
#define WINDOW 8192

struct client {
  int fd; /* -1: not connected */
  struct buf got;
  bool ended; /* the other side has closed, and not reset it */
};

struct session {
  struct loop *loop;
  struct owner owner;
  struct evconnlistener *listener;
  struct sockaddr_un address;
  socklen_t address_len;
  struct client clients[CLIENTS];
  struct client *now; /* whose bytes come */
};

/* ---- sockets ------------------------------------------------------------ */

static void turn(struct session *s) {
  for (int i = 0; i < TURNS; i++)
    event_base_loop(loop_base(s->loop), EVLOOP_NONBLOCK);
}

static int listener(struct session *s) {
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  s->address = (struct sockaddr_un){.sun_family = AF_UNIX};
  s->address_len = sizeof(sa_family_t); /* the kernel chooses a name */
  int failed = bind(fd, (struct sockaddr *)&s->address, s->address_len);
  s->address_len = sizeof s->address;
  failed |= getsockname(fd, (struct sockaddr *)&s->address, &s->address_len);
  failed |= listen(fd, CLIENTS);
  assert(failed == 0);
  return fd;
}

static void connect_client(struct session *s) {
  struct client *c = s->now;
  int size = WINDOW;
  if (c->fd >= 0 || c->got.len > 0)
    return;
  c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int failed = connect(c->fd, (struct sockaddr *)&s->address, s->address_len);
  assert(failed == 0);
  setsockopt(c->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  evutil_make_socket_nonblocking(c->fd);
  turn(s); /* or those who wait would be too many */
}

static void hang_up(struct client *c) {
  if (c->fd < 0)
    return;
  close(c->fd);
  c->fd = -1;
}

/* At most so much; the rest waits in the socket. */
static void listen_to(struct client *c, size_t most) {
  char data[GULP];
  while (c->fd >= 0 && most > 0 && c->got.len < GOT_MAX - GULP) {
    ssize_t len = recv(c->fd, data, most < GULP ? most : GULP, 0);
    if (len <= 0) {
      c->ended = len == 0;
      return;
    }
    buf_add(&c->got, data, (size_t)len);
    most -= (size_t)len;
  }
}

/* The bytes that aren't taken in a while are left out. */
static void say(struct session *s, const char *data, size_t len) {
  connect_client(s);
  for (int tries = 0; len > 0 && s->now->fd >= 0 && tries < 8; tries++) {
    ssize_t sent = send(s->now->fd, data, len, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN)
      return;
    if (sent > 0) {
      data += sent;
      len -= (size_t)sent;
    }
    if (len > 0)
      turn(s);
  }
}

/* ---- orders ------------------------------------------------------------- */

/* Time is over for whoever has a time: heads, idlers, who lingers. */
static void let_time_pass(struct session *s) {
  struct ingress_conn *conn;
  TAILQ_FOREACH(conn, &s->owner.ingress->conns, link) {
    if (event_pending(conn->timer, EV_TIMEOUT, NULL))
      event_active(conn->timer, EV_TIMEOUT, 1);
  }
}

static void say_much(struct session *s, size_t kib) {
  char text[1024];
  memset(text, 'x', sizeof text);
  for (size_t i = 0; i < kib; i++)
    say(s, text, sizeof text);
}

static void order(struct session *s, uint8_t which) {
  switch (which) {
  case 1:
    turn(s);
    break;
  case 2:
    owner_go(&s->owner);
    break;
  case 3:
    if (s->now->fd >= 0)
      shutdown(s->now->fd, SHUT_WR);
    break;
  case 4:
    listen_to(s->now, 1000);
    break;
  case 5:
    listen_to(s->now, SIZE_MAX);
    break;
  case 6:
    hang_up(s->now);
    break;
  case 7:
    ingress_drain(s->owner.ingress);
    break;
  case 8:
    let_time_pass(s);
    turn(s);
    break;
  case 14:
    say_much(s, 20);
    break;
  case 15:
    say_much(s, 100);
    break;
  case 16:
    ingress_evict(s->owner.ingress, 1);
    break;
  case 17: /* a second is over */
    event_active(s->owner.ingress->sweeper, EV_TIMEOUT, 1);
    break;
  case 18:
    connect_client(s);
    break;
  default: /* another client's turn */
    s->now = &s->clients[which % CLIENTS];
  }
}

static bool is_order(uint8_t byte) {
  return (byte >= 1 && byte <= 8) || (byte >= 14 && byte < 32);
}

/* A whole request, or one whose body the next bytes of the program are. */
static void say_request(struct session *s, uint8_t one, uint8_t two) {
  static const char *const methods[] = {"GET", "HEAD", "POST", "POST"};
  static const char *const connections[] = {
      "", "Connection: keep-alive\r\n", "Connection: close\r\n",
      "Connection: keep-alive, close\r\n"};
  static const char *const bodies[] = {
      "\r\n",
      "Content-Length: 5\r\n\r\nhello",
      "Content-Length: 20480\r\n\r\n",
      "Content-Length: 9000000\r\n\r\n",
      "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
      "Transfer-Encoding: chunked\r\n\r\n5000\r\n",
      "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n",
      "\r\n"};
  static const char kinds[] = "erwhplnxstadew";
  char text[256];
  snprintf(text, sizeof text, "%s /%c%s HTTP/1.%d\r\nHost: a\r\n%s%s",
           methods[one & 3], kinds[two % (sizeof kinds - 1)],
           two & 0x40 ? "f" : "", one & 4 ? 0 : 1, connections[one >> 3 & 3],
           bodies[two >> 3 & 7]);
  say(s, text, strlen(text));
}

static void run(struct session *s, const uint8_t *data, size_t size) {
  for (size_t i = 0; i < size; i++) {
    if (is_order(data[i])) {
      order(s, data[i]);
    } else if (data[i] >= 128 && i + 1 < size) {
      say_request(s, data[i], data[i + 1]);
      i++;
    } else {
      size_t from = i;
      while (i + 1 < size && data[i + 1] < 128 && !is_order(data[i + 1]))
        i++;
      say(s, (const char *)data + from, i + 1 - from);
    }
  }
}

/* ---- what came back ----------------------------------------------------- */

static bool begins(const char *text, const char *with) {
  return strncmp(text, with, strlen(with)) == 0;
}

/* The value of the one field of that name in a head; NULL: there is none. */
static const char *field(const char *head, const char *end, const char *name) {
  const char *found = NULL;
  for (const char *at = head; at < end; at = strstr(at, "\r\n") + 2) {
    if (strncasecmp(at, name, strlen(name)) != 0)
      continue;
    assert(found == NULL);
    found = at + strlen(name);
  }
  return found;
}

struct check {
  const struct session *session;
  const char *end;
  size_t last; /* request that was answered, SIZE_MAX: none */
  bool closed; /* it was the last word */
  bool broken; /* the owner broke the last one off */
};

/* One answer; where the next begins.  NULL: it wasn't whole. */
static const char *check_answer(struct check *check, const char *at) {
  const char *body = strstr(at, "\r\n\r\n");
  const char *end = check->end;
  assert(begins(at, "HTTP/1.1 ") || end - at < 9);
  if (body == NULL)
    return NULL;
  body += 4;
  if (begins(at, "HTTP/1.1 100 Continue\r\n\r\n"))
    return body;
  assert(!check->closed);
  const char *n = field(at, body, "X-N: ");
  const char *connection = field(at, body, "Connection: ");
  const char *length = field(at, body, "Content-Length: ");
  assert(n != NULL && field(at, body, "Transfer-Encoding: ") == NULL);
  size_t number = strtoul(n, NULL, 10);
  assert(check->last == SIZE_MAX || number > check->last);
  assert(number < check->session->owner.requests);
  check->last = number;
  check->broken = field(at, body, "X-Broken: ") != NULL;
  assert(connection == NULL || begins(connection, "close\r\n") ||
         begins(connection, "keep-alive\r\n"));
  check->closed = connection != NULL && begins(connection, "close");
  if (length == NULL) {
    assert(begins(at + 9, "204") || begins(at + 9, "304"));
    return body;
  }
  size_t left = strtoul(length, NULL, 10);
  if (field(at, body, "X-Head: ") != NULL)
    return body;
  for (; left > 0 && body < end; left--)
    assert(*body++ == owner_letter(number));
  return left > 0 ? NULL : body;
}

static void check_client(const struct session *s, const struct client *c) {
  struct check check = {
      .session = s, .end = c->got.data + c->got.len, .last = SIZE_MAX};
  const char *at = c->got.data;
  while (at != NULL && at < check.end)
    at = check_answer(&check, at);
  assert(at != NULL || !c->ended || check.broken);
}

/* ---- life --------------------------------------------------------------- */

static void session_init(struct session *s) {
  static const struct ingress_settings patient = {.head_timeout_ms = 60000,
                                                  .body_timeout_ms = 60000,
                                                  .idle_timeout_ms = 60000,
                                                  .write_timeout_ms = 60000,
                                                  .min_rate = 1};
  *s = (struct session){.loop = loop_new()};
  struct ingress_owner owner = owner_init(&s->owner);
  s->owner.ingress = ingress_new(s->loop, NULL, &patient, &owner);
  assert(s->owner.ingress != NULL);
  for (size_t i = 0; i < PACE_WAITS; i++) /* who owes something for a second */
    s->owner.ingress->allowance[i] = 0;
  int fd = listener(s);
  s->listener = ingress_listen(s->owner.ingress, fd);
  assert(s->listener != NULL);
  for (size_t i = 0; i < CLIENTS; i++) {
    s->clients[i].fd = -1;
    buf_init(&s->clients[i].got, GOT_MAX);
  }
  s->now = s->clients;
}

static void session_fini(struct session *s) {
  for (int i = 0; i < 20; i++) {
    for (size_t k = 0; k < CLIENTS; k++)
      listen_to(&s->clients[k], SIZE_MAX);
    turn(s);
  }
  for (size_t i = 0; i < CLIENTS; i++) {
    check_client(s, &s->clients[i]);
    hang_up(&s->clients[i]);
    buf_fini(&s->clients[i].got);
  }
  turn(s);
  ingress_drain(s->owner.ingress);
  turn(s);
  ingress_close(s->owner.ingress);
  loop_stop(s->loop);
  loop_run(s->loop);
  assert(TAILQ_EMPTY(&s->owner.items) && s->owner.open == 0);
  assert(ingress_open(s->owner.ingress) == 0);
  evconnlistener_free(s->listener);
  ingress_free(s->owner.ingress);
  loop_free(s->loop);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct session s;
  signal(SIGPIPE, SIG_IGN); /* as the gateway does */
  session_init(&s);
  run(&s, data, size < INPUT_MAX ? size : INPUT_MAX);
  turn(&s);
  session_fini(&s);
  return 0;
}
