/* SPDX-License-Identifier: MIT
 *
 * The hook events: its options and its descriptor.  A receiver hears of every
 * upload and delete, also after a crash.
 */
#include "events.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "backoff.h"
#include "date.h"
#include "httpc.h"
#include "recorder.h"

#define SECRET_MIN 16
#define SECRET_MAX 1024

#define OPTION(name, type, fallback, field, help) \
  { name, type, fallback, offsetof(struct events_conf, field), help }

static const struct sluice_option options[] = {
    OPTION("url", SLUICE_STRING, NULL, url, "where events are sent to"),
    OPTION("secret", SLUICE_SECRET, NULL, secret,
           "what they are signed with, at least 16 characters"),
    OPTION("directory", SLUICE_STRING, NULL, directory,
           "where events wait until they are delivered"),
    OPTION("events", SLUICE_LIST, "[object.uploaded, object.deleted]", events,
           "which ones are sent"),
    OPTION("queue_max", SLUICE_INT, "100000", queue_max,
           "events that wait at most, 1 to 100000000"),
    OPTION("when_full", SLUICE_STRING, "drop", when_full,
           "drop the event, or refuse the request"),
    OPTION("connect_timeout", SLUICE_TIME, "5s", connect_timeout_ms,
           "for a connection"),
    OPTION("timeout", SLUICE_TIME, "10s", timeout_ms,
           "for a delivery and its answer"),
    OPTION("retry_min", SLUICE_TIME, "1s", retry_min_ms,
           "before the second attempt; doubled for each further one"),
    OPTION("retry_max", SLUICE_TIME, "10m", retry_max_ms,
           "between two attempts, at most"),
    OPTION("max_age", SLUICE_TIME, "3d", max_age_ms,
           "after which an attempt that fails was the last one"),
    OPTION("parallel", SLUICE_INT, "8", parallel,
           "deliveries at once, 1 to 64"),
    OPTION("verify", SLUICE_BOOL, "true", verify,
           "check the receiver's certificate"),
    OPTION("ca_file", SLUICE_STRING, "", ca_file,
           "CA certificates in PEM; empty: the system's"),
    {NULL, 0, NULL, 0, NULL}};

/* ---- checks ------------------------------------------------------------- */

static bool events_check_numbers(const struct events_conf *conf,
                                 struct errmsg *err) {
  static const int64_t hour = 3600000, day = 24 * hour;
  const struct {
    const char *name, *unit;
    int64_t value, least, most;
  } numbers[] = {
      {"queue_max", "", conf->queue_max, 1, 100000000},
      {"parallel", "", conf->parallel, 1, QUEUE_PAGE_MAX},
      {"connect_timeout", " ms", conf->connect_timeout_ms, 1, hour},
      {"timeout", " ms", conf->timeout_ms, 1, hour},
      {"retry_min", " ms", conf->retry_min_ms, 1, hour},
      {"retry_max", " ms", conf->retry_max_ms, conf->retry_min_ms, day},
      {"max_age", " ms", conf->max_age_ms, 1, 365 * day},
  };
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    if (numbers[i].value < numbers[i].least ||
        numbers[i].value > numbers[i].most)
      return errmsg_set(err, "'%s' must be between %lld and %lld%s",
                        numbers[i].name, (long long)numbers[i].least,
                        (long long)numbers[i].most, numbers[i].unit);
  return true;
}

static bool read_names(struct events *events, struct errmsg *err) {
  const char *const *name = events->conf->events;
  for (; *name != NULL; name++) {
    bool uploads = strcmp(*name, "object.uploaded") == 0;
    bool deletes = strcmp(*name, "object.deleted") == 0;
    if (!uploads && !deletes)
      return errmsg_set(err,
                        "'events': there is no '%s'; choose from "
                        "object.uploaded and object.deleted",
                        *name);
    events->uploads = events->uploads || uploads;
    events->deletes = events->deletes || deletes;
  }
  return events->uploads || events->deletes ||
         errmsg_set(err, "'events' is empty; name one, or drop the hook");
}

static bool events_check(struct events *events, struct errmsg *err) {
  const struct events_conf *conf = events->conf;
  const char *fault = httpc_url_fault(conf->url);
  size_t secret = strlen(conf->secret);
  if (fault != NULL)
    return errmsg_set(err, "'url': %s", fault);
  if (secret < SECRET_MIN || secret > SECRET_MAX)
    return errmsg_set(err, "'secret' must have %d to %d characters",
                      SECRET_MIN, SECRET_MAX);
  if (conf->directory[0] == '\0')
    return errmsg_set(err, "'directory' is empty; name a folder");
  events->refuse = strcmp(conf->when_full, "refuse") == 0;
  if (!events->refuse && strcmp(conf->when_full, "drop") != 0)
    return errmsg_set(err, "'when_full' must be drop or refuse");
  return read_names(events, err) && events_check_numbers(conf, err);
}

/* ---- the hook as a whole ------------------------------------------------ */

static void events_free(struct events *events) {
  queue_close(events->queue);
  if (events->lane != NULL)
    sluice_lane_free(events->lane);
  if (events->wake >= 0)
    close(events->wake);
  free(events);
}

