/* SPDX-License-Identifier: MIT
 *
 * One round of asking a provider.  Its buffers have all their room from the
 * start, as one that grows would leave pieces of secrets behind.
 */
#include "credentials_fetch.h"

#include <stdlib.h>
#include <string.h>

#include "date.h"
#include "digest.h"
#include "xmlvalue.h"

#define URL_MAX 2048
#define HEADERS_TEXT_MAX 24576
#define HEADERS_MAX 4
#define BODY_MAX 65536 /* the token percent-encoded, and more */

static bool secret_init(struct buf *buf, size_t max) {
  buf_init(buf, max);
  bool room = buf_addf(buf, "%*s", (int)max, "");
  buf_clear(buf);
  return room;
}

static void secret_fini(struct buf *buf) {
  if (buf->room > 0)
    digest_wipe(buf->data, buf->room);
  buf_fini(buf);
}

static void fetch_free(struct credentials_fetch *fetch) {
  fetch->over = true;
  if (fetch->working)
    return; /* it comes back to us */
  if (fetch->begin != NULL)
    event_free(fetch->begin);
  secret_fini(&fetch->headers);
  secret_fini(&fetch->body);
  secret_fini(&fetch->answer);
  secret_fini(&fetch->token);
  buf_fini(&fetch->url);
  credentials_fini(&fetch->got);
  free(fetch);
}

static void credentials_fetch_finish(struct credentials_fetch *fetch,
                                     bool good) {
  struct credentials_result result = {.got = good ? &fetch->got : NULL,
                                      .again = fetch->again,
                                      .why = fetch->why.text};
  fetch->done(fetch->arg, &result);
  fetch_free(fetch);
}

/* ---- a request ---------------------------------------------------------- */

static size_t credentials_fetch_on_read(void *arg, void *to, size_t room) {
  struct credentials_fetch *fetch = arg;
  size_t left = fetch->body.len - fetch->sent;
  room = room < left ? room : left;
  memcpy(to, fetch->body.data + fetch->sent, room);
  fetch->sent += room;
  return room;
}

static bool credentials_fetch_on_data(void *arg, const char *data,
                                      size_t len) {
  struct credentials_fetch *fetch = arg;
  buf_add(&fetch->answer, data, len); /* it remembers that it overflew */
  return true;
}

static void credentials_fetch_ask(struct credentials_fetch *fetch);

static void credentials_fetch_on_done(void *arg, enum httpc_result result,
                                      const char *why) {
  struct credentials_fetch *fetch = arg;
  enum credentials_step step = CREDENTIALS_FAILED;
  bool silent = result == HTTPC_CONNECT || result == HTTPC_TIMEOUT;
  if (result != HTTPC_OK) {
    fetch->again = !(silent && fetch->provider->optional);
    errmsg_set(&fetch->why, "doesn't answer: %.200s", why);
  } else if (fetch->answer.overflown) {
    errmsg_set(&fetch->why, "answers too much: is the address right?");
  } else {
    step = fetch->provider->hear(fetch);
  }
  fetch->call = NULL;
  fetch->step++;
  if (step == CREDENTIALS_MORE)
    credentials_fetch_ask(fetch);
  else
    credentials_fetch_finish(fetch, step == CREDENTIALS_DONE);
}

static size_t split_headers(const struct buf *text, const char **lines) {
  size_t n = 0;
  for (size_t at = 0; at < text->len && n < HEADERS_MAX;
       at += strlen(text->data + at) + 1)
    lines[n++] = text->data + at;
  return n;
}

static bool send_request(struct credentials_fetch *fetch) {
  static const struct httpc_events events = {.read = credentials_fetch_on_read,
                                             .data = credentials_fetch_on_data,
                                             .done =
                                                 credentials_fetch_on_done};
  const char *lines[HEADERS_MAX + 1] = {NULL};
  if (fetch->url.overflown || fetch->headers.overflown ||
      fetch->body.overflown)
    return false;
  split_headers(&fetch->headers, lines);
  fetch->call = httpc_start(
      fetch->http,
      &(struct httpc_request){
          .method = fetch->method,
          .url = fetch->url.data,
          .headers = lines,
          .length = fetch->has_body ? (int64_t)fetch->body.len : -1,
          .new_connection = true},
      &events, fetch);
  return fetch->call != NULL;
}

static void credentials_fetch_ask(struct credentials_fetch *fetch) {
  buf_clear(&fetch->url);
  buf_clear(&fetch->headers);
  buf_clear(&fetch->body);
  buf_clear(&fetch->answer);
  fetch->sent = 0;
  fetch->method = "GET";
  fetch->has_body = false;
  /* Hours pass until the next one. */
  credentials_header(fetch, "Connection", "close");
  fetch->provider->ask(fetch);
  if (send_request(fetch))
    return;
  errmsg_set(&fetch->why, "can't be asked: too long a token or address, or "
                          "no memory");
  credentials_fetch_finish(fetch, false);
}

