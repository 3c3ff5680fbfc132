/* SPDX-License-Identifier: MIT
 *
 * A worker of the bench's client: its connections, each of which sends a
 * request, takes the answer and begins the next one.
 */
#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#define SMALL_BODY 65536 /* goes in one call with its head */
#define DROP_MAX (1u << 20)
#define EVENTS 256

enum phase { SENDING, HEAD, LENGTH, CHUNKED, ENDED };

struct wire {
  int fd;
  enum phase phase;
  uint32_t wants; /* what epoll watches for */
  const struct piece *piece;
  uint64_t began, sent, left;
  size_t got;     /* in room: of the answer's head, or of a chunk's line */
  bool closes;    /* the server ends the connection after this answer */
  bool bad, last; /* the answer; its chunk at hand */
  char head[HEAD_ROOM]; /* of the request */
  char room[HEAD_ROOM + 1];
};

struct loop {
  struct worker *worker;
  struct wire *wires;
  int epoll;
  unsigned busy, begun;
};

/* ---- connections -------------------------------------------------------- */

static void wire_open(struct wire *wire, uint16_t port) {
  struct sockaddr_in to = {.sin_family = AF_INET,
                           .sin_port = htons(port),
                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int one = 1;
  wire->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (wire->fd < 0 ||
      connect(wire->fd, (struct sockaddr *)&to, sizeof to) != 0)
    die("can't connect to port %u", port);
  setsockopt(wire->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (fcntl(wire->fd, F_SETFL, O_NONBLOCK) != 0)
    die("can't set up a connection");
  wire->wants = 0;
}

static void wire_watch(struct loop *loop, struct wire *wire, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = wire};
  if (wire->wants == events)
    return;
  int how = wire->wants == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  if (epoll_ctl(loop->epoll, how, wire->fd, &event) != 0)
    die("epoll");
  wire->wants = events;
}

static void wire_reopen(struct loop *loop, struct wire *wire) {
  close(wire->fd);
  wire_open(wire, loop->worker->client->port);
}

/* ---- a request ---------------------------------------------------------- */

/* Takes the next request of the plan; false: there is none for anybody. */
static bool wire_next(struct loop *loop, struct wire *wire) {
  struct client *client = loop->worker->client;
  wire->began = now_ns();
  if (client->until > 0 && wire->began >= client->until)
    return false;
  uint64_t i = atomic_fetch_add(&client->next, 1);
  if (i >= client->most)
    return false;
  wire->piece = &client->plan.pieces[i % client->plan.count];
  memcpy(wire->head, wire->piece->head, wire->piece->head_len);
  if (wire->piece->mark != SIZE_MAX) {
    char digits[24];
    snprintf(digits, sizeof digits, "%08llu",
             (unsigned long long)((client->first + i) % 100000000));
    memcpy(wire->head + wire->piece->mark, digits, MARK_LEN);
  }
  wire->phase = SENDING;
  wire->sent = wire->got = 0;
  wire->bad = wire->closes = false;
  return true;
}

static ssize_t send_pieces(const struct plan *plan, struct wire *wire) {
  const struct piece *piece = wire->piece;
  uint64_t at = wire->sent, body = piece->head_len, tail;
  bool whole = piece->body_len <= SMALL_BODY;
  struct iovec parts[3];
  struct msghdr message = {.msg_iov = parts};
  tail = body + piece->body_len;
  if (at < body)
    parts[message.msg_iovlen++] =
        (struct iovec){wire->head + at, piece->head_len - (size_t)at};
  if (whole && at < tail && piece->body_len > 0) {
    uint64_t from = at > body ? at - body : 0;
    parts[message.msg_iovlen++] =
        (struct iovec){plan->body + from, (size_t)(piece->body_len - from)};
  }
  if ((whole || at >= tail) && piece->tail_len > 0) {
    uint64_t from = at > tail ? at - tail : 0;
    parts[message.msg_iovlen++] =
        (struct iovec){(char *)(uintptr_t)(piece->tail + from),
                       piece->tail_len - (size_t)from};
  }
  int flags = !whole && at < body ? MSG_MORE : 0;
  return sendmsg(wire->fd, &message, MSG_NOSIGNAL | flags);
}

/* Sends what can be sent; -1: the connection broke, 0: later, 1: all. */
static int wire_send(struct loop *loop, struct wire *wire) {
  const struct plan *plan = &loop->worker->client->plan;
  const struct piece *piece = wire->piece;
  uint64_t body = piece->head_len, tail = body + piece->body_len;
  while (wire->sent < tail + piece->tail_len) {
    ssize_t n;
    if (piece->body_len > SMALL_BODY && wire->sent >= body &&
        wire->sent < tail) {
      off_t from = (off_t)((wire->sent - body) % BODY_ROOM);
      uint64_t left = tail - wire->sent;
      size_t len = BODY_ROOM - (size_t)from;
      n = sendfile(wire->fd, plan->body_fd, &from,
                   left < len ? (size_t)left : len);
    } else {
      n = send_pieces(plan, wire);
    }
    if (n < 0)
      return errno == EAGAIN ? 0 : -1;
    wire->sent += (uint64_t)n;
    loop->worker->tally.sent += (uint64_t)n;
  }
  return 1;
}

/* ---- an answer ---------------------------------------------------------- */

static const char *field_of(const char *head, const char *name) {
  const char *at = strcasestr(head, name);
  if (at == NULL)
    return NULL;
  at += strlen(name);
  return at + strspn(at, " ");
}

static void read_head(struct loop *loop, struct wire *wire) {
  const char *status = wire->room + 9, *value;
  wire->bad = *status != '2' && strncmp(status, "304", 3) != 0;
  if (wire->bad && loop->worker->tally.bad == 0)
    fprintf(stderr, "client: %.*s\n", (int)strcspn(wire->room, "\r"),
            wire->room);
  value = field_of(wire->room, "\r\nconnection:");
  wire->closes = value != NULL && strncasecmp(value, "close", 5) == 0;
  wire->left = 0;
  bool none = strncmp(status, "204", 3) == 0 ||
              strncmp(status, "304", 3) == 0 ||
              strncmp(wire->head, "HEAD ", 5) == 0;
  if (none)
    wire->phase = LENGTH;
  else if ((value = field_of(wire->room, "\r\ncontent-length:")) != NULL) {
    wire->phase = LENGTH;
    wire->left = strtoull(value, NULL, 10);
  } else if (field_of(wire->room, "\r\ntransfer-encoding:") != NULL) {
    wire->phase = CHUNKED;
  } else {
    wire->phase = ENDED;
    wire->closes = true;
  }
}

/* Bytes of a chunked body; `left` counts those of the chunk with its CRLF,
 * room collects the line with its size.  True: that was the last one.
 * Trailers aren't expected. */
static bool take_chunked(struct wire *wire, const char *data, size_t len) {
  while (len > 0) {
    if (wire->left > 0) {
      size_t n = wire->left < len ? (size_t)wire->left : len;
      wire->left -= n;
      data += n;
      len -= n;
      if (wire->left == 0 && wire->last)
        return true;
      continue;
    }
    if (wire->got >= HEAD_ROOM)
      die("a chunk's line is too long");
    wire->room[wire->got++] = *data;
    len--;
    if (*data++ != '\n')
      continue;
    wire->room[wire->got] = '\0';
    uint64_t size = strtoull(wire->room, NULL, 16);
    wire->last = size == 0;
    wire->left = size + 2;
    wire->got = 0;
  }
  return false;
}

/* Takes what follows the head in the same segment.  True: the answer is
 * whole. */
static bool take_rest(struct wire *wire, const char *rest, size_t len) {
  if (wire->phase == CHUNKED) {
    char copy[HEAD_ROOM];
    memcpy(copy, rest, len);
    wire->got = 0;
    return take_chunked(wire, copy, len);
  }
  if (wire->phase == ENDED)
    return false;
  if (len > wire->left)
    die("more came than the answer's length says");
  wire->left -= len;
  return wire->left == 0;
}

/* -1: the connection broke, 0: later, 1: the answer is whole. */
static int take_head(struct loop *loop, struct wire *wire) {
  ssize_t n = recv(wire->fd, wire->room + wire->got, HEAD_ROOM - wire->got, 0);
  if (n <= 0)
    return n < 0 && errno == EAGAIN ? 0 : -1;
  wire->got += (size_t)n;
  wire->room[wire->got] = '\0';
  loop->worker->tally.got += (uint64_t)n;
  char *end = strstr(wire->room, "\r\n\r\n");
  if (end == NULL) {
    if (wire->got == HEAD_ROOM)
      die("the head of an answer is too long");
    return 0;
  }
  size_t head = (size_t)(end + 4 - wire->room);
  end[2] = '\0';
  if (strncmp(wire->room + 9, "100", 3) == 0)
    die("an interim answer that nobody asked for");
  read_head(loop, wire);
  return take_rest(wire, wire->room + head, wire->got - head);
}

static int take_body(struct loop *loop, struct wire *wire) {
  char data[65536];
  ssize_t n;
  if (wire->phase == LENGTH) {
    size_t most = wire->left < DROP_MAX ? (size_t)wire->left : DROP_MAX;
    n = recv(wire->fd, NULL, most, MSG_TRUNC);
  } else {
    n = recv(wire->fd, data, sizeof data, 0);
  }
  if (n < 0)
    return errno == EAGAIN ? 0 : -1;
  if (n == 0)
    return wire->phase == ENDED ? 1 : -1;
  loop->worker->tally.got += (uint64_t)n;
  if (wire->phase == LENGTH)
    return (wire->left -= (uint64_t)n) == 0;
  return wire->phase == CHUNKED && take_chunked(wire, data, (size_t)n);
}

/* ---- the loop ----------------------------------------------------------- */

static void wire_begin(struct loop *loop, struct wire *wire);

static void wire_end(struct loop *loop, struct wire *wire) {
  enum idle idle = loop->worker->client->idle;
  loop->busy--;
  if (idle == IDLE_NOT)
    close(wire->fd);
  else if (wire->wants != 0)
    epoll_ctl(loop->epoll, EPOLL_CTL_DEL, wire->fd, NULL);
  if (idle == IDLE_IN_TURN && loop->begun < loop->worker->connections)
    wire_begin(loop, &loop->wires[loop->begun++]);
}

static void wire_broke(struct loop *loop, struct wire *wire) {
  if (loop->worker->tally.broken++ == 0)
    fprintf(stderr, "client: a connection broke\n");
  wire_reopen(loop, wire);
}

/* Begins requests until one has to wait for its server. */
static void wire_begin(struct loop *loop, struct wire *wire) {
  for (;;) {
    if (!wire_next(loop, wire)) {
      wire_end(loop, wire);
      return;
    }
    int how = wire_send(loop, wire);
    if (how > 0)
      wire->phase = HEAD;
    if (how >= 0) {
      wire_watch(loop, wire, how > 0 ? EPOLLIN : EPOLLOUT);
      return;
    }
    wire_broke(loop, wire);
  }
}

static void wire_done(struct loop *loop, struct wire *wire) {
  struct tally *tally = &loop->worker->tally;
  tally->ended = now_ns();
  tally_count(tally, tally->ended - wire->began);
  tally->bad += wire->bad;
  if (loop->worker->client->idle != IDLE_NOT) {
    wire_end(loop, wire);
    return;
  }
  if (wire->closes)
    wire_reopen(loop, wire);
  wire_begin(loop, wire);
}

static void wire_event(struct loop *loop, struct wire *wire) {
  int how;
  if (wire->phase == SENDING) {
    how = wire_send(loop, wire);
    if (how > 0) {
      wire->phase = HEAD;
      wire_watch(loop, wire, EPOLLIN);
      return;
    }
  } else {
    how = wire->phase == HEAD ? take_head(loop, wire) : take_body(loop, wire);
    if (how > 0) {
      wire_done(loop, wire);
      return;
    }
  }
  if (how < 0) {
    wire_broke(loop, wire);
    wire_begin(loop, wire);
  }
}

static void loop_run(struct loop *loop) {
  struct epoll_event events[EVENTS];
  unsigned first = loop->worker->connections;
  if (loop->worker->client->idle == IDLE_IN_TURN)
    first = 1;
  while (loop->begun < first)
    wire_begin(loop, &loop->wires[loop->begun++]);
  while (loop->busy > 0) {
    int count = epoll_wait(loop->epoll, events, EVENTS, -1);
    for (int i = 0; i < count; i++)
      wire_event(loop, events[i].data.ptr);
  }
}

static void *worker_run(void *arg) {
  struct worker *worker = arg;
  unsigned count = worker->connections;
  struct loop loop = {.worker = worker,
                      .wires = calloc(count, sizeof *loop.wires),
                      .epoll = epoll_create1(EPOLL_CLOEXEC),
                      .busy = count};
  if (loop.wires == NULL || loop.epoll < 0)
    die("no memory");
  for (unsigned i = 0; i < count; i++)
    wire_open(&loop.wires[i], worker->client->port);
  pthread_barrier_wait(&worker->client->start);
  loop_run(&loop);
  close(loop.epoll);
  free(loop.wires);
  return NULL;
}

void worker_start(struct worker *worker, struct client *client, unsigned i) {
  worker->client = client;
  worker->connections = client->connections / client->threads +
                        (i < client->connections % client->threads);
  if (pthread_create(&worker->thread, NULL, worker_run, worker) != 0)
    die("no thread");
}
