/* SPDX-License-Identifier: MIT
 *
 * When the notes of a backend are looked at: where something is due, or often
 * enough, or, where there is none, now and then.  After a leap of the clock
 * nothing is removed for a while.
 */
#include "sweepkinds.h"

#include <inttypes.h>

#include "ask.h"
#include "clock.h"
#include "date.h"
#include "expired.h"
#include "log.h"
#include "uploads.h"

#define FIRST_MS 4000
#define EVERY_MS (30 * 1000) /* or sooner, when something is due */
#define SOON_MS 5000
#define NEXT_MS 100 /* between two pages of what is due */

struct expirysweep {
  struct expired_walk expired;
  /* While there is no note, who writes one here wakes it. */
  int64_t idle_ms;         /* between two looks; 0: there are some */
  uint64_t idle_at;        /* of the clock, the next of them */
  unsigned notes;          /* that were written before the last one */
  int64_t wall_ms, now_ms; /* both clocks, when they were compared last */
};

static unsigned expirysweep_notes(const struct walk *walk) {
  const struct gate *gate = walk->of;
  return uploads_notes(gate->uploads);
}

static bool expirysweep_clocks_agree(struct expirysweep *sweep,
                                     const char *name) {
  int64_t wall_ms = date_now_ms(), now_ms = (int64_t)clock_ms();
  int64_t wall = wall_ms - sweep->wall_ms, passed = now_ms - sweep->now_ms;
  bool agree = sweep->now_ms == 0 || expiry_clocks_agree(wall, passed);
  sweep->wall_ms = wall_ms;
  sweep->now_ms = now_ms;
  if (!agree)
    log_line(SLUICE_LOG_WARN, name,
             "the clock went on by %" PRId64 " s in %" PRId64
             " s: what has expired is removed a round later",
             wall / 1000, passed / 1000);
  return agree;
}

static int64_t expirysweep_wait(struct walk *walk) {
  struct expirysweep *sweep = (struct expirysweep *)walk;
  unsigned notes = expirysweep_notes(walk);
  if (!expirysweep_clocks_agree(sweep, walk->backend->host.name))
    return EVERY_MS;
  if (sweep->idle_ms > 0 && clock_ms() < sweep->idle_at &&
      notes == sweep->notes)
    return SOON_MS;
  sweep->notes = notes;
  sweep->expired.next_s = 0;
  return 0;
}

static enum walk_choice expirysweep_choose(struct walk *walk,
                                           const struct op_entry *entry) {
  ((struct expirysweep *)walk)->idle_ms = 0;
  return expired_choose(walk, entry);
}

/* There is nothing to do but to look again now and then. */
static int64_t expirysweep_idle(struct expirysweep *sweep) {
  sweep->idle_ms = expiry_idle_ms(sweep->idle_ms);
  sweep->idle_at = clock_ms() + (uint64_t)sweep->idle_ms;
  return SOON_MS;
}

/* Until something is due, as far as is known: others may come before it. */
static int64_t expirysweep_until_due(const struct expirysweep *sweep) {
  int64_t left = sweep->expired.next_s * 1000 - date_now_ms();
  if (left <= 0 || left > EVERY_MS)
    return EVERY_MS;
  return left < SOON_MS ? SOON_MS : left;
}

static int64_t expirysweep_pause(struct walk *walk, enum walk_rest rest) {
  struct expirysweep *sweep = (struct expirysweep *)walk;
  switch (rest) {
  case WALK_BEGINS:
    expirysweep_clocks_agree(sweep, walk->backend->host.name);
    return FIRST_MS;
  case WALK_PAGE_ENDS:
    return NEXT_MS;
  case WALK_ROUND_ENDS:
    sweep->idle_ms = 0;
    return expirysweep_until_due(sweep);
  case WALK_FINDS_NOTHING:
    return expirysweep_idle(sweep);
  case WALK_FAILS:
    break;
  }
  return EVERY_MS;
}

/* ---- where -------------------------------------------------------------- */

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

bool expirysweep_is_for(const struct gate *gate, size_t backend) {
  return may_any_end(gate->settings) &&
         (is_routed(gate, backend) || !is_below(gate, backend));
}

const struct walk_kind expirysweep = {
    .folder = EXPIRY_FOLDER,
    .failure = "objects that have expired can't be found",
    .untold = SLUICE_EDENIED, /* a storage that lets nothing be listed */
    .page = EXPIRED_PAGE,
    .size = sizeof(struct expirysweep),
    .task_size = sizeof(struct expired),
    .wait = expirysweep_wait,
    .choose = expirysweep_choose,
    .start = expired_start,
    .pause = expirysweep_pause,
};
