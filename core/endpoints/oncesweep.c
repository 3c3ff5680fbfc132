/* SPDX-License-Identifier: MIT
 *
 * A walk through the records, a page at a time; of a page those that are old
 * enough go one after the other.
 */
#include "oncesweep.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "date.h"
#include "gate.h"
#include "log.h"
#include "must.h"
#include "oncerecord.h"

#define EVERY_MIN_MS 1000
#define EVERY_MAX_MS (10 * 60 * 1000)
#define PARTS 8 /* of the time after which a record expires */
#define PAGE 500
#define PAGE_PAUSE_MS 1000

struct expired {
  char *key, *etag; /* the latter NULL: it may be replaced meanwhile */
};

struct walk { /* of one backend */
  struct oncesweep *sweep;
  struct op_backend *backend;
  struct sluice_op *op; /* NULL: it rests */
  char *token;          /* NULL: from the start */
  struct expired found[PAGE];
  size_t count, at;
  struct event *timer;
};

struct oncesweep {
  struct gate *gate;
  int64_t every_ms;
  bool stopped;
  struct walk *walks; /* as many as the settings' backends */
};

/* ---- removing ----------------------------------------------------------- */

static void forget(struct walk *walk) {
  for (size_t i = 0; i < walk->count; i++) {
    free(walk->found[i].key);
    free(walk->found[i].etag);
  }
  walk->count = walk->at = 0;
}

