/* SPDX-License-Identifier: MIT
 *
 * Fuzzes all of the way from a connection to a storage, by what clients say,
 * one request after the other.  An input is a program.  Bytes 1 to 8 and 14
 * to 31 are orders (below); a byte from 128 on and the three after it are a
 * whole request: method and path, fields, a body, what the storage makes of
 * it.  All others are sent as they are, but for "%L", which is the last
 * Location, "%K" the last key, "%U" the last link, and "%C" the last cursor.
 *
 * Whatever comes in, each answer is well-formed, and nothing follows one that
 * says close.  Where the storage was honest no answer says that the gateway or
 * the storage failed, and none is cut.  In the end every request is over, and
 * all memory that it was charged for is given back.
 */
#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "buf.h"
#include "gatekit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CLIENTS 2
#define INPUT_MAX 2048
#define GOT_MAX (8u << 20)
#define TOLD_MAX 2048 /* of a text that is said again */

struct visitor {
  int fd; /* -1: not connected */
  struct buf got;
  bool ended, left; /* the other side closed; or this one did */
};

struct visit {
  struct gatekit kit;
  struct evconnlistener *listener;
  struct sockaddr_un address;
  socklen_t address_len;
  struct visitor visitors[CLIENTS], *now;
  bool hurried; /* time-outs were over at once */
};

/* ---- sockets ------------------------------------------------------------ */

static void listen_here(struct visit *v) {
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  v->address = (struct sockaddr_un){.sun_family = AF_UNIX};
  v->address_len = sizeof(sa_family_t); /* the kernel chooses a name */
  int failed = bind(fd, (struct sockaddr *)&v->address, v->address_len);
  v->address_len = sizeof v->address;
  failed |= getsockname(fd, (struct sockaddr *)&v->address, &v->address_len);
  failed |= listen(fd, CLIENTS);
  assert(failed == 0);
  v->listener = ingress_listen(v->kit.ingress, fd);
  assert(v->listener != NULL);
}

static void take(struct visitor *one) {
  char data[16384];
  while (one->fd >= 0 && one->got.len < GOT_MAX - sizeof data) {
    ssize_t len = recv(one->fd, data, sizeof data, 0);
    if (len <= 0) {
      one->ended |= len == 0;
      return;
    }
    buf_add(&one->got, data, (size_t)len);
  }
}

static void turn(struct visit *v) {
  gatekit_turn(&v->kit);
  for (size_t i = 0; i < CLIENTS; i++)
    take(&v->visitors[i]);
}

/* The answer may wait for a thread of the pool. */
static void wait_a_bit(struct visit *v) {
  for (int i = 0; i < 20 && v->kit.gate.exchanges > 0; i++) {
    turn(v);
    if (i > 2)
      usleep(50);
  }
}

static void say(struct visit *v, const char *data, size_t len) {
  struct visitor *one = v->now;
  if (one->left)
    return;
  if (one->fd < 0) {
    one->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int failed =
        connect(one->fd, (struct sockaddr *)&v->address, v->address_len);
    assert(failed == 0);
    evutil_make_socket_nonblocking(one->fd);
    turn(v);
  }
  for (int tries = 0; len > 0 && tries < 8; tries++) {
    ssize_t sent = send(one->fd, data, len, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN)
      return;
    if (sent > 0) {
      data += sent;
      len -= (size_t)sent;
    }
    turn(v);
  }
}

/* ---- what was told ------------------------------------------------------ */

/* The last text that follows `name` in what came back, up to one of `ends`;
 * of an address what follows its host. */
static void find_told(const struct visit *v, const char *name,
                      const char *ends, char out[TOLD_MAX]) {
  const struct buf *got = &v->now->got;
  const char *found = NULL, *at = got->data, *host;
  out[0] = '\0';
  while (at != NULL && got->len > 0 && (at = strstr(at, name)) != NULL)
    found = at += strlen(name);
  if (found == NULL)
    return;
  size_t len = strcspn(found, ends);
  if (len >= TOLD_MAX)
    return;
  memcpy(out, found, len);
  out[len] = '\0';
  host = strncmp(out, "http", 4) == 0 ? strstr(out, "://") : NULL;
  if (host != NULL && (host = strchr(host + 3, '/')) != NULL)
    memmove(out, host, strlen(host) + 1);
}

