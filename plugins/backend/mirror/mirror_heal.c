/* SPDX-License-Identifier: MIT
 *
 * Heals: keys that a storage lacks are taken one after the other, and it is
 * made equal to the first one in them.  A few at once, on one loop; between
 * two of them the loop is let go, so that it can end.
 */
#include <event2/event.h>
#include <inttypes.h>
#include <stdlib.h>

#include "clock.h"
#include "mirror_carry.h"
#include "mirror_desk.h"

#define HEAL_PLACES 4
#define HEAL_FACTOR 8 /* of `heal`: the longest wait for one that fails */

struct healing { /* of one key, for one storage */
  struct healer *healer;
  struct event *timer; /* the next one begins */
  struct desk_job job;
  struct mirror_carry *carry;
  char *key;
  unsigned store, owed;
  bool out; /* the desk has its job */
  enum sluice_status status;
};

struct healer {
  struct mirror_handle *handle;
  struct event *tick;
  struct healing places[HEAL_PLACES];
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

static void on_key_left(void *arg) {
  struct healing *healing = arg;
  free(healing->key);
  healing->key = NULL;
  healing->out = false;
  heal_report(healing->healer);
  mirror_wait(healing->timer, 0);
}

/* It is given back with what is still lacked. */
static void leave(struct healing *healing, unsigned owed) {
  healing->job = (struct desk_job){.wish = DESK_LEAVE,
                                   .key = healing->key,
                                   .owed = owed,
                                   .postpone = healing->status != SLUICE_OK,
                                   .then = on_key_left,
                                   .arg = healing};
  desk_ask(healing->healer->handle, &healing->job);
}

static void put_off(struct healer *healer, unsigned store) {
  int64_t heal_ms = healer->handle->shared->conf->heal_ms;
  int64_t wait = healer->wait_ms[store];
  healer->after_ms[store] = clock_ms() + (uint64_t)wait;
  healer->wait_ms[store] =
      2 * wait > heal_ms * HEAL_FACTOR ? heal_ms * HEAL_FACTOR : 2 * wait;
}

static void on_heal_result(void *arg, enum sluice_status status,
                           const char *why) {
  struct healing *healing = arg;
  struct healer *healer = healing->healer;
  struct mirror *shared = healer->handle->shared;
  healing->status = status;
  if (status == SLUICE_OK) {
    atomic_fetch_add(&shared->healed, 1);
    healer->wait_ms[healing->store] = shared->conf->heal_ms;
    mirror_is_back(shared, healing->store);
    return;
  }
  if (mirror_is_outage(status))
    put_off(healer, healing->store);
  else
    sluice_log(healer->handle->host, SLUICE_LOG_WARN,
               "'%s' can't be given what it lacks: %s",
               shared->conf->over[healing->store],
               why == NULL ? "no reason given" : why);
}

/* Nobody has the key before both storages have ended. */
static void on_heal_over(void *arg) {
  struct healing *healing = arg;
  unsigned bit = 1U << healing->store;
  healing->carry = NULL;
  leave(healing,
        healing->status == SLUICE_OK ? healing->owed & ~bit : healing->owed);
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
  healing->store = 1;
  while ((healing->job.late >> healing->store & 1) == 0)
    healing->store++;
  healing->carry = carry_start(healing->healer->handle, healing->key,
                               healing->store, &events, healing);
  if (healing->carry != NULL)
    return;
  healing->status = SLUICE_ENOMEM;
  leave(healing, healing->owed);
}

static unsigned willing(const struct healer *healer) {
  unsigned set = 0;
  for (unsigned i = 1; i < healer->handle->shared->count; i++)
    if (healer->after_ms[i] <= clock_ms())
      set |= 1U << i;
  return set;
}

static bool is_needed(const struct healer *healer) {
  for (unsigned i = 1; i < healer->handle->shared->count; i++)
    if (atomic_load(&healer->handle->shared->owed[i]) > 0)
      return true;
  return false;
}

static void heal_next(struct healing *healing) {
  struct healer *healer = healing->healer;
  unsigned set = willing(healer);
  if (set == 0 || !is_needed(healer))
    return;
  healing->job = (struct desk_job){
      .wish = DESK_NEXT, .owed = set, .then = on_picked, .arg = healing};
  healing->out = true;
  desk_ask(healer->handle, &healing->job);
}

static void on_place(evutil_socket_t fd, short what, void *arg) {
  (void)fd, (void)what;
  heal_next(arg);
}

/* ---- life --------------------------------------------------------------- */

/* A place is busy from its question to the desk until its key is left. */
static bool is_busy(const struct healing *healing) {
  return healing->out || evtimer_pending(healing->timer, NULL);
}

static void on_tick(evutil_socket_t fd, short what, void *arg) {
  struct healer *healer = arg;
  (void)fd, (void)what;
  heal_report(healer);
  for (size_t i = 0; i < HEAL_PLACES; i++)
    if (!is_busy(&healer->places[i]))
      mirror_wait(healer->places[i].timer, 0);
  mirror_wait(healer->tick, healer->handle->shared->conf->heal_ms);
}

void healer_close(struct mirror_handle *handle) {
  struct healer *healer = handle->healer;
  if (healer == NULL)
    return;
  for (size_t i = 0; i < HEAL_PLACES; i++)
    if (healer->places[i].timer != NULL)
      event_free(healer->places[i].timer);
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
  for (size_t i = 0; i < HEAL_PLACES; i++) {
    struct healing *healing = &healer->places[i];
    healing->healer = healer;
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
