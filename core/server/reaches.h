/* SPDX-License-Identifier: MIT
 *
 * A configuration and its plugins, as the set of what they reach.
 */
#ifndef SERVER_REACHES_H
#define SERVER_REACHES_H

#include "generation.h"
#include "reach.h"

/* NULL: no memory.  `file` is the configuration; `system`: with what every
 * process of this system reads; else without files that aren't there, and
 * what changes with the next start only. */
struct reach *reaches_of(const struct generation *, const char *file,
                         bool system);
/* Makes the folders of plugins that have none yet, as a folder that isn't
 * there can't be named in a rule. */
void reaches_make_folders(const struct generation *);

#endif
