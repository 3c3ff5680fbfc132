/* SPDX-License-Identifier: MIT
 *
 * The whole configuration: its top level, and what its parts share.  What
 * hangs on a settings lives in the memory of its config.
 */
#include "settings.h"
#include "options.h"
#include "settings_parts.h"
#include "settings_tables.h"
#include <stdlib.h>
#include <string.h>

static const struct sluice_option top_table[] = {
    {"plugin_path", SLUICE_LIST, "", offsetof(struct settings, plugin_path),
     "folders with plugins, looked into before the installation's"},
    {0}};
static const char *const sections[] = {
    "server", "backends", "hooks",  "routes", "uploads", "downloads",
    "links",  "presign",  "limits", "cors",   NULL};

static bool has_folder(const char *const *list, const char *folder) {
  while (*list != NULL && strcmp(*list, folder) != 0)
    list++;
  return *list != NULL;
}

/* The configured folders come first, then the installation's, unless it is
 * among them already. */
static bool read_plugin_path(struct settings *s, const char *folder,
                             struct errmsg *err) {
  unsigned line = settings_line(s->config->root, "plugin_path");
  size_t count = 0;
  for (; s->plugin_path[count] != NULL; count++)
    if (*s->plugin_path[count] == '\0')
      return config_fault(s->config, line, err,
                          "'plugin_path': item %zu is empty; write a folder",
                          count + 1);
  if (has_folder(s->plugin_path, folder))
    return true;
  size_t size = strlen(folder) + 1;
  const char **list = config_alloc(s->config, (count + 2) * sizeof *list);
  char *copy = config_alloc(s->config, size);
  if (list == NULL || copy == NULL)
    return settings_no_memory(s, err);
  memcpy(list, s->plugin_path, count * sizeof *list);
  list[count] = memcpy(copy, folder, size);
  s->plugin_path = list;
  return true;
}

static bool read_all(struct settings *s, const char *folder,
                     struct errmsg *err) {
  return options_fill(top_table, sections, s->config, s->config->root,
                      "the configuration", s, err) &&
         read_plugin_path(s, folder, err) && settings_read_sections(s, err) &&
         settings_read_web(s, err) && settings_read_cors(s, err) &&
         settings_read_plugins(s, err) && settings_read_ready(s, err) &&
         settings_read_routes(s, err);
}

/* Takes the config. */
static struct settings *settings_new(struct config *config, const char *folder,
                                     struct errmsg *err) {
  if (config == NULL)
    return NULL;
  struct settings *s = calloc(1, sizeof *s);
  if (s == NULL) {
    config_fault(config, 0, err, "out of memory");
    config_free(config);
    return NULL;
  }
  s->config = config;
  if (read_all(s, folder, err))
    return s;
  settings_free(s);
  return NULL;
}

struct settings *settings_load(const char *file, const char *folder,
                               struct errmsg *err) {
  return settings_new(config_load(file, err), folder, err);
}

struct settings *settings_parse(const char *file, const char *data, size_t len,
                                const char *folder, struct errmsg *err) {
  return settings_new(config_parse(file, data, len, err), folder, err);
}

struct settings *settings_keep(struct settings *s) {
  s->keepers++;
  return s;
}

void settings_free(struct settings *s) {
  if (s == NULL || s->keepers-- > 0)
    return;
  config_free(s->config);
  free(s);
}

const struct settings_table settings_tables_top[] = {{"", top_table},
                                                     {NULL, NULL}};
