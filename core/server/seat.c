/* SPDX-License-Identifier: MIT
 *
 * From a generation to a gate.
 */
#include "seat.h"

#include <stdio.h>
#include <stdlib.h>

#include "exchange.h"
#include "gateway.h"
#include "linksecret.h"
#include "linkuses.h"
#include "readiness.h"
#include "revocations.h"
#include "sweeps.h"

/* ---- handles ------------------------------------------------------------ */

static bool seat_no_memory(struct worker *worker) {
  snprintf(worker->failure, sizeof worker->failure, "out of memory");
  return false;
}

static bool seat_fail(struct worker *worker, const char *kind,
                      const struct presence *presence) {
  const struct sluice_host *host = presence_host(presence);
  snprintf(worker->failure, sizeof worker->failure, "%s '%s': %.900s", kind,
           host->name, host->failure);
  return false;
}

static bool open_backend(struct seat *seat, size_t i) {
  struct worker *worker = seat->worker;
  struct presence *presence =
      presence_take(worker, seat->generation->backends[i]);
  if (presence == NULL)
    return seat_no_memory(worker);
  seat->backends[i] = presence;
  seat->gate.backends[i] = &presence->backend;
  return presence_open_backend(presence, seat->generation, i,
                               seat->gate.backends) ||
         seat_fail(worker, "backend", presence);
}

static bool open_hook(struct seat *seat, size_t i) {
  struct worker *worker = seat->worker;
  struct presence *presence =
      presence_take(worker, seat->generation->hooks[i]);
  if (presence == NULL)
    return seat_no_memory(worker);
  seat->hooks[i] = presence;
  seat->gate.hooks[i] = &presence->hook;
  return presence_open_hook(presence) || seat_fail(worker, "hook", presence);
}

static bool seat_open_all(struct seat *seat) {
  const struct generation *generation = seat->generation;
  const struct settings *settings = generation->settings;
  for (size_t i = 0; i < settings->backend_count; i++)
    if (!open_backend(seat, generation->order[i]))
      return false;
  for (size_t i = 0; i < settings->hook_count; i++)
    if (!open_hook(seat, i))
      return false;
  return true;
}

static void close_all(struct seat *seat) {
  const struct generation *generation = seat->generation;
  const struct settings *settings = generation->settings;
  for (size_t i = 0; seat->hooks != NULL && i < settings->hook_count; i++)
    if (seat->hooks[i] != NULL)
      presence_leave(seat->hooks[i]);
  for (size_t i = settings->backend_count; seat->backends != NULL && i-- > 0;)
    if (seat->backends[generation->order[i]] != NULL)
      presence_leave(seat->backends[generation->order[i]]);
  free(seat->hooks);
  free(seat->backends);
  seat->hooks = seat->backends = NULL;
}

static void free_parts(struct seat *seat) {
  struct gate *gate = &seat->gate;
  readiness_free(gate->readiness);
  linksecrets_free(gate->links);
  revocations_free(gate->revocations);
  linkuses_free(gate->linkuses);
  sweeps_free(seat->sweeps);
  exchange_free_pending(gate);
  headerlines_fini(&gate->lines);
  free(gate->backends);
  free(gate->hooks);
  free(gate->common_hooks);
}

void seat_close(struct seat *seat) {
  if (seat->closed)
    return;
  seat->closed = true;
  close_all(seat);
  free_parts(seat);
}

void seat_free(struct seat *seat) {
  free(seat);
}

/* ---- its gate ----------------------------------------------------------- */

static void seat_on_ended(void *arg) {
  struct seat *seat = arg;
  seat->worker->noted(seat->worker);
}

static void set_timeout(struct seat *seat) {
  int64_t ms = seat->generation->settings->limits.backend_timeout_ms;
  seat->backend_timeout =
      (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
  /* There is room for 256 of them; others are as good, and dearer. */
  seat->gate.backend_timeout = event_base_init_common_timeout(
      loop_base(seat->worker->loop), &seat->backend_timeout);
  if (seat->gate.backend_timeout == NULL)
    seat->gate.backend_timeout = &seat->backend_timeout;
}

static bool make_lists(struct seat *seat) {
  const struct settings *settings = seat->generation->settings;
  struct gate *gate = &seat->gate;
  gate->backends = calloc(settings->backend_count, sizeof(*gate->backends));
  gate->hooks = calloc(settings->hook_count + 1, sizeof(*gate->hooks));
  gate->common_hooks =
      calloc(settings->common_hooks + 1, sizeof(*gate->common_hooks));
  seat->backends = calloc(settings->backend_count, sizeof(*seat->backends));
  seat->hooks = calloc(settings->hook_count + 1, sizeof(*seat->hooks));
  if (gate->backends == NULL || gate->hooks == NULL ||
      gate->common_hooks == NULL || seat->backends == NULL ||
      seat->hooks == NULL)
    return seat_no_memory(seat->worker);
  for (size_t i = 0; i < settings->common_hooks; i++)
    gate->common_hooks[i] = i;
  return true;
}

static bool make_parts(struct seat *seat) {
  struct gate *gate = &seat->gate;
  return (headerlines_init(&gate->lines, gate->settings) &&
          (gate->readiness = readiness_new(gate)) != NULL &&
          (gate->links = linksecrets_new(gate)) != NULL &&
          (gate->revocations = revocations_new(gate)) != NULL &&
          (gate->linkuses = linkuses_new(gate)) != NULL) ||
         seat_no_memory(seat->worker);
}

struct seat *seat_new(struct worker *worker, struct generation *generation) {
  struct gateway *gateway = worker->gateway;
  struct seat *seat = calloc(1, sizeof *seat);
  if (seat == NULL) {
    seat_no_memory(worker);
    return NULL;
  }
  seat->worker = worker;
  seat->generation = generation;
  seat->gone.run = worker->gone;
  seat->gate = (struct gate){.settings = generation->settings,
                             .routes = &generation->routes,
                             .loop = worker->loop,
                             .memory = &gateway->memory,
                             .metrics = &generation->counts[worker->index],
                             .clients = &gateway->clients,
                             .refusals = &worker->refusals,
                             .uploads = gateway->uploads,
                             .marks = generation->marks,
                             .keyed = generation->keyed,
                             .cursor_keys = generation->cursor_keys,
                             .spent = &worker->spent,
                             .draining = worker->draining,
                             .debt = {.paid = seat_on_ended, .arg = seat},
                             .ended = seat_on_ended,
                             .arg = seat};
  TAILQ_INIT(&seat->gate.left);
  TAILQ_INIT(&seat->gate.all);
  set_timeout(seat);
  if (make_lists(seat) && seat_open_all(seat) && make_parts(seat))
    return seat;
  seat_close(seat);
  seat_free(seat);
  return NULL;
}

/* ---- in use, and not any more ------------------------------------------- */

void seat_use(struct seat *seat) {
  if (seat->worker->index != 0)
    return;
  seat->sweeps = sweeps_new(&seat->gate);
}

void seat_retire(struct seat *seat) {
  sweeps_stop(seat->sweeps);
}

static bool are_idle(struct presence *const *list, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (list[i]->seats == 1 && !presence_is_idle(list[i]))
      return false;
  return true;
}

bool seat_is_idle(const struct seat *seat) {
  const struct gate *gate = &seat->gate;
  return gate->exchanges == 0 && gate->pending == NULL &&
         gate->debt.count == 0 &&
         are_idle(seat->backends, gate->settings->backend_count) &&
         are_idle(seat->hooks, gate->settings->hook_count);
}
