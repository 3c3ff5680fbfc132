/* SPDX-License-Identifier: MIT
 *
 * Folders of plugins for commands that need no configuration: those of the
 * configuration where one can be read, else the installed ones.
 */
#ifndef TOOLS_PLUGINDIRS_H
#define TOOLS_PLUGINDIRS_H

#include "settings.h"

struct plugindirs {
  struct settings *settings;
  const char *const *list; /* NULL-ended */
};

void plugindirs_init(struct plugindirs *, const char *file);
void plugindirs_fini(struct plugindirs *);

#endif
