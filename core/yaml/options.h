/* SPDX-License-Identifier: MIT
 *
 * Fills a struct from a YAML mapping by a table of options; the same tables
 * describe the gateway's own sections and the plugins' keys.
 */
#ifndef YAML_OPTIONS_H
#define YAML_OPTIONS_H

#include <sluice/plugin.h>

#include "config.h"
#include "words.h"

#define OPTIONS_MAX 128                /* entries of a table */
#define OPTIONS_NAME_MAX WORDS_LEN_MAX /* bytes of a name */
#define OPTIONS_OTHERS_MAX 16

/* Reads `mapping` (NULL: empty) into the zeroed `conf`.  Keys that aren't in
 * the table are refused with file:line and the nearest known key, unless
 * `others` (NULL-ended, or NULL) names them.  `where` says what the mapping is
 * in messages: "backend 'main'".  Strings and lists point into `config` or the
 * table, which must outlive conf. */
bool options_fill(const struct sluice_option *table, const char *const *others,
                  struct config *config, const struct config_node *mapping,
                  const char *where, void *conf, struct errmsg *);

/* Is this a table that options_fill() can use on a struct of that size?  A
 * plugin's may be anything.  `others` as above. */
bool options_check(const struct sluice_option *table,
                   const char *const *others, size_t conf_size,
                   struct errmsg *);

/* The name of a type: "string", "size", ...; NULL: no such type. */
const char *options_type(int type);
bool options_is_list(int type);

#endif