static void tell_again(struct visit *v, char which, char out[TOLD_MAX]) {
  if (which == 'L')
    find_told(v, "\r\nLocation: ", "\r", out);
  else if (which == 'K')
    find_told(v, "\"key\":\"", "\"", out);
  else if (which == 'U')
    find_told(v, "url\":\"", "\"", out);
  else
    find_told(v, "cursor\":\"", "\"", out);
}

/* With what was told in place of its signs; "/f" where nothing was. */
static void fill_in(struct visit *v, struct buf *out, const char *text,
                    size_t len) {
  char told[TOLD_MAX];
  for (size_t i = 0; i < len; i++) {
    bool sign = text[i] == '%' && i + 1 < len && text[i + 1] != '\0' &&
                strchr("LKUC", text[i + 1]) != NULL;
    if (sign)
      tell_again(v, text[++i], told);
    buf_adds(out, !sign ? "" : told[0] != '\0' ? told : "/f");
    buf_add(out, text + i, !sign);
  }
}

static void say_text(struct visit *v, const char *text, size_t len) {
  struct buf out;
  buf_init(&out, 1 << 16);
  fill_in(v, &out, text, len);
  say(v, out.data, out.len);
  buf_fini(&out);
}

/* ---- the program -------------------------------------------------------- */

static const char *const targets[] = {"POST /f",
                                      "GET /f?prefix=p",
                                      "GET %L",
                                      "HEAD %L",
                                      "PUT /f/object?key=p/a",
                                      "GET /f/object?key=p/a",
                                      "DELETE %L",
                                      "PATCH %L",
                                      "POST /f/uploads",
                                      "HEAD %U",
                                      "GET %U",
                                      "PUT %U",
                                      "POST /f/presign",
                                      "DELETE /f?key=p/a",
                                      "POST /f/delete",
                                      "POST /f/copy",
                                      "GET /f?limit=1&cursor=%C",
                                      "OPTIONS /f/uploads",
                                      "GET /healthz",
                                      "GET /f/archive?prefix=p",
                                      "GET /readyz",
                                      "DELETE /f/links",
                                      "POST /f/move",
                                      "GET /f?key=%K",
                                      "OPTIONS /f",
                                      "DELETE /f/object?key=p/a",
                                      "GET /console/",
                                      "GET /openapi.yaml",
                                      "POST %U",
                                      "PATCH %U",
                                      "DELETE %U",
                                      "PUT /f/object?key=p/b"};

static const char *const fields[] = {
    "",
    "If-None-Match: *\r\n",
    "If-Match: *\r\n",
    "Range: bytes=0-1,3-\r\n",
    "Range: bytes=2-\r\n",
    "Connection: close\r\n",
    "Upload-Complete: ?0\r\nUpload-Draft-Interop-Version: 8\r\n",
    "Upload-Complete: ?1\r\nUpload-Offset: 5\r\n"
    "Content-Type: application/partial-upload\r\n",
    "Tus-Resumable: 1.0.0\r\nUpload-Length: 10\r\n"
    "Upload-Metadata: filename YQ==\r\n",
    "Tus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n"
    "Content-Type: application/offset+octet-stream\r\n",
    "Tus-Resumable: 1.0.0\r\nUpload-Offset: 5\r\n"
    "Content-Type: application/offset+octet-stream\r\n",
    "Origin: https://a.example\r\nAccess-Control-Request-Method: PUT\r\n",
    "X-Hook: wait\r\n",
    "X-Hook: deny\r\n",
    "Idempotency-Key: \"k\"\r\n",
    "Expect: 100-continue\r\n",
    "Repr-Digest: md5=:XUFAKrxLKna5cZ2REBfFkg==:\r\n",
    "Tus-Resumable: 1.0.0\r\nUpload-Concat: partial\r\nUpload-Length: 5\r\n",
    "Tus-Resumable: 1.0.0\r\nUpload-Concat: final;%L %L\r\n",
    "X-Expire-After: 60\r\nAccept-Encoding: gzip\r\n"};

