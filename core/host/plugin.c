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
