/* SPDX-License-Identifier: MIT
 *
 * The keys of one loop.  Those of a URL are asked for in the background, and
 * at once for a token whose key isn't among them, but never twice within
 * `pause_ms`, whatever tokens come.
 */
#include "issuer.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "httpc.h"
#include "jwksfetch.h"

struct issuer {
  struct sluice_host *host;
  const struct issuer_settings *settings;
  struct watch *watch; /* of a file, or NULL */
  struct jwks *keys;   /* where there is no file */

  struct httpc *httpc; /* of a URL, or NULL, as all below */
  struct event *timer;
  struct jwksfetch *fetch; /* under way, or NULL */
  int64_t good_ms;         /* when the keys came */
  int64_t ended_ms;        /* when the last fetch ended; 0: none did */
  unsigned failures;       /* in a row */
  bool again;              /* a reload came while a fetch is under way */
  TAILQ_HEAD(issuer_line, issuer_waiter) line;
};

static int64_t now_ms(void) {
  return (int64_t)clock_ms();
}

/* Gateways that were started together don't ask together. */
static int64_t jitter(int64_t ms) {
  uint32_t number;
  digest_random(&number, sizeof number);
  return ms - number % (ms / 10 + 1);
}

static int64_t next_ms(const struct issuer *issuer) {
  const struct issuer_settings *settings = issuer->settings;
  int64_t ms = settings->pause_ms;
  if (issuer->failures == 0)
    return jitter(settings->refresh_ms);
  for (unsigned i = 1; i < issuer->failures && ms < settings->refresh_ms; i++)
    ms *= 2;
  return ms < settings->refresh_ms ? ms : settings->refresh_ms;
}

static void issuer_schedule(struct issuer *issuer) {
  int64_t ms = next_ms(issuer);
  struct timeval wait = {.tv_sec = ms / 1000,
                         .tv_usec = (suseconds_t)(ms % 1000) * 1000};
  event_add(issuer->timer, &wait);
}

/* ---- what is told ------------------------------------------------------- */

/* Is this loop the one that says it? */
static bool is_news(const struct issuer *issuer, const void *data,
                    size_t len) {
  unsigned char sum[DIGEST_SHA256_LEN];
  uint_least64_t number = 0;
  digest_sha256(sum, data, len);
  memcpy(&number, sum, sizeof number);
  return atomic_exchange(issuer->settings->told, number) != number;
}

static void tell_new(const struct issuer *issuer) {
  const struct jwks *keys = issuer->keys;
  if (!is_news(issuer, keys->digest, sizeof keys->digest))
    return;
  sluice_log(issuer->host, SLUICE_LOG_INFO, "%zu keys from %s", keys->count,
             issuer->settings->url);
  if (keys->skipped > 0)
    sluice_log(issuer->host, SLUICE_LOG_INFO,
               "%zu keys from %s aren't used; the first: %s", keys->skipped,
               issuer->settings->url, keys->why.text);
}

static void tell_failure(const struct issuer *issuer, const char *why) {
  int64_t left = issuer->settings->keep_ms - (now_ms() - issuer->good_ms);
  if (!is_news(issuer, why, strlen(why)))
    return;
  if (issuer->keys == NULL)
    sluice_log(issuer->host, SLUICE_LOG_ERROR,
               "there are no keys from %s, so that every token is answered "
               "with 503: %s",
               issuer->settings->url, why);
  else
    sluice_log(issuer->host, SLUICE_LOG_WARN,
               "no new keys from %s, the old ones last for another %lld s: %s",
               issuer->settings->url, (long long)left / 1000, why);
}

/* ---- asking ------------------------------------------------------------- */

static void wake_all(struct issuer *issuer) {
  struct issuer_waiter *waiter;
  while ((waiter = TAILQ_FIRST(&issuer->line)) != NULL) {
    issuer_leave(waiter);
    waiter->wake(waiter->arg);
  }
}

static void issuer_ask(struct issuer *issuer);

static void issuer_on_done(void *arg, struct jwks *keys, const char *why) {
  struct issuer *issuer = arg;
  issuer->fetch = NULL;
  issuer->ended_ms = now_ms();
  if (keys != NULL) {
    jwks_free(issuer->keys);
    issuer->keys = keys;
    issuer->good_ms = issuer->ended_ms;
    issuer->failures = 0;
    tell_new(issuer);
  } else {
    issuer->failures++;
    tell_failure(issuer, why);
  }
  if (issuer->again)
    issuer_ask(issuer);
  else
    issuer_schedule(issuer);
  wake_all(issuer);
}

