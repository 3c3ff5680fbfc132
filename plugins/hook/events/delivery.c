/* SPDX-License-Identifier: MIT
 *
 * The head of an answer decides.  2xx: the receiver has the event.  410: it
 * wants it no more.  Anything else may be better later.
 */
#include "delivery.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backoff.h"
#include "date.h"
#include "digest.h"
#include "event_body.h"
#include "signature.h"

#define TRACE_MAX 1024 /* bytes of a header line */
#define TELL_MS 1000   /* failures are logged at most that often */

static void give_up(struct delivery *delivery, const char *why) {
  struct events *events = delivery->events;
  delivery->result.over = true;
  events_drop(events, EVENTS_GIVEN_UP, 1);
  sluice_log(delivery->host, SLUICE_LOG_ERROR,
             "event %s is given up after %" PRId64 " attempts: %s (%" PRIu64
             " since the start)",
             delivery->event.id, delivery->result.attempts, why,
             atomic_load(&events->given_up));
}

/* A receiver that is down concerns every event, and the log needs it once. */
static void delivery_tell(struct delivery *delivery, int64_t now, int64_t wait,
                          const char *why) {
  struct events *events = delivery->events;
  int64_t since = now - events->failure_told_ms;
  if (since >= 0 && since < TELL_MS) {
    events->failures_untold++;
    return;
  }
  sluice_log(delivery->host, SLUICE_LOG_WARN,
             "event %s isn't delivered: %s; attempt %" PRId64 " in %" PRId64
             " ms (and %" PRIu64 " more failures before it)",
             delivery->event.id, why, delivery->result.attempts + 1, wait,
             events->failures_untold);
  events->failure_told_ms = now;
  events->failures_untold = 0;
}

static void try_again(struct delivery *delivery, int64_t now,
                      const char *why) {
  const struct events_conf *conf = delivery->events->conf;
  struct queue_result *result = &delivery->result;
  uint32_t random;
  digest_random(&random, sizeof random);
  int64_t last = delivery->event.created_ms + conf->max_age_ms;
  int64_t wait = backoff_ms(result->attempts, conf->retry_min_ms,
                            conf->retry_max_ms, random);
  if (now + wait > last)
    wait = last - now;
  if (wait < delivery->after_ms)
    wait = delivery->after_ms;
  result->due_ms = now + wait;
  sluice_count(delivery->host, EVENTS_ATTEMPTS_FAILED, 1);
  delivery_tell(delivery, now, wait, why);
}

static void end(struct delivery *delivery, const char *why) {
  struct events *events = delivery->events;
  int64_t now = date_now_ms();
  int64_t age = now - delivery->event.created_ms;
  delivery->call = NULL;
  delivery->state = DELIVERY_ENDED;
  delivery->result =
      (struct queue_result){.number = delivery->event.number,
                            .attempts = delivery->event.attempts + 1};
  if (delivery->status / 100 == 2) {
    delivery->result.over = true;
    atomic_fetch_add(&events->delivered, 1);
    sluice_count(events->host, EVENTS_DELIVERED, 1);
  } else if (delivery->status == 410) {
    give_up(delivery, "the receiver answers 410");
  } else if (age >= events->conf->max_age_ms) {
    give_up(delivery, why);
  } else {
    try_again(delivery, now, why);
  }
  delivery->ended(delivery->arg);
}

/* ---- the call ----------------------------------------------------------- */

static size_t delivery_on_read(void *arg, void *to, size_t room) {
  struct delivery *delivery = arg;
  size_t left = delivery->event.len - delivery->given;
  size_t len = left < room ? left : room;
  memcpy(to, delivery->event.body + delivery->given, len);
  delivery->given += len;
  return len;
}

static void delivery_on_head(void *arg) {
  struct delivery *delivery = arg;
  delivery->status = httpc_status(delivery->call);
  delivery->after_ms = backoff_after_ms(
      httpc_header(delivery->call, "Retry-After"), date_now_ms());
}

static bool delivery_on_data(void *arg, const char *data, size_t len) {
  struct delivery *delivery = arg;
  (void)data;
  delivery->got += len;
  if (delivery->got <= DELIVERY_BODY_MAX)
    return true;
  httpc_cancel(delivery->call);
  end(delivery, "the answer is longer than 64 KiB");
  return true;
}

static void delivery_on_done(void *arg, enum httpc_result result,
                             const char *why) {
  struct delivery *delivery = arg;
  char text[48];
  if (result == HTTPC_OK) {
    snprintf(text, sizeof text, "the receiver answers %d", delivery->status);
    why = text;
  }
  end(delivery, why);
}

static bool delivery_sign(struct buf *line, const struct delivery *delivery) {
  return buf_adds(line, "X-Sluice-Signature: ") &&
         signature_add(line, delivery->events->conf->secret,
                       date_now_ms() / 1000, delivery->event.body,
                       delivery->event.len);
}

void delivery_start(struct delivery *delivery, struct httpc *httpc,
                    struct queue_event *event) {
  static const struct httpc_events events = {.read = delivery_on_read,
                                             .head = delivery_on_head,
                                             .data = delivery_on_data,
                                             .done = delivery_on_done};
  struct buf id, signature, parent, state;
  delivery->state = DELIVERY_CALLING;
  delivery->event = *event;
  event->body = NULL;
  delivery->given = delivery->got = 0;
  delivery->status = 0;
  delivery->after_ms = 0;
  buf_init(&id, SIGNATURE_MAX);
  buf_init(&signature, 2 * SIGNATURE_MAX);
  buf_init(&parent, TRACE_MAX);
  buf_init(&state, TRACE_MAX);
  event_body_trace(delivery->event.body, delivery->event.len, &parent, &state);
  bool made = buf_addf(&id, "X-Sluice-Event-Id: %s", delivery->event.id) &&
              delivery_sign(&signature, delivery);
  const char *headers[] = {"Content-Type: application/json",
                           id.data,
                           signature.data,
                           NULL,
                           NULL,
                           NULL};
  if (parent.len > 0 && !parent.overflown)
    headers[3] = parent.data;
  if (parent.len > 0 && state.len > 0 && !state.overflown)
    headers[4] = state.data;
  if (made)
    delivery->call = httpc_start(
        httpc,
        &(struct httpc_request){.method = "POST",
                                .url = delivery->events->conf->url,
                                .headers = headers,
                                .length = (int64_t)delivery->event.len},
        &events, delivery);
  buf_fini(&id);
  buf_fini(&signature);
  buf_fini(&parent);
  buf_fini(&state);
  if (delivery->call == NULL)
    end(delivery, "no memory is left");
}

void delivery_clear(struct delivery *delivery) {
  if (delivery->call != NULL)
    httpc_cancel(delivery->call);
  free(delivery->event.body);
  delivery->event.body = NULL;
  delivery->call = NULL;
  delivery->state = DELIVERY_FREE;
}
