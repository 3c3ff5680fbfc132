/* SPDX-License-Identifier: MIT
 *
 * The configuration made real: plugins loaded, options read, and started where
 * an earlier one hasn't started the same.
 */
#include "generation.h"

#include <stdlib.h>
#include <string.h>

#include "cursorkey.h"
#include "gateway.h"
#include "layers.h"
#include "meters.h"

#define SIGNING_KEY "signing_key" /* the option that is for links */

static bool generation_no_memory(struct errmsg *errmsg) {
  return errmsg_set(errmsg, "out of memory");
}

static bool load_plugins(struct generation *generation,
                         struct gateway *gateway, struct errmsg *errmsg) {
  struct settings *settings = generation->settings;
  generation->backends =
      calloc(settings->backend_count + 1, sizeof(*generation->backends));
  generation->hooks =
      calloc(settings->hook_count + 1, sizeof(*generation->hooks));
  if (generation->backends == NULL || generation->hooks == NULL)
    return generation_no_memory(errmsg);
  for (size_t i = 0; i < settings->backend_count; i++)
    if ((generation->backends[i] =
             instance_new(gateway, settings, &settings->backends[i],
                          PLUGIN_BACKEND, errmsg)) == NULL)
      return false;
  for (size_t i = 0; i < settings->hook_count; i++)
    if ((generation->hooks[i] =
             instance_new(gateway, settings, &settings->hooks[i], PLUGIN_HOOK,
                          errmsg)) == NULL)
      return false;
  return true;
}

/* A layer that has no secret of its own has the one of the backend below. */
static const struct instance *
keeper_of_secrets(const struct generation *generation,
                  const struct instance *backend) {
  while (backend->below_count > 0 &&
         !cursorkey_has(&backend->plugin, backend->conf, NULL))
    backend = generation->backends[backend->below[0]];
  return backend;
}

static bool make_keys(struct generation *generation,
                      const struct gateway *gateway, struct errmsg *errmsg) {
  const struct settings *settings = generation->settings;
  size_t count = settings->backend_count;
  generation->cursor_keys =
      calloc(count + 1, sizeof(*generation->cursor_keys));
  generation->lonely_cursors = calloc(count + 1, sizeof(bool));
  generation->keyed = calloc(count + 1, sizeof(bool));
  generation->marks = calloc(count + 1, sizeof(*generation->marks));
  if (generation->cursor_keys == NULL || generation->lonely_cursors == NULL ||
      generation->keyed == NULL || generation->marks == NULL)
    return generation_no_memory(errmsg);
  for (size_t i = 0; i < count; i++) {
    const struct instance *backend = generation->backends[i];
    const struct instance *secret = keeper_of_secrets(generation, backend);
    generation->cursor_keys[i] = cursorkey_new(
        settings->links.secret, settings->backends[i].name, &secret->plugin,
        secret->conf, gateway->spare_id, &generation->lonely_cursors[i]);
    if (generation->cursor_keys[i] == NULL)
      return generation_no_memory(errmsg);
    /* Links are signed with a secret of the options where it is for that. */
    generation->keyed[i] =
        cursorkey_has(&secret->plugin, secret->conf, SIGNING_KEY);
  }
  return true;
}

static bool make_counts(struct generation *generation,
                        const struct gateway *gateway, struct errmsg *errmsg) {
  const struct settings *settings = generation->settings;
  size_t loops = gateway->fixed == NULL ? settings->server.workers
                                        : gateway->fixed->server.workers;
  generation->counts = calloc(loops, sizeof(*generation->counts));
  for (; generation->counts != NULL && generation->loops < loops;
       generation->loops++)
    if (!metrics_init(&generation->counts[generation->loops],
                      settings->route_count + 1, 0))
      return generation_no_memory(errmsg);
  return generation->counts != NULL || generation_no_memory(errmsg);
}

struct generation *generation_new(struct gateway *gateway,
                                  struct errmsg *errmsg) {
  struct generation *generation = calloc(1, sizeof *generation);
  if (generation == NULL) {
    generation_no_memory(errmsg);
    return NULL;
  }
  generation->settings = settings_load(gateway->file, gateway->folder, errmsg);
  if (generation->settings != NULL &&
      load_plugins(generation, gateway, errmsg) &&
      meters_check(generation, errmsg) && layers_find(generation, errmsg) &&
      make_keys(generation, gateway, errmsg) &&
      make_counts(generation, gateway, errmsg) &&
      certificate_load(&generation->certificate,
                       &generation->settings->server.tls, errmsg) &&
      route_table_init(&generation->routes, generation->settings,
                       gateway_endpoints, errmsg))
    return generation;
  generation_free(generation);
  return NULL;
}

