/* SPDX-License-Identifier: MIT
 *
 * Of each backend: a page of notes, then one after the other of those that are
 * due: its text, which is a key; what is there; the object, where it has
 * ended, as just that one; the note.  An object that was replaced meanwhile
 * stays, whatever its note says.  One that can't be removed is told of, and
 * holds up none behind it: where many can't, the next round goes on behind
 * them.
 */
#include "expirysweep.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "clock.h"
#include "date.h"
#include "expiry.h"
#include "gate.h"
#include "key.h"
#include "log.h"
#include "must.h"
#include "ownobject.h"
#include "repeat.h"
#include "uploads.h"

#define PAGE 200
#define FIRST_MS 4000
#define EVERY_MS (30 * 1000) /* or sooner, when something is due */
#define SOON_MS 5000
#define NEXT_MS 100     /* between two pages of what is due */
#define FAILURES_MAX 10 /* in a row: they end the round */
/* A client that waits for the key has it by then: a storage that removes
 * nothing conditionally might remove what was put there just now. */
#define UNGUARDED_S 60
/* A note comes before its object: so long the object may still be on its way.
 */
#define COMMIT_MS (INT64_C(3600) * 1000)

struct due {
  char key[EXPIRY_KEY_SIZE]; /* of the note */
  int64_t moment_s;
  bool young; /* its object may be on its way */
};

struct expirywalk { /* of one backend */
  struct expirysweep *sweep;
  struct op_backend *backend;
  struct event *timer;
  struct sluice_op *op; /* NULL: none, or the note's own */
  struct ownobject own; /* the note at hand */
  char *token;          /* of the next page; NULL: from the start */
  struct due due[PAGE];
  size_t count, at;
  unsigned failures;            /* in a row */
  char passed[EXPIRY_KEY_SIZE]; /* notes up to this one failed; "": none */
  /* While there is no note, who writes one here wakes it. */
  int64_t idle_ms;         /* between two looks; 0: there are some */
  uint64_t idle_at;        /* of the clock, the next of them */
  unsigned notes;          /* that were written before the last one */
  int64_t wall_ms, now_ms; /* both clocks, when they were compared last */
  int64_t next_s;    /* the first moment that isn't due yet; 0: unknown */
  bool over;         /* has the object at hand ended? */
  int64_t expires_s; /* when it does; 0: never, or none is there */
  char etag[OWNOBJECT_ETAG_MAX + 1]; /* its; "": none */
  char text[KEY_MAX + 1];            /* its key */
};

struct expirysweep {
  struct gate *gate;
  bool stopped;
  struct expirywalk *walks; /* as many as the settings' backends */
};

static void expirywalk_next(struct expirywalk *);

