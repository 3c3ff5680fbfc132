/* SPDX-License-Identifier: MIT
 *
 * Handles: opened once on each loop, shared, and closed by the last seat.
 */
#include "presence.h"

#include <stdlib.h>

#include "gateway.h"
#include "layers.h"
#include "violation.h"

static bool is_backend(const struct presence *presence) {
  return presence->of->plugin.kind == PLUGIN_BACKEND;
}

static struct presence *presence_find(struct worker *worker,
                                      const struct instance *instance) {
  struct presence *presence;
  for (presence = LIST_FIRST(&worker->presences); presence != NULL;
       presence = LIST_NEXT(presence, in_list))
    if (presence->of == instance)
      return presence;
  return NULL;
}

static struct sluice_host host_of(struct worker *worker,
                                  const struct instance *instance) {
  struct sluice_host host = instance->host;
  host.loop = worker->loop;
  host.row = meter_row_new(instance->meter, instance);
  host.debt = (struct loop_debt){.paid = worker->noted, .arg = worker};
  return host;
}

/* Plugins may point to operations, and to what layers ask for: they stay. */
static void presence_begin(struct presence *presence, struct worker *worker,
                           const struct instance *instance) {
  struct op_backend *backend = &presence->backend;
  struct request_hook *hook = &presence->hook;
  struct quarantine ops = backend->ops;
  struct op_layer *layer =
      backend->layer != NULL ? backend->layer : presence->spare;
  bool is_layer = instance->layer != NULL;
  struct repeats backend_repeats = backend->repeats;
  struct repeats hook_repeats = hook->repeats;
  presence->of = instance;
  *backend = (struct op_backend){.ops = ops,
                                 .layer = is_layer ? layer : NULL,
                                 .repeats = backend_repeats};
  presence->spare = is_layer ? NULL : layer;
  *hook = (struct request_hook){.repeats = hook_repeats};
  if (is_backend(presence)) {
    backend->plugin = instance_offers(instance);
    backend->host = host_of(worker, instance);
    backend->abilities = instance->abilities;
    backend->metrics = &instance->calls[worker->index];
  } else {
    hook->plugin = &instance->plugin.hook;
    hook->host = host_of(worker, instance);
  }
}

struct presence *presence_take(struct worker *worker,
                               const struct instance *instance) {
  struct presence *presence = presence_find(worker, instance);
  if (presence == NULL) {
    presence = presence_find(worker, NULL);
    if (presence == NULL) {
      presence = calloc(1, sizeof *presence);
      if (presence == NULL)
        return NULL;
      LIST_INSERT_HEAD(&worker->presences, presence, in_list);
    }
    presence_begin(presence, worker, instance);
  }
  presence->seats++;
  return presence;
}

bool presence_open_backend(struct presence *presence,
                           const struct generation *generation, size_t index,
                           struct op_backend *const *backends) {
  struct op_backend *backend = &presence->backend;
  const struct instance *of = presence->of;
  if (presence->is_open)
    return true;
  if (layers_open(generation, index, backends))
    backend->handle = of->plugin.backend.open(of->started, &backend->host);
  else
    sluice_fail(&backend->host, "out of memory");
  presence->is_open = backend->handle != NULL;
  return presence->is_open;
}

bool presence_open_hook(struct presence *presence) {
  struct request_hook *hook = &presence->hook;
  if (!presence->is_open)
    hook->handle = hook->plugin->open(presence->of->started, &hook->host);
  presence->is_open = hook->handle != NULL;
  return presence->is_open;
}

const struct sluice_host *presence_host(const struct presence *presence) {
  return is_backend(presence) ? &presence->backend.host : &presence->hook.host;
}

bool presence_is_idle(const struct presence *presence) {
  return presence_host(presence)->debt.count == 0;
}

/* ---- the end ------------------------------------------------------------ */

static void close_backend(struct presence *presence) {
  struct op_backend *backend = &presence->backend;
  presence->of->plugin.backend.close(backend->handle);
  if (backend->host.taken > 0)
    violation_note(&backend->misused, &backend->host, backend->plugin->name,
                   "close", VIOLATION_KEEPS);
  repeat_end(&backend->repeats);
  violation_sum(backend->host.name, backend->plugin->name, backend->misused,
                backend->silent);
}

static void close_hook(struct presence *presence) {
  struct request_hook *hook = &presence->hook;
  hook->plugin->close(hook->handle);
  if (hook->host.taken > 0)
    violation_note(&hook->misused, &hook->host, hook->plugin->name, "close",
                   VIOLATION_KEEPS);
  repeat_end(&hook->repeats);
  violation_sum(hook->host.name, hook->plugin->name, hook->misused,
                hook->silent);
}

/* A pointer that is still kept finds something that does nothing. */
static void bury(struct presence *presence) {
  static const struct sluice_backend no_backend = {.name = "of before"};
  static const struct sluice_hook no_hook = {.name = "of before"};
  layers_close(&presence->backend);
  meter_row_free(is_backend(presence) ? presence->backend.host.row
                                      : presence->hook.host.row);
  presence->backend.host.row = presence->hook.host.row = NULL;
  presence->backend.plugin = &no_backend;
  presence->backend.host.name = presence->hook.host.name = "of before";
  presence->backend.metrics = NULL;
  presence->backend.handle = presence->hook.handle = NULL;
  presence->hook.plugin = &no_hook;
  presence->of = NULL;
  presence->is_open = false;
}

void presence_leave(struct presence *presence) {
  if (--presence->seats > 0)
    return;
  if (presence->is_open && is_backend(presence))
    close_backend(presence);
  else if (presence->is_open)
    close_hook(presence);
  bury(presence);
}

void presences_free(struct worker *worker) {
  while (!LIST_EMPTY(&worker->presences)) {
    struct presence *presence = LIST_FIRST(&worker->presences);
    LIST_REMOVE(presence, in_list);
    free(presence->backend.layer);
    free(presence->spare);
    free(presence);
  }
}