/* ---- its life ----------------------------------------------------------- */

static void read_files(void *arg) {
  struct credentials_fetch *fetch = arg;
  fetch->readable =
      fetch->provider->read == NULL || fetch->provider->read(fetch);
}

static void credentials_fetch_go_on(void *arg) {
  struct credentials_fetch *fetch = arg;
  fetch->working = false;
  if (fetch->over)
    fetch_free(fetch);
  else if (fetch->readable && fetch->provider->ask != NULL)
    credentials_fetch_ask(fetch);
  else
    credentials_fetch_finish(fetch, fetch->readable);
}

static void on_begin(evutil_socket_t fd, short what, void *arg) {
  struct credentials_fetch *fetch = arg;
  (void)fd, (void)what;
  if (fetch->provider->read != NULL && sluice_loop(fetch->host) != NULL) {
    fetch->working = true;
    sluice_work(fetch->host, read_files, credentials_fetch_go_on, fetch);
    return;
  }
  read_files(fetch); /* at the start, which may block */
  credentials_fetch_go_on(fetch);
}

static const struct credentials_provider *
provider_of(enum credentials_kind kind) {
  switch (kind) {
  case CREDENTIALS_WEB:
    return &credentials_web;
  case CREDENTIALS_FILE:
    return &credentials_file;
  case CREDENTIALS_CONTAINER:
    return &credentials_container;
  case CREDENTIALS_IMDS:
    return &credentials_imds;
  case CREDENTIALS_OPTIONS:
  case CREDENTIALS_ENVIRONMENT:
    break;
  }
  return NULL; /* nobody asks for those */
}

struct credentials_fetch *credentials_fetch_start(
    const struct credentials_source *source, struct sluice_host *host,
    struct event_base *base, struct httpc *http,
    void (*done)(void *arg, const struct credentials_result *), void *arg) {
  static const struct timeval now = {0};
  struct credentials_fetch *fetch = calloc(1, sizeof *fetch);
  if (fetch == NULL)
    return NULL;
  *fetch = (struct credentials_fetch){.source = source,
                                      .host = host,
                                      .http = http,
                                      .done = done,
                                      .arg = arg,
                                      .provider = provider_of(source->kind)};
  buf_init(&fetch->url, URL_MAX);
  bool room = secret_init(&fetch->headers, HEADERS_TEXT_MAX);
  room = secret_init(&fetch->body, BODY_MAX) && room;
  room = secret_init(&fetch->answer, CREDENTIALS_ANSWER_MAX) && room;
  room = secret_init(&fetch->token, CREDENTIALS_WEB_TOKEN_MAX) && room;
  fetch->begin = evtimer_new(base, on_begin, fetch);
  if (room && fetch->begin != NULL && event_add(fetch->begin, &now) == 0)
    return fetch;
  fetch_free(fetch);
  return NULL;
}

void credentials_fetch_cancel(struct credentials_fetch *fetch) {
  if (fetch->call != NULL)
    httpc_cancel(fetch->call);
  fetch->call = NULL;
  event_del(fetch->begin);
  fetch_free(fetch);
}

struct httpc *credentials_http(const struct credentials_source *source,
                               struct event_base *base) {
  return httpc_new(base, &source->http);
}

/* ---- for the providers -------------------------------------------------- */

void credentials_header(struct credentials_fetch *fetch, const char *name,
                        const char *value) {
  buf_addf(&fetch->headers, "%s: %s", name, value);
  buf_addc(&fetch->headers, '\0');
}

bool credentials_expire(struct credentials_fetch *fetch, const char *when) {
  int64_t ms;
  if (!xmlvalue_time(when, &ms))
    return errmsg_set(&fetch->why, "doesn't say when they expire");
  if (ms <= date_now_ms())
    return errmsg_set(&fetch->why, "gives some that have expired: is this "
                                   "machine's clock right?");
  fetch->got.expires_ms = ms;
  return true;
}

/* A word of the service's, and nothing that could be more. */
static bool is_word(const char *code) {
  size_t len = strspn(code, "abcdefghijklmnopqrstuvwxyz"
                            "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
  return len <= 64 && code[len] == '\0';
}

enum credentials_step credentials_refused(struct credentials_fetch *fetch,
                                          const char *code) {
  int status = httpc_status(fetch->call);
  fetch->again = status >= 500 || status == 429;
  bool word = code[0] != '\0' && is_word(code);
  errmsg_set(&fetch->why, "answers %d%s%s", status, word ? " " : "",
             word ? code : "");
  return CREDENTIALS_FAILED;
}