/* ---- what stays --------------------------------------------------------- */

/* A layer stays where all that it stands on does. */
static bool stands(const struct generation *generation,
                   const struct instance *layer) {
  for (size_t i = 0; i < layer->below_count; i++)
    if (generation->backends[layer->below[i]]->started == NULL)
      return false;
  return true;
}

static void take_over(struct instance **mine, struct instance *before) {
  instance_leave(*mine);
  *mine = before;
  before->users++;
}

static bool is_taken(const struct generation *generation,
                     const struct instance *hook) {
  for (size_t i = 0; i < generation->settings->hook_count; i++)
    if (generation->hooks[i] == hook)
      return true;
  return false;
}

void generation_inherit(struct generation *generation,
                        const struct generation *before) {
  size_t backends = before->settings->backend_count;
  size_t hooks = before->settings->hook_count;
  for (size_t k = 0; k < generation->ordered; k++) {
    struct instance **mine = &generation->backends[generation->order[k]];
    for (size_t i = 0; i < backends; i++)
      if ((*mine)->started == NULL &&
          instance_same(*mine, before->backends[i]) &&
          stands(generation, *mine))
        take_over(mine, before->backends[i]);
  }
  /* Of several that are the same each is one's. */
  for (size_t k = 0; k < generation->settings->hook_count; k++)
    for (size_t i = 0; i < hooks; i++)
      if (generation->hooks[k]->started == NULL &&
          instance_same(generation->hooks[k], before->hooks[i]) &&
          !is_taken(generation, before->hooks[i]))
        take_over(&generation->hooks[k], before->hooks[i]);
}

bool generation_same(const struct generation *generation,
                     const struct generation *before) {
  return config_same(generation->settings->config->root,
                     before->settings->config->root);
}

/* ---- its start ---------------------------------------------------------- */

/* Of the one backend that a layer stands on. */
static unsigned abilities_below(const struct generation *generation,
                                const struct instance *backend) {
  return layer_kind(plugin_options(&backend->plugin)) == LAYER_ONE
             ? generation->backends[backend->below[0]]->abilities
             : 0;
}

static size_t plugins_of(const struct settings *settings) {
  return settings->backend_count + settings->hook_count;
}

bool generation_start_backend(struct generation *generation,
                              struct gateway *gateway, size_t index,
                              struct errmsg *errmsg) {
  struct instance *backend = generation->backends[index];
  if (backend->started != NULL)
    return true;
  layers_start(generation, backend);
  return instance_start(backend, gateway, abilities_below(generation, backend),
                        plugins_of(generation->settings), errmsg);
}

bool generation_start(struct generation *generation, struct gateway *gateway,
                      struct errmsg *errmsg) {
  const struct settings *settings = generation->settings;
  for (size_t k = 0; k < generation->ordered; k++)
    if (!generation_start_backend(generation, gateway, generation->order[k],
                                  errmsg))
      return false;
  for (size_t i = 0; i < settings->backend_count; i++)
    generation->marks[i] = generation->backends[i]->marks;
  for (size_t i = 0; i < settings->hook_count; i++)
    if (generation->hooks[i]->started == NULL &&
        !instance_start(generation->hooks[i], gateway, 0, plugins_of(settings),
                        errmsg))
      return false;
  return true;
}

/* ---- its end ------------------------------------------------------------ */

/* Layers before those that they stand on; without an order nothing was
 * started. */
static void leave_backends(struct generation *generation) {
  size_t count = generation->settings->backend_count;
  if (generation->ordered == count)
    for (size_t k = count; k-- > 0;)
      instance_leave(generation->backends[generation->order[k]]);
  else
    for (size_t i = 0; i < count; i++)
      instance_leave(generation->backends[i]);
}

static void free_keys(struct generation *generation) {
  for (size_t i = 0;
       generation->cursor_keys != NULL && generation->cursor_keys[i] != NULL;
       i++)
    digest_key_free(generation->cursor_keys[i]);
  free(generation->cursor_keys);
  free(generation->lonely_cursors);
  free(generation->keyed);
  free(generation->marks);
}

void generation_free(struct generation *generation) {
  if (generation == NULL)
    return;
  route_table_fini(&generation->routes);
  free_keys(generation);
  for (size_t i = 0; i < generation->loops; i++)
    metrics_fini(&generation->counts[i]);
  free(generation->counts);
  SSL_CTX_free(generation->certificate.tls);
  for (size_t i = 0;
       generation->hooks != NULL && i < generation->settings->hook_count; i++)
    instance_leave(generation->hooks[i]);
  if (generation->backends != NULL)
    leave_backends(generation);
  free(generation->hooks);
  free(generation->backends);
  free(generation->order);
  settings_free(generation->settings);
  free(generation);
}
