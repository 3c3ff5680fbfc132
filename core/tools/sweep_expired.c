/* SPDX-License-Identifier: MIT
 *
 * One walk through the notes of the backend, which is started and opened on a
 * stand.
 */
#include "sweep_expired.h"

#include <string.h>

#include "doctor.h"
#include "expired.h"
#include "log.h"
#include "stand.h"

#define FRUITLESS_MAX 10 /* rounds in a row that removed nothing: the last */

struct sweeping {
  struct stand stand;
  struct loop_debt debt;
  struct report *report;
  bool removes, broken;
  uint64_t count, failed; /* objects, so far; those that couldn't be removed */
  uint64_t failed_before; /* in rounds that are over */
  uint64_t gone;          /* objects of this round */
  unsigned fruitless;
};

/* ---- the walk ----------------------------------------------------------- */

static void sweeping_tell(struct expired_walk *expired, const char *key,
                          enum sluice_status status, const char *why) {
  struct sweeping *sweeping = expired->teller;
  struct errmsg text;
  if (status == SLUICE_EPRECOND || status == SLUICE_ENOENT)
    return; /* another one is there by now, or none */
  if (status != SLUICE_OK) {
    sweeping->failed++;
    errmsg_set(&text, "it has expired, and can't be removed: %s",
               why == NULL ? "no reason given" : why);
  } else {
    sweeping->gone++;
    errmsg_set(&text, "it has expired; %s",
               sweeping->removes ? "it is removed" : "--do removes it");
  }
  sweeping->count++;
  const struct sluice_finding finding = {
      SLUICE_FINDING, .what = "expired-object", .key = key, .text = text.text,
      .good = status == SLUICE_OK && sweeping->removes};
  report_finding(sweeping->report, &finding);
}

/* Is a round that failed gone on with?  Where objects ended it that can't be
 * removed: there may be others behind them, though not without end. */
static bool sweeping_goes_on(struct sweeping *sweeping) {
  bool by_objects = sweeping->failed > sweeping->failed_before;
  sweeping->fruitless = sweeping->gone > 0 ? 0 : sweeping->fruitless + 1;
  sweeping->failed_before = sweeping->failed;
  sweeping->gone = 0;
  return by_objects && sweeping->fruitless < FRUITLESS_MAX;
}

static int64_t sweeping_pause(struct walk *walk, enum walk_rest rest) {
  struct sweeping *sweeping = ((struct expired_walk *)walk)->teller;
  if (rest == WALK_BEGINS || rest == WALK_PAGE_ENDS)
    return 0; /* at the first there is no teller yet */
  if (rest == WALK_FAILS && sweeping_goes_on(sweeping))
    return 0;
  sweeping->broken = rest == WALK_FAILS;
  loop_stop(sweeping->stand.loop);
  return INT32_MAX;
}

static const struct walk_kind sweeping_kind = {
    .folder = EXPIRY_FOLDER,
    .failure = "objects that have expired can't be found",
    .page = EXPIRED_PAGE,
    .size = sizeof(struct expired_walk),
    .task_size = sizeof(struct expired),
    .choose = expired_choose,
    .start = expired_start,
    .pause = sweeping_pause,
};

static bool sweeping_walk(struct sweeping *sweeping,
                          struct op_backend *backend, struct errmsg *err) {
  struct walk *walk =
      walk_new(&sweeping_kind, backend, &sweeping->debt, NULL, 0);
  if (walk == NULL)
    return errmsg_set(err, "out of memory");
  struct expired_walk *expired = (struct expired_walk *)walk;
  expired->looks_only = !sweeping->removes;
  expired->tell = sweeping_tell;
  expired->teller = sweeping;
  loop_run(sweeping->stand.loop);
  walk_stop(walk);
  bool all_told = walk->failed == sweeping->failed;
  walk_free(walk);
  return (all_told && !sweeping->broken) ||
         errmsg_set(err, "not all objects that have expired were found; the "
                         "lines above say why, run it again");
}

/* ---- the stand ---------------------------------------------------------- */

/* A start makes no store and no bucket, and removes nothing of S3.  What a
 * crash left is mended, and a mirror heals, as with each start. */
static void make_harmless(struct gateway *gateway) {
  struct doctor at = {.gateway = gateway};
  for (; at.backend < gateway->now->settings->backend_count; at.backend++) {
    doctor_set_bool(&at, "create", false);
    doctor_set_bool(&at, "create_bucket", false);
    doctor_set_int(&at, "sweep_uploads", 0);
  }
}

static bool is_routed(const struct settings *settings, size_t i) {
  for (size_t at = 0; at < settings->route_count; at++)
    if (settings->routes[at].backend == i)
      return true;
  return false;
}

/* The layer that stands on it, and knows its other stores, too, or what the
 * notes say; NULL: none, or it has a route of its own. */
static const char *layer_above(const struct gateway *gateway, size_t i) {
  const struct settings *settings = gateway->now->settings;
  if (is_routed(settings, i))
    return NULL;
  for (size_t at = 0; at < settings->backend_count; at++) {
    const struct instance *layer = gateway->now->backends[at];
    for (size_t n = 0; n < layer->below_count; n++)
      if (layer->below[n] == i)
        return settings->backends[at].name;
  }
  return NULL;
}

static bool sweeping_do(struct sweeping *sweeping, struct gateway *gateway,
                        const char *name, struct errmsg *err) {
  const struct settings *settings = gateway->now->settings;
  size_t i = 0;
  while (i < settings->backend_count &&
         strcmp(settings->backends[i].name, name) != 0)
    i++;
  if (i == settings->backend_count)
    return errmsg_set(err, "'%s' is no backend of %s", name,
                      settings->config->file);
  const char *layer = layer_above(gateway, i);
  if (layer != NULL) {
    log_plain("sluice sweep: objects that have expired are found through "
              "'%s', which stands on '%s': name that one for them",
              layer, name);
    sweeping->count = SWEEP_EXPIRED_NONE;
    return true;
  }
  make_harmless(gateway);
  bool ok = stand_init(&sweeping->stand, gateway, err) &&
            stand_backend(&sweeping->stand, i, err) &&
            sweeping_walk(sweeping, &sweeping->stand.backends[i], err);
  stand_fini(&sweeping->stand);
  return ok;
}

bool sweep_expired(const char *file, const char *backend, bool removes,
                   struct report *report, uint64_t *count,
                   struct errmsg *err) {
  struct sweeping sweeping = {.report = report, .removes = removes};
  struct gateway *gateway = gateway_new(file, SLUICE_PLUGINDIR, err);
  bool ok = gateway != NULL && sweeping_do(&sweeping, gateway, backend, err);
  gateway_free(gateway);
  *count = sweeping.count;
  return ok;
}
