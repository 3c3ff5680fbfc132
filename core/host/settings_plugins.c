/* SPDX-License-Identifier: MIT
 *
 * Backends and hooks as configured: which plugin, and the mapping with its
 * options, which are read when the plugin's table is known.
 */
#include "options.h"
#include "settings_parts.h"
#include <stdio.h>
#include <string.h>

#define PLUGIN_NAME_MAX 64
#define BACKEND_NAME_MAX 64

static bool settings_plugins_is_word(const char *text, const char *letters,
                                     size_t max) {
  size_t len = strspn(text, letters);
  return text[len] == '\0' && len >= 1 && len <= max;
}

/* The key "plugin" of a mapping. */
static bool read_plugin(const struct settings *s,
                        const struct config_node *node, const char *who,
                        struct settings_plugin *out, struct errmsg *err) {
  if (node->kind != CONFIG_MAPPING)
    return config_fault(s->config, node->line, err,
                        "%s is not a mapping; write {plugin: NAME} and its "
                        "options",
                        who);
  const struct config_node *plugin = config_get(node, "plugin");
  if (plugin == NULL)
    return config_fault(s->config, node->line, err,
                        "%s needs 'plugin' (which one it is); write plugin: "
                        "NAME",
                        who);
  if (plugin->kind != CONFIG_SCALAR || plugin->null ||
      !settings_plugins_is_word(plugin->text,
                                "abcdefghijklmnopqrstuvwxyz0123456789_",
                                PLUGIN_NAME_MAX))
    return config_fault(s->config, plugin->line, err,
                        "'plugin': not a plugin's name; write 1 to 64 of "
                        "a-z, 0-9 and _");
  out->plugin = plugin->text;
  out->node = node;
  return true;
}

static bool settings_plugins_read_backend(struct settings *s,
                                          const struct config_node *key,
                                          const struct config_node *node,
                                          struct errmsg *err) {
  char who[BACKEND_NAME_MAX + 16];
  struct settings_plugin *backend = &s->backends[s->backend_count];
  if (!settings_plugins_is_word(
          key->text,
          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
          "0123456789_.-",
          BACKEND_NAME_MAX))
    return config_fault(s->config, key->line, err,
                        "backends: '%.64s' is no name; write 1 to 64 letters, "
                        "digits, _, . and -",
                        key->text);
  snprintf(who, sizeof who, "backend '%s'", key->text);
  backend->name = key->text;
  s->backend_count++;
  return read_plugin(s, node, who, backend, err);
}

static bool read_backends(struct settings *s, struct errmsg *err) {
  const struct config_node *root = s->config->root;
  const struct config_node *list = config_get(root, "backends");
  if (list == NULL || list->kind != CONFIG_MAPPING || list->count == 0)
    return config_fault(s->config, settings_line(root, "backends"), err,
                        "no backend; write backends: {main: {plugin: local, "
                        "directory: ./data}}");
  if (list->count > SETTINGS_BACKENDS_MAX)
    return config_fault(s->config, list->keys[SETTINGS_BACKENDS_MAX].line, err,
                        "more than %d backends; drop some",
                        SETTINGS_BACKENDS_MAX);
  s->backends = config_alloc(s->config, list->count * sizeof *s->backends);
  if (s->backends == NULL)
    return settings_no_memory(s, err);
  for (size_t i = 0; i < list->count; i++)
    if (!settings_plugins_read_backend(s, &list->keys[i], &list->items[i],
                                       err))
      return false;
  return true;
}

bool settings_add_hooks(struct settings *s, const struct config_node *list,
                        const char *who, struct errmsg *err) {
  if (list->kind != CONFIG_SEQUENCE)
    return config_fault(s->config, list->line, err,
                        "%s: not a list; write [{plugin: NAME}], or [] for "
                        "none",
                        who);
  for (size_t i = 0; i < list->count; i++) {
    const struct config_node *node = &list->items[i];
    if (s->hook_count == SETTINGS_HOOKS_MAX)
      return config_fault(s->config, node->line, err,
                          "more than %d hooks in all; drop some",
                          SETTINGS_HOOKS_MAX);
    struct settings_plugin *hook = &s->hooks[s->hook_count];
    if (!read_plugin(s, node, "a hook", hook, err))
      return false;
    hook->name = hook->plugin;
    s->hook_count++;
  }
  return true;
}

bool settings_read_plugins(struct settings *s, struct errmsg *err) {
  const struct config_node *hooks = config_get(s->config->root, "hooks");
  s->hooks = config_alloc(s->config, SETTINGS_HOOKS_MAX * sizeof *s->hooks);
  if (s->hooks == NULL)
    return settings_no_memory(s, err);
  if (!read_backends(s, err))
    return false;
  /* All lines commented out: none. */
  if (hooks != NULL && !hooks->null &&
      !settings_add_hooks(s, hooks, "hooks", err))
    return false;
  s->common_hooks = s->hook_count;
  return true;
}
