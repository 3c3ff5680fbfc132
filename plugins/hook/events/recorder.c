/* SPDX-License-Identifier: MIT
 *
 * From a request to the lane and back.  Whatever goes wrong here costs the
 * event, never the answer: the object is there.
 */
#include "recorder.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "date.h"
#include "digest.h"
#include "event_body.h"
#include "operation.h"

/* After these an object is there that wasn't. */
#define ADDS (OPERATION_ADDS | OPERATION_REPLACES)

#define TELL_MS 1000

struct kept {    /* of a request */
  unsigned room; /* taken for its events, which aren't there yet */
};

struct notice { /* an event on its way to the disk */
  struct events_notice lane;
  struct events *events;
  struct sluice_request *request;
  struct buf body;
  char key[];
};

/* ---- room --------------------------------------------------------------- */

static enum operation operation_of(const struct sluice_request *request) {
  return operation_find(sluice_request_operation(request));
}

static bool is_wanted(const struct events *events,
                      const struct sluice_request *request) {
  enum operation operation = operation_of(request);
  return (events->uploads && operation_does(operation, ADDS)) ||
         (events->deletes && operation_does(operation, OPERATION_REMOVES));
}

/* Several loops may do so at once: the last word is the right one. */
static void tell_used(struct events *events) {
  int64_t used;
  do {
    used = atomic_load(&events->used);
    sluice_gauge(events->host, EVENTS_QUEUED, used);
  } while (atomic_load(&events->used) != used);
}

bool events_take_room(struct events *events) {
  int64_t before = atomic_fetch_add(&events->used, 1);
  if (before >= events->conf->queue_max) {
    atomic_fetch_sub(&events->used, 1);
    return false;
  }
  tell_used(events);
  return true;
}

void events_give_room(struct events *events) {
  atomic_fetch_sub(&events->used, 1);
  tell_used(events);
}

void events_drop(struct events *events, enum events_reason reason,
                 uint64_t more) {
  atomic_fetch_add(reason == EVENTS_LOST ? &events->lost : &events->given_up,
                   more);
  sluice_count(events->host, SLUICE_SERIES(EVENTS_DROPPED, reason), more);
}

/* At most once a second, whatever the number of loops. */
static void tell_full(struct recorder *recorder, const char *what) {
  struct events *events = recorder->events;
  int64_t now = date_now_ms(), told = atomic_load(&events->told_ms);
  if (now - told < TELL_MS && now >= told)
    return;
  if (atomic_compare_exchange_strong(&events->told_ms, &told, now))
    sluice_log(recorder->host, SLUICE_LOG_WARN,
               "the queue of %" PRId64 " events is full: %s (%" PRIu64
               " events are lost since the start); see to the receiver, or "
               "raise queue_max",
               events->conf->queue_max, what, atomic_load(&events->lost));
}

enum sluice_verdict recorder_on_key(void *arg,
                                    struct sluice_request *request) {
  struct recorder *recorder = arg;
  struct events *events = recorder->events;
  if (!events->refuse || !is_wanted(events, request))
    return SLUICE_PASS;
  struct kept *kept = sluice_request_state(request, sizeof *kept);
  if (events_take_room(events)) {
    kept->room++;
    return SLUICE_PASS;
  }
  tell_full(recorder, "requests are refused");
  sluice_request_refuse(request, SLUICE_EBUSY,
                        "Too many events wait for their receiver; try again");
  return SLUICE_DENY;
}

static void drop_room(const struct recorder *recorder,
                      struct sluice_request *request) {
  struct events *events = recorder->events;
  if (!events->refuse || !is_wanted(events, request))
    return;
  struct kept *kept = sluice_request_state(request, sizeof *kept);
  for (; kept->room > 0; kept->room--)
    events_give_room(events);
}

/* Whoever is answered with room of their own changed nothing, but for a 504:
 * the change may come yet. */
void recorder_on_response(void *arg, struct sluice_request *request) {
  if (sluice_request_status(request) != 504)
    drop_room(arg, request);
}

