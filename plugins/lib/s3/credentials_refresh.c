/* SPDX-License-Identifier: MIT
 *
 * The refresh of one loop's credentials, off every request's path: what was
 * signed with the old ones goes on, and they stay until there are others.
 */
#include "credentials_refresh.h"

#include <stdlib.h>

#include "client.h"
#include "clock.h"
#include "credentials_fetch.h"
#include "credentials_watch.h"
#include "date.h"
#include "digest.h"

struct credentials_refresh {
  struct s3_loop *loop;
  const struct credentials_source *source;
  struct httpc *http; /* NULL: the source is a file */
  struct event *timer;
  struct credentials_watch *watch; /* NULL: the source is no file */
  struct credentials_fetch *fetch; /* under way, or NULL */
  bool stale;        /* the file changed while a fetch was under way */
  unsigned failures; /* in a row */
  int64_t ended_ms;  /* when the last fetch did; 0: none yet */
  TAILQ_HEAD(credentials_line, credentials_waiter) line;
};

static int64_t below(int64_t max) {
  uint32_t number;
  digest_random(&number, sizeof number);
  return max <= 0 ? 0 : number % max;
}

static int64_t credentials_refresh_now_ms(void) {
  return (int64_t)clock_ms();
}

static int64_t left_ms(const struct credentials_refresh *refresh) {
  return refresh->loop->credentials.expires_ms - date_now_ms() -
         refresh->loop->skew_s * 1000;
}

/* ---- when --------------------------------------------------------------- */

static int64_t
credentials_refresh_pause_ms(const struct credentials_refresh *refresh) {
  const struct credentials_timing *timing = &refresh->source->timing;
  int64_t pause = timing->retry_ms;
  for (unsigned i = 1; i < refresh->failures && pause < timing->retry_max_ms;
       i++)
    pause *= 2;
  if (pause > timing->retry_max_ms)
    pause = timing->retry_max_ms;
  return pause / 2 + below(pause / 2 + 1);
}

int64_t credentials_due_ms(const struct credentials_timing *timing,
                           int64_t left) {
  int64_t due = left / 2;
  /* Of a short life, the half; services that aren't ready yet to give others
   * are asked again so. */
  if (due > timing->lead_ms)
    due = left - timing->lead_ms + below(timing->jitter_ms);
  return due < timing->retry_ms ? timing->retry_ms : due;
}

static void start_in(struct credentials_refresh *refresh, int64_t ms) {
  struct timeval wait = {.tv_sec = ms / 1000,
                         .tv_usec = (suseconds_t)(ms % 1000) * 1000};
  event_add(refresh->timer, &wait);
}

static void schedule(struct credentials_refresh *refresh) {
  if (refresh->loop->credentials.expires_ms == 0)
    return;
  start_in(refresh, refresh->failures > 0
                        ? credentials_refresh_pause_ms(refresh)
                        : credentials_due_ms(&refresh->source->timing,
                                             left_ms(refresh)));
}

/* ---- what comes --------------------------------------------------------- */

static void take(struct credentials_refresh *refresh,
                 struct credentials *credentials) {
  struct s3_loop *loop = refresh->loop;
  const char *name = credentials_source_name(refresh->source);
  refresh->failures = 0;
  if (credentials_same(&loop->credentials, credentials)) {
    sluice_log(loop->host, SLUICE_LOG_DEBUG, "%s has the same credentials yet",
               name);
    return;
  }
  credentials_fini(&loop->credentials);
  loop->credentials = *credentials;
  loop->renewals++;
  sluice_count(loop->host, S3_CREDENTIALS_RENEWED, 1);
  sluice_gauge(loop->s3->host, S3_CREDENTIALS_END,
               loop->credentials.expires_ms / 1000);
  *credentials = (struct credentials){0};
  if (loop->credentials.expires_ms == 0)
    sluice_log(loop->host, SLUICE_LOG_INFO, "new credentials from %s", name);
  else
    sluice_log(loop->host, SLUICE_LOG_INFO,
               "new credentials from %s, for %lld s", name,
               (long long)left_ms(refresh) / 1000);
}

static void credentials_refresh_miss(struct credentials_refresh *refresh,
                                     const char *why) {
  const char *name = credentials_source_name(refresh->source);
  bool lasts = refresh->loop->credentials.expires_ms != 0;
  int64_t left = left_ms(refresh) / 1000;
  refresh->failures++;
  sluice_count(refresh->loop->host, S3_CREDENTIALS_FAILED, 1);
  if (!lasts)
    sluice_log(refresh->loop->host, SLUICE_LOG_WARN,
               "no new credentials, the old ones are used on: %s %s", name,
               why);
  else if (left > 0)
    sluice_log(refresh->loop->host, SLUICE_LOG_WARN,
               "no new credentials, the old ones end in %lld s: %s %s",
               (long long)left, name, why);
  else
    sluice_log(refresh->loop->host, SLUICE_LOG_ERROR,
               "no new credentials, and the old ones have expired: %s %s",
               name, why);
}