static void oncesweep_rest(struct walk *walk, int64_t ms) {
  const struct timeval time = {.tv_sec = (time_t)(ms / 1000),
                               .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
  forget(walk);
  event_add(walk->timer, &time);
}

static void oncesweep_remove_next(struct walk *walk);

static void oncesweep_fail(struct walk *walk, const char *why) {
  log_line(SLUICE_LOG_WARN, walk->backend->host.name,
           "records of Idempotency-Keys that have expired can't be removed: "
           "%s; it is tried again",
           why == NULL ? "no reason given" : why);
  free(walk->token);
  walk->token = NULL;
  oncesweep_rest(walk, walk->sweep->every_ms);
}

static void oncesweep_on_removed(void *arg, enum sluice_status status,
                                 const char *why) {
  struct walk *walk = arg;
  walk->op = NULL;
  gate_release(walk->sweep->gate);
  bool gone = status == SLUICE_OK || status == SLUICE_ENOENT ||
              status == SLUICE_EPRECOND; /* it was taken anew */
  if (walk->sweep->stopped)
    return;
  if (gone)
    oncesweep_remove_next(walk);
  else
    oncesweep_fail(walk, why);
}

static void oncesweep_remove_next(struct walk *walk) {
  static const struct op_events events = {.done = oncesweep_on_removed};
  if (walk->at == walk->count) {
    oncesweep_rest(walk, walk->token != NULL ? PAGE_PAUSE_MS
                                             : walk->sweep->every_ms);
    return;
  }
  const struct expired *expired = &walk->found[walk->at++];
  gate_hold(walk->sweep->gate);
  if (expired->etag != NULL)
    walk->op =
        op_remove_if(walk->backend,
                     &(struct sluice_removal){.key = expired->key,
                                              .if_match = expired->etag},
                     &events, walk);
  else
    walk->op = op_remove(walk->backend, expired->key, &events, walk);
}

/* ---- finding ------------------------------------------------------------ */

/* Not before nobody asks for it any more, whatever the clocks of gateways and
 * storage say.  One that can only be removed as whatever is there is kept for
 * twice as long: then nobody replaces it just now. */
static bool is_expired(const struct walk *walk, const struct sluice_meta *meta,
                       bool by_etag) {
  int64_t expires_ms = walk->sweep->gate->settings->uploads.once_expires_ms;
  int64_t kept_ms = by_etag ? expires_ms + expires_ms / PARTS : 2 * expires_ms;
  return meta->mtime_ms + kept_ms < date_now_ms();
}

static void note_expired(struct walk *walk, struct op_entry entry) {
  bool by_etag = (walk->backend->abilities & SLUICE_CAN_REMOVE) != 0 &&
                 entry.meta != NULL && entry.meta->etag != NULL;
  if (entry.meta == NULL || !is_expired(walk, entry.meta, by_etag))
    return;
  struct expired *expired = &walk->found[walk->count++];
  expired->key = strdup(entry.key);
  expired->etag = by_etag ? strdup(entry.meta->etag) : NULL;
  must_have(expired->key != NULL && (!by_etag || expired->etag != NULL));
}

static void oncesweep_on_listed(void *arg, enum sluice_status status,
                                const char *why) {
  struct walk *walk = arg;
  struct sluice_op *op = walk->op;
  walk->op = NULL;
  gate_release(walk->sweep->gate);
  free(walk->token);
  walk->token = NULL;
  if (walk->sweep->stopped)
    return;
  if (status != SLUICE_OK) {
    oncesweep_fail(walk, why);
    return;
  }
  for (size_t i = 0; i < op_entries(op) && walk->count < PAGE; i++)
    note_expired(walk, op_entry(op, i));
  if (op_token(op) != NULL)
    walk->token = strdup(op_token(op));
  oncesweep_remove_next(walk);
}

static void oncesweep_on_time(evutil_socket_t fd, short what, void *arg) {
  static const struct op_events events = {.done = oncesweep_on_listed};
  struct walk *walk = arg;
  (void)fd, (void)what;
  gate_hold(walk->sweep->gate);
  walk->op = op_list(walk->backend,
                     &(struct sluice_list){.prefix = ONCERECORD_PREFIX,
                                           .token = walk->token,
                                           .max = PAGE},
                     &events, walk);
}

/* ---- its life ----------------------------------------------------------- */

/* Only those that can keep records have any. */
static bool oncesweep_begin(struct oncesweep *sweep, size_t i) {
  struct walk *walk = &sweep->walks[i];
  unsigned needed = SLUICE_CAN_CREATE | SLUICE_CAN_REPLACE;
  walk->sweep = sweep;
  walk->backend = sweep->gate->backends[i];
  walk->timer =
      event_new(loop_base(sweep->gate->loop), -1, 0, oncesweep_on_time, walk);
  if (walk->timer != NULL && (walk->backend->abilities & needed) == needed)
    oncesweep_rest(walk, sweep->every_ms);
  return walk->timer != NULL;
}

struct oncesweep *oncesweep_new(struct gate *gate) {
  int64_t every = gate->settings->uploads.once_expires_ms / PARTS;
  struct oncesweep *sweep = calloc(1, sizeof *sweep);
  if (sweep == NULL)
    return NULL;
  sweep->gate = gate;
  sweep->every_ms = every < EVERY_MIN_MS   ? EVERY_MIN_MS
                    : every > EVERY_MAX_MS ? EVERY_MAX_MS
                                           : every;
  sweep->walks = calloc(gate->settings->backend_count, sizeof *sweep->walks);
  bool ok = sweep->walks != NULL;
  for (size_t i = 0; ok && i < gate->settings->backend_count; i++)
    ok = oncesweep_begin(sweep, i);
  if (ok)
    return sweep;
  oncesweep_free(sweep);
  return NULL;
}

void oncesweep_stop(struct oncesweep *sweep) {
  if (sweep == NULL)
    return;
  sweep->stopped = true;
  for (size_t i = 0; i < sweep->gate->settings->backend_count; i++) {
    event_del(sweep->walks[i].timer);
    if (sweep->walks[i].op != NULL)
      op_cancel(sweep->walks[i].op);
  }
}

void oncesweep_free(struct oncesweep *sweep) {
  if (sweep == NULL)
    return;
  size_t count =
      sweep->walks == NULL ? 0 : sweep->gate->settings->backend_count;
  for (size_t i = 0; i < count; i++) {
    forget(&sweep->walks[i]);
    free(sweep->walks[i].token);
    if (sweep->walks[i].timer != NULL)
      event_free(sweep->walks[i].timer);
  }
  free(sweep->walks);
  free(sweep);
}