#define FORM "Content-Type: multipart/form-data; boundary=b\r\n"
#define JSON "Content-Type: application/json\r\n"

static const struct {
  const char *type, *text;
} bodies[] = {
    {"", "hello"},
    {"", ""},
    {FORM, "--b\r\nContent-Disposition: form-data; name=file; filename=a\r\n"
           "\r\nhello\r\n--b\r\nContent-Disposition: form-data; name=prefix"
           "\r\n\r\np\r\n--b--\r\n"},
    {JSON, "{\"key\":\"p/a\"}"},
    {JSON, "{\"key\":\"p/a\",\"method\":\"PUT\",\"uses\":2}"},
    {JSON, "{\"from\":\"p/a\",\"to\":\"p/b\"}"},
    {JSON, "{\"keys\":[\"p/a\",\"p/b\"]}"},
    {JSON, "{\"prefix\":\"p\"}"},
    {JSON, "{\"method\":\"POST\",\"prefix\":\"p\"}"},
    {JSON, "{\"key\":\"%K\"}"}};

static const char *const open_bodies[] = {
    "\r\n", "Content-Length: 90112\r\n\r\n", "Content-Length: 5\r\n\r\nhe",
    "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
    "Transfer-Encoding: chunked\r\n\r\n8000\r\n"};

#define COUNT(list) (sizeof(list) / sizeof *(list))

static void add(struct buf *out, const char *text) {
  buf_add(out, text, strlen(text));
}

/* The body is as long as its head says. */
static void say_body(struct visit *v, struct buf *head, const char *text) {
  struct buf body;
  buf_init(&body, 1 << 16);
  fill_in(v, &body, text, strlen(text));
  buf_addf(head, "Content-Length: %zu\r\n\r\n", body.len);
  say_text(v, head->data, head->len);
  say(v, body.data, body.len);
  buf_fini(&body);
}

static void say_request(struct visit *v, const uint8_t *byte) {
  struct buf text;
  buf_init(&text, 4096);
  if (byte[3] >= 128)
    gatestore_feel(v->kit.store, byte[3] % 32);
  add(&text, targets[byte[0] % COUNT(targets)]);
  add(&text, " HTTP/1.1\r\nHost: a\r\n");
  add(&text, fields[byte[1] % COUNT(fields)]);
  size_t body = byte[2] % (COUNT(bodies) + COUNT(open_bodies));
  if (body < COUNT(open_bodies)) {
    add(&text, open_bodies[body]);
    say_text(v, text.data, text.len);
  } else {
    body -= COUNT(open_bodies);
    add(&text, bodies[body].type);
    say_body(v, &text, bodies[body].text);
  }
  buf_fini(&text);
  wait_a_bit(v);
}

static void say_much(struct visit *v, size_t kib) {
  char text[1024];
  memset(text, 'x', sizeof text);
  for (size_t i = 0; i < kib; i++)
    say(v, text, sizeof text);
}

static void order(struct visit *v, uint8_t which) {
  struct visitor *one = v->now;
  switch (which) {
  case 1:
    wait_a_bit(v);
    break;
  case 2:
    gatekit_resume(&v->kit);
    break;
  case 3:
    if (one->fd >= 0)
      shutdown(one->fd, SHUT_WR);
    break;
  case 4:
    if (one->fd >= 0)
      close(one->fd);
    one->fd = -1;
    one->left = true;
    break;
  case 5:
    v->hurried = true;
    gatekit_hurry(&v->kit);
    turn(v);
    break;
  case 6:
    say_much(v, 33);
    break;
  case 7:
    say_much(v, 88);
    break;
  case 8:
    v->now = &v->visitors[v->now == v->visitors];
    break;
  default: /* the storage's mood of what comes next */
    gatestore_feel(v->kit.store, which - 14u);
  }
}

static bool is_order(uint8_t byte) {
  return (byte >= 1 && byte <= 8) || (byte >= 14 && byte < 32);
}

