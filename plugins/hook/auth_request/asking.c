/* SPDX-License-Identifier: MIT
 *
 * A request's question: from the memo where it has the answer, else by one
 * call.  Whoever stops waiting takes the call along.
 */
#include "asking.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "asked.h"
#include "clock.h"
#include "must.h"

static int64_t now_ms(void) {
  return (int64_t)clock_ms();
}

/* ---- the call ----------------------------------------------------------- */

static void asking_note(struct asked *asked, bool worked, const char *why) {
  struct asking *asking = asked->asking;
  switch (breaker_note(&asking->breaker, worked, now_ms(), asked->probe)) {
  case BREAKER_NOTHING:
    break;
  case BREAKER_OPENED:
    sluice_log(asking->host, SLUICE_LOG_ERROR,
               "the circuit breaker opens: %" PRId64
               " failures in a row, the last: %s; requests are refused for "
               "%" PRId64 " ms",
               asking->breaker.failures, why, asking->breaker.time_ms);
    break;
  case BREAKER_CLOSED:
    sluice_log(asking->host, SLUICE_LOG_INFO,
               "the circuit breaker closes: the service answers again");
    break;
  }
}

static void asking_keep(struct asked *asked, struct auth_answer *answer,
                        const char *control) {
  struct asking *asking = asked->asking;
  int64_t time = auth_answer_time(control, asking->conf->cache_time_ms);
  if (asking->memo != NULL && time > 0 && !asked->faulty)
    memo_put(asking->memo, asked->digest, answer, now_ms() + time);
}

/* The last of a call; what its status is decided before it is gone. */
static enum sluice_verdict
conclude(struct asked *asked, enum httpc_result result, const char *why) {
  struct asking *asking = asked->asking;
  int status = result == HTTPC_OK ? httpc_status(asked->call) : 0;
  if (result == HTTPC_LOCAL || result == HTTPC_NO_MEMORY)
    /* our own fault says nothing of the service */
    breaker_leave(&asking->breaker, asked->probe);
  else
    asking_note(asked, status != 0 && status < 500,
                status != 0 ? "the service answers 5xx" : why);
  switch (result) {
  case HTTPC_OK:
    break;
  case HTTPC_BROKEN:
    return asked_fail(asked, SLUICE_EUPSTREAM, why);
  case HTTPC_CONNECT:
  case HTTPC_TIMEOUT:
  case HTTPC_LOCAL:
  case HTTPC_NO_MEMORY:
    return asked_fail(asked, SLUICE_EBUSY, why);
  }
  const char *fault = NULL;
  struct auth_answer *answer =
      auth_answer_new(asked->call, &asking->wish, &fault);
  if (answer == NULL)
    return asked_fail(asked, SLUICE_EUPSTREAM, fault);
  enum sluice_verdict verdict = asked_judge(asked, answer);
  asking_keep(asked, answer, httpc_header(asked->call, "Cache-Control"));
  auth_answer_release(answer);
  return verdict;
}

static void asking_finish(struct asked *asked, enum sluice_verdict verdict) {
  asked->call = NULL;
  asked->asking->waiting--;
  sluice_request_resume(asked->request, verdict);
}

static void asking_on_done(void *arg, enum httpc_result result,
                           const char *why) {
  struct asked *asked = arg;
  asking_finish(asked, conclude(asked, result, why));
}

static bool asking_on_data(void *arg, const char *data, size_t len) {
  struct asked *asked = arg;
  (void)data;
  asked->body += len;
  if (asked->body <= ASKING_BODY_MAX)
    return true;
  httpc_cancel(asked->call);
  asking_note(asked, false, "its answer is longer than 64 KiB");
  asking_finish(asked,
                asked_fail(asked, SLUICE_EUPSTREAM,
                           "the service's answer is longer than 64 KiB"));
  return true;
}

static enum sluice_verdict call(struct asked *asked,
                                const struct inquiry *inquiry) {
  static const struct httpc_events events = {.data = asking_on_data,
                                             .done = asking_on_done};
  struct asking *asking = asked->asking;
  if (asking->waiting >= asking->conf->in_flight)
    return asked_fail(asked, SLUICE_EBUSY,
                      "as many as in_flight allows wait for the service");
  if (!breaker_admit(&asking->breaker, now_ms(), &asked->probe)) {
    asked->retry_ms = breaker_wait(&asking->breaker, now_ms()) + 1;
    return asked_fail(asked, SLUICE_EBUSY, "the circuit breaker is open");
  }
  asked->body = 0;
  asked->call =
      httpc_start(asking->httpc,
                  &(struct httpc_request){.method = asking->conf->method,
                                          .url = asking->conf->url,
                                          .headers = inquiry->lines,
                                          .length = -1},
                  &events, asked);
  if (asked->call == NULL) {
    breaker_leave(&asking->breaker, asked->probe);
    return asked_fail(asked, SLUICE_ENOMEM, "no memory is left");
  }
  asking->waiting++;
  return SLUICE_WAIT;
}

/* ---- the phases --------------------------------------------------------- */