static void expirywalk_rest(struct expirywalk *walk, int64_t ms) {
  const struct timeval time = {.tv_sec = (time_t)(ms / 1000),
                               .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
  walk->count = walk->at = 0;
  if (!walk->sweep->stopped)
    event_add(walk->timer, &time);
}

static void expirywalk_end_round(struct expirywalk *walk) {
  free(walk->token);
  walk->token = NULL;
  walk->failures = 0;
  expirywalk_rest(walk, EVERY_MS);
}

/* A storage that lets nothing be listed is left alone. */
static void expirywalk_fail(struct expirywalk *walk, enum sluice_status status,
                            const char *why) {
  if (status != SLUICE_ECANCELED && status != SLUICE_EDENIED)
    log_line(SLUICE_LOG_WARN, walk->backend->host.name,
             "objects that have expired can't be found: %s; it is tried again",
             why == NULL ? "no reason given" : why);
  expirywalk_end_round(walk);
}

/* Of the note at hand, or of its object. */
static void expirywalk_fail_one(struct expirywalk *walk, const char *key,
                                enum sluice_status status, const char *why) {
  struct op_backend *backend = walk->backend;
  if (walk->sweep->stopped || status == SLUICE_ECANCELED) {
    expirywalk_end_round(walk);
    return;
  }
  repeat_line(&backend->repeats, backend->host.loop, SLUICE_LOG_WARN,
              backend->host.name, "expired",
              "\"%.512s\" has expired and can't be removed: %s; it is tried "
              "again",
              key, why == NULL ? "no reason given" : why);
  if (++walk->failures < FAILURES_MAX) {
    expirywalk_next(walk);
    return;
  }
  memcpy(walk->passed, walk->due[walk->at - 1].key, sizeof walk->passed);
  expirywalk_end_round(walk);
}

/* There is nothing to do but to look again now and then. */
static void expirywalk_idle(struct expirywalk *walk) {
  walk->idle_ms = expiry_idle_ms(walk->idle_ms);
  walk->idle_at = clock_ms() + (uint64_t)walk->idle_ms;
  expirywalk_rest(walk, SOON_MS);
}

static bool expirywalk_is_idle(const struct expirywalk *walk) {
  return walk->idle_ms > 0 && clock_ms() < walk->idle_at &&
         uploads_notes(walk->sweep->gate->uploads) == walk->notes;
}

static bool expirywalk_clocks_agree(struct expirywalk *walk) {
  int64_t wall_ms = date_now_ms(), now_ms = (int64_t)clock_ms();
  int64_t wall = wall_ms - walk->wall_ms, passed = now_ms - walk->now_ms;
  bool agree = walk->now_ms == 0 || expiry_clocks_agree(wall, passed);
  walk->wall_ms = wall_ms;
  walk->now_ms = now_ms;
  if (!agree)
    log_line(SLUICE_LOG_WARN, walk->backend->host.name,
             "the clock went on by %" PRId64 " s in %" PRId64
             " s: what has expired is removed a round later",
             wall / 1000, passed / 1000);
  return agree;
}

static bool expirywalk_is_gone(enum sluice_status status) {
  return status == SLUICE_OK || status == SLUICE_ENOENT;
}

/* ---- one object --------------------------------------------------------- */

static void expirywalk_on_forgotten(void *arg, enum sluice_status status,
                                    const char *why) {
  struct expirywalk *walk = arg;
  gate_release(walk->sweep->gate);
  if (!expirywalk_is_gone(status) && status != SLUICE_EPRECOND) {
    expirywalk_fail_one(walk, walk->due[walk->at - 1].key, status, why);
    return;
  }
  walk->failures = 0;
  expirywalk_next(walk);
}

static void forget_note(struct expirywalk *walk) {
  gate_hold(walk->sweep->gate);
  walk->own.then = expirywalk_on_forgotten;
  ownobject_remove(&walk->own, walk->due[walk->at - 1].key);
}

/* The object that is there, or was removed, may be of another note, and that
 * of this one on its way to its commit. */
static void expirywalk_settle(struct expirywalk *walk) {
  const struct due *due = &walk->due[walk->at - 1];
  if (!due->young || walk->expires_s == due->moment_s) {
    forget_note(walk);
    return;
  }
  walk->failures = 0;
  expirywalk_next(walk);
}

static void expirywalk_on_removed(void *arg, enum sluice_status status,
                                  const char *why) {
  struct expirywalk *walk = arg;
  walk->op = NULL;
  gate_release(walk->sweep->gate);
  if (expirywalk_is_gone(status) || status == SLUICE_EPRECOND)
    expirywalk_settle(walk);
  else
    expirywalk_fail_one(walk, walk->text, status, why);
}

static void expirywalk_remove(struct expirywalk *walk) {
  static const struct op_events events = {.done = expirywalk_on_removed};
  bool compares = (walk->backend->abilities & SLUICE_CAN_REMOVE) != 0;
  gate_hold(walk->sweep->gate);
  if (compares && walk->etag[0] != '\0')
    walk->op = op_remove_if(walk->backend,
                            &(struct sluice_removal){.key = walk->text,
                                                     .if_match = walk->etag,
                                                     .if_ended = true},
                            &events, walk);
  else
    walk->op = op_remove(walk->backend, walk->text, &events, walk);
}

static void expirywalk_on_meta(void *arg, const struct sluice_meta *meta) {
  struct expirywalk *walk = arg;
  size_t len = meta->etag == NULL ? 0 : strlen(meta->etag);
  walk->over = op_has_expired(meta);
  walk->expires_s = op_expires(meta);
  if (len > 0 && len < sizeof walk->etag)
    memcpy(walk->etag, meta->etag, len + 1);
}

static void expirywalk_on_looked(void *arg, enum sluice_status status,
                                 const char *why) {
  struct expirywalk *walk = arg;
  walk->op = NULL;
  gate_release(walk->sweep->gate);
  if (!expirywalk_is_gone(status))
    expirywalk_fail_one(walk, walk->text, status, why);
  else if (walk->sweep->stopped)
    expirywalk_rest(walk, 0);
  else if (walk->over)
    expirywalk_remove(walk);
  else
    expirywalk_settle(walk);
}

static void expirywalk_look(struct expirywalk *walk) {
  static const struct op_events events = {.sees_expired = true,
                                          .meta = expirywalk_on_meta,
                                          .done = expirywalk_on_looked};
  walk->over = false;
  walk->expires_s = 0;
  walk->etag[0] = '\0';
  gate_hold(walk->sweep->gate);
  walk->op = op_head(walk->backend, walk->text, &events, walk);
}

/* One that isn't ours, or is sealed by a layer above, stays. */
static void expirywalk_on_read(void *arg, enum sluice_status status,
                               const char *why) {
  struct expirywalk *walk = arg;
  const char *note = walk->due[walk->at - 1].key;
  gate_release(walk->sweep->gate);
  if (status == SLUICE_ENOENT || walk->own.foreign)
    expirywalk_next(walk);
  else if (status != SLUICE_OK)
    expirywalk_fail_one(walk, note, status, why);
  else if (strlen(walk->text) != walk->own.length ||
           !expiry_note_is_of(note, walk->text) ||
           key_reserved(walk->text, walk->own.length))
    expirywalk_next(walk);
  else
    expirywalk_look(walk);
}

/* Until something is due, as far as is known: others may come before it. */
static int64_t expirywalk_pause(const struct expirywalk *walk) {
  int64_t left = walk->next_s * 1000 - date_now_ms();
  if (walk->token != NULL)
    return NEXT_MS;
  if (left <= 0 || left > EVERY_MS)
    return EVERY_MS;
  return left < SOON_MS ? SOON_MS : left;
}

static void expirywalk_next(struct expirywalk *walk) {
  if (walk->sweep->stopped)
    return;
  if (walk->at == walk->count) {
    if (walk->token == NULL)
      walk->passed[0] = '\0';
    expirywalk_rest(walk, expirywalk_pause(walk));
    return;
  }
  gate_hold(walk->sweep->gate);
  ownobject_init(&walk->own, walk->backend, walk->text, KEY_MAX,
                 expirywalk_on_read, walk);
  ownobject_read(&walk->own, walk->due[walk->at++].key);
}

/* ---- a page ------------------------------------------------------------- */

/* False: those behind aren't due either. */
static bool take_note(struct expirywalk *walk, const struct op_entry *entry) {
  int64_t moment_s, now_ms = date_now_ms();
  if (entry->meta == NULL || !expiry_note_moment(entry->key, &moment_s) ||
      strcmp(entry->key, walk->passed) <= 0)
    return true;
  bool guarded = (walk->backend->abilities & SLUICE_CAN_REMOVE) != 0;
  int64_t due_s = guarded ? moment_s : moment_s + UNGUARDED_S;
  walk->next_s = due_s;
  if (!expiry_is_over(due_s, now_ms))
    return false;
  struct due *due = &walk->due[walk->count++];
  memcpy(due->key, entry->key, strlen(entry->key) + 1);
  due->moment_s = moment_s;
  due->young = now_ms - entry->meta->mtime_ms < COMMIT_MS;
  return true;
}

static void expirywalk_on_listed(void *arg, enum sluice_status status,
                                 const char *why) {
  struct expirywalk *walk = arg;
  struct sluice_op *op = walk->op;
  bool more = true, first = walk->token == NULL;
  walk->op = NULL;
  gate_release(walk->sweep->gate);
  free(walk->token);
  walk->token = NULL;
  walk->next_s = 0;
  if (status != SLUICE_OK) {
    expirywalk_fail(walk, status, why);
    return;
  }
  if (first && op_entries(op) == 0 && op_token(op) == NULL) {
    expirywalk_idle(walk);
    return;
  }
  walk->idle_ms = 0;
  for (size_t i = 0; more && i < op_entries(op) && walk->count < PAGE; i++) {
    struct op_entry entry = op_entry(op, i);
    more = take_note(walk, &entry);
  }
  if (more && op_token(op) != NULL)
    walk->token = strdup(op_token(op));
  expirywalk_next(walk);
}

static void expirywalk_on_time(evutil_socket_t fd, short what, void *arg) {
  static const struct op_events events = {.done = expirywalk_on_listed};
  struct expirywalk *walk = arg;
  (void)fd, (void)what;
  if (!expirywalk_clocks_agree(walk)) {
    expirywalk_end_round(walk);
    return;
  }
  if (expirywalk_is_idle(walk)) {
    expirywalk_rest(walk, SOON_MS);
    return;
  }
  walk->notes = uploads_notes(walk->sweep->gate->uploads);
  gate_hold(walk->sweep->gate);
  walk->op =
      op_list(walk->backend,
              &(struct sluice_list){
                  .prefix = EXPIRY_FOLDER, .token = walk->token, .max = PAGE},
              &events, walk);
}

/* ---- its life ----------------------------------------------------------- */

static bool is_routed(const struct gate *gate, size_t i) {
  const struct settings *settings = gate->settings;
  for (size_t at = 0; at < settings->route_count; at++)
    if (settings->routes[at].backend == i)
      return true;
  return false;
}

/* A storage below a layer is swept through the layer, which knows its other
 * stores, too. */
static bool is_below(const struct gate *gate, size_t i) {
  for (size_t at = 0; at < gate->settings->backend_count; at++) {
    const struct sluice_host *host = &gate->backends[at]->host;
    for (size_t n = 0; n < host->store_count; n++)
      if (host->stores[n].below == gate->backends[i])
        return true;
  }
  return false;
}

/* Else what got an end before is hidden from then on, and stays. */
static bool may_any_end(const struct settings *settings) {
  bool may = settings->uploads.expire_max_ms > 0;
  for (size_t i = 0; i < settings->route_count; i++)
    may = may || settings->routes[i].expire_after_ms > 0;
  return may;
}

static bool expirywalk_begin(struct expirysweep *sweep, size_t i) {
  struct expirywalk *walk = &sweep->walks[i];
  walk->sweep = sweep;
  walk->backend = sweep->gate->backends[i];
  expirywalk_clocks_agree(walk);
  walk->timer =
      event_new(loop_base(sweep->gate->loop), -1, 0, expirywalk_on_time, walk);
  if (walk->timer != NULL && may_any_end(sweep->gate->settings) &&
      (is_routed(sweep->gate, i) || !is_below(sweep->gate, i)))
    expirywalk_rest(walk, FIRST_MS);
  return walk->timer != NULL;
}

struct expirysweep *expirysweep_new(struct gate *gate) {
  struct expirysweep *sweep = calloc(1, sizeof *sweep);
  if (sweep == NULL)
    return NULL;
  sweep->gate = gate;
  sweep->walks = calloc(gate->settings->backend_count, sizeof *sweep->walks);
  bool ok = sweep->walks != NULL;
  for (size_t i = 0; ok && i < gate->settings->backend_count; i++)
    ok = expirywalk_begin(sweep, i);
  if (ok)
    return sweep;
  expirysweep_free(sweep);
  return NULL;
}

void expirysweep_stop(struct expirysweep *sweep) {
  if (sweep == NULL)
    return;
  sweep->stopped = true;
  for (size_t i = 0; i < sweep->gate->settings->backend_count; i++) {
    event_del(sweep->walks[i].timer);
    if (sweep->walks[i].op != NULL)
      op_cancel(sweep->walks[i].op);
  }
}

void expirysweep_free(struct expirysweep *sweep) {
  if (sweep == NULL)
    return;
  size_t count =
      sweep->walks == NULL ? 0 : sweep->gate->settings->backend_count;
  for (size_t i = 0; i < count; i++) {
    free(sweep->walks[i].token);
    if (sweep->walks[i].timer != NULL)
      event_free(sweep->walks[i].timer);
  }
  free(sweep->walks);
  free(sweep);
}
