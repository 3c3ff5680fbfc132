/* SPDX-License-Identifier: MIT
 *
 * A load client that costs little, for tests/bench/s3.py: sends the requests
 * of a plan over kept connections, a thread each, and prints how long all of
 * them took.  Bodies that come are dropped by the kernel.
 *
 *   load PORT CONNECTIONS BODY <PLAN
 *
 * A request of the plan is "HEAD BODY TAIL\n", three numbers of bytes, then
 * the bytes of its head and of its tail.  The body's in between are those of
 * the file BODY, a MiB, again and again.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BODY_ROOM (1u << 20)
#define HEAD_ROOM 65536
#define DROP_MAX (1u << 20)

struct request {
  const char *head, *tail;
  size_t head_len, tail_len;
  uint64_t body_len;
};

struct plan {
  struct request *requests;
  size_t count;
  atomic_size_t next;
  const char *body;
  uint16_t port;
  pthread_barrier_t start;
};

static void die(const char *what) {
  fprintf(stderr, "load: %s (%s)\n", what, strerror(errno));
  exit(1);
}

/* ---- the plan ----------------------------------------------------------- */

static char *read_all(size_t *len) {
  size_t room = 1u << 20, got;
  char *text = malloc(room);
  *len = 0;
  while (text != NULL &&
         (got = fread(text + *len, 1, room - *len, stdin)) > 0) {
    *len += got;
    if (*len == room)
      text = realloc(text, room *= 2);
  }
  if (text == NULL)
    die("no memory for the plan");
  return text;
}

/* The next request of the plan; false: there is none. */
static bool read_request(struct request *request, const char **at,
                         const char *end) {
  char *after;
  if (*at == end)
    return false;
  request->head_len = strtoul(*at, &after, 10);
  request->body_len = strtoull(after, &after, 10);
  request->tail_len = strtoul(after, &after, 10);
  if (*after != '\n')
    die("the plan is malformed");
  request->head = after + 1;
  request->tail = request->head + request->head_len;
  *at = request->tail + request->tail_len;
  if (*at > end)
    die("the plan is cut");
  return true;
}

static void read_plan(struct plan *plan) {
  size_t len, room = 0;
  const char *at = read_all(&len), *end = at + len;
  struct request request;
  while (read_request(&request, &at, end)) {
    if (plan->count == room) {
      room = room == 0 ? 64 : 2 * room;
      plan->requests = realloc(plan->requests, room * sizeof request);
    }
    if (plan->requests == NULL)
      die("no memory for the plan");
    plan->requests[plan->count++] = request;
  }
}

static const char *read_body(const char *path) {
  FILE *file = fopen(path, "rb");
  char *body = malloc(BODY_ROOM);
  if (file == NULL || body == NULL ||
      fread(body, 1, BODY_ROOM, file) != BODY_ROOM)
    die("can't read the body");
  fclose(file);
  return body;
}

/* ---- a connection ------------------------------------------------------- */

static int open_connection(const struct plan *plan) {
  struct sockaddr_in to = {.sin_family = AF_INET,
                           .sin_port = htons(plan->port),
                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
    die("can't connect");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return fd;
}

static void send_all(int fd, const char *data, size_t len, int flags) {
  while (len > 0) {
    ssize_t n = send(fd, data, len, flags | MSG_NOSIGNAL);
    if (n < 0)
      die("can't send");
    data += n;
    len -= (size_t)n;
  }
}

static void send_request(const struct plan *plan, int fd,
                         const struct request *request) {
  uint64_t left = request->body_len;
  send_all(fd, request->head, request->head_len, left > 0 ? MSG_MORE : 0);
  while (left > 0) {
    size_t len = left < BODY_ROOM ? (size_t)left : BODY_ROOM;
    left -= len;
    bool last = left == 0 && request->tail_len == 0;
    send_all(fd, plan->body, len, last ? 0 : MSG_MORE);
  }
  send_all(fd, request->tail, request->tail_len, 0);
}

static uint64_t length_of(const char *head) {
  const char *field = strcasestr(head, "\r\ncontent-length:");
  return field == NULL ? 0 : strtoull(field + 17, NULL, 10);
}

/* Nothing is pipelined, so what follows the head is the body's. */
static void take_answer(int fd, char *room) {
  size_t got = 0;
  const char *end = NULL;
  while (end == NULL) {
    ssize_t n = recv(fd, room + got, HEAD_ROOM - 1 - got, 0);
    if (n <= 0)
      die("no answer");
    got += (size_t)n;
    room[got] = '\0';
    end = strstr(room, "\r\n\r\n");
  }
  if (strncmp(room, "HTTP/1.1 2", 10) != 0) {
    fprintf(stderr, "load: %s\n", room);
    exit(1);
  }
  uint64_t left = length_of(room) - (got - (size_t)(end + 4 - room));
  while (left > 0) {
    ssize_t n =
        recv(fd, NULL, left < DROP_MAX ? (size_t)left : DROP_MAX, MSG_TRUNC);
    if (n <= 0)
      die("a cut answer");
    left -= (uint64_t)n;
  }
}

static void *run(void *arg) {
  struct plan *plan = arg;
  int fd = open_connection(plan);
  char *room = malloc(HEAD_ROOM);
  size_t i;
  if (room == NULL)
    die("no memory");
  pthread_barrier_wait(&plan->start);
  while ((i = atomic_fetch_add(&plan->next, 1)) < plan->count) {
    send_request(plan, fd, &plan->requests[i]);
    take_answer(fd, room);
  }
  free(room);
  close(fd);
  return NULL;
}

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
  struct plan plan = {0};
  unsigned count = argc == 4 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
  if (count < 1 || count > 1000)
    die("usage: load PORT CONNECTIONS BODY <PLAN");
  plan.body = read_body(argv[3]);
  plan.port = (uint16_t)strtoul(argv[1], NULL, 10);
  read_plan(&plan);
  pthread_t *threads = calloc(count, sizeof *threads);
  pthread_barrier_init(&plan.start, NULL, count + 1);
  for (unsigned i = 0; i < count; i++)
    if (threads == NULL || pthread_create(&threads[i], NULL, run, &plan) != 0)
      die("no thread");
  pthread_barrier_wait(&plan.start);
  double started = seconds();
  for (unsigned i = 0; i < count; i++)
    pthread_join(threads[i], NULL);
  printf("%.6f\n", seconds() - started);
  return 0;
}
