/* SPDX-License-Identifier: MIT
 *
 * From YAML text to config nodes; for the files of this library alone.
 */
#ifndef YAML_CONFIG_TREE_H
#define YAML_CONFIG_TREE_H

#include "config.h"

/* An empty tree, for messages about `file`; NULL: no memory. */
struct config *config_new(const char *file);
/* Fills config->root; the nodes live in config_alloc() memory. */
bool config_tree_build(struct config *, const char *data, size_t len,
                       struct errmsg *);

#endif
