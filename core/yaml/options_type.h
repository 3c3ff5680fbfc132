/* SPDX-License-Identifier: MIT
 *
 * The facts about a type that options.c needs.
 */
#ifndef YAML_OPTIONS_TYPE_H
#define YAML_OPTIONS_TYPE_H

#include "options.h"

struct options_type {
  const char *name;
  const char *expected; /* what to write, for messages */
  size_t size, align;   /* of the field */
};

/* NULL: no such type. */
const struct options_type *options_type_get(int type);
/* Everything but lists.  `field` is of the type's size and alignment; strings
 * point to `text`. */
bool options_type_parse(int type, const char *text, void *field);

#endif
