/* SPDX-License-Identifier: MIT
 *
 * server.admin: one address for operators, or a list of them, none of which
 * is a place of clients.
 */
#include <string.h>

#include "address.h"
#include "settings.h"
#include "settings_parts.h"

#define ADMIN_EXPECTED \
  "write an address, as in unix:/run/sluice/admin, or a list of them"

static bool is_any_port(const char *entry) {
  return strcmp(strrchr(entry, ':'), ":0") == 0;
}

/* NULL: operators may be answered there. */
static const char *admin_fault(const struct settings *s, const char *admin,
                               const char *const *before) {
  const char *why = address_listen_fault(admin);
  for (; why == NULL && *before != NULL; before++)
    if (strcmp(*before, admin) == 0)
      why = "it is here twice; remove one";
  for (size_t i = 0; why == NULL && s->server.listen[i] != NULL; i++)
    if (strcmp(s->server.listen[i], admin) == 0 && !is_any_port(admin))
      why = "clients are served there; choose a place of its own";
  return why;
}

static bool add_admin(const struct settings *s, const struct config_node *node,
                      const char **list, struct errmsg *err) {
  size_t count = 0;
  while (list[count] != NULL)
    count++;
  if (node->kind != CONFIG_SCALAR || node->null)
    return config_fault(s->config, node->line, err,
                        "'admin': item %zu is not a text; " ADMIN_EXPECTED,
                        count + 1);
  const char *why = admin_fault(s, node->text, list);
  if (why != NULL)
    return config_fault(s->config, node->line, err, "'admin': '%.128s': %s",
                        node->text, why);
  list[count] = node->text;
  return true;
}

static bool add_admins(const struct settings *s, const struct config_node *all,
                       const char **list, struct errmsg *err) {
  if (all->count > SETTINGS_ADMIN_MAX)
    return config_fault(s->config, all->line, err,
                        "'admin': more than %d addresses; drop some",
                        SETTINGS_ADMIN_MAX);
  for (size_t i = 0; i < all->count; i++)
    if (!add_admin(s, &all->items[i], list, err))
      return false;
  return true;
}

bool settings_read_admin(struct settings *s, struct errmsg *err) {
  const struct config_node *node =
      config_get(config_get(s->config->root, "server"), "admin");
  const char **list =
      config_alloc(s->config, (SETTINGS_ADMIN_MAX + 1) * sizeof *list);
  if (list == NULL)
    return settings_no_memory(s, err);
  s->server.admin = list;
  if (node == NULL)
    return true;
  if (node->kind == CONFIG_SEQUENCE)
    return add_admins(s, node, list, err);
  if (node->kind == CONFIG_MAPPING)
    return config_fault(s->config, node->line, err,
                        "'admin': a mapping is here; " ADMIN_EXPECTED);
  if (node->null)
    return config_fault(s->config, node->line, err,
                        "'admin': has no value; " ADMIN_EXPECTED
                        ", or remove the line");
  /* As a variable leaves it that isn't set. */
  return *node->text == '\0' || add_admin(s, node, list, err);
}
