/* SPDX-License-Identifier: MIT
 *
 * Every operation once, one after the other: for checks that are about none of
 * them.
 */
#ifndef CHECK_TOUR_H
#define CHECK_TOUR_H

#include "lab.h"

/* `tag` makes its keys its own; nothing is left behind. */
void tour_run(struct lab *, const char *tag);
/* Removes every object below the plan's prefix. */
void tour_tidy(struct lab *);

#endif
