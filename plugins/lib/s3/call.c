/* SPDX-License-Identifier: MIT
 *
 * The attempts of a request: after each it is decided whether it was the
 * last, and how long to wait for the next.
 */
#include "call.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call_private.h"
#include "clock.h"
#include "must.h"
#include "quantity.h"

#define BACKOFF_MS 100 /* of the first pause, doubled with each */
#define EARLY_MS 10
#define BACKOFF_MAX_MS 10000 /* full jitter below it */
#define AWAY_MAX_MS 1000     /* so too, of a service that isn't there */
#define WHY_MAX 1024
#define REFUSAL_MS 1000 /* between two lines that tell of one */

static int64_t call_now_ms(void) {
  return (int64_t)clock_ms();
}

static void call_free(struct s3_call *call) {
  credentials_leave(&call->waiter);
  if (call->reading_spool)
    spool_unread(call->request->spool, call);
  if (call->timer != NULL)
    event_free(call->timer);
  xml_free(call->xml);
  buf_fini(&call->why);
  free(call);
}

static void call_finish(struct s3_call *call) {
  call->answer.why = call->why.data;
  call->answer.outcome_unknown = call->outcome_unknown;
  call->events->done(call->arg, call, &call->answer);
  call_free(call);
}

/* ---- what an answer means ----------------------------------------------- */

static const struct xml_result *read_xml(struct s3_call *call) {
  return call->xml == NULL ? NULL : xml_end(call->xml);
}

static void tell_why(struct s3_call *call, const char *what,
                     const struct xml_result *xml) {
  const char *id =
      call->http == NULL ? NULL : httpc_header(call->http, "x-amz-request-id");
  buf_clear(&call->why);
  buf_addf(&call->why, "%s %.200s: %.300s", call->request->method,
           call->request->key == NULL ? "bucket" : call->request->key, what);
  if (xml != NULL && xml->message != NULL)
    buf_addf(&call->why, " %.200s", xml->message);
  if (id != NULL)
    buf_addf(&call->why, " (request id %.80s)", id);
}

static int64_t retry_after_ms(struct s3_call *call) {
  const char *text =
      call->http == NULL ? NULL : httpc_header(call->http, "Retry-After");
  int64_t seconds;
  if (text == NULL || !quantity_int(text, &seconds) || seconds < 0)
    return 0;
  return seconds > 3600 ? 3600 * 1000 : seconds * 1000;
}

static void arrange(struct s3_call *call, int64_t pause) {
  xml_free(call->xml);
  call->xml = NULL;
  call->http = NULL;
  struct timeval wait = {.tv_sec = pause / 1000,
                         .tv_usec = pause % 1000 * 1000};
  event_add(call->timer, &wait);
}

enum again {
  AGAIN_AT_ONCE, /* what was wrong is put right */
  AGAIN_SOME,    /* `attempts` bounds it, too */
  AGAIN_AWAY     /* nothing was asked, as nobody is there */
};

/* How long a service that isn't there is waited for. */
static int64_t away_time_ms(const struct s3_loop *loop) {
  const struct s3_conf *conf = loop->s3->conf;
  return loop->starting ? conf->wait_ms : conf->retry_time_ms;
}

static int64_t call_pause_ms(struct s3_call *call, enum again again) {
  int64_t max = again == AGAIN_AWAY ? AWAY_MAX_MS : BACKOFF_MAX_MS;
  int64_t most = BACKOFF_MS;
  uint32_t random;
  if (again == AGAIN_AT_ONCE)
    return 0;
  for (unsigned i = 1; i < call->attempt && most < max; i++)
    most *= 2;
  if (most > max)
    most = max;
  digest_random(&random, sizeof random);
  /* Jitter comes on top, as all are told the same; and a timer may be a
   * little early. */
  return retry_after_ms(call) + EARLY_MS + random % (uint32_t)most;
}

/* Once, as nothing else is seen of a gateway that starts. */
static void tell_wait(const struct s3_call *call) {
  if (call->loop->starting && call->away == 0)
    sluice_log(call->loop->host, SLUICE_LOG_WARN,
               "%s isn't there yet, it is waited for up to %lld s: %s",
               call->loop->s3->conf->endpoint,
               (long long)call->loop->s3->conf->wait_ms / 1000,
               call->why.data);
}

