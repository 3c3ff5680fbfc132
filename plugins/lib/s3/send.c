/* SPDX-License-Identifier: MIT
 *
 * One attempt at a request: headers and signature made, the body fed, the
 * answer's body passed on or read as XML.
 */
#include "call_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

#define ALIVE_MS 1000
#define BUFFERED_MAX (16u << 20) /* more than sockets hold, both ways */
#define URL_MAX 16384
#define HEADERS_TEXT_MAX 32768
#define HEADERS_MAX (S3_CALL_HEADERS_MAX + 8)

/* ---- what is sent ------------------------------------------------------- */

static size_t send_on_read(void *arg, void *to, size_t room);

static const char *payload_of(const struct s3_call *call) {
  const struct s3_request *request = call->request;
  if (request->length == 0)
    return SIGV4_EMPTY;
  if (request->sha256 != NULL)
    return request->sha256;
  return SIGV4_UNSIGNED;
}

/* All headers, the signature's own among them; their number. */
static size_t headers_of(const struct s3_call *call, const char *date,
                         struct sigv4_pair *out) {
  const struct s3_request *request = call->request;
  const char *token = call->loop->credentials.session_token;
  size_t n = 0;
  out[n++] = (struct sigv4_pair){"Host", call->loop->s3->endpoint.host};
  out[n++] = (struct sigv4_pair){"x-amz-date", date};
  out[n++] = (struct sigv4_pair){"x-amz-content-sha256", payload_of(call)};
  if (token != NULL)
    out[n++] = (struct sigv4_pair){"x-amz-security-token", token};
  for (size_t i = 0; i < S3_CALL_HEADERS_MAX; i++)
    if (request->headers[i].name != NULL)
      out[n++] = request->headers[i];
  return n;
}

static size_t query_count(const struct s3_request *request) {
  size_t n = 0;
  while (n < S3_CALL_QUERY_MAX && request->query[n].name != NULL)
    n++;
  return n;
}

/* "Name: value" one behind the other, as the client wants them. */
static bool send_write_headers(struct buf *text, const char **lines,
                               const struct sigv4_pair *headers,
                               size_t count) {
  size_t at[HEADERS_MAX + 1];
  for (size_t i = 0; i < count; i++) {
    at[i] = text->len;
    buf_adds(text, headers[i].name);
    buf_adds(text, ": ");
    buf_adds(text, headers[i].value);
    buf_addc(text, '\0');
  }
  for (size_t i = 0; i < count && !text->overflown; i++)
    lines[i] = text->data + at[i];
  lines[count] = NULL;
  return !text->overflown;
}

static struct sluice_op *op_behind(const struct s3_request *request) {
  return request->op != NULL ? request->op : request->behind;
}

/* They aren't signed: no service wants them to be, and what stands between
 * may change them. */
static size_t add_trace(const struct s3_call *call, struct sigv4_pair *headers,
                        size_t count) {
  const struct sluice_op *op = op_behind(call->request);
  const char *parent = op == NULL ? NULL : sluice_op_traceparent(op);
  const char *state = op == NULL ? NULL : sluice_op_tracestate(op);
  if (!call->loop->s3->conf->trace || parent == NULL)
    return count;
  headers[count++] = (struct sigv4_pair){"traceparent", parent};
  if (state != NULL)
    headers[count++] = (struct sigv4_pair){"tracestate", state};
  return count;
}

static bool send_sign(const struct s3_call *call, struct buf *url,
                      struct buf *authorization, struct sigv4_pair *headers,
                      size_t *count, char date[17]) {
  struct s3_loop *loop = call->loop;
  struct buf path, target;
  struct sigv4_key key = s3_signing_key(loop);
  buf_init(&path, 2048);
  buf_init(&target, URL_MAX);
  struct sigv4_request request = {.method = call->request->method,
                                  .query = call->request->query,
                                  .query_count = query_count(call->request),
                                  .headers = headers,
                                  .payload = payload_of(call),
                                  .time_s = s3_now(loop)};
  sigv4_date(date, request.time_s);
  *count = headers_of(call, date, headers);
  request.header_count = *count;
  bool ok = s3_path(&path, loop->s3, &loop->s3->endpoint, call->request->key);
  request.path = path.data;
  ok = ok && sigv4_target(&target, &request) &&
       sigv4_authorization(authorization, &request, &key) &&
       buf_addf(url, "%s://%s%s", loop->s3->endpoint.tls ? "https" : "http",
                loop->s3->endpoint.host, target.data);
  buf_fini(&path);
  buf_fini(&target);
  return ok;
}

/* ---- what comes --------------------------------------------------------- */

