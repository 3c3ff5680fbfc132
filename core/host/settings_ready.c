/* SPDX-License-Identifier: MIT
 *
 * server.ready: which backends /readyz wants.
 */
#include <string.h>

#include "settings_parts.h"

static bool settings_ready_is_word(const struct config_node *node,
                                   const char *word) {
  return node->kind == CONFIG_SCALAR && !node->null &&
         strcmp(node->text, word) == 0;
}

static bool need(struct settings *s, const struct config_node *name,
                 struct errmsg *err) {
  const char *names[SETTINGS_BACKENDS_MAX + 1] = {NULL};
  if (name->kind != CONFIG_SCALAR || name->null)
    return config_fault(s->config, name->line, err,
                        "'ready': not a backend's name; write all, any, or a "
                        "list of names");
  for (size_t i = 0; i < s->backend_count; i++) {
    names[i] = s->backends[i].name;
    if (strcmp(names[i], name->text) == 0) {
      s->backends[i].needed = true;
      return true;
    }
  }
  return settings_not_one_of(s, name->line, "ready", name->text, names, err);
}

bool settings_read_ready(struct settings *s, struct errmsg *err) {
  const struct config_node *server = config_get(s->config->root, "server");
  const struct config_node *ready = config_get(server, "ready");
  if (ready != NULL && settings_ready_is_word(ready, "any"))
    return true;
  if (ready == NULL || settings_ready_is_word(ready, "all")) {
    for (size_t i = 0; i < s->backend_count; i++)
      s->backends[i].needed = true;
    return true;
  }
  if (ready->kind != CONFIG_SEQUENCE || ready->count == 0)
    return config_fault(s->config, ready->line, err,
                        "'ready': write all, any, or a list of backends, as "
                        "in [main]");
  for (size_t i = 0; i < ready->count; i++)
    if (!need(s, &ready->items[i], err))
      return false;
  return true;
}
