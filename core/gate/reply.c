/* SPDX-License-Identifier: MIT
 *
 * The way of an answer to its client: what every one carries, hooks' headers,
 * and the table from a backend's status to HTTP.
 */
#include "reply.h"

#include <event2/buffer.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "cors.h"
#include "fields.h"
#include "log.h"
#include "must.h"
#include "servertiming.h"

#define RETRY_AFTER "5" /* seconds, with 503 */

/* A client is told this of an operation's status; the ender is for the
 * backend's own words. */
struct outcome {
  int status;
  enum ender ender;
  const char *code, *message;
};

static const struct outcome outcomes[] = {
    [SLUICE_OK] = {500, ENDER_GATEWAY, "internal", "The gateway is at fault"},
    [SLUICE_EINVAL] = {400, ENDER_CLIENT, "bad_request",
                       "The storage refused the request as malformed"},
    [SLUICE_EAUTH] = {401, ENDER_CLIENT, "unauthorized",
                      "Authentication is required"},
    [SLUICE_EDENIED] = {403, ENDER_CLIENT, "forbidden", "This isn't allowed"},
    [SLUICE_ENOENT] = {404, ENDER_CLIENT, "object_not_found",
                       "Object not found"},
    [SLUICE_EEXIST] = {409, ENDER_CLIENT, "conflict",
                       "An object of that key exists; try again"},
    [SLUICE_EPRECOND] = {412, ENDER_CLIENT, "precondition_failed",
                         "The object isn't as the request wants it to be"},
    [SLUICE_ERANGE] = {416, ENDER_CLIENT, "range_not_satisfiable",
                       "The range lies behind the object's end"},
    [SLUICE_ETOOBIG] = {413, ENDER_LIMIT, "too_large",
                        "The object is too large for the storage"},
    [SLUICE_EBUSY] = {503, ENDER_STORAGE, "overloaded",
                      "The storage is busy; try again"},
    [SLUICE_ERATE] = {429, ENDER_LIMIT, "rate_limited",
                      "Too many requests; try again"},
    [SLUICE_EIO] = {500, ENDER_STORAGE, "storage_failed",
                    "The storage failed"},
    [SLUICE_EUPSTREAM] = {502, ENDER_STORAGE, "upstream_failed",
                          "The storage failed to answer"},
    [SLUICE_ETIMEOUT] = {504, ENDER_STORAGE, "upstream_timeout",
                         "The storage took too long to answer"},
    [SLUICE_ENOSPC] = {507, ENDER_STORAGE, "storage_full",
                       "The storage is full"},
    [SLUICE_ENOTSUP] = {501, ENDER_STORAGE, "not_implemented",
                        "This storage doesn't offer that"},
    [SLUICE_ENOMEM] = {503, ENDER_GATEWAY, "overloaded",
                       "The gateway is busy; try again"},
    [SLUICE_ECANCELED] = {503, ENDER_GATEWAY, "overloaded",
                          "The gateway is stopping"}};

struct buf *reply_headers(struct exchange *ex) {
  return answer_fields(ex->conn);
}

void reply_header(struct exchange *ex, const char *name, const char *value) {
  fields_add(reply_headers(ex), name, value);
}

static bool is_head(const struct exchange *ex) {
  return strcmp(ex->head.method, "HEAD") == 0;
}

static bool serves_links(const struct exchange *ex) {
  return ex->route != NULL &&
         ex->route->endpoint->operation == OPERATION_SIGNED;
}

static void add_timing(struct exchange *ex) {
  char timing[SERVERTIMING_SIZE];
  servertiming_text(ex, timing);
  reply_header(ex, "Server-Timing", timing);
}

/* The answer begins: nobody may give another one. */
static void prepare(struct exchange *ex, int status) {
  struct exchange_step step = exchange_step(ex->state, EXCHANGE_ANSWER);
  must(step.action != EXCHANGE_NEVER);
  ex->state = step.next;
  ex->status = status;
  ex->on_body = NULL;
  if (!exchange_is_changing(ex->state))
    request_abandon(&ex->request); /* else hooks are told all the same */
  ex->request.operation = operation_name(ex->asked);
  ex->request.status = status;
  exchange_unwatch(ex);
  reply_header(ex, "X-Request-Id", ex->request.id);
  buf_adds(reply_headers(ex),
           serves_links(ex) ? ex->gate->lines.by_link : ex->gate->lines.every);
  if (ex->request.cors)
    cors_answer(&ex->gate->settings->cors, &ex->head,
                ex->route == NULL ? NULL : ex->route->endpoint->cors_expose,
                ex->request.debug, reply_headers(ex));
  if (ex->request.debug)
    add_timing(ex);
  request_response(&ex->request, reply_headers(ex));
}

void reply_number(struct exchange *ex, const char *name, uint64_t number) {
  char text[24];
  snprintf(text, sizeof text, "%llu", (unsigned long long)number);
  reply_header(ex, name, text);
}

void reply_length(struct exchange *ex, uint64_t length) {
  reply_number(ex, "Content-Length", length);
}

void reply_start(struct exchange *ex, int status, uint64_t length) {
  prepare(ex, status);
  reply_length(ex, length);
  answer_begin(ex->conn, status);
}