static void issuer_ask(struct issuer *issuer) {
  event_del(issuer->timer);
  issuer->again = false;
  issuer->fetch =
      jwksfetch_start(issuer->host, issuer->httpc, issuer->settings->url,
                      issuer_on_done, issuer);
  if (issuer->fetch == NULL)
    issuer_on_done(issuer, NULL, "there is no memory to ask");
}

static void issuer_on_timer(evutil_socket_t fd, short what, void *arg) {
  (void)fd, (void)what;
  issuer_ask(arg);
}

bool issuer_wait(struct issuer *issuer, struct issuer_waiter *waiter,
                 void (*wake)(void *arg), void *arg) {
  if (issuer->httpc == NULL)
    return false;
  if (issuer->fetch == NULL) {
    if (now_ms() - issuer->ended_ms < issuer->settings->pause_ms)
      return false;
    issuer_ask(issuer);
    if (issuer->fetch == NULL)
      return false;
  }
  *waiter = (struct issuer_waiter){.issuer = issuer, .wake = wake, .arg = arg};
  TAILQ_INSERT_TAIL(&issuer->line, waiter, in_line);
  return true;
}

void issuer_leave(struct issuer_waiter *waiter) {
  if (waiter->issuer != NULL)
    TAILQ_REMOVE(&waiter->issuer->line, waiter, in_line);
  waiter->issuer = NULL;
}

const struct jwks *issuer_keys(struct issuer *issuer) {
  if (issuer->watch != NULL)
    return watch_get(issuer->watch);
  if (issuer->httpc != NULL && issuer->keys != NULL &&
      now_ms() - issuer->good_ms >= issuer->settings->keep_ms) {
    jwks_free(issuer->keys);
    issuer->keys = NULL;
    tell_failure(issuer, "the last ones are too old");
  }
  return issuer->keys;
}

/* ---- its life ----------------------------------------------------------- */

static bool begin_url(struct issuer *issuer) {
  const struct issuer_settings *settings = issuer->settings;
  struct event_base *base = sluice_loop(issuer->host);
  issuer->timer = evtimer_new(base, issuer_on_timer, issuer);
  issuer->httpc = httpc_new(
      base,
      &(struct httpc_settings){.host = issuer->host,
                               .connect_timeout_ms = settings->timeout_ms,
                               .total_timeout_ms = settings->timeout_ms,
                               .connections = 1,
                               .proxy = settings->proxy,
                               .ca_file = settings->ca_file,
                               .verify = true});
  if (issuer->timer == NULL || issuer->httpc == NULL)
    return false;
  issuer_ask(issuer);
  return true;
}

static bool issuer_begin(struct issuer *issuer, struct jwks *first) {
  if (issuer->settings->file != NULL) {
    issuer->watch = watch_new(issuer->host, issuer->settings->file, first);
    return issuer->watch != NULL;
  }
  issuer->keys = first;
  return issuer->settings->url == NULL || begin_url(issuer);
}

struct issuer *issuer_new(struct sluice_host *host,
                          const struct issuer_settings *settings,
                          struct jwks *first) {
  struct issuer *issuer = calloc(1, sizeof *issuer);
  if (issuer == NULL) {
    jwks_free(first);
    return NULL;
  }
  TAILQ_INIT(&issuer->line);
  issuer->host = host;
  issuer->settings = settings;
  if (issuer_begin(issuer, first))
    return issuer;
  issuer_free(issuer);
  return NULL;
}

void issuer_free(struct issuer *issuer) {
  if (issuer == NULL)
    return;
  if (issuer->fetch != NULL)
    jwksfetch_cancel(issuer->fetch);
  if (issuer->timer != NULL)
    event_free(issuer->timer);
  httpc_free(issuer->httpc);
  watch_free(issuer->watch);
  jwks_free(issuer->keys);
  free(issuer);
}

void issuer_reload(struct issuer *issuer) {
  if (issuer->watch != NULL)
    watch_now(issuer->watch);
  else if (issuer->fetch != NULL)
    issuer->again = true; /* its answer may be of before */
  else if (issuer->httpc != NULL)
    issuer_ask(issuer);
}