/* True when another attempt was arranged. */
static bool try_again(struct s3_call *call, enum again again) {
  const struct s3_conf *conf = call->loop->s3->conf;
  int64_t pause = call_pause_ms(call, again);
  int64_t passed = call_now_ms() + pause - call->started_ms;
  bool is_free = again == AGAIN_AWAY && passed <= away_time_ms(call->loop);
  if (is_free) {
    tell_wait(call);
    call->away++;
  } else if (passed > conf->retry_time_ms ||
             (again != AGAIN_AT_ONCE &&
              call->attempt - call->away >= conf->attempts)) {
    return false;
  }
  arrange(call, pause);
  return true;
}

/* Does it say that the credentials have expired, or that nobody knows them? */
static bool names_credentials(const char *code) {
  static const char *const codes[] = {
      "ExpiredToken", "InvalidToken", "TokenRefreshRequired",
      "InvalidAccessKeyId", "SignatureDoesNotMatch"};
  for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
    if (strcmp(code, codes[i]) == 0)
      return true;
  return false;
}

/* May others help?  A HEAD's answer can't say what was wrong, and not every
 * service has a word of its own for a key that is gone: so a file is read
 * again where another provider isn't asked. */
static bool may_be_credentials(const struct s3_call *call, int http,
                               const char *code) {
  bool is_file = call->loop->s3->source.kind == CREDENTIALS_FILE;
  return names_credentials(code) || (http == 403 && is_file) ||
         (http == 400 && strcmp(call->request->method, "HEAD") == 0 &&
          call->loop->credentials.session_token != NULL);
}

static void on_renewed(void *arg) {
  struct s3_call *call = arg;
  event_active(call->timer, EV_TIMEOUT, 0);
}

/* Is it for the credentials?  Then once more with others, if there are any:
 * true when that was arranged. */
static bool renew(struct s3_call *call, int http, const char *code) {
  if (call->renewed || !may_be_credentials(call, http, code))
    return false;
  call->renewed = true;
  switch (credentials_expired(call->loop->refresh, call->renewals,
                              &call->waiter, on_renewed, call)) {
  case CREDENTIALS_NO_HOPE:
    return false;
  case CREDENTIALS_OTHERS:
    arrange(call, 0);
    return true;
  case CREDENTIALS_WAIT:
    arrange(call, call->loop->s3->source.timing.wait_ms);
    return true;
  }
  return false;
}

/* Of an answer that says it failed, though it may have been done: all of it
 * was sent, and what failed may be what came after. */
static bool leaves_outcome_unknown(const struct s3_call *call, int http) {
  return call->sent == call->request->length &&
         (http >= 500 || (http >= 200 && http <= 299)) && http != 501 &&
         http != 507;
}

/* Is it the answer of something before the service, or of one that isn't ready
 * yet?  The service itself has a code, but for a HEAD. */
static enum again again_after(const struct s3_call *call, int http,
                              const char *code) {
  bool front = http >= 502 && http <= 504 && code[0] == '\0' &&
               strcmp(call->request->method, "HEAD") != 0;
  return front || strcmp(code, "XMinioServerNotInitialized") == 0 ? AGAIN_AWAY
                                                                  : AGAIN_SOME;
}

/* The client is told that it's at fault; who runs the gateway may want to know
 * better, but not of each. */
static void tell_refusal(const struct s3_call *call) {
  int64_t now = call_now_ms();
  if ((call->answer.status != SLUICE_EINVAL &&
       call->answer.status != SLUICE_EEXIST) ||
      now - call->loop->refusal_ms < REFUSAL_MS)
    return;
  call->loop->refusal_ms = now;
  sluice_log(call->loop->host, SLUICE_LOG_INFO,
             "the service refuses a request: %s", call->why.data);
}

/* An upload's parts are between the service and us: no client named them. */
static enum s3_subject subject_of(const struct s3_request *request) {
  for (size_t i = 0; i < S3_CALL_QUERY_MAX; i++)
    if (request->query[i].name != NULL &&
        strcmp(request->query[i].name, "uploadId") == 0)
      return S3_NO_KEY;
  if (request->key == NULL)
    return request->wants_xml && request->expected == XML_LIST ? S3_KEY
                                                               : S3_NO_KEY;
  bool adds = strcmp(request->method, "PUT") == 0 ||
              strcmp(request->method, "POST") == 0;
  return adds ? S3_NEW_KEY : S3_KEY;
}

