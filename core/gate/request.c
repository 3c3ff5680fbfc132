/* SPDX-License-Identifier: MIT
 *
 * The phases of a request's hooks.  What hooks may ask and say themselves:
 * request_api.c.
 */
#include "request.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "violation.h"
#include "codec.h"
#include "crash.h"
#include "digest.h"
#include "must.h"
#include "request_trace.h"

static bool sane_id(const char *id) {
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "abcdefghijklmnopqrstuvwxyz0123456789._-";
  size_t len = id == NULL ? 0 : strspn(id, letters);
  return len > 0 && len <= REQUEST_ID_MAX && id[len] == '\0';
}

_Static_assert(sizeof((struct sluice_request *)0)->client <=
                   sizeof((struct sluice_request *)0)->peer,
               "what fits the client's address fits the peer's");

void request_init(struct sluice_request *request, struct loop *loop,
                  const struct head *head, const char *peer) {
  *request = (struct sluice_request){.loop = loop, .head = head};
  size_t len = strnlen(peer, sizeof request->client - 1);
  memcpy(request->peer, peer, len); /* a NUL is behind it */
  memcpy(request->client, peer, len);
  const char *id = head_get(head, "X-Request-Id");
  if (sane_id(id)) {
    memcpy(request->id, id, strlen(id) + 1); /* REQUEST_ID_MAX, as checked */
  } else {
    unsigned char random[16];
    loop_name(loop, random, sizeof random);
    codec_hex(request->id, random, sizeof random);
  }
  request_trace(request);
}

