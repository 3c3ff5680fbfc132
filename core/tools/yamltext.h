/* SPDX-License-Identifier: MIT
 *
 * Texts written into YAML, for configurations of a command's own.
 */
#ifndef TOOLS_YAMLTEXT_H
#define TOOLS_YAMLTEXT_H

#include "buf.h"

/* A text between double quotes.  False: it can't be written there. */
bool yamltext_add(struct buf *, const char *text);

#endif
