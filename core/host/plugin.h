/* SPDX-License-Identifier: MIT
 *
 * Finds and loads plugins: NAME.so in the folders of plugin_path, one exported
 * symbol, an ABI that this gateway speaks.  A loaded one is never unloaded.
 */
#ifndef HOST_PLUGIN_H
#define HOST_PLUGIN_H

#include <sluice/plugin.h>

#include "errmsg.h"

enum plugin_kind { PLUGIN_BACKEND, PLUGIN_HOOK };

struct plugin {
  enum plugin_kind kind;
  const char *name;
  /* The plugin's descriptor, cut or zero-filled to this gateway's size. */
  struct sluice_backend backend; /* by kind */
  struct sluice_hook hook;
  const struct sluice_reach *reach; /* NULL: it doesn't say */
};

/* True, or why, in one line: not found (where was looked), missing symbol,
 * other major, newer minor, required entry missing, other kind. */
bool plugin_load(struct plugin *, const char *const *folders, const char *name,
                 enum plugin_kind, struct errmsg *);

/* Both kinds have these. */
const struct sluice_option *plugin_options(const struct plugin *);
size_t plugin_conf_size(const struct plugin *);

/* Every plugin in the folders, as it would be loaded; a folder or a file that
 * can't be read is told with the reason. */
struct plugin_visitor {
  void (*found)(void *arg, const struct plugin *);
  void (*failed)(void *arg, const char *why);
  void *arg;
};
void plugin_each(const char *const *folders, const struct plugin_visitor *);

/* Every plugin in the folders, with version, summary and options, to `out`;
 * what can't be loaded is listed with the reason. */
void plugin_list(const char *const *folders, void *out /* FILE * */);

#endif
