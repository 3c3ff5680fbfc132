/* SPDX-License-Identifier: MIT
 *
 * Heals: keys that a storage lacks are taken one after the other, and it is
 * made equal to the first one in them.  A few at once for each storage, so
 * that one that hangs holds up no other, on one loop; between two of them the
 * loop is let go, so that it can end.
 *
 * A key is left as soon as it is healed, or can't be; a place is busy until
 * both storages have ended.
 */
#include <event2/event.h>
#include <inttypes.h>
#include <stdlib.h>

#include "clock.h"
#include "mirror_carry.h"
#include "mirror_desk.h"

#define HEAL_PLACES 4 /* of each storage */
#define HEAL_FACTOR 8 /* of `heal`: the longest wait for one that fails */

struct healing { /* of one key, for one storage */
  struct healer *healer;
  struct event *timer; /* the next one begins */
  struct desk_job job;
  struct mirror_carry *carry; /* NULL: both storages have ended */
  char *key;
  unsigned store, owed;
  unsigned late; /* the desk was told, and isn't told yet that it is over */
  bool out;      /* the desk has its job */
};

struct healer {
  struct mirror_handle *handle;
  struct event *tick;
  struct healing places[MIRROR_MAX][HEAL_PLACES]; /* none of the first */
  uint64_t after_ms[MIRROR_MAX]; /* a storage that failed isn't asked before */
  int64_t wait_ms[MIRROR_MAX];
  bool lacks[MIRROR_MAX]; /* as the log says */
  size_t taken;           /* of limits.memory, for the arrears */
};

/* ---- the log ------------------------------------------------------------ */

static void heal_report(struct healer *healer) {
  struct mirror *shared = healer->handle->shared;
  for (unsigned i = 1; i < shared->count; i++) {
    uint64_t owed = atomic_load(&shared->owed[i]);
    const char *name = shared->conf->over[i];
    if (owed > 0 && !healer->lacks[i])
      sluice_log(healer->handle->host, SLUICE_LOG_WARN,
                 "'%s' lacks %" PRIu64
                 " objects or deletes, which are on the queue",
                 name, owed);
    if (owed == 0 && healer->lacks[i])
      sluice_log(healer->handle->host, SLUICE_LOG_INFO,
                 "'%s' has all that '%s' has; %" PRIu64
                 " were healed since the start",
                 name, shared->conf->over[0], atomic_load(&shared->healed));
    healer->lacks[i] = owed > 0;
  }
}

/* ---- one key ------------------------------------------------------------ */

static void heal_settle(struct healing *healing);

static void on_key_left(void *arg) {
  struct healing *healing = arg;
  healing->out = false;
  heal_report(healing->healer);
  heal_settle(healing);
}

static void heal_ask_desk(struct healing *healing, enum desk_wish wish,
                          unsigned owed, unsigned late, bool postpone) {
  healing->job = (struct desk_job){.wish = wish,
                                   .key = healing->key,
                                   .owed = owed,
                                   .late = late,
                                   .postpone = postpone,
                                   .then = on_key_left,
                                   .arg = healing};
  healing->out = true;
  desk_ask(healing->healer->handle, &healing->job);
}

/* Changes of the key don't wait for a storage that hangs: it is late, as that
 * of a change is. */
static void heal_leave_key(struct healing *healing, bool healed) {
  unsigned bit = 1U << healing->store;
  healing->late = healed || healing->carry == NULL ? 0 : bit;
  heal_ask_desk(healing, DESK_LEAVE,
                healed ? healing->owed & ~bit : healing->owed, healing->late,
                !healed);
}

static void heal_settle(struct healing *healing) {
  if (healing->out || healing->carry != NULL)
    return;
  unsigned over = healing->late;
  healing->late = 0;
  if (over != 0) {
    heal_ask_desk(healing, DESK_OVER, 0, over, false);
    return;
  }
  free(healing->key);
  healing->key = NULL;
  mirror_wait(healing->timer, 0);
}

/* Several that fail together are one failure. */
static void put_off(struct healer *healer, unsigned store) {
  int64_t heal_ms = healer->handle->shared->conf->heal_ms;
  int64_t wait = healer->wait_ms[store];
  if (healer->after_ms[store] > clock_ms())
    return;
  healer->after_ms[store] = clock_ms() + (uint64_t)wait;
  healer->wait_ms[store] =
      2 * wait > heal_ms * HEAL_FACTOR ? heal_ms * HEAL_FACTOR : 2 * wait;
}

static void heal_failed(struct healing *healing, enum sluice_status status,
                        const char *why) {
  struct healer *healer = healing->healer;
  const char *const *over = healer->handle->shared->conf->over;
  if (mirror_is_outage(status)) {
    put_off(healer, healing->store);
    return;
  }
  if (why == NULL)
    why = "no reason given";
  if (carry_blames_first(healing->carry))
    sluice_log(healer->handle->host, SLUICE_LOG_WARN,
               "'%s', which '%s' lacks, can't be had of '%s': %s",
               healing->key, over[healing->store], over[0], why);
  else
    sluice_log(healer->handle->host, SLUICE_LOG_WARN,
               "'%s' can't be given '%s', which it lacks: %s",
               over[healing->store], healing->key, why);
}

