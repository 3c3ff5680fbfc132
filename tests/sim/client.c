/* SPDX-License-Identifier: MIT
 *
 * Where a client is slow, silent or gone is chosen before each request.
 */
#include "client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "chance.h"
#include "schedule.h"

#define GOT_MAX (16u << 20)
#define PATIENCE_US 400000000u /* any limit of the gateway is shorter */
#define RETRY_US 200000
#define RETRIES 2000
#define STALL_PERMILLE 20
#define STALL_US 100000000
#define RESET_PERMILLE 40
#define HALF_PERMILLE 20
#define GULP 65536

/* The byte at which something goes wrong; SIZE_MAX: it doesn't. */
struct mood {
  size_t stall, leave; /* of what is sent */
  size_t deaf;         /* of what comes back */
  size_t piece;        /* at most so many bytes at once */
  unsigned pause;      /* of a hundred pieces */
  bool half, leaves_after;
};

void client_init(struct client *client, const char *name) {
  client->fd = -1;
  snprintf(client->name, sizeof client->name, "%s", name);
  buf_init(&client->got, GOT_MAX);
}

void client_hang_up(struct client *client) {
  if (client->fd >= 0)
    close(client->fd);
  client->fd = -1;
}

void client_fini(struct client *client) {
  client_hang_up(client);
  buf_fini(&client->got);
}

static bool connect_once(struct client *client) {
  struct sockaddr_un address = {.sun_family = AF_UNIX,
                                .sun_path = CLIENT_SOCKET};
  client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (client->fd >= 0 &&
      connect(client->fd, (struct sockaddr *)&address, sizeof address) == 0)
    return true;
  client_hang_up(client);
  return false;
}