static void wake_all(struct credentials_refresh *refresh) {
  struct credentials_waiter *waiter;
  while ((waiter = TAILQ_FIRST(&refresh->line)) != NULL) {
    credentials_leave(waiter);
    waiter->wake(waiter->arg);
  }
}

static void credentials_refresh_start(struct credentials_refresh *refresh);

static void ended(struct credentials_refresh *refresh) {
  bool stale = refresh->stale;
  refresh->fetch = NULL;
  refresh->stale = false;
  refresh->ended_ms = credentials_refresh_now_ms();
  schedule(refresh);
  /* A request that waits would be signed with what the file had before. */
  if (stale)
    credentials_refresh_start(refresh);
  else
    wake_all(refresh);
}

static void
credentials_refresh_on_done(void *arg,
                            const struct credentials_result *result) {
  struct credentials_refresh *refresh = arg;
  if (result->got != NULL)
    take(refresh, result->got);
  else
    credentials_refresh_miss(refresh, result->why);
  ended(refresh);
}

static void credentials_refresh_start(struct credentials_refresh *refresh) {
  struct s3_loop *loop = refresh->loop;
  event_del(refresh->timer);
  refresh->fetch = credentials_fetch_start(
      refresh->source, loop->host, loop->base, refresh->http,
      credentials_refresh_on_done, refresh);
  if (refresh->fetch != NULL)
    return;
  credentials_refresh_miss(refresh, "can't be asked: out of memory");
  ended(refresh);
}

static void credentials_refresh_on_timer(evutil_socket_t fd, short what,
                                         void *arg) {
  (void)fd, (void)what;
  credentials_refresh_start(arg);
}

/* A thread may have read the file just before. */
static void on_changed(void *arg) {
  struct credentials_refresh *refresh = arg;
  if (refresh->fetch != NULL)
    refresh->stale = true;
  else
    credentials_refresh_start(refresh);
}

void credentials_look(struct credentials_refresh *refresh) {
  if (refresh->watch != NULL)
    credentials_watch_look(refresh->watch, credentials_refresh_now_ms());
}

/* ---- its life ----------------------------------------------------------- */

struct credentials_refresh *credentials_refresh_new(struct s3_loop *loop) {
  struct credentials_refresh *refresh = calloc(1, sizeof *refresh);
  if (refresh == NULL)
    return NULL;
  TAILQ_INIT(&refresh->line);
  refresh->loop = loop;
  refresh->source = &loop->s3->source;
  refresh->timer =
      evtimer_new(loop->base, credentials_refresh_on_timer, refresh);
  bool asks = refresh->source->http.connections > 0;
  if (asks)
    refresh->http = credentials_http(refresh->source, loop->base);
  /* The start's loop is gone before a file could change. */
  bool watches = refresh->source->kind == CREDENTIALS_FILE && !loop->starting;
  if (watches)
    refresh->watch = credentials_watch_new(refresh->source, loop->host,
                                           on_changed, refresh);
  if (refresh->timer == NULL || (asks && refresh->http == NULL) ||
      (watches && refresh->watch == NULL)) {
    credentials_refresh_free(refresh);
    return NULL;
  }
  if (credentials_source_renews(refresh->source))
    schedule(refresh);
  return refresh;
}

void credentials_refresh_free(struct credentials_refresh *refresh) {
  if (refresh == NULL)
    return;
  if (refresh->fetch != NULL)
    credentials_fetch_cancel(refresh->fetch);
  if (refresh->timer != NULL)
    event_free(refresh->timer);
  credentials_watch_free(refresh->watch);
  httpc_free(refresh->http);
  free(refresh);
}

enum credentials_hope credentials_expired(struct credentials_refresh *refresh,
                                          unsigned renewals,
                                          struct credentials_waiter *waiter,
                                          void (*wake)(void *arg), void *arg) {
  const struct credentials_timing *timing = &refresh->source->timing;
  if (renewals != refresh->loop->renewals)
    return CREDENTIALS_OTHERS;
  if (!credentials_source_renews(refresh->source))
    return CREDENTIALS_NO_HOPE;
  /* Or each request would ask, of a service that has no others.  A file, which
   * may have changed since, is soon read for all of them. */
  bool is_file = refresh->source->kind == CREDENTIALS_FILE;
  int64_t pause = is_file ? timing->reread_ms : timing->retry_ms;
  int64_t left = refresh->ended_ms == 0 ? 0
                                        : refresh->ended_ms + pause -
                                              credentials_refresh_now_ms();
  if (refresh->fetch == NULL && left > 0 && !is_file)
    return CREDENTIALS_NO_HOPE;
  waiter->refresh = refresh;
  waiter->wake = wake;
  waiter->arg = arg;
  TAILQ_INSERT_TAIL(&refresh->line, waiter, in_line);
  if (refresh->fetch != NULL)
    return CREDENTIALS_WAIT;
  if (left > 0)
    start_in(refresh, left);
  else
    credentials_refresh_start(refresh);
  return CREDENTIALS_WAIT;
}

void credentials_leave(struct credentials_waiter *waiter) {
  if (waiter->refresh != NULL)
    TAILQ_REMOVE(&waiter->refresh->line, waiter, in_line);
  waiter->refresh = NULL;
}
