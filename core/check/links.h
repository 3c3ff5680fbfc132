/* SPDX-License-Identifier: MIT
 *
 * Signed links.
 */
#ifndef CHECK_LINKS_H
#define CHECK_LINKS_H

#include "lab.h"

/* Makes a link where the plugin offers that, and has it verified where it
 * offers that, too. */
void links_tour(struct lab *, const char *key);

#endif