static bool open_queue(struct events *events, struct errmsg *err) {
  events->queue = queue_open(events->conf->directory, date_now_ms(), err);
  if (events->queue == NULL)
    return false;
  int64_t count = queue_count(events->queue);
  if (count < 0)
    return errmsg_set(err,
                      "the queue in %s can't be read; restore it, or "
                      "choose another directory",
                      events->conf->directory);
  atomic_store(&events->used, count);
  sluice_gauge(events->host, EVENTS_QUEUED, count);
  sluice_gauge(events->host, EVENTS_LIMIT, events->conf->queue_max);
  events->lane = sluice_lane_new(events->host, events_run, events);
  events->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return (events->lane != NULL && events->wake >= 0) ||
         errmsg_set(err, "no memory, or no descriptor is left: %s",
                    strerror(errno));
}

static void *events_start(const void *conf, struct sluice_host *host) {
  struct errmsg err;
  struct events *events = calloc(1, sizeof *events);
  httpc_init();
  if (events == NULL) {
    sluice_fail(host, "there is no memory");
    return NULL;
  }
  events->conf = conf;
  events->host = host;
  events->wake = -1;
  atomic_flag_clear(&events->claimed);
  if (events_check(events, &err) && open_queue(events, &err))
    return events;
  sluice_fail(host, "%.480s", err.text);
  events_free(events);
  return NULL;
}

static void events_report(struct events *events) {
  uint64_t delivered = atomic_load(&events->delivered);
  uint64_t given_up = atomic_load(&events->given_up);
  uint64_t lost = atomic_load(&events->lost);
  int64_t left = queue_count(events->queue);
  if (delivered + given_up + lost > 0 || left != 0)
    sluice_log(events->host, SLUICE_LOG_INFO,
               "events delivered: %" PRIu64 ", given up: %" PRIu64
               ", lost: %" PRIu64 ", still to be delivered: %" PRId64,
               delivered, given_up, lost, left);
}

/* Events that the receiver had when its loop ended needn't be delivered
 * again. */
static void events_stop(void *instance) {
  struct events *events = instance;
  struct errmsg why;
  if (!queue_change(events->queue, NULL, 0, events->left, events->left_count,
                    &why))
    sluice_log(events->host, SLUICE_LOG_ERROR, "deliveries can't be noted: %s",
               why.text);
  events_report(events);
  events_free(events);
}

/* ---- on each loop ------------------------------------------------------- */

static void *events_open(void *instance, struct sluice_host *host) {
  struct events *events = instance;
  struct recorder *recorder = calloc(1, sizeof *recorder);
  if (recorder == NULL) {
    sluice_fail(host, "there is no memory; lower limits.memory");
    return NULL;
  }
  recorder->events = events;
  recorder->host = host;
  if (atomic_flag_test_and_set(&events->claimed))
    return recorder;
  recorder->courier = courier_new(events, host);
  if (recorder->courier != NULL)
    return recorder;
  free(recorder);
  return NULL;
}

static void events_close(void *handle) {
  struct recorder *recorder = handle;
  courier_free(recorder->courier);
  free(recorder);
}

static const char *const reasons[] = {
    [EVENTS_LOST] = "lost", [EVENTS_GIVEN_UP] = "given_up", NULL};

static const struct sluice_metric metrics[] = {
    [EVENTS_QUEUED] = {"events_queued", SLUICE_GAUGE,
                       "Events that are still to be delivered.", NULL, NULL},
    [EVENTS_LIMIT] = {"events_queue_max", SLUICE_GAUGE,
                      "As many as may be: queue_max.", NULL, NULL},
    [EVENTS_DELIVERED] = {"events_delivered_total", SLUICE_COUNTER,
                          "Events that the receiver has taken.", NULL, NULL},
    [EVENTS_ATTEMPTS_FAILED] = {"events_failures_total", SLUICE_COUNTER,
                                "Deliveries that are tried again later.", NULL,
                                NULL},
    [EVENTS_DROPPED] = {"events_dropped_total", SLUICE_COUNTER,
                        "Events that nobody will be told of: lost as there "
                        "was no room or no disk, or given up.",
                        "reason", reasons},
    {NULL, 0, NULL, NULL, NULL}};

static const struct sluice_hook hook = {
    SLUICE_HEAD(sluice_hook),
    .name = "events",
    .version = SLUICE_VERSION,
    .summary = "tells a receiver of uploads and deletes",
    .options = options,
    .conf_size = sizeof(struct events_conf),
    .start = events_start,
    .stop = events_stop,
    .open = events_open,
    .close = events_close,
    .on_key = recorder_on_key,
    .on_response = recorder_on_response,
    .on_log = recorder_on_log,
    .on_change = recorder_on_change,
    .metrics = metrics,
};

SLUICE_REACH({"url", SLUICE_REACH_ADDRESS, NULL},
             {"directory", SLUICE_REACH_FOLDER, NULL},
             {"ca_file", SLUICE_REACH_READ, NULL})
SLUICE_HOOK(events, hook)