bool request_identify(struct sluice_request *request, const char *identity) {
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

void request_certify(struct sluice_request *request, const char *name,
                     const char *subject) {
  request->subject = strdup(subject); /* without memory: as if it had none */
  if (request->subject != NULL)
    request_identify(request, name);
}

static struct request_hook *hook_at(const struct sluice_request *request,
                                    size_t index) {
  return request->hooks[request->chain[index]];
}

const struct request_hook *
request_denier(const struct sluice_request *request) {
  return hook_at(request, request->at);
}

bool request_guarded(const struct sluice_request *request) {
  for (size_t i = 0; i < request->chain_count; i++)
    if (hook_at(request, i)->plugin->guards)
      return true;
  return false;
}

static bool wants_body(const struct sluice_request *request, size_t index) {
  return hook_at(request, index)->plugin->on_body != NULL &&
         (request->sated & UINT64_C(1) << index) == 0;
}

bool request_wants_body(const struct sluice_request *request) {
  for (size_t i = 0; i < request->chain_count; i++)
    if (wants_body(request, i))
      return true;
  return false;
}

void request_set_refusal(struct sluice_request *request,
                         enum sluice_status status, const char *message) {
  request->refusal = status;
  request->mistyped = false;
  snprintf(request->message, sizeof request->message, "%s", message);
}

/* It has its hands full with what it never resumed. */
static bool is_stuck(struct sluice_request *request,
                     const struct request_hook *hook) {
  if (hook->pending < REQUEST_PENDING_MAX ||
      request->phase == REQUEST_ON_CHANGE)
    return false;
  request_set_refusal(request, SLUICE_EBUSY,
                      "A hook doesn't answer; try again");
  return true;
}

static enum sluice_verdict call(struct sluice_request *request) {
  struct request_hook *hook = hook_at(request, request->at);
  const struct sluice_hook *plugin = hook->plugin;
  request->calling = request->at;
  if (request->is_signed && plugin->guards &&
      request->phase != REQUEST_ON_BODY)
    return SLUICE_PASS;
  if (request->phase == REQUEST_ON_BODY && !wants_body(request, request->at))
    return SLUICE_PASS;
  if (request->phase == REQUEST_ON_REQUEST && request->at < request->asked &&
      !plugin->guards)
    return SLUICE_PASS;
  if (is_stuck(request, hook))
    return SLUICE_DENY;
  switch (request->phase) {
  case REQUEST_ON_REQUEST:
    if (plugin->on_request != NULL)
      return plugin->on_request(hook->handle, request);
    break;
  case REQUEST_ON_KEY:
    if (plugin->on_key != NULL)
      return plugin->on_key(hook->handle, request);
    break;
  case REQUEST_ON_BODY:
    return plugin->on_body(hook->handle, request, &request->chunk);
  case REQUEST_ON_CHANGE:
    if (plugin->on_change != NULL)
      return plugin->on_change(hook->handle, request, &request->object);
    break;
  }
  return SLUICE_PASS;
}

static enum sluice_verdict request_ask(struct sluice_request *request) {
  request->turn = REQUEST_ASKING;
  enum sluice_verdict verdict = call(request);
  request->turn = REQUEST_IDLE;
  return verdict;
}

/* An answer that is no verdict admits nobody. */
static enum sluice_verdict checked(struct sluice_request *request,
                                   enum sluice_verdict verdict) {
  switch (verdict) {
  case SLUICE_PASS:
  case SLUICE_ALLOW:
  case SLUICE_DENY:
  case SLUICE_WAIT:
    return verdict;
  }
  struct request_hook *hook = hook_at(request, request->at);
  violation_note(&hook->misused, &hook->host, hook->plugin->name, NULL,
                 "it answered with what is no verdict");
  return SLUICE_DENY;
}

/* Deny by default: with a hook that guards, one of them has to allow. */
static bool admitted(const struct sluice_request *request) {
  return request->phase != REQUEST_ON_REQUEST || request->is_signed ||
         request->allowed || !request_guarded(request);
}

/* Notes one verdict; true when it ends the phase. */
static bool is_final(struct sluice_request *request,
                     enum sluice_verdict verdict) {
  if (verdict == SLUICE_DENY && request->phase != REQUEST_ON_CHANGE) {
    if (request->refusal == SLUICE_OK)
      request->refusal = SLUICE_EDENIED;
    return true;
  }
  bool last = request->at + 1 == request->chain_count;
  if (request->astray && request->phase == REQUEST_ON_REQUEST && last) {
    request_set_refusal(request, SLUICE_EIO, "");
    return true;
  }
  /* Nobody's last word is another's. */
  request_set_refusal(request, SLUICE_OK, "");
  if (verdict == SLUICE_ALLOW && request->phase == REQUEST_ON_BODY)
    request->sated |= UINT64_C(1) << request->at;
  else if (verdict == SLUICE_ALLOW &&
           hook_at(request, request->at)->plugin->guards)
    request->allowed = true;
  return false;
}

static void request_go_on(struct sluice_request *request,
                          enum sluice_verdict verdict) {
  while ((verdict = checked(request, verdict)) != SLUICE_WAIT) {
    if (is_final(request, verdict)) {
      request->then(request->arg, false);
      return;
    }
    if (++request->at == request->chain_count) {
      request->then(request->arg, admitted(request));
      return;
    }
    verdict = request_ask(request);
  }
  request->turn = REQUEST_WAITING;
  request->waited = request->at;
}

static void on_resume(struct loop_task *task) {
  struct sluice_request *request =
      (struct sluice_request *)((char *)task -
                                offsetof(struct sluice_request, resume));
  struct about *before = crash_about(&request->about);
  request->turn = REQUEST_IDLE;
  if (request->interest == REQUEST_PENDING)
    hook_at(request, request->at)->pending--;
  if (request->interest == REQUEST_WANTED)
    request_go_on(request, request->verdict);
  else
    request->then(request->arg, false);
  crash_about(before);
}

void request_admit(struct sluice_request *request, enum request_phase phase,
                   void (*then)(void *arg, bool admitted), void *arg) {
  request->phase = phase;
  request->interest = REQUEST_WANTED;
  request->then = then;
  request->arg = arg;
  request->at = 0;
  request->resume.run = on_resume;
  if (request->chain_count == 0)
    then(arg, true);
  else
    request_go_on(request, request_ask(request));
}

void request_change(struct sluice_request *request,
                    const struct sluice_object *object,
                    void (*then)(void *arg, bool admitted), void *arg) {
  request->object = *object;
  request_admit(request, REQUEST_ON_CHANGE, then, arg);
}

void request_show(struct sluice_request *request,
                  const struct sluice_chunk *chunk,
                  void (*then)(void *arg, bool admitted), void *arg) {
  request->chunk = *chunk;
  request_admit(request, REQUEST_ON_BODY, then, arg);
}

void request_keep(struct sluice_request *request, char **data) {
  free(request->kept);
  request->kept = *data;
  *data = NULL;
}

/* The hook that may wait is the calling one again afterwards. */
void request_response(struct sluice_request *request, struct buf *answer) {
  size_t calling = request->calling;
  request->answer = answer;
  request->answer_own = answer->len;
  for (size_t i = 0; i < request->chain_count; i++) {
    struct request_hook *hook = hook_at(request, i);
    request->calling = i;
    if (hook->plugin->on_response != NULL)
      hook->plugin->on_response(hook->handle, request);
  }
  request->answer = NULL;
  request->calling = calling;
}

void request_log(struct sluice_request *request,
                 const struct sluice_record *record) {
  size_t calling = request->calling;
  for (size_t i = 0; i < request->chain_count; i++) {
    struct request_hook *hook = hook_at(request, i);
    request->calling = i;
    if (hook->plugin->on_log != NULL)
      hook->plugin->on_log(hook->handle, request, record);
  }
  request->calling = calling;
}

/* ---- what hooks keep ---------------------------------------------------- */

struct request_state {
  struct request_state *next;
  size_t hook; /* index into the chain */
  size_t size;
  max_align_t data[];
};

void *sluice_request_state(struct sluice_request *request, size_t size) {
  struct request_state *state = request->states;
  while (state != NULL && state->hook != request->calling)
    state = state->next;
  bool gone = request->turn == REQUEST_GONE;
  if (gone || size > REQUEST_STATE_MAX ||
      (state != NULL && state->size != size)) {
    struct request_hook *hook = hook_at(request, request->calling);
    violation_note(&hook->misused, &hook->host, hook->plugin->name,
                   "sluice_request_state",
                   gone
                       ? "after on_log"
                       : "of more than 4 KiB, or of another size than before");
    return NULL;
  }
  if (state != NULL)
    return state->data;
  state = calloc(1, sizeof *state + size);
  must_have(state); /* charged with the request */
  state->next = request->states;
  state->hook = request->calling;
  state->size = size;
  request->states = state;
  return state->data;
}

static void drop_state(struct sluice_request *request, size_t hook) {
  struct request_state **at = &request->states;
  while (*at != NULL && (*at)->hook != hook)
    at = &(*at)->next;
  struct request_state *state = *at;
  if (state == NULL)
    return;
  *at = state->next;
  free(state);
}

void request_again(struct sluice_request *request, const char *operation) {
  static const struct sluice_record refused = {.size = sizeof refused,
                                               .status = 403,
                                               .code = "forbidden",
                                               .ended_by = "hook"};
  request->asked = request->at + 1;
  for (size_t i = 0; i < request->asked; i++) {
    struct request_hook *hook = hook_at(request, i);
    if (!hook->plugin->guards)
      continue;
    request->calling = i;
    if (hook->plugin->on_log != NULL)
      hook->plugin->on_log(hook->handle, request, &refused);
    drop_state(request, i);
  }
  request->operation = operation;
  request->backend = request->backend_kept;
  request->astray = false;
  request->allowed = false;
  request->debug = false;
  request_set_refusal(request, SLUICE_OK, "");
}

void request_abandon(struct sluice_request *request) {
  request->interest = REQUEST_VAIN;
}

bool request_leave(struct sluice_request *request) {
  request->interest = REQUEST_VAIN;
  if (request->turn == REQUEST_WAITING) {
    request->interest = REQUEST_PENDING;
    hook_at(request, request->at)->pending++;
  }
  return request->turn == REQUEST_WAITING || request->turn == REQUEST_RESUMING;
}

/* Its chain, and the list of hooks, are no longer than its configuration. */
static void keep_hook(struct sluice_request *request) {
  static const size_t first = 0;
  if (request->chain_count == 0)
    return;
  request->last = request_hook(request);
  request->hooks = &request->last;
  request->chain = &first;
  request->chain_count = 1;
  request->calling = request->waited = 0;
}

struct request_hook *request_hook(const struct sluice_request *request) {
  bool asking = request->turn == REQUEST_ASKING;
  return hook_at(request, asking ? request->calling : request->waited);
}

/* Whoever still has a pointer to it finds nothing. */
void request_fini(struct sluice_request *request) {
  static const struct head none;
  request_trace_end(request);
  request->head = &none;
  request->key = NULL;
  free(request->subject);
  request->subject = NULL;
  free(request->kept);
  request->kept = NULL;
  attributes_fini(&request->attributes);
  keep_hook(request);
  request->turn = REQUEST_GONE;
  while (request->states != NULL) {
    struct request_state *next = request->states->next;
    free(request->states);
    request->states = next;
  }
}
