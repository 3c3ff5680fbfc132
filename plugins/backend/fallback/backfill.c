/* SPDX-License-Identifier: MIT
 *
 * The queue of a loop, and the table that keeps changes and backfills of a key
 * apart without a lock.  Keys that share a place share its fate: a backfill
 * more that is left.
 */
#include "backfill.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A place: these bits, and above them the number of changes by clients. */
#define BUSY 1U    /* a backfill is under way, */
#define COMMITS 2U /* at its commit, or at looking whether that was right, */
#define REVOKED 4U /* and a change came */
#define CHANGE 8U

#define CHANGE_WAIT_MS 5
#define PAUSE_S 1 /* after one that failed */

struct wanted {
  char *key;
  size_t from;
};

struct backfill {
  struct fallback_handle *handle;
  struct backfill_table *table;
  struct event *next; /* between two objects the loop may end */
  struct wanted queue[BACKFILL_QUEUE];
  size_t first, count;
  struct wanted now; /* while it is busy */
  bool busy;
  uint64_t ends[BACKFILL_ENDS], bytes, dropped;
};

static size_t key_size(const char *key) {
  return strlen(key) + 1;
}

/* ---- the table ---------------------------------------------------------- */

static atomic_uint *place_of(const struct backfill *backfill,
                             const char *key) {
  uint64_t hash = 14695981039346656037U; /* FNV-1a: no secret is in it */
  for (const char *c = key; *c != '\0'; c++)
    hash = (hash ^ (unsigned char)*c) * 1099511628211U;
  return &backfill->table->places[(hash ^ hash >> 32) % BACKFILL_PLACES];
}

static bool place_swap(atomic_uint *place, unsigned from, unsigned to) {
  return atomic_compare_exchange_strong(place, &from, to);
}

bool backfill_may_commit(struct backfill *backfill, const char *key) {
  return place_swap(place_of(backfill, key), BUSY, BUSY | COMMITS);
}

void backfill_change_begins(struct backfill *backfill, const char *key) {
  atomic_uint *place = place_of(backfill, key);
  unsigned now = atomic_load(place);
  while (!atomic_compare_exchange_weak(
      place, &now, (now + CHANGE) | ((now & BUSY) != 0 ? REVOKED : 0)))
    ;
}

void backfill_change_ends(struct backfill *backfill, const char *key) {
  atomic_fetch_sub(place_of(backfill, key), CHANGE);
}

bool backfill_commits(const struct backfill *backfill, const char *key) {
  return (atomic_load(place_of(backfill, key)) & COMMITS) != 0;
}

void backfill_wait_for(struct event *timer) {
  static const struct timeval soon = {.tv_usec = CHANGE_WAIT_MS * 1000};
  evtimer_add(timer, &soon);
}

/* ---- the queue ---------------------------------------------------------- */

static struct wanted *wanted_at(struct backfill *backfill, size_t i) {
  return &backfill->queue[(backfill->first + i) % BACKFILL_QUEUE];
}

static bool is_wanted(struct backfill *backfill, const char *key) {
  if (backfill->busy && strcmp(backfill->now.key, key) == 0)
    return true;
  for (size_t i = 0; i < backfill->count; i++)
    if (strcmp(wanted_at(backfill, i)->key, key) == 0)
      return true;
  return false;
}

static void wanted_free(struct backfill *backfill, struct wanted *wanted) {
  sluice_memory_give(backfill->handle->host, key_size(wanted->key));
  free(wanted->key);
}

static void backfill_wait(struct backfill *backfill, bool failed) {
  const struct timeval time = {.tv_sec = failed ? PAUSE_S : 0};
  if (!backfill->busy && backfill->count > 0 &&
      !evtimer_pending(backfill->next, NULL))
    evtimer_add(backfill->next, &time);
}

void backfill_want(struct backfill *backfill, const char *key, size_t from) {
  size_t size = key_size(key);
  if (is_wanted(backfill, key))
    return;
  char *copy = NULL;
  if (backfill->count < BACKFILL_QUEUE &&
      sluice_memory_take(backfill->handle->host, size)) {
    copy = strdup(key);
    if (copy == NULL)
      sluice_memory_give(backfill->handle->host, size);
  }
  if (copy == NULL) {
    backfill->dropped++;
    return;
  }
  *wanted_at(backfill, backfill->count++) = (struct wanted){copy, from};
  backfill_wait(backfill, false);
}

static void on_backfill_next(evutil_socket_t fd, short what, void *arg) {
  struct backfill *backfill = arg;
  (void)fd, (void)what;
  if (backfill->busy || backfill->count == 0)
    return;
  struct wanted wanted = *wanted_at(backfill, 0);
  atomic_uint *place = place_of(backfill, wanted.key);
  backfill->first = (backfill->first + 1) % BACKFILL_QUEUE;
  backfill->count--;
  backfill->busy = place_swap(place, 0, BUSY);
  if (backfill->busy &&
      !backfill_start(backfill, backfill->handle, wanted.key, wanted.from)) {
    atomic_fetch_and(place, ~(BUSY | COMMITS | REVOKED));
    backfill->busy = false;
  }
  if (backfill->busy) {
    backfill->now = wanted;
  } else {
    backfill->dropped++;
    wanted_free(backfill, &wanted);
  }
  backfill_wait(backfill, false);
}

void backfill_over(struct backfill *backfill, enum backfill_end end,
                   uint64_t length, const char *key, const char *why) {
  atomic_fetch_and(place_of(backfill, key), ~(BUSY | COMMITS | REVOKED));
  backfill->busy = false;
  wanted_free(backfill, &backfill->now);
  backfill->ends[end]++;
  if (end == BACKFILL_DONE)
    backfill->bytes += length;
  if (end == BACKFILL_FAILED)
    sluice_log(backfill->handle->host, SLUICE_LOG_WARN,
               "an object isn't backfilled, and is tried again when it is "
               "read: %s",
               why);
  backfill_wait(backfill, end == BACKFILL_FAILED);
}

/* ---- life --------------------------------------------------------------- */

struct backfill *backfill_open(struct fallback_handle *handle,
                               struct backfill_table *table) {
  struct backfill *backfill = calloc(1, sizeof *backfill);
  if (backfill == NULL)
    return NULL;
  backfill->handle = handle;
  backfill->table = table;
  backfill->next =
      evtimer_new(sluice_loop(handle->host), on_backfill_next, backfill);
  if (backfill->next != NULL)
    return backfill;
  free(backfill);
  return NULL;
}

static void backfill_report(const struct backfill *backfill) {
  const uint64_t *ends = backfill->ends;
  uint64_t all = backfill->dropped;
  for (int i = 0; i < BACKFILL_ENDS; i++)
    all += ends[i];
  if (all > 0)
    sluice_log(backfill->handle->host, SLUICE_LOG_INFO,
               "backfill: %" PRIu64 " objects of %" PRIu64
               " bytes were carried to the first backend, %" PRIu64
               " were there, %" PRIu64 " gone, %" PRIu64 " left, %" PRIu64
               " failed, %" PRIu64 " dropped",
               ends[BACKFILL_DONE], backfill->bytes, ends[BACKFILL_THERE],
               ends[BACKFILL_GONE], ends[BACKFILL_LEFT], ends[BACKFILL_FAILED],
               backfill->dropped);
}

void backfill_close(struct backfill *backfill) {
  if (backfill == NULL)
    return;
  backfill->dropped += backfill->count;
  while (backfill->count > 0)
    wanted_free(backfill, wanted_at(backfill, --backfill->count));
  backfill_report(backfill);
  event_free(backfill->next);
  free(backfill);
}
