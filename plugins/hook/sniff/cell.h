/* SPDX-License-Identifier: MIT
 *
 * A helper of the hook `sniff` may still read and write its socket, and take
 * memory up to a limit.
 */
#ifndef SNIFF_CELL_H
#define SNIFF_CELL_H

#include <stdbool.h>

/* A build with sanitizers, whose helpers are as free as their gateway. */
bool cell_is_open(void);
/* For good; NULL, or why not. */
const char *cell_close(void);

#endif
