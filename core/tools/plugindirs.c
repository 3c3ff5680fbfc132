/* SPDX-License-Identifier: MIT
 *
 * A configuration that can't be read is no reason to stop here.
 */
#include "plugindirs.h"

void plugindirs_init(struct plugindirs *dirs, const char *file) {
  static const char *const installed[] = {SLUICE_PLUGINDIR, NULL};
  struct errmsg err = {0};
  dirs->settings = settings_load(file, SLUICE_PLUGINDIR, &err);
  dirs->list =
      dirs->settings != NULL ? dirs->settings->plugin_path : installed;
}

void plugindirs_fini(struct plugindirs *dirs) {
  settings_free(dirs->settings);
}