static void on_heal_result(void *arg, enum sluice_status status,
                           const char *why) {
  struct healing *healing = arg;
  struct healer *healer = healing->healer;
  struct mirror *shared = healer->handle->shared;
  if (status == SLUICE_OK) {
    atomic_fetch_add(&shared->healed, 1);
    sluice_count(healer->handle->host,
                 SLUICE_SERIES(MIRROR_HEALED, healing->store), 1);
    healer->wait_ms[healing->store] = shared->conf->heal_ms;
    mirror_is_back(shared, healing->store);
  } else {
    sluice_count(healer->handle->host,
                 SLUICE_SERIES(MIRROR_NOT_HEALED, healing->store), 1);
    heal_failed(healing, status, why);
  }
  heal_leave_key(healing, status == SLUICE_OK);
}

static void on_heal_over(void *arg) {
  struct healing *healing = arg;
  healing->carry = NULL;
  heal_settle(healing);
}

static void on_picked(void *arg) {
  static const struct carry_events events = {.result = on_heal_result,
                                             .over = on_heal_over};
  struct healing *healing = arg;
  healing->out = healing->job.next != NULL;
  if (!healing->out)
    return; /* the tick comes again */
  healing->key = healing->job.next;
  healing->owed = healing->job.owed;
  healing->carry = carry_start(healing->healer->handle, healing->key,
                               healing->store, &events, healing);
  if (healing->carry == NULL)
    heal_leave_key(healing, false);
}

/* Or the desk may find that the queue can be written again. */
static bool is_needed(const struct healing *healing) {
  const struct healer *healer = healing->healer;
  struct mirror *shared = healer->handle->shared;
  return atomic_load(&shared->state) == MIRROR_UNWRITTEN ||
         (healer->after_ms[healing->store] <= clock_ms() &&
          atomic_load(&shared->owed[healing->store]) > 0);
}

static void heal_next(struct healing *healing) {
  struct healer *healer = healing->healer;
  if (!is_needed(healing))
    return;
  bool waits = healer->after_ms[healing->store] > clock_ms();
  healing->job = (struct desk_job){.wish = DESK_NEXT,
                                   .owed = waits ? 0 : 1U << healing->store,
                                   .then = on_picked,
                                   .arg = healing};
  healing->out = true;
  desk_ask(healer->handle, &healing->job);
}

static void on_place(evutil_socket_t fd, short what, void *arg) {
  (void)fd, (void)what;
  heal_next(arg);
}

/* ---- life --------------------------------------------------------------- */

/* A place is busy from its question to the desk until all of it is over. */
static bool is_busy(const struct healing *healing) {
  return healing->out || healing->carry != NULL ||
         evtimer_pending(healing->timer, NULL);
}

static void on_tick(evutil_socket_t fd, short what, void *arg) {
  struct healer *healer = arg;
  (void)fd, (void)what;
  heal_report(healer);
  for (unsigned i = 1; i < healer->handle->shared->count; i++)
    for (size_t k = 0; k < HEAL_PLACES; k++)
      if (!is_busy(&healer->places[i][k]))
        mirror_wait(healer->places[i][k].timer, 0);
  mirror_wait(healer->tick, healer->handle->shared->conf->heal_ms);
}

void healer_close(struct mirror_handle *handle) {
  struct healer *healer = handle->healer;
  if (healer == NULL)
    return;
  for (unsigned i = 1; i < handle->shared->count; i++)
    for (size_t k = 0; k < HEAL_PLACES; k++)
      if (healer->places[i][k].timer != NULL)
        event_free(healer->places[i][k].timer);
  if (healer->tick != NULL)
    event_free(healer->tick);
  sluice_memory_give(handle->host, healer->taken);
  free(healer);
  handle->healer = NULL;
  atomic_store(&handle->shared->has_healer, false);
}

bool healer_open(struct mirror_handle *handle) {
  struct mirror *shared = handle->shared;
  struct event_base *base = sluice_loop(handle->host);
  struct healer *healer = calloc(1, sizeof *healer);
  handle->healer = healer;
  if (healer == NULL)
    return false;
  healer->handle = handle;
  size_t size = arrears_memory(&shared->arrears_conf);
  bool whole = sluice_memory_take(handle->host, size);
  healer->taken = whole ? size : 0;
  whole = whole && (healer->tick = evtimer_new(base, on_tick, healer)) != NULL;
  for (unsigned i = 1; i < shared->count; i++)
    for (size_t k = 0; k < HEAL_PLACES; k++) {
      struct healing *healing = &healer->places[i][k];
      healing->healer = healer;
      healing->store = i;
      healing->timer = evtimer_new(base, on_place, healing);
      whole = whole && healing->timer != NULL;
    }
  for (unsigned i = 0; i < MIRROR_MAX; i++)
    healer->wait_ms[i] = shared->conf->heal_ms;
  if (whole)
    mirror_wait(healer->tick, 0);
  else
    healer_close(handle);
  return whole;
}
