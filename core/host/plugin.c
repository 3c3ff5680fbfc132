/* SPDX-License-Identifier: MIT
 *
 * A loaded plugin, whichever its kind.
 */
#include "plugin.h"
#include "plugin_file.h"

bool plugin_load(struct plugin *plugin, const char *const *folders,
                 const char *name, enum plugin_kind kind, struct errmsg *err) {
  struct plugin_file file;
  return plugin_file_open(&file, folders, name, err) &&
         plugin_file_read(&file, kind, plugin, err);
}

const struct sluice_option *plugin_options(const struct plugin *plugin) {
  static const struct sluice_option none[] = {{0}};
  const struct sluice_option *table = plugin->kind == PLUGIN_BACKEND
                                          ? plugin->backend.options
                                          : plugin->hook.options;
  return table == NULL ? none : table;
}

size_t plugin_conf_size(const struct plugin *plugin) {
  return plugin->kind == PLUGIN_BACKEND ? plugin->backend.conf_size
                                        : plugin->hook.conf_size;
}
