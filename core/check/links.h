/* SPDX-License-Identifier: MIT
 *
 * Signed links.
 */
#ifndef CHECK_LINKS_H
#define CHECK_LINKS_H

#include "fixture.h"

/* Makes a link where the plugin offers that, and has it verified where it
 * offers that, too. */
void links_round_trip(struct fixture *, const char *key);

#endif