static void connect_client(struct client *client) {
  for (int i = 0; client->fd < 0 && !connect_once(client); i++) {
    if (i == RETRIES)
      trace_found("nobody listens");
    schedule_sleep(chance_below(RETRY_US));
  }
  int size = 4096 << chance_below(6);
  setsockopt(client->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

static struct mood choose_mood(size_t len) {
  struct mood mood = {.stall = SIZE_MAX,
                      .leave = SIZE_MAX,
                      .deaf = SIZE_MAX,
                      .piece = 1u << (4 + chance_below(14)),
                      .pause = (unsigned)chance_below(60)};
  if (mood.piece < len / 200)
    mood.piece = len / 200;
  if (chance_fault(FAULT_STALL, STALL_PERMILLE))
    mood.stall = chance_below(len);
  if (chance_fault(FAULT_HALF_CLOSE, HALF_PERMILLE))
    mood.half = true;
  if (!chance_fault(FAULT_RESET, RESET_PERMILLE))
    return mood;
  switch (chance_below(3)) {
  case 0:
    mood.leave = chance_below(len);
    break;
  case 1:
    mood.leaves_after = true;
    break;
  default:
    mood.deaf = chance_below(2000);
  }
  return mood;
}

/* ---- what goes out ------------------------------------------------------ */

static void add_chunks(struct buf *out, const char *body, size_t len) {
  char line[24];
  while (len > 0) {
    size_t piece = 1 + chance_below(40000);
    piece = piece < len ? piece : len;
    snprintf(line, sizeof line, "%zx\r\n", piece);
    buf_adds(out, line);
    buf_add(out, body, piece);
    buf_adds(out, "\r\n");
    body += piece;
    len -= piece;
  }
  buf_adds(out, "0\r\n\r\n");
}

static void write_request(struct buf *out, const struct request *request) {
  char text[2048];
  snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: a\r\n%s",
           request->method, request->target, request->fields);
  buf_adds(out, text);
  if (request->body != NULL && request->chunked) {
    buf_adds(out, "Transfer-Encoding: chunked\r\n\r\n");
    add_chunks(out, request->body, request->len);
  } else if (request->body != NULL) {
    snprintf(text, sizeof text, "Content-Length: %zu\r\n\r\n", request->len);
    buf_adds(out, text);
    buf_add(out, request->body, request->len);
  } else {
    buf_adds(out, "\r\n");
  }
}

/* False: the other side takes nothing more, or has answered already. */
static bool wait_to_send(const struct client *client) {
  struct pollfd ready = {.fd = client->fd, .events = POLLOUT | POLLIN};
  if (!schedule_wait_fds(&ready, 1, schedule_now_us() + PATIENCE_US))
    trace_found("%s: the request isn't taken, and not refused", client->name);
  return (ready.revents & POLLIN) == 0 && (ready.revents & POLLOUT) != 0;
}

static void stall(size_t *at_byte) {
  *at_byte = SIZE_MAX;
  schedule_sleep(chance_below(STALL_US));
}

/* All of it went out. */
static bool send_all(struct client *client, struct mood *mood,
                     const struct buf *out) {
  size_t at = 0;
  while (at < out->len) {
    size_t len = 1 + chance_below(mood->piece);
    len = len < out->len - at ? len : out->len - at;
    if (at >= mood->leave) {
      client_hang_up(client);
      return false;
    }
    if (at >= mood->stall)
      stall(&mood->stall);
    ssize_t sent = send(client->fd, out->data + at, len, MSG_NOSIGNAL);
    if (sent > 0)
      at += (size_t)sent;
    else if (errno != EAGAIN || !wait_to_send(client))
      return false;
    if (chance_percent(mood->pause))
      schedule_sleep(chance_below(20000));
  }
  return true;
}

/* ---- what comes back ---------------------------------------------------- */

/* False: nothing more comes. */
static bool receive(struct client *client, const struct mood *mood) {
  char data[GULP];
  size_t most = mood->piece < sizeof data ? mood->piece : sizeof data;
  struct pollfd ready = {.fd = client->fd, .events = POLLIN};
  if (!schedule_wait_fds(&ready, 1, schedule_now_us() + PATIENCE_US))
    trace_found("%s: no answer comes, and no end", client->name);
  if (chance_percent(mood->pause))
    schedule_sleep(chance_below(5000));
  ssize_t len = recv(client->fd, data, most, 0);
  if (len <= 0)
    return len < 0 && errno == EAGAIN;
  buf_add(&client->got, data, (size_t)len);
  return true;
}

size_t client_field(const struct answer *answer, const char *name,
                    const char **value) {
  size_t len = strlen(name);
  const char *at = answer->head;
  while (at != NULL && at < answer->body) {
    if (strncasecmp(at, name, len) == 0 && at[len] == ':') {
      *value = at + len + 2;
      return strcspn(*value, "\r");
    }
    at = strstr(at, "\r\n");
    at = at == NULL ? NULL : at + 2;
  }
  return 0;
}

static bool has_body(const struct request *request, int status) {
  return strcmp(request->method, "HEAD") != 0 && status != 204 &&
         status != 304;
}

/* An answer is whole: told.  Interim ones are left out. */
static bool read_answer(struct client *client, const struct request *request,
                        struct answer *answer) {
  struct buf *got = &client->got;
  buf_add(got, "", 1); /* a NUL to end searches */
  got->len--;
  char *end = strstr(got->data, "\r\n\r\n");
  if (end == NULL)
    return false;
  if (strncmp(got->data, "HTTP/1.1 ", 9) != 0)
    trace_found("%s: no answer but %.40s", client->name, got->data);
  int status = (int)strtoul(got->data + 9, NULL, 10);
  answer->head = got->data;
  answer->body = end + 4;
  size_t head = (size_t)(answer->body - got->data);
  if (status < 200) {
    memmove(got->data, got->data + head, got->len - head);
    got->len -= head;
    return read_answer(client, request, answer);
  }
  const char *value;
  size_t len = 0;
  if (has_body(request, status)) {
    if (client_field(answer, "Content-Length", &value) == 0)
      trace_found("%s: an answer without a length", client->name);
    len = strtoul(value, NULL, 10);
  }
  if (got->len < head + len)
    return false;
  if (got->len > head + len)
    trace_found("%s: bytes follow the answer", client->name);
  answer->len = len;
  answer->status = status;
  return true;
}

static void hear(struct client *client, const struct request *request,
                 const struct mood *mood, struct answer *answer) {
  while (!read_answer(client, request, answer)) {
    if (client->got.len >= mood->deaf || !receive(client, mood)) {
      client_hang_up(client);
      return;
    }
  }
}

static void check_words(const struct client *client,
                        const struct request *request,
                        const struct answer *answer) {
  const char *value;
  if (client_field(answer, "X-Request-Id", &value) == 0)
    trace_found("%s: %d without a request id", client->name, answer->status);
  if (answer->status >= 400 && has_body(request, answer->status) &&
      memmem(answer->body, answer->len, "\"error\"", 7) == NULL)
    trace_found("%s: %d without a word", client->name, answer->status);
}

void client_ask(struct client *client, const struct request *request,
                struct answer *answer) {
  struct buf out;
  const char *value;
  *answer = (struct answer){0};
  buf_init(&out, GOT_MAX);
  write_request(&out, request);
  struct mood mood = choose_mood(out.len);
  bool kept = client->fd >= 0;
  connect_client(client);
  client->got.len = 0;
  trace("%s: %s %s, %zu bytes%s", client->name, request->method,
        request->target, out.len, kept ? "" : ", new connection");
  answer->sent = send_all(client, &mood, &out);
  buf_fini(&out);
  if (answer->sent && mood.half && client->fd >= 0)
    shutdown(client->fd, SHUT_WR);
  if (mood.leaves_after)
    client_hang_up(client);
  if (client->fd >= 0)
    hear(client, request, &mood, answer);
  trace("%s: %s %s is answered %d%s", client->name, request->method,
        request->target, answer->status, answer->sent ? "" : " (not sent)");
  if (answer->status == 0)
    return;
  check_words(client, request, answer);
  if (!answer->sent && answer->status / 100 == 2)
    trace_found("%s: %d before all was sent", client->name, answer->status);
  size_t len = client_field(answer, "Connection", &value);
  if (!answer->sent || mood.half || (len == 5 && value[0] == 'c') ||
      chance_percent(10))
    client_hang_up(client);
}
