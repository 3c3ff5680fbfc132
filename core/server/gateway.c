/* SPDX-License-Identifier: MIT
 *
 * The configuration made real: plugins loaded and their options read.
 */
#include "gateway.h"

#include <stdio.h>
#include <stdlib.h>

#include "cursorkey.h"
#include "layers.h"
#include "options.h"

#define SIGNING_KEY "signing_key" /* the option that is for links */

static bool load_plugin(struct gateway *gateway, struct gateway_plugin *out,
                        const struct settings_plugin *from,
                        enum plugin_kind kind, struct errmsg *errmsg) {
  static const char *const others[] = {"plugin", NULL};
  struct settings *settings = gateway->settings;
  struct errmsg why;
  const struct config_node *plugin = config_get(from->node, "plugin");
  if (!plugin_load(&out->plugin, settings->plugin_path, from->plugin, kind,
                   &why))
    return config_fault(settings->config,
                        plugin == NULL ? from->node->line : plugin->line,
                        errmsg, "%s", why.text);
  out->host.name = from->name;
  out->host.spool_directory = settings->uploads.spool_directory;
  out->conf = calloc(1, plugin_conf_size(&out->plugin) + 1);
  if (out->conf == NULL)
    return errmsg_set(errmsg, "out of memory");
  char where[128];
  snprintf(where, sizeof where, "%s '%s'",
           kind == PLUGIN_BACKEND ? "backend" : "hook", from->name);
  return options_fill(plugin_options(&out->plugin), others, settings->config,
                      from->node, where, out->conf, errmsg);
}

static bool load_plugins(struct gateway *gateway, struct errmsg *errmsg) {
  struct settings *settings = gateway->settings;
  gateway->backends =
      calloc(settings->backend_count + 1, sizeof(*gateway->backends));
  gateway->hooks = calloc(settings->hook_count + 1, sizeof(*gateway->hooks));
  if (gateway->backends == NULL || gateway->hooks == NULL)
    return errmsg_set(errmsg, "out of memory");
  for (size_t i = 0; i < settings->backend_count; i++)
    if (!load_plugin(gateway, &gateway->backends[i], &settings->backends[i],
                     PLUGIN_BACKEND, errmsg))
      return false;
  for (size_t i = 0; i < settings->hook_count; i++)
    if (!load_plugin(gateway, &gateway->hooks[i], &settings->hooks[i],
                     PLUGIN_HOOK, errmsg))
      return false;
  return true;
}

/* A layer that has no secret of its own has the one of the backend below. */
static const struct gateway_plugin *
keeper_of_secrets(const struct gateway *gateway,
                  const struct gateway_plugin *backend) {
  while (backend->below_count > 0 &&
         !cursorkey_has(&backend->plugin, backend->conf, NULL))
    backend = &gateway->backends[backend->below[0]];
  return backend;
}

static bool make_cursor_keys(struct gateway *gateway, struct errmsg *errmsg) {
  const struct settings *settings = gateway->settings;
  gateway->cursor_keys =
      calloc(settings->backend_count + 1, sizeof(*gateway->cursor_keys));
  for (size_t i = 0;
       gateway->cursor_keys != NULL && i < settings->backend_count; i++) {
    struct gateway_plugin *backend = &gateway->backends[i];
    const struct gateway_plugin *secret = keeper_of_secrets(gateway, backend);
    gateway->cursor_keys[i] =
        cursorkey_new(settings->links.secret, settings->backends[i].name,
                      &secret->plugin, secret->conf, &backend->lonely_cursors);
    if (gateway->cursor_keys[i] == NULL)
      return errmsg_set(errmsg, "out of memory");
  }
  return gateway->cursor_keys != NULL || errmsg_set(errmsg, "out of memory");
}

static bool is_keyed(const struct gateway *gateway,
                     const struct gateway_plugin *backend) {
  const struct gateway_plugin *secret = keeper_of_secrets(gateway, backend);
  return cursorkey_has(&secret->plugin, secret->conf, SIGNING_KEY);
}

/* Links are signed with a secret of the options where it is for that. */
static bool find_keyed(struct gateway *gateway, struct errmsg *errmsg) {
  size_t count = gateway->settings->backend_count;
  gateway->keyed = calloc(count + 1, sizeof(*gateway->keyed));
  if (gateway->keyed == NULL)
    return errmsg_set(errmsg, "out of memory");
  for (size_t i = 0; i < count; i++)
    gateway->keyed[i] = is_keyed(gateway, &gateway->backends[i]);
  return true;
}

static bool make_marks(struct gateway *gateway, struct errmsg *errmsg) {
  size_t count = gateway->settings->backend_count;
  gateway->marks = calloc(count + 1, sizeof(*gateway->marks));
  for (size_t i = 0; gateway->marks != NULL && i < count; i++)
    if ((gateway->marks[i] = marks_new(&gateway->memory)) == NULL)
      return errmsg_set(errmsg, "out of memory");
  return gateway->marks != NULL || errmsg_set(errmsg, "out of memory");
}

static void free_marks(struct gateway *gateway) {
  for (size_t i = 0; gateway->marks != NULL && gateway->marks[i] != NULL; i++)
    marks_free(gateway->marks[i]);
  free(gateway->marks);
}

struct gateway *gateway_new(const char *file, const char *folder,
                            struct errmsg *errmsg) {
  struct gateway *gateway = calloc(1, sizeof *gateway);
  if (gateway == NULL) {
    errmsg_set(errmsg, "out of memory");
    return NULL;
  }
  gateway->settings = settings_load(file, folder, errmsg);
  if (gateway->settings == NULL)
    goto out;
  atomic_init(&gateway->memory.free, gateway->settings->limits.memory);
  if (!load_plugins(gateway, errmsg) || !layers_find(gateway, errmsg) ||
      !make_cursor_keys(gateway, errmsg) || !find_keyed(gateway, errmsg) ||
      !make_marks(gateway, errmsg) ||
      !certificate_init(&gateway->certificate, &gateway->settings->server.tls,
                        errmsg))
    goto out;
  if (!route_table_init(&gateway->routes, gateway->settings, gateway_endpoints,
                        errmsg))
    goto out;
  return gateway;

out:
  gateway_free(gateway);
  return NULL;
}

static void free_cursor_keys(struct gateway *gateway) {
  for (size_t i = 0;
       gateway->cursor_keys != NULL && gateway->cursor_keys[i] != NULL; i++)
    digest_key_free(gateway->cursor_keys[i]);
  free(gateway->cursor_keys);
}

static void free_plugins(struct gateway_plugin *plugins, size_t count) {
  for (size_t i = 0; plugins != NULL && i < count; i++)
    free(plugins[i].conf);
  free(plugins);
}

void gateway_free(struct gateway *gateway) {
  if (gateway == NULL)
    return;
  if (gateway->settings != NULL) {
    for (size_t i = 0;
         gateway->backends != NULL && i < gateway->settings->backend_count;
         i++)
      layers_free(&gateway->backends[i]);
    free_plugins(gateway->backends, gateway->settings->backend_count);
    free_plugins(gateway->hooks, gateway->settings->hook_count);
  }
  free_cursor_keys(gateway);
  free(gateway->order);
  free_marks(gateway);
  free(gateway->keyed);
  route_table_fini(&gateway->routes);
  clients_fini(&gateway->clients);
  certificate_fini(&gateway->certificate);
  settings_free(gateway->settings);
  free(gateway);
}
