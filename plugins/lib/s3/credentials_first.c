/* SPDX-License-Identifier: MIT
 *
 * The first credentials, without which a backend doesn't start.  Runs on a
 * loop of its own, as the gateway's don't yet.
 */
#include <stdlib.h>
#include <string.h>

#include "credentials_fetch.h"
#include "credentials_source.h"

#define ATTEMPTS 3

struct first {
  const struct credentials_source *source;
  struct sluice_host *host;
  struct event_base *base;
  struct httpc *http;
  struct event *timer;
  struct credentials *out;
  struct errmsg *errmsg;
  unsigned attempt;
  bool good;
};

static void credentials_first_complain(const struct first *first,
                                       const char *why) {
  if (first->source->kind == CREDENTIALS_IMDS)
    credentials_complain(first->errmsg, first->source, why);
  else
    errmsg_set(first->errmsg,
               "no credentials: %s %s; change that, or set 'access_key' and "
               "'secret_key'",
               credentials_source_name(first->source), why);
}

static void
credentials_first_on_done(void *arg, const struct credentials_result *result) {
  struct first *first = arg;
  if (result->got == NULL && result->again && first->attempt < ATTEMPTS) {
    struct timeval pause = {.tv_sec = first->source->timing.retry_ms / 1000,
                            .tv_usec =
                                first->source->timing.retry_ms % 1000 * 1000};
    event_add(first->timer, &pause);
    return;
  }
  first->good = result->got != NULL;
  if (first->good) {
    *first->out = *result->got;
    *result->got = (struct credentials){0};
  } else {
    credentials_first_complain(first, result->why);
  }
  event_base_loopbreak(first->base);
}

static void credentials_first_on_timer(evutil_socket_t fd, short what,
                                       void *arg) {
  struct first *first = arg;
  (void)fd, (void)what;
  first->attempt++;
  if (credentials_fetch_start(first->source, first->host, first->base,
                              first->http, credentials_first_on_done,
                              first) != NULL)
    return;
  event_base_loopbreak(first->base);
}

static void run(struct first *first) {
  static const struct timeval now = {0};
  if (first->source->http.connections > 0)
    first->http = credentials_http(first->source, first->base);
  first->timer = evtimer_new(first->base, credentials_first_on_timer, first);
  if (first->timer == NULL ||
      (first->http == NULL && first->source->http.connections > 0))
    return;
  event_add(first->timer, &now);
  event_base_loop(first->base, EVLOOP_NO_EXIT_ON_EMPTY);
}

bool credentials_first(struct credentials *credentials,
                       const struct credentials_source *source,
                       struct sluice_host *host, struct errmsg *errmsg) {
  struct first first = {.source = source,
                        .host = host,
                        .base = event_base_new(),
                        .out = credentials,
                        .errmsg = errmsg};
  errmsg->text[0] = '\0';
  if (!credentials_source_renews(source))
    first.good = credentials_copy(credentials, &source->fixed);
  else if (first.base != NULL)
    run(&first);
  if (first.timer != NULL)
    event_free(first.timer);
  httpc_free(first.http);
  if (first.base != NULL)
    event_base_free(first.base);
  if (!first.good && errmsg->text[0] == '\0')
    errmsg_set(errmsg, "out of memory");
  return first.good;
}