static void judge_answer(struct s3_call *call) {
  int http = httpc_status(call->http);
  const struct xml_result *xml = read_xml(call);
  bool failed = http < 200 || http > 299 ||
                (xml != NULL && xml->kind == XML_ERROR) ||
                (call->request->wants_xml && xml == NULL);
  const char *code = xml != NULL && xml->code != NULL ? xml->code : "";
  const char *in_head = httpc_header(call->http, "x-minio-error-code");
  if (code[0] == '\0' && in_head != NULL)
    code = in_head; /* of a HEAD */
  call->answer = (struct s3_answer){
      .status = SLUICE_OK, .http = http, .code = code, .xml = xml};
  if (!failed) {
    call_finish(call);
    return;
  }
  struct s3_error_class class =
      s3_error_class(http, code, subject_of(call->request));
  call->outcome_unknown |= leaves_outcome_unknown(call, http);
  bool nonsense = http >= 200 && http <= 299 && code[0] == '\0';
  char what[160];
  snprintf(what, sizeof what, "%d %.64s%s", http, code,
           nonsense ? "an answer that isn't the XML expected" : "");
  tell_why(call, what, xml);
  call->answer.status = class.status;
  if (http == 503 || http == 500)
    call->fresh = call->loop->s3->dialect->fresh_after_503;
  if (s3_call_correct(call, http, code, xml)
          ? try_again(call, AGAIN_AT_ONCE)
          : renew(call, http, code) ||
                ((class.again || nonsense) &&
                 try_again(call, again_after(call, http, code))))
    return;
  tell_refusal(call);
  call_finish(call);
}

static void judge_failure(struct s3_call *call, enum httpc_result result,
                          const char *why) {
  call->answer = (struct s3_answer){.status = SLUICE_EUPSTREAM, .code = ""};
  if (result == HTTPC_TIMEOUT)
    call->answer.status = SLUICE_ETIMEOUT;
  if (result == HTTPC_LOCAL)
    call->answer.status = SLUICE_EIO;
  if (result == HTTPC_NO_MEMORY)
    call->answer.status = SLUICE_ENOMEM;
  tell_why(call, why == NULL ? "no answer" : why, NULL);
  call->fresh = true;
  call->outcome_unknown |=
      (result == HTTPC_BROKEN || result == HTTPC_TIMEOUT) &&
      call->sent == call->request->length;
  /* Bytes that were handed on can't be taken back. */
  if (call->body != BODY_TAKEN &&
      try_again(call, result == HTTPC_CONNECT ? AGAIN_AWAY : AGAIN_SOME))
    return;
  call_finish(call);
}

void s3_call_ended(void *arg, enum httpc_result result, const char *why) {
  struct s3_call *call = arg;
  if (result == HTTPC_OK)
    judge_answer(call);
  else
    judge_failure(call, result, why);
}

static void call_on_timer(evutil_socket_t fd, short what, void *arg) {
  struct s3_call *call = arg;
  (void)fd, (void)what;
  credentials_leave(&call->waiter);
  call->attempt++;
  if (s3_call_send(call))
    return;
  call->answer = (struct s3_answer){.status = SLUICE_EIO, .code = ""};
  tell_why(call, "the request can't be made: too long, or no memory", NULL);
  call_finish(call);
}

/* ---- for the operations ------------------------------------------------- */

struct s3_call *s3_call_start(struct s3_loop *loop,
                              const struct s3_request *request,
                              const struct s3_events *events, void *arg) {
  static const struct timeval now = {0};
  struct s3_call *call = calloc(1, sizeof *call);
  must_have(call); /* of an operation, which the gateway has charged */
  call->loop = loop;
  call->request = request;
  call->events = events;
  call->fresh = request->fresh;
  call->arg = arg;
  call->started_ms = call_now_ms();
  buf_init(&call->why, WHY_MAX);
  call->timer = evtimer_new(loop->base, call_on_timer, call);
  must_have(call->timer);
  event_add(call->timer, &now);
  return call;
}

void s3_call_continue(struct s3_call *call) {
  if (call->http != NULL)
    httpc_continue(call->http);
}

void s3_call_cancel(struct s3_call *call) {
  if (call->http != NULL)
    httpc_cancel(call->http);
  call->http = NULL;
  event_del(call->timer);
  call_free(call);
}

void s3_call_unspooled(struct s3_call *call) {
  call->reading_spool = false;
  if (call->http != NULL)
    httpc_continue(call->http);
}

int s3_call_status(const struct s3_call *call) {
  return call->http == NULL ? 0 : httpc_status(call->http);
}

const char *s3_call_header(const struct s3_call *call, const char *name) {
  return call->http == NULL ? NULL : httpc_header(call->http, name);
}

bool s3_call_header_each(const struct s3_call *call, size_t index,
                         const char **name, const char **value) {
  return call->http != NULL &&
         httpc_header_each(call->http, index, name, value);
}