static enum sluice_verdict asking_ask(struct asked *asked, const char *key) {
  struct asking *asking = asked->asking;
  struct inquiry inquiry;
  enum sluice_verdict verdict = SLUICE_DENY;
  asked->in_key = key != NULL;
  asked->faulty = false;
  if (!inquiry_init(&inquiry, asked->request, asking->conf->send_headers, key,
                    asking->salt)) {
    sluice_request_refuse(asked->request, SLUICE_EINVAL,
                          "The request can't be told to the authorisation "
                          "service");
    goto out;
  }
  memcpy(asked->digest, inquiry.digest, sizeof asked->digest);
  struct auth_answer *known =
      asking->memo == NULL ? NULL
                           : memo_get(asking->memo, asked->digest, now_ms());
  verdict = known != NULL ? asked_judge(asked, known) : call(asked, &inquiry);

out:
  inquiry_fini(&inquiry);
  return verdict;
}

enum sluice_verdict asking_on_request(void *arg,
                                      struct sluice_request *request) {
  struct asked *asked = asked_of(arg, request);
  return asked == NULL ? SLUICE_PASS : asking_ask(asked, NULL);
}

enum sluice_verdict asking_on_key(void *arg, struct sluice_request *request) {
  const struct asking *asking = arg;
  struct asked *asked = asked_of(arg, request);
  const char *key = sluice_request_key(request);
  if (asked == NULL || !asked->admitted)
    return SLUICE_PASS;
  const struct grants *grants = &asking->auth->grants;
  /* Another hook's word isn't the service's. */
  const char *identity = asking->conf->identity_header[0] != '\0'
                             ? asked->answer->identity
                             : sluice_request_identity(request);
  if (!grants_allow(grants, sluice_request_operation(request)) ||
      (grants->prefixes[0] != NULL && !grants_reach(grants, identity, key)))
    return SLUICE_DENY;
  return asking->conf->check_key ? asking_ask(asked, key) : SLUICE_PASS;
}

void asking_on_response(void *arg, struct sluice_request *request) {
  char text[24];
  const struct asked *asked = asked_of(arg, request);
  if (asked == NULL)
    return;
  if (asked->retry_ms > 0 && sluice_request_status(request) == 503) {
    snprintf(text, sizeof text, "%" PRId64, (asked->retry_ms + 999) / 1000);
    sluice_request_answer(request, "Retry-After", text);
  }
  if (asked->answer == NULL || asked->faulty)
    return;
  for (const char *name = asked->answer->headers; *name != '\0';) {
    const char *value = name + strlen(name) + 1;
    if (!sluice_request_answer(request, name, value))
      sluice_log(asked->asking->host, SLUICE_LOG_DEBUG,
                 "request %s: the service's %s can't be returned",
                 sluice_request_id(request), name);
    name = value + strlen(value) + 1;
  }
}

void asking_on_log(void *arg, struct sluice_request *request,
                   const struct sluice_record *record) {
  struct asked *asked = asked_of(arg, request);
  (void)record;
  if (asked == NULL)
    return;
  auth_answer_release(asked->answer);
  asked->answer = NULL;
  if (asked->call == NULL)
    return;
  httpc_cancel(asked->call);
  breaker_leave(&asked->asking->breaker, asked->probe);
  asking_finish(asked, SLUICE_DENY);
}

/* ---- life --------------------------------------------------------------- */

struct asking *asking_new(const struct auth *auth, struct sluice_host *host) {
  const struct auth_conf *conf = auth->conf;
  struct asking *asking = calloc(1, sizeof *asking);
  if (asking == NULL) {
    sluice_fail(host, "there is no memory; lower limits.memory");
    return NULL;
  }
  asking->auth = auth;
  asking->conf = conf;
  asking->host = host;
  asking->wish = (struct auth_answer_wish){
      .identity = conf->identity_header,
      .debug = conf->debug_header[0] != '\0' ? conf->debug_header : NULL,
      .returned = conf->return_headers};
  asking->breaker = (struct breaker){.failures_max = conf->breaker_failures,
                                     .time_ms = conf->breaker_time_ms};
  asking->salt = digest_key_random();
  asking->httpc = httpc_new(
      sluice_loop(host),
      &(struct httpc_settings){.host = host,
                               .connect_timeout_ms = conf->connect_timeout_ms,
                               .total_timeout_ms = conf->timeout_ms,
                               .connections = (uint32_t)conf->connections,
                               .proxy = "",
                               .ca_file = conf->ca_file,
                               .verify = conf->verify});
  if (conf->cache_time_ms > 0)
    asking->memo = memo_new((size_t)conf->cache_size);
  if (asking->httpc != NULL &&
      (asking->memo != NULL || conf->cache_time_ms == 0))
    return asking;
  sluice_fail(host, "there is no memory; lower limits.memory or cache_size");
  asking_free(asking);
  return NULL;
}

void asking_free(struct asking *asking) {
  must(asking->waiting == 0);
  httpc_free(asking->httpc);
  memo_free(asking->memo);
  digest_key_free(asking->salt);
  free(asking);
}
