/* SPDX-License-Identifier: MIT
 *
 * As core/server starts and opens them, one at a time.
 */
#include "stand.h"

#include <stdlib.h>

#include "layers.h"
#include "work.h"

#define POOL_THREADS 4

bool stand_init(struct stand *stand, struct gateway *gateway,
                struct errmsg *err) {
  *stand =
      (struct stand){.gateway = gateway,
                     .pool = work_pool_new(POOL_THREADS),
                     .loop = loop_new(),
                     .backends = calloc(gateway->settings->backend_count + 1,
                                        sizeof *stand->backends),
                     .hooks = calloc(gateway->settings->hook_count + 1,
                                     sizeof *stand->hooks)};
  return (stand->pool != NULL && stand->loop != NULL &&
          stand->backends != NULL && stand->hooks != NULL) ||
         errmsg_set(err, "out of memory");
}

static bool stand_start(struct stand *stand, size_t index,
                        struct errmsg *err) {
  struct gateway_plugin *from = &stand->gateway->backends[index];
  const struct sluice_backend *plugin = &from->plugin.backend;
  from->host.share = work_own(stand->pool);
  from->host.memory = &stand->gateway->memory;
  layers_start(stand->gateway, from);
  from->instance = plugin->start(from->conf, &from->host);
  if (from->instance == NULL)
    return errmsg_set(err, "%s", from->host.failure);
  from->abilities = plugin->can == NULL ? 0 : plugin->can(from->instance);
  return true;
}

bool stand_backend(struct stand *stand, size_t index, struct errmsg *err) {
  struct gateway_plugin *from = &stand->gateway->backends[index];
  struct op_backend *backend = &stand->backends[index];
  if (backend->handle != NULL)
    return true;
  for (size_t i = 0; i < from->below_count; i++)
    if (!stand_backend(stand, from->below[i], err))
      return false;
  if (from->instance == NULL && !stand_start(stand, index, err))
    return false;
  backend->plugin = gateway_offers(from);
  backend->host = from->host;
  backend->host.loop = stand->loop;
  backend->abilities = from->abilities;
  backend->index = index;
  if (!layers_open(stand->gateway, index, stand->backends))
    return errmsg_set(err, "out of memory");
  backend->handle = from->plugin.backend.open(from->instance, &backend->host);
  return backend->handle != NULL ||
         errmsg_set(err, "%s", backend->host.failure);
}

bool stand_hook(struct stand *stand, size_t index, struct errmsg *err) {
  struct gateway_plugin *from = &stand->gateway->hooks[index];
  struct request_hook *hook = &stand->hooks[index];
  if (hook->handle != NULL)
    return true;
  from->host.share = work_own(stand->pool);
  from->host.memory = &stand->gateway->memory;
  from->instance = from->plugin.hook.start(from->conf, &from->host);
  if (from->instance == NULL)
    return errmsg_set(err, "%s", from->host.failure);
  hook->plugin = &from->plugin.hook;
  hook->host = from->host;
  hook->host.loop = stand->loop;
  hook->handle = hook->plugin->open(from->instance, &hook->host);
  return hook->handle != NULL || errmsg_set(err, "%s", hook->host.failure);
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
  for (size_t i = 0; i < stand->gateway->settings->hook_count; i++) {
    struct gateway_plugin *from = &stand->gateway->hooks[i];
    if (stand->hooks[i].handle != NULL)
      from->plugin.hook.close(stand->hooks[i].handle);
    repeat_end(&stand->hooks[i].repeats);
    if (from->instance != NULL)
      from->plugin.hook.stop(from->instance);
    from->instance = NULL;
  }
}

static void stand_close_backends(struct stand *stand) {
  const struct gateway *gateway = stand->gateway;
  for (size_t i = gateway->ordered; i-- > 0;) {
    size_t at = gateway->order[i];
    struct gateway_plugin *from = &gateway->backends[at];
    if (stand->backends[at].handle != NULL)
      from->plugin.backend.close(stand->backends[at].handle);
    layers_close(&stand->backends[at]);
    repeat_end(&stand->backends[at].repeats);
    if (from->instance != NULL)
      from->plugin.backend.stop(from->instance);
    from->instance = NULL;
  }
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
  if (stand->pool != NULL)
    work_pool_free(stand->pool);
  free(stand->backends);
  free(stand->hooks);
}