static void run(struct visit *v, const uint8_t *data, size_t size) {
  for (size_t i = 0; i < size; i++) {
    if (is_order(data[i])) {
      order(v, data[i]);
    } else if (data[i] >= 128) {
      if (i + 4 <= size)
        say_request(v, data + i);
      i += 3;
    } else {
      size_t from = i;
      while (i + 1 < size && data[i + 1] < 128 && !is_order(data[i + 1]))
        i++;
      say_text(v, (const char *)data + from, i + 1 - from);
    }
  }
}

/* ---- what came back ----------------------------------------------------- */

/* The value of the one field of that name in a head; NULL: there is none. */
static const char *field_of(const char *head, const char *body,
                            const char *name) {
  const char *found = NULL;
  for (const char *at = head; at < body; at = strstr(at, "\r\n") + 2) {
    if (strncasecmp(at, name, strlen(name)) != 0)
      continue;
    assert(found == NULL);
    found = at + strlen(name);
  }
  return found;
}

/* Past the chunks; NULL: they aren't whole. */
static const char *skip_chunks(const char *at, const char *end) {
  for (;;) {
    char *after;
    if (memchr(at, '\n', (size_t)(end - at)) == NULL)
      return NULL;
    unsigned long len = strtoul(at, &after, 16);
    assert(after > at && strncmp(after, "\r\n", 2) == 0);
    at = after + 2;
    if ((unsigned long)(end - at) < len + 2)
      return NULL;
    assert(strncmp(at + len, "\r\n", 2) == 0);
    at += len + 2;
    if (len == 0)
      return at;
  }
}

/* One answer; where the next begins.  NULL: it wasn't whole. */
static const char *check_answer(const struct visit *v, const char *at,
                                const char *end, bool *closed) {
  const char *body = strstr(at, "\r\n\r\n");
  assert(end - at < 13 || strncmp(at, "HTTP/1.1 ", 9) == 0);
  if (body == NULL)
    return NULL;
  body += 4;
  unsigned long status = strtoul(at + 9, NULL, 10);
  assert(!*closed && status >= 100 && status < 600);
  if (status < 200)
    return body;
  if (gatestore_was_honest(v->kit.store))
    assert(status != 500 && status != 502);
  const char *length = field_of(at, body, "Content-Length: ");
  const char *coding = field_of(at, body, "Transfer-Encoding: ");
  const char *connection = field_of(at, body, "Connection: ");
  assert(field_of(at, body, "X-Request-Id: ") != NULL);
  assert(field_of(at, body, "Set-Cookie: ") == NULL);
  *closed = connection != NULL && strncmp(connection, "close", 5) == 0;
  if (field_of(at, body, "X-Head: ") != NULL || status == 204 || status == 304)
    return body;
  assert((length == NULL) != (coding == NULL));
  if (coding != NULL)
    return skip_chunks(body, end);
  size_t left = strtoul(length, NULL, 10);
  return left > (size_t)(end - body) ? NULL : body + left;
}

static void check_visitor(const struct visit *v, const struct visitor *one) {
  bool closed = false, whole = gatestore_was_honest(v->kit.store);
  const char *at = one->got.data, *end = at + one->got.len;
  while (at != NULL && at < end)
    at = check_answer(v, at, end, &closed);
  assert(at != NULL || one->left || v->hurried || !one->ended || !whole);
}

/* ---- life --------------------------------------------------------------- */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct visit v = {.hurried = false};
  signal(SIGPIPE, SIG_IGN); /* as the gateway does */
  gatekit_init(&v.kit);
  listen_here(&v);
  for (size_t i = 0; i < CLIENTS; i++) {
    v.visitors[i].fd = -1;
    buf_init(&v.visitors[i].got, GOT_MAX);
  }
  v.now = v.visitors;
  run(&v, data, size < INPUT_MAX ? size : INPUT_MAX);
  gatekit_resume(&v.kit);
  wait_a_bit(&v);
  for (size_t i = 0; i < CLIENTS; i++)
    check_visitor(&v, &v.visitors[i]);
  gatekit_end(&v.kit);
  for (size_t i = 0; i < CLIENTS; i++) {
    if (v.visitors[i].fd >= 0)
      close(v.visitors[i].fd);
    buf_fini(&v.visitors[i].got);
  }
  gatekit_turn(&v.kit);
  evconnlistener_free(v.listener);
  gatekit_fini(&v.kit);
  return 0;
}
