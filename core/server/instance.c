/* SPDX-License-Identifier: MIT
 *
 * From options to a plugin that has started, and back.
 */
#include "instance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crash.h"
#include "gateway.h"
#include "layers.h"
#include "log.h"
#include "meters.h"
#include "options.h"
#include "timer.h"
#include "violation.h"
#include "work.h"

static bool instance_load(struct instance *out,
                          const struct settings_plugin *from,
                          enum plugin_kind kind, struct errmsg *errmsg) {
  const struct settings *settings = out->settings;
  struct errmsg why;
  const struct config_node *plugin = config_get(from->node, "plugin");
  return plugin_load(&out->plugin, settings->plugin_path, from->plugin, kind,
                     &why) ||
         config_fault(settings->config,
                      plugin == NULL ? from->node->line : plugin->line, errmsg,
                      "%s", why.text);
}

static bool read_options(struct instance *out,
                         const struct settings_plugin *from,
                         struct errmsg *errmsg) {
  static const char *const others[] = {"plugin", NULL};
  char where[128];
  out->conf = calloc(1, plugin_conf_size(&out->plugin) + 1);
  if (out->conf == NULL)
    return errmsg_set(errmsg, "out of memory");
  snprintf(where, sizeof where, "%s '%s'",
           out->plugin.kind == PLUGIN_BACKEND ? "backend" : "hook",
           from->name);
  return options_fill(plugin_options(&out->plugin), others,
                      out->settings->config, from->node, where, out->conf,
                      errmsg);
}

struct instance *instance_new(struct gateway *gateway,
                              struct settings *settings,
                              const struct settings_plugin *from,
                              enum plugin_kind kind, struct errmsg *errmsg) {
  struct instance *out = calloc(1, sizeof *out);
  if (out == NULL) {
    errmsg_set(errmsg, "out of memory");
    return NULL;
  }
  out->users = 1;
  out->settings = settings_keep(settings);
  out->node = from->node;
  out->host.name = from->name;
  out->host.memory = &gateway->memory;
  if (instance_load(out, from, kind, errmsg) &&
      read_options(out, from, errmsg))
    return out;
  instance_leave(out);
  return NULL;
}

bool instance_same(const struct instance *a, const struct instance *b) {
  return a->plugin.kind == b->plugin.kind &&
         strcmp(a->plugin.name, b->plugin.name) == 0 &&
         strcmp(a->host.name, b->host.name) == 0 &&
         config_same(a->node, b->node);
}

/* ---- its start ---------------------------------------------------------- */

/* The plugin's part of the pool. */
static bool give_share(struct instance *instance,
                       const struct gateway *gateway, size_t plugins,
                       struct errmsg *errmsg) {
  const struct settings *settings = gateway->fixed;
  unsigned most = (unsigned)settings->limits.threads_per_plugin;
  if (most == 0)
    most = work_share_most(gateway_threads(settings), plugins);
  instance->host.spool_directory = settings->uploads.spool_directory;
  instance->host.share = work_share_new(gateway->pool, most);
  return instance->host.share != NULL || errmsg_set(errmsg, "out of memory");
}

/* Numbers and links that were taken back, of a backend. */
static bool make_memory(struct instance *backend, struct gateway *gateway,
                        struct errmsg *errmsg) {
  size_t loops = gateway->fixed->server.workers;
  backend->marks = marks_new(&gateway->memory);
  backend->calls = calloc(loops, sizeof *backend->calls);
  if (backend->marks == NULL || backend->calls == NULL)
    return errmsg_set(errmsg, "out of memory");
  for (; backend->loops < loops; backend->loops++)
    if (!metrics_init(&backend->calls[backend->loops], 0, 1))
      return errmsg_set(errmsg, "out of memory");
  return true;
}

/* A plugin isn't asked for what it has no entry for, whatever it says. */
static unsigned abilities_of(const struct instance *backend, unsigned below) {
  const struct sluice_backend *plugin = &backend->plugin.backend;
  const struct sluice_backend *offers = instance_offers(backend);
  if (plugin->can == NULL)
    return layer_can(offers, layer_inherits(plugin, below));
  unsigned said = plugin->can(backend->started);
  unsigned able = layer_can(offers, said);
  if (able != said)
    log_line(SLUICE_LOG_WARN, backend->host.name,
             "plugin '%s' says that it can what it has no entry for; it isn't "
             "asked for that",
             plugin->name);
  return able;
}

static bool start_backend(struct instance *backend, struct gateway *gateway,
                          unsigned below, struct errmsg *errmsg) {
  const struct sluice_backend *plugin = &backend->plugin.backend;
  if (!make_memory(backend, gateway, errmsg))
    return false;
  crash_plugin(plugin->name, (uintptr_t)plugin->name);
  backend->host.handed = takeover_handed(gateway, backend->host.name);
  backend->started = plugin->start(backend->conf, &backend->host);
  backend->host.handed = NULL;
  if (backend->started == NULL)
    return errmsg_set(errmsg, "backend '%s': %s", backend->host.name,
                      backend->host.failure);
  backend->abilities = abilities_of(backend, below);
  return true;
}

static bool start_hook(struct instance *hook, struct errmsg *errmsg) {
  const struct sluice_hook *plugin = &hook->plugin.hook;
  crash_plugin(plugin->name, (uintptr_t)plugin->start);
  hook->started = plugin->start(hook->conf, &hook->host);
  return hook->started != NULL ||
         errmsg_set(errmsg, "hook '%s': %s", hook->host.name,
                    hook->host.failure);
}

bool instance_start(struct instance *instance, struct gateway *gateway,
                    unsigned below, size_t plugins, struct errmsg *errmsg) {
  if (!give_share(instance, gateway, plugins, errmsg))
    return false;
  if (!meters_take(gateway, instance))
    return errmsg_set(errmsg, "out of memory");
  return instance->plugin.kind == PLUGIN_BACKEND
             ? start_backend(instance, gateway, below, errmsg)
             : start_hook(instance, errmsg);
}

/* ---- its end ------------------------------------------------------------ */

/* The instance that they work with is gone. */
static void stop_timers(struct instance *instance) {
  struct sluice_host *host = &instance->host;
  if (host->share != NULL && timer_free_all(host->share) > 0)
    violation_note(&host->misgiven, host, instance->plugin.name,
                   "sluice_timer_new", VIOLATION_TIMERS);
}

void instance_stop(struct instance *instance) {
  if (instance->started != NULL) {
    if (instance->plugin.kind == PLUGIN_BACKEND)
      instance->plugin.backend.stop(instance->started);
    else
      instance->plugin.hook.stop(instance->started);
  }
  instance->started = NULL;
  stop_timers(instance);
  work_share_free(instance->host.share);
  instance->host.share = NULL;
  meters_leave(instance);
  for (size_t i = 0; i < instance->loops; i++)
    metrics_fini(&instance->calls[i]);
  free(instance->calls);
  instance->calls = NULL;
  instance->loops = 0;
  if (instance->marks != NULL)
    marks_free(instance->marks);
  instance->marks = NULL;
}

void instance_leave(struct instance *instance) {
  if (instance == NULL || --instance->users > 0)
    return;
  instance_stop(instance);
  layers_free(instance);
  free(instance->conf);
  settings_free(instance->settings);
  free(instance);
}