void recorder_on_log(void *arg, struct sluice_request *request,
                     const struct sluice_record *record) {
  (void)record;
  drop_room(arg, request);
}

/* ---- the event ---------------------------------------------------------- */

static const char *user_of(const struct sluice_object *object,
                           const char *name) {
  const struct sluice_pair *pair = object->user;
  for (; pair != NULL && pair->name != NULL; pair++)
    if (strcmp(pair->name, name) == 0)
      return pair->value;
  return NULL;
}

static bool write_body(struct notice *notice,
                       const struct sluice_object *object) {
  const struct queue_item *item = &notice->lane.item;
  bool uploaded = operation_does(operation_of(notice->request), ADDS);
  struct event_words words = {
      .id = item->id,
      .type = uploaded ? "object.uploaded" : "object.deleted",
      .time_ms = item->created_ms,
      .key = object->key,
      .backend = sluice_request_backend_name(notice->request),
      .identity = sluice_request_identity(notice->request),
      .request_id = sluice_request_id(notice->request),
      .traceparent = sluice_request_traceparent(notice->request),
      .tracestate = sluice_request_tracestate(notice->request),
      .uploaded = uploaded,
      .size = object->length,
      .content_type = object->type,
      .md5 = object->md5,
      .filename = user_of(object, "original-filename"),
      .uploaded_by = user_of(object, "uploaded-by")};
  return event_body(&notice->body, &words);
}

static void notice_free(struct notice *notice) {
  buf_fini(&notice->body);
  free(notice);
}

static struct notice *notice_new(struct recorder *recorder,
                                 struct sluice_request *request,
                                 const struct sluice_object *object) {
  unsigned char random[QUEUE_ID_LEN / 2];
  size_t len = strlen(object->key);
  struct notice *notice = calloc(1, sizeof *notice + len + 1);
  if (notice == NULL)
    return NULL;
  memcpy(notice->key, object->key, len + 1);
  digest_random(random, sizeof random);
  codec_hex(notice->lane.item.id, random, sizeof random);
  buf_init(&notice->body, QUEUE_BODY_MAX);
  notice->events = recorder->events;
  notice->request = request;
  notice->lane.item.created_ms = date_now_ms();
  if (write_body(notice, object)) {
    notice->lane.item.key = notice->key;
    notice->lane.item.body = notice->body.data;
    notice->lane.item.len = notice->body.len;
    return notice;
  }
  notice_free(notice);
  return NULL;
}

static void on_stored(void *job) {
  struct notice *notice = job;
  if (!notice->lane.job.done)
    events_give_room(notice->events);
  sluice_request_resume(notice->request, SLUICE_PASS);
  notice_free(notice);
}

static bool take_room(struct recorder *recorder,
                      struct sluice_request *request) {
  struct events *events = recorder->events;
  if (!events->refuse)
    return events_take_room(events);
  struct kept *kept = sluice_request_state(request, sizeof *kept);
  if (kept->room == 0) /* one of those below a prefix */
    return events_take_room(events);
  kept->room--;
  return true;
}

enum sluice_verdict recorder_on_change(void *arg,
                                       struct sluice_request *request,
                                       const struct sluice_object *object) {
  struct recorder *recorder = arg;
  struct events *events = recorder->events;
  if (!is_wanted(events, request))
    return SLUICE_PASS;
  if (!take_room(recorder, request)) {
    events_drop(events, EVENTS_LOST, 1);
    tell_full(recorder, "events are dropped");
    return SLUICE_PASS;
  }
  struct notice *notice = notice_new(recorder, request, object);
  if (notice == NULL) {
    events_give_room(events);
    events_drop(events, EVENTS_LOST, 1);
    sluice_log(recorder->host, SLUICE_LOG_ERROR,
               "the event of request %s is lost: no memory, or a text that "
               "isn't UTF-8",
               sluice_request_id(request));
    return SLUICE_PASS;
  }
  sluice_lane_add(events->lane, recorder->host, notice, on_stored);
  return SLUICE_WAIT;
}
