/* SPDX-License-Identifier: MIT
 *
 * One walk through the notes of the backend, which is started and opened on a
 * stand.
 */
#include "sweep_expired.h"

#include <string.h>

#include "doctor.h"
#include "expired.h"
#include "stand.h"

struct sweeping {
  struct stand stand;
  struct loop_debt debt;
  struct report *report;
  bool removes, broken;
  unsigned failures; /* of this round */
  uint64_t count;
};

/* ---- the walk ----------------------------------------------------------- */

static void sweeping_tell(struct expired_walk *expired, const char *key,
                          enum sluice_status status, const char *why) {
  struct sweeping *sweeping = expired->teller;
  struct errmsg text;
  if (status == SLUICE_EPRECOND || status == SLUICE_ENOENT)
    return; /* another one is there by now, or none */
  if (status != SLUICE_OK) {
    sweeping->failures++;
    errmsg_set(&text, "it has expired, and can't be removed: %s",
               why == NULL ? "no reason given" : why);
  } else {
    errmsg_set(&text, "it has expired; %s",
               sweeping->removes ? "it is removed" : "--do removes it");
  }
  sweeping->count++;
  const struct sluice_finding finding = {
      SLUICE_FINDING, .what = "expired-object", .key = key, .text = text.text,
      .good = status == SLUICE_OK && sweeping->removes};
  report_finding(sweeping->report, &finding);
}

/* A round that objects end which can't be removed is gone on with. */
static int64_t sweeping_pause(struct walk *walk, enum walk_rest rest) {
  struct sweeping *sweeping = ((struct expired_walk *)walk)->teller;
  if (rest == WALK_BEGINS)
    return 0; /* there is no teller yet */
  bool goes_on =
      rest == WALK_PAGE_ENDS || (rest == WALK_FAILS && sweeping->failures > 0);
  sweeping->failures = 0;
  if (goes_on)
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
  walk_free(walk);
  return !sweeping->broken ||
         errmsg_set(err, "not all objects that have expired were found; the "
                         "lines above say why, run it again");
}

/* ---- the stand ---------------------------------------------------------- */

/* Nothing is made or removed by the start itself. */
static void make_harmless(struct gateway *gateway) {
  struct doctor at = {.gateway = gateway};
  for (; at.backend < gateway->now->settings->backend_count; at.backend++) {
    doctor_set_bool(&at, "create_bucket", false);
    doctor_set_int(&at, "sweep_uploads", 0);
  }
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
