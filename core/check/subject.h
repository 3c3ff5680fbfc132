/* SPDX-License-Identifier: MIT
 *
 * The plugin that is checked, with its options as they were given.
 */
#ifndef CHECK_SUBJECT_H
#define CHECK_SUBJECT_H

#include <limits.h>

#include "config.h"
#include "plugin.h"

struct subject {
  char folder[PATH_MAX], name[PATH_MAX];
  struct plugin plugin;
  struct config *config; /* what `conf` points into; NULL: no options */
  void *conf;
};

/* Loads the plugin of a path that ends in NAME.so. */
bool subject_load(struct subject *, const char *path, struct errmsg *);
/* Reads its options: `file` (or NULL) is a YAML mapping, `pairs` (NULL at the
 * end) are key=value. */
bool subject_configure(struct subject *, const char *file,
                       const char *const *pairs, struct errmsg *);
/* The same mapping without one key, or with another one: a new conf that
 * start() might get, or why that is refused. */
bool subject_without(const struct subject *, const char *name,
                     struct errmsg *);
bool subject_with(const struct subject *, const char *name, struct errmsg *);
void subject_fini(struct subject *);

#endif
