/* SPDX-License-Identifier: MIT
 *
 * server.confine: whether the process confines itself, and what it may reach
 * beside that which the rest of the configuration names.
 */
#include <string.h>

#include "options.h"
#include "quantity.h"
#include "settings_parts.h"
#include "settings_tables.h"

#define PORT_MAX 65535
#define CONFINE(f) offsetof(struct settings_confine, f)

static const struct sluice_option confine_table[] = {
    {"mode", SLUICE_STRING, "on", CONFINE(mode_text),
     "on: as far as this kernel can; required: or it doesn't start; off"},
    {"read", SLUICE_LIST, "", CONFINE(read),
     "files and folders that are read, too"},
    {"write", SLUICE_LIST, "", CONFINE(write),
     "folders that are read and written, too"},
    {"connect", SLUICE_LIST, "", CONFINE(connect),
     "ports of TCP that are connected to, too; or: any"},
    {0}};

static const char *const modes[] = {"on",   "required", "off",
                                    "true", "false",    NULL};

static bool take_mode(struct settings *s, unsigned line, struct errmsg *err) {
  struct settings_confine *confine = &s->server.confine;
  if (!words_has(modes, confine->mode_text))
    return settings_not_one_of(s, line, "confine", confine->mode_text, modes,
                               err);
  confine->required = strcmp(confine->mode_text, "required") == 0;
  confine->off = strcmp(confine->mode_text, "off") == 0 ||
                 strcmp(confine->mode_text, "false") == 0;
  return true;
}

static bool check_paths(const struct settings *s, unsigned line,
                        const char *key, const char *const *paths,
                        struct errmsg *err) {
  for (; *paths != NULL; paths++)
    if (**paths != '/')
      return config_fault(s->config, line, err,
                          "'%s': '%.128s' isn't absolute; write a path that "
                          "begins with /",
                          key, *paths);
  return true;
}

static bool check_ports(const struct settings *s, unsigned line,
                        struct errmsg *err) {
  int64_t port;
  const char *const *at = s->server.confine.connect;
  for (; *at != NULL; at++)
    if (strcmp(*at, "any") != 0 &&
        (!quantity_int(*at, &port) || port < 1 || port > PORT_MAX))
      return config_fault(s->config, line, err,
                          "'connect': '%.64s' is no port; write 1 to 65535, "
                          "or any",
                          *at);
  return true;
}

/* A word alone is the mode. */
bool settings_read_confine(struct settings *s, struct errmsg *err) {
  const struct config_node *server = config_get(s->config->root, "server");
  const struct config_node *node = config_get(server, "confine");
  struct settings_confine *confine = &s->server.confine;
  bool word = node != NULL && node->kind == CONFIG_SCALAR && !node->null;
  if (!options_fill(confine_table, NULL, s->config, word ? NULL : node,
                    "confine", confine, err))
    return false;
  if (word)
    confine->mode_text = node->text;
  return take_mode(s, word ? node->line : settings_line(node, "mode"), err) &&
         check_paths(s, settings_line(node, "read"), "read", confine->read,
                     err) &&
         check_paths(s, settings_line(node, "write"), "write", confine->write,
                     err) &&
         check_ports(s, settings_line(node, "connect"), err);
}

const struct settings_table settings_tables_confine[] = {
    {"server.confine", confine_table}, {NULL, NULL}};
