/* SPDX-License-Identifier: MIT
 *
 * The calls by which a hook asks a request something, or says something about
 * it.
 */
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>

#include "answerheader.h"
#include "violation.h"
#include "codec.h"
#include "fields.h"
#include "request.h"
#include "token.h"

const char *sluice_request_header(const struct sluice_request *request,
                                  const char *name) {
  return head_get(request->head, name);
}

const char *sluice_request_method(const struct sluice_request *request) {
  return request->head->method;
}

const char *sluice_request_path(const struct sluice_request *request) {
  return request->head->path;
}

const char *sluice_request_query(const struct sluice_request *request) {
  return request->head->query;
}

const char *sluice_request_protocol(const struct sluice_request *request) {
  if (request->head->text == NULL)
    return NULL;
  return request->head->minor == 0 ? "HTTP/1.0" : "HTTP/1.1";
}

const char *sluice_request_id(const struct sluice_request *request) {
  return request->id;
}

const char *sluice_request_operation(const struct sluice_request *request) {
  return request->operation;
}

const char *sluice_request_key(const struct sluice_request *request) {
  return request->key;
}

const char *sluice_request_peer(const struct sluice_request *request) {
  return request->peer;
}

const char *sluice_request_client(const struct sluice_request *request) {
  return request->client;
}

int sluice_request_status(const struct sluice_request *request) {
  return request->status;
}

const char *sluice_request_identity(const struct sluice_request *request) {
  return request->identity[0] == '\0' ? NULL : request->identity;
}

const char *sluice_request_subject(const struct sluice_request *request) {
  return request->subject;
}

static bool has_control(const char *text) {
  for (; *text != '\0'; text++)
    if ((unsigned char)*text < 32 || *text == 127)
      return true;
  return false;
}

bool sluice_request_identify(struct sluice_request *request,
                             const char *identity) {
  return request_identify(request, identity);
}

/* Has the gateway put it into this answer?  Its headers come first. */
static bool is_own(const struct sluice_request *request, const char *name) {
  return fields_get(request->answer, request->answer_own, name) != NULL;
}

static bool may_add(const struct sluice_request *request, const char *name) {
  static const char cors[] = "Access-Control-";
  size_t len = 0;
  while (token_char((unsigned char)name[len]))
    len++;
  if (len == 0 || name[len] != '\0')
    return false;
  if (request->cors && codec_same(name, strnlen(name, strlen(cors)), cors))
    return false;
  switch (answerheader_of(name)) {
  case ANSWERHEADER_GATEWAYS:
    return false;
  case ANSWERHEADER_ONCE:
    return !is_own(request, name);
  case ANSWERHEADER_LIST:
  case ANSWERHEADER_REPLACES:
    break;
  }
  return true;
}

bool sluice_request_answer(struct sluice_request *request, const char *name,
                           const char *value) {
  if (request->answer == NULL ||
      request->answer_count >= REQUEST_HEADERS_MAX || has_control(value) ||
      !may_add(request, name))
    return false;
  request->answer_count++;
  if (answerheader_of(name) == ANSWERHEADER_REPLACES) {
    bool own = is_own(request, name);
    size_t less = fields_remove(request->answer, name);
    request->answer_own -= own ? less : 0;
  }
  return fields_add(request->answer, name, value);
}

/* Whole characters, as many as there is room for; JSON takes no others. */
static void keep_message(struct sluice_request *request, const char *message) {
  size_t kept = 0, left = strlen(message);
  while (left > 0) {
    size_t size = codec_utf8_len(message, left), used = size == 0 ? 1 : size;
    if (kept + used >= sizeof request->message)
      break;
    memcpy(request->message + kept, size == 0 ? "?" : message, used);
    kept += used;
    message += used;
    left -= used;
  }
  request->message[kept] = '\0';
}

void sluice_request_refuse(struct sluice_request *request,
                           enum sluice_status status, const char *message) {
  bool sane = (unsigned)status <= SLUICE_ECANCELED && status != SLUICE_OK;
  request_set_refusal(request, sane ? status : SLUICE_EDENIED, "");
  keep_message(request, message);
}

void sluice_request_refuse_type(struct sluice_request *request,
                                const char *message) {
  sluice_request_refuse(request, SLUICE_EINVAL, message);
  request->mistyped = true;
}

void sluice_request_resume(struct sluice_request *request,
                           enum sluice_verdict verdict) {
  static const char name[] = "sluice_request_resume";
  struct request_hook *hook = request_hook(request);
  if (!loop_is_mine(request->loop))
    violation_of_thread(&hook->host, hook->plugin->name, name);
  bool waiting = request->turn == REQUEST_WAITING;
  if (!waiting || verdict == SLUICE_WAIT) {
    violation_note(&hook->misused, &hook->host, hook->plugin->name, name,
                   waiting ? "with SLUICE_WAIT" : VIOLATION_RESUMED);
    return;
  }
  request->turn = REQUEST_RESUMING;
  request->verdict = verdict;
  loop_defer(request->loop, &request->resume);
}

/* ---- an object that is about to be made --------------------------------- */

/* Only while hooks are asked about it: it may be over otherwise. */
static struct intent *intent_of(const struct sluice_request *request) {
  bool asked =
      request->phase == REQUEST_ON_KEY || request->phase == REQUEST_ON_BODY;
  bool open =
      request->turn == REQUEST_ASKING || (request->turn == REQUEST_WAITING &&
                                          request->interest == REQUEST_WANTED);
  return asked && open ? request->intent : NULL;
}

const struct sluice_upload *
sluice_request_object(const struct sluice_request *request) {
  const struct intent *intent = intent_of(request);
  return intent == NULL ? NULL : &intent->told;
}

bool sluice_request_set_type(struct sluice_request *request,
                             const char *type) {
  struct intent *intent = intent_of(request);
  return intent != NULL && intent_type(intent, type);
}

bool sluice_request_add_meta(struct sluice_request *request, const char *name,
                             const char *value) {
  struct intent *intent = intent_of(request);
  return intent != NULL && intent_meta(intent, name, value);
}

bool sluice_request_set_prefix(struct sluice_request *request,
                               const char *prefix) {
  struct intent *intent = intent_of(request);
  return intent != NULL && intent_prefix(intent, prefix);
}

void sluice_request_alive(struct sluice_request *request) {
  static const char name[] = "sluice_request_alive";
  const struct request_hook *hook = request_hook(request);
  if (!loop_is_mine(request->loop))
    violation_of_thread(&hook->host, hook->plugin->name, name);
  bool waits =
      request->turn == REQUEST_WAITING &&
      request->interest == REQUEST_WANTED &&
      (request->phase == REQUEST_ON_KEY || request->phase == REQUEST_ON_BODY);
  if (waits && request->alive != NULL)
    request->alive(request->arg);
}
