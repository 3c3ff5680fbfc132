/* SPDX-License-Identifier: MIT
 *
 * One backend of the configuration, or the store in a folder, with its plugin
 * and its options, but not started: for chores.
 */
#ifndef TOOLS_STORAGE_H
#define TOOLS_STORAGE_H

#include "config.h"
#include "op.h"
#include "plugindirs.h"
#include "plugin.h"

struct storage {
  struct plugindirs dirs;
  struct config *config; /* of a folder; NULL: the settings' */
  struct plugin plugin;
  struct sluice_host host;
  void *conf;
};

/* `word` names a backend of the configuration in `file`, or a folder, which
 * has a '/' or is there; NULL: the one backend that has chores.  False and
 * why; storage_fini() is needed in any case. */
bool storage_init(struct storage *, const char *file, const char *word,
                  struct errmsg *);
void storage_fini(struct storage *);

#endif
