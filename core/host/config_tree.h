/* SPDX-License-Identifier: MIT
 *
 * From YAML text to config nodes; for config.c alone.
 */
#ifndef HOST_CONFIG_TREE_H
#define HOST_CONFIG_TREE_H

#include "config.h"

/* Fills config->root; the nodes live in config_alloc() memory. */
bool config_tree_build(struct config *, const char *data, size_t len,
                       struct errmsg *);

#endif
