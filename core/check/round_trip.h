/* SPDX-License-Identifier: MIT
 *
 * Every operation once, one after the other: for checks that are about none of
 * them.
 */
#ifndef CHECK_ROUND_TRIP_H
#define CHECK_ROUND_TRIP_H

#include "fixture.h"

/* `tag` makes its keys its own; nothing is left behind. */
void round_trip_run(struct fixture *, const char *tag);
/* Removes every object below the plan's prefix. */
void round_trip_tidy(struct fixture *);

#endif