/* A 201 says of no bytes what they are, as any other that may have some. */
void reply_empty(struct exchange *ex, int status) {
  exchange_drop(ex);
  prepare(ex, status);
  if (status == 201)
    reply_header(ex, "Content-Type", "application/octet-stream");
  answer_whole(ex->conn, status, NULL);
}

void reply_body(struct exchange *ex, int status, struct evbuffer *body) {
  exchange_drop(ex);
  prepare(ex, status);
  reply_length(ex, evbuffer_get_length(body));
  if (is_head(ex))
    body = NULL;
  else
    ex->bytes_out = evbuffer_get_length(body);
  answer_whole(ex->conn, status, body);
}

void reply_type(struct exchange *ex, const char *type) {
  reply_header(ex, "Content-Type", type);
  buf_adds(reply_headers(ex), ex->gate->lines.json);
}

static void free_text(const void *data, size_t len, void *text) {
  (void)data, (void)len;
  free(text);
}

void reply_json(struct exchange *ex, int status, json_t *document) {
  struct evbuffer *body = evbuffer_new();
  char *text = document == NULL ? NULL : json_dumps(document, JSON_COMPACT);
  must_have(body && text);
  json_decref(document);
  evbuffer_add_reference(body, text, strlen(text), free_text, text);
  reply_type(ex, "application/json");
  reply_body(ex, status, body);
  evbuffer_free(body);
}

/* `key` is NULL, or one more key that has `value`, which is taken. */
static void say_error(struct exchange *ex, int status, const char *code,
                      const char *key, json_t *value, const char *fmt,
                      va_list args) {
  char message[512];
  vsnprintf(message, sizeof message, fmt, args);
  ex->code = code;
  if (ex->ended_by == ENDER_NONE)
    ex->ended_by = ender_of_status(status);
  if (ex->describes)
    buf_clear(reply_headers(ex));
  if (status == 503 || status == 429)
    reply_header(ex, "Retry-After", RETRY_AFTER);
  json_t *error = json_pack("{s:s, s:s, s:s}", "error", message, "code", code,
                            "request_id", ex->request.id);
  if (key != NULL)
    json_object_set_new(error, key, value);
  reply_json(ex, status, error);
}

void reply_error(struct exchange *ex, int status, const char *code,
                 const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  say_error(ex, status, code, NULL, NULL, fmt, args);
  va_end(args);
}

void reply_error_more(struct exchange *ex, int status, const char *code,
                      const char *key, json_t *value, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  say_error(ex, status, code, key, value, fmt, args);
  va_end(args);
}

const char *reply_code(enum sluice_status status) {
  return outcomes[status].code;
}

void reply_log_failure(struct exchange *ex, enum sluice_status status,
                       const char *why) {
  const struct outcome *outcome = &outcomes[status];
  struct op_backend *backend = exchange_backend(ex);
  if (outcome->status >= 500)
    repeat_line(&backend->repeats, backend->host.loop, SLUICE_LOG_ERROR,
                backend->host.name, outcome->code, "request %s: %s: %s",
                ex->request.id, outcome->code,
                why != NULL ? why : "no reason given");
  else if (why != NULL)
    log_line(SLUICE_LOG_DEBUG, backend->host.name, "request %s: %s: %s",
             ex->request.id, outcome->code, why);
}

void reply_failure(struct exchange *ex, enum sluice_status status,
                   const char *why) {
  const struct outcome *outcome = &outcomes[status];
  ex->ended_by = outcome->ender;
  reply_log_failure(ex, status, why);
  reply_error(ex, outcome->status, outcome->code, "%s", outcome->message);
}

void reply_denial(struct exchange *ex, enum ender ender,
                  enum sluice_status status, const char *message) {
  const struct outcome *outcome = &outcomes[status];
  ex->ended_by = ender;
  reply_error(ex, outcome->status, outcome->code, "%s",
              message[0] != '\0' ? message : outcome->message);
}

void reply_mistyped(struct exchange *ex, const char *message) {
  ex->ended_by = ENDER_HOOK;
  reply_error(ex, 415, "unsupported_media_type", "%s",
              message[0] != '\0' ? message
                                 : "Files of this type aren't taken");
}

/* ---- answers that aren't whole ------------------------------------------ */

void reply_abort(struct exchange *ex, enum ender ender,
                 enum sluice_status status) {
  ex->ended_by = ender;
  ex->code = outcomes[status].code;
  ingress_abort(ex->conn);
}

static void log_broken(struct exchange *ex, const char *why) {
  struct op_backend *backend = exchange_backend(ex);
  repeat_line(&backend->repeats, backend->host.loop, SLUICE_LOG_ERROR,
              backend->host.name, "abandoned", "request %s: %s",
              ex->request.id, why);
}

/* Whatever it says: what it promised before doesn't come. */
void reply_break_off(struct exchange *ex, enum sluice_status status,
                     const char *why) {
  log_broken(ex, why);
  if (outcomes[status].ender != ENDER_STORAGE)
    status = SLUICE_EUPSTREAM;
  reply_abort(ex, ENDER_STORAGE, status);
}

void reply_gone(struct exchange *ex, enum ingress_end end) {
  if (end == INGRESS_ABORTED)
    return; /* the one who did it has said why */
  struct ender_gone gone = ender_of_gone(end);
  ex->ended_by = gone.ender;
  ex->code = gone.code;
  if (end == INGRESS_UNREADABLE)
    log_broken(ex, REPLY_UNREADABLE);
}
