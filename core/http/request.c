/* SPDX-License-Identifier: MIT
 *
 * The phases of a request's hooks, and what a hook may ask and say.
 */
#include "request.h"

#include <assert.h>
#include <event2/http.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "codec.h"
#include "digest.h"
#include "log.h"
#include "token.h"

static bool sane_id(const char *id) {
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "abcdefghijklmnopqrstuvwxyz0123456789._-";
  size_t len = id == NULL ? 0 : strspn(id, letters);
  return len > 0 && len <= REQUEST_ID_MAX && id[len] == '\0';
}

void request_init(struct sluice_request *request, struct loop *loop,
                  const struct head *head, const char *peer) {
  *request = (struct sluice_request){.loop = loop, .head = head};
  snprintf(request->peer, sizeof request->peer, "%s", peer);
  const char *id = head_get(head, "X-Request-Id");
  if (sane_id(id)) {
    memcpy(request->id, id, strlen(id) + 1); /* REQUEST_ID_MAX, as checked */
    return;
  }
  unsigned char random[16];
  digest_random(random, sizeof random);
  codec_hex(request->id, random, sizeof random);
}

static struct request_hook *hook_at(const struct sluice_request *request,
                                    size_t index) {
  return &request->hooks[request->chain[index]];
}

bool request_guarded(const struct sluice_request *request) {
  for (size_t i = 0; i < request->chain_count; i++)
    if (hook_at(request, i)->plugin->guards)
      return true;
  return false;
}

static enum sluice_verdict ask(struct sluice_request *request) {
  struct request_hook *hook = hook_at(request, request->at);
  enum sluice_verdict (*phase)(void *, struct sluice_request *) =
      request->key_phase ? hook->plugin->on_key : hook->plugin->on_request;
  return phase == NULL ? SLUICE_PASS : phase(hook->handle, request);
}

/* Deny by default: with a hook that guards, one of them has to allow. */
static bool admitted(const struct sluice_request *request) {
  return request->key_phase || request->allowed || !request_guarded(request);
}

static void go_on(struct sluice_request *request,
                  enum sluice_verdict verdict) {
  while (verdict != SLUICE_WAIT) {
    if (verdict != SLUICE_DENY) { /* nobody's last word is another's */
      request->refusal = SLUICE_OK;
      request->message[0] = '\0';
    }
    if (verdict == SLUICE_ALLOW &&
        hook_at(request, request->at)->plugin->guards)
      request->allowed = true;
    if (verdict == SLUICE_DENY) {
      if (request->refusal == SLUICE_OK)
        request->refusal = SLUICE_EDENIED;
      request->then(request->arg, false);
      return;
    }
    if (++request->at == request->chain_count) {
      request->then(request->arg, admitted(request));
      return;
    }
    verdict = ask(request);
  }
  request->waiting = true;
}

static void on_resume(struct loop_task *task) {
  struct sluice_request *request =
      (struct sluice_request *)((char *)task -
                                offsetof(struct sluice_request, resume));
  request->resuming = false;
  if (request->over)
    request->then(request->arg, false);
  else
    go_on(request, request->verdict);
}

void request_admit(struct sluice_request *request, bool key_phase,
                   void (*then)(void *arg, bool admitted), void *arg) {
  request->key_phase = key_phase;
  request->then = then;
  request->arg = arg;
  request->at = 0;
  request->resume.run = on_resume;
  if (request->chain_count == 0)
    then(arg, true);
  else
    go_on(request, ask(request));
}

void request_response(struct sluice_request *request,
                      struct evkeyvalq *answer) {
  request->answer = answer;
  for (size_t i = 0; i < request->chain_count; i++) {
    struct request_hook *hook = hook_at(request, i);
    if (hook->plugin->on_response != NULL)
      hook->plugin->on_response(hook->handle, request);
  }
  request->answer = NULL;
}

void request_log(struct sluice_request *request,
                 const struct sluice_record *record) {
  for (size_t i = 0; i < request->chain_count; i++) {
    struct request_hook *hook = hook_at(request, i);
    if (hook->plugin->on_log != NULL)
      hook->plugin->on_log(hook->handle, request, record);
  }
}

/* ---- what a hook may call ----------------------------------------------- */

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

const char *sluice_request_identity(const struct sluice_request *request) {
  return request->identity[0] == '\0' ? NULL : request->identity;
}

static bool has_control(const char *text) {
  for (; *text != '\0'; text++)
    if ((unsigned char)*text < 32 || *text == 127)
      return true;
  return false;
}

bool sluice_request_identify(struct sluice_request *request,
                             const char *identity) {
  size_t len = strlen(identity);
  if (len == 0 || len > REQUEST_IDENTITY_MAX ||
      !codec_utf8_valid(identity, len))
    return false;
  for (const char *at = identity; *at != '\0';)
    if (codec_control(codec_utf8_next(&at)))
      return false;
  memcpy(request->identity, identity, len + 1);
  return true;
}

/* A token that doesn't frame the answer. */
static bool may_add(const char *name) {
  static const char *const ours[] = {"Connection",   "Content-Length",
                                     "Content-Type", "Date",
                                     "X-Request-Id", "Transfer-Encoding"};
  size_t len = 0;
  while (token_char((unsigned char)name[len]))
    len++;
  if (len == 0 || name[len] != '\0')
    return false;
  for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
    if (codec_same(name, len, ours[i]))
      return false;
  return true;
}

bool sluice_request_answer(struct sluice_request *request, const char *name,
                           const char *value) {
  if (request->answer == NULL ||
      request->answer_count >= REQUEST_HEADERS_MAX || has_control(value) ||
      !may_add(name))
    return false;
  request->answer_count++;
  return evhttp_add_header(request->answer, name, value) == 0;
}

void sluice_request_refuse(struct sluice_request *request,
                           enum sluice_status status, const char *message) {
  request->refusal = status == SLUICE_OK ? SLUICE_EDENIED : status;
  snprintf(request->message, sizeof request->message, "%s", message);
}

void sluice_request_resume(struct sluice_request *request,
                           enum sluice_verdict verdict) {
  assert(loop_is_mine(request->loop));
  if (!request->waiting || verdict == SLUICE_WAIT) {
    log_line(SLUICE_LOG_ERROR, "hooks",
             "a hook resumed a request that didn't wait");
    return;
  }
  request->waiting = false;
  request->resuming = true;
  request->verdict = verdict;
  loop_defer(request->loop, &request->resume);
}