static void send_on_head(void *arg) {
  struct s3_call *call = arg;
  int http = httpc_status(call->http);
  bool good = http >= 200 && http <= 299;
  call->body = good && call->events->data != NULL ? BODY_PASSED : BODY_OURS;
  if (!good)
    call->xml = xml_new(XML_ERROR, NULL);
  else if (call->request->wants_xml)
    call->xml = xml_new(call->request->expected, call->request->xml_events);
  if (call->body == BODY_PASSED && call->events->head != NULL)
    call->events->head(call->arg, call);
}

/* Now and then, so that a large upload isn't taken for one that stalls.  What
 * was sent before counts only once no buffer on the way can hold it: or an
 * upload that nobody reads would seem to go on with each attempt. */
static void say_alive(struct s3_call *call) {
  int64_t now = (int64_t)clock_ms();
  bool goes_on = call->sent >= call->most_sent || call->sent >= BUFFERED_MAX;
  if (!goes_on || call->request->op == NULL || now - call->alive_ms < ALIVE_MS)
    return;
  call->alive_ms = now;
  sluice_alive(call->request->op);
}

static bool send_on_data(void *arg, const char *data, size_t len) {
  struct s3_call *call = arg;
  if (call->body == BODY_OURS)
    say_alive(call); /* a service that copies sends spaces meanwhile */
  if (call->body != BODY_OURS) {
    bool taken = call->events->data(call->arg, data, len);
    if (taken)
      call->body = BODY_TAKEN;
    return taken;
  }
  if (call->xml != NULL)
    xml_feed(call->xml, data, len); /* xml_end() tells when it was no good */
  return true;
}

static void on_spool_ready(void *arg) {
  s3_call_unspooled(arg);
}

/* Of the body: it goes to curl, and from there to the service. */
static void count_sent(struct s3_call *call, uint64_t bytes) {
  call->sent += bytes;
  if (call->sent > call->most_sent)
    call->most_sent = call->sent;
}

static size_t send_on_read(void *arg, void *to, size_t room) {
  struct s3_call *call = arg;
  say_alive(call);
  const struct s3_request *request = call->request;
  uint64_t left = request->length - call->sent;
  if (room > left)
    room = (size_t)left;
  if (request->spool == NULL) {
    memcpy(to, (const char *)request->data + call->sent, room);
    count_sent(call, room);
    return room;
  }
  if (call->reading_spool)
    return 0;
  /* Set before, as it may be unset from inside. */
  call->reading_spool = true;
  int64_t got = spool_read(request->spool, request->first + call->sent, to,
                           room, on_spool_ready, call);
  if (got == -1)
    return 0;
  call->reading_spool = false;
  if (got < 0)
    return HTTPC_READ_FAILED;
  count_sent(call, (uint64_t)got);
  return (size_t)got;
}

bool s3_call_send(struct s3_call *call) {
  static const struct httpc_events events = {.read = send_on_read,
                                             .head = send_on_head,
                                             .data = send_on_data,
                                             .done = s3_call_ended};
  static const struct httpc_events bodiless = {
      .head = send_on_head, .data = send_on_data, .done = s3_call_ended};
  struct sigv4_pair headers[HEADERS_MAX];
  const char *lines[HEADERS_MAX + 1];
  struct buf url, authorization, text;
  size_t count = 0;
  char date[17];
  buf_init(&url, URL_MAX);
  buf_init(&authorization, 4096);
  buf_init(&text, HEADERS_TEXT_MAX);
  bool has_body = call->request->length > 0;
  bool takes_body = strcmp(call->request->method, "PUT") == 0 ||
                    strcmp(call->request->method, "POST") == 0;
  bool ok = send_sign(call, &url, &authorization, headers, &count, date);
  if (ok) {
    headers[count++] =
        (struct sigv4_pair){"Authorization", authorization.data};
    count = add_trace(call, headers, count);
    ok = send_write_headers(&text, lines, headers, count);
  }
  call->sent = 0;
  call->renewals = call->loop->renewals;
  call->body = BODY_OURS;
  if (ok)
    call->http = httpc_start(
        call->loop->http,
        &(struct httpc_request){
            .method = call->request->method,
            .url = url.data,
            .headers = lines,
            .length = takes_body ? (int64_t)call->request->length : -1,
            .new_connection = call->fresh},
        has_body ? &events : &bodiless, call);
  buf_fini(&url);
  buf_fini(&authorization);
  buf_fini(&text);
  struct sluice_op *op = op_behind(call->request);
  if (call->http != NULL && op != NULL)
    sluice_attempt(op, call->attempt);
  return ok && call->http != NULL;
}
