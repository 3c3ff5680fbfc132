/* SPDX-License-Identifier: MIT
 *
 * As core/server starts and opens them, one at a time.
 */
#include "stand.h"

#include <stdlib.h>

#include "layers.h"
#include "work.h"

static bool make_arrays(struct stand *stand) {
  const struct settings *settings = stand->gateway->now->settings;
  size_t backends = settings->backend_count + 1;
  stand->backends = calloc(backends, sizeof *stand->backends);
  stand->each = calloc(backends, sizeof *stand->each);
  stand->hooks = calloc(settings->hook_count + 1, sizeof *stand->hooks);
  for (size_t i = 0;
       stand->backends != NULL && stand->each != NULL && i < backends; i++)
    stand->each[i] = &stand->backends[i];
  return stand->backends != NULL && stand->each != NULL &&
         stand->hooks != NULL;
}

bool stand_init(struct stand *stand, struct gateway *gateway,
                struct errmsg *err) {
  *stand = (struct stand){.gateway = gateway, .loop = loop_new()};
  gateway->pool = work_pool_new(gateway_threads(gateway->fixed));
  return (gateway->pool != NULL && stand->loop != NULL &&
          make_arrays(stand)) ||
         errmsg_set(err, "out of memory");
}

bool stand_backend(struct stand *stand, size_t index, struct errmsg *err) {
  struct generation *generation = stand->gateway->now;
  struct instance *from = generation->backends[index];
  struct op_backend *backend = &stand->backends[index];
  if (backend->handle != NULL)
    return true;
  for (size_t i = 0; i < from->below_count; i++)
    if (!stand_backend(stand, from->below[i], err))
      return false;
  if (!generation_start_backend(generation, stand->gateway, index, err))
    return false;
  backend->plugin = instance_offers(from);
  backend->host = from->host;
  backend->host.loop = stand->loop;
  backend->abilities = from->abilities;
  backend->index = index;
  if (!layers_open(generation, index, stand->each))
    return errmsg_set(err, "out of memory");
  backend->handle = from->plugin.backend.open(from->started, &backend->host);
  return backend->handle != NULL ||
         errmsg_set(err, "backend '%s': %s", from->host.name,
                    backend->host.failure);
}

bool stand_hook(struct stand *stand, size_t index, struct errmsg *err) {
  struct gateway *gateway = stand->gateway;
  struct instance *from = gateway->now->hooks[index];
  struct request_hook *hook = &stand->hooks[index];
  if (hook->handle != NULL)
    return true;
  if (!instance_start(from, gateway, 0, gateway->now->settings->hook_count + 1,
                      err))
    return false;
  hook->plugin = &from->plugin.hook;
  hook->host = from->host;
  hook->host.loop = stand->loop;
  hook->handle = hook->plugin->open(from->started, &hook->host);
  return hook->handle != NULL ||
         errmsg_set(err, "hook '%s': %s", from->host.name, hook->host.failure);
}

/* ---- running ------------------------------------------------------------ */

static void stand_on_time(evutil_socket_t fd, short what, void *late) {
  (void)fd, (void)what;
  *(bool *)late = true;
}

bool stand_until(struct stand *stand, const bool *flag, int64_t ms) {
  struct event_base *base = loop_base(stand->loop);
  struct timeval limit = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
  bool late = false;
  struct event *timer = evtimer_new(base, stand_on_time, &late);
  if (timer == NULL || event_add(timer, &limit) < 0)
    late = true;
  while (!*flag && !late)
    event_base_loop(base, EVLOOP_ONCE);
  if (timer != NULL)
    event_free(timer);
  return *flag;
}

/* ---- the end ------------------------------------------------------------ */

static void stand_close_hooks(struct stand *stand) {
  const struct generation *generation = stand->gateway->now;
  for (size_t i = 0; i < generation->settings->hook_count; i++) {
    struct instance *from = generation->hooks[i];
    if (stand->hooks[i].handle != NULL)
      from->plugin.hook.close(stand->hooks[i].handle);
    repeat_end(&stand->hooks[i].repeats);
    instance_stop(from);
  }
}

/* Layers before those that they stand on. */
static void stand_close_backends(struct stand *stand) {
  const struct generation *generation = stand->gateway->now;
  for (size_t i = generation->ordered; i-- > 0;) {
    size_t at = generation->order[i];
    struct instance *from = generation->backends[at];
    if (stand->backends[at].handle != NULL)
      from->plugin.backend.close(stand->backends[at].handle);
    layers_close(&stand->backends[at]);
    repeat_end(&stand->backends[at].repeats);
    instance_stop(from);
  }
}

static void stand_free_backends(struct stand *stand) {
  const struct settings *settings = stand->gateway->now->settings;
  for (size_t i = 0; stand->backends != NULL && i < settings->backend_count;
       i++)
    free(stand->backends[i].layer);
  free(stand->backends);
}

void stand_fini(struct stand *stand) {
  if (stand->loop != NULL) {
    loop_stop(stand->loop);
    loop_run(stand->loop);
  }
  if (stand->hooks != NULL)
    stand_close_hooks(stand);
  if (stand->backends != NULL)
    stand_close_backends(stand);
  loop_free(stand->loop);
  if (stand->gateway->pool != NULL)
    work_pool_free(stand->gateway->pool);
  stand->gateway->pool = NULL;
  stand_free_backends(stand);
  free(stand->each);
  free(stand->hooks);
}
