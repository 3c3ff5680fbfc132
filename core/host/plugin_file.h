/* SPDX-License-Identifier: MIT
 *
 * A plugin's shared object, opened, and its descriptor, checked; for plugin.c
 * and plugin_list.c alone.
 */
#ifndef HOST_PLUGIN_FILE_H
#define HOST_PLUGIN_FILE_H

#include "plugin.h"
#include <limits.h>

#define PLUGIN_NAME_MAX 64

struct plugin_file {
  const char *name;
  char path[PATH_MAX];
  void *handle; /* of dlopen(), never closed */
};

/* [a-z0-9_]{1,64} */
bool plugin_file_is_name(const char *text, size_t len);
/* How much of a file's name is the plugin's; 0: it is no plugin's file. */
size_t plugin_file_name_length(const char *file);
/* Finds the first NAME.so of the folders and opens it. */
bool plugin_file_open(struct plugin_file *, const char *const *folders,
                      const char *name, struct errmsg *);
/* Has it a descriptor of that kind? */
bool plugin_file_has(const struct plugin_file *, enum plugin_kind);
/* Takes the descriptor, or says why not. */
bool plugin_file_read(const struct plugin_file *, enum plugin_kind,
                      struct plugin *, struct errmsg *);

#endif
