/* SPDX-License-Identifier: MIT
 *
 * As worker.c and gateway_run.c do it, for some of the backends.
 */
#include "pair_of_stores.h"

#include <stdlib.h>
#include <string.h>

#include "layers.h"
#include "work.h"

static bool find_backend(const struct gateway *gateway, const char *name,
                         size_t *index, struct errmsg *err) {
  const struct settings *settings = gateway->settings;
  for (*index = 0; *index < settings->backend_count; ++*index)
    if (strcmp(settings->backends[*index].name, name) == 0)
      return true;
  return errmsg_set(err, "'%s' is no backend of %s; name one of its backends",
                    name, settings->config->file);
}

static void need(struct pair_of_stores *pair, size_t index) {
  const struct gateway_plugin *backend = &pair->gateway->backends[index];
  pair->needed[index] = true;
  for (size_t i = 0; i < backend->below_count; i++)
    need(pair, backend->below[i]);
}

static bool open_store(struct pair_of_stores *pair, size_t index,
                       struct errmsg *err) {
  struct gateway *gateway = pair->gateway;
  struct gateway_plugin *from = &gateway->backends[index];
  struct op_backend *backend = &pair->handles[index];
  backend->plugin = gateway_offers(from);
  backend->host = from->host;
  backend->host.loop = pair->loop;
  backend->abilities = from->abilities;
  backend->index = index;
  if (layers_open(gateway, index, pair->handles))
    backend->handle =
        from->plugin.backend.open(from->instance, &backend->host);
  return backend->handle != NULL ||
         errmsg_set(err, "backend '%s': %s", from->host.name,
                    backend->host.failure);
}

bool pair_of_stores_init(struct pair_of_stores *pair, const char *file,
                         const char *from, const char *to,
                         struct errmsg *err) {
  *pair = (struct pair_of_stores){.gateway = NULL};
  struct gateway *gateway = gateway_new(file, SLUICE_PLUGINDIR, err);
  pair->gateway = gateway;
  if (gateway == NULL || !find_backend(gateway, from, &pair->from, err) ||
      !find_backend(gateway, to, &pair->to, err))
    return false;
  if (pair->from == pair->to)
    return errmsg_set(err, "'%s' is both; name two backends", from);
  size_t count = gateway->settings->backend_count;
  pair->loop = loop_new();
  pair->needed = calloc(count, sizeof *pair->needed);
  pair->handles = calloc(count, sizeof *pair->handles);
  gateway->pool = work_pool_new(gateway_threads(gateway->settings));
  if (pair->loop == NULL || pair->needed == NULL || pair->handles == NULL ||
      gateway->pool == NULL)
    return errmsg_set(err, "out of memory");
  need(pair, pair->from);
  need(pair, pair->to);
  for (size_t i = 0; i < gateway->ordered; i++)
    if (pair->needed[gateway->order[i]] &&
        !gateway_start_backend(gateway, gateway->order[i], err))
      return false;
  for (size_t i = 0; i < gateway->ordered; i++)
    if (pair->needed[gateway->order[i]] &&
        !open_store(pair, gateway->order[i], err))
      return false;
  return true;
}

void pair_of_stores_fini(struct pair_of_stores *pair) {
  struct gateway *gateway = pair->gateway;
  for (size_t i = gateway == NULL ? 0 : gateway->ordered; i-- > 0;) {
    size_t at = gateway->order[i];
    struct op_backend *backend =
        pair->handles == NULL ? NULL : &pair->handles[at];
    if (backend != NULL && backend->handle != NULL)
      gateway->backends[at].plugin.backend.close(backend->handle);
  }
  for (size_t i = gateway == NULL ? 0 : gateway->ordered; i-- > 0;) {
    size_t at = gateway->order[i];
    if (pair->handles != NULL)
      layers_close(&pair->handles[at]);
    if (gateway->backends[at].instance != NULL)
      gateway->backends[at].plugin.backend.stop(
          gateway->backends[at].instance);
  }
  if (gateway != NULL && gateway->pool != NULL)
    work_pool_free(gateway->pool);
  if (pair->loop != NULL)
    loop_free(pair->loop);
  free(pair->needed);
  free(pair->handles);
  gateway_free(gateway);
}
