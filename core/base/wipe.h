/* SPDX-License-Identifier: MIT
 *
 * Memory that held what a client may have to prove who it is: it is
 * overwritten before it is anybody else's.
 */
#ifndef BASE_WIPE_H
#define BASE_WIPE_H

#include <stddef.h>

/* Bytes of a block that wipe_free() overwrites: a head and more; what is
 * longer is the body of an object. */
#define WIPE_MAX ((size_t)36 << 10)

void wipe_free(void *); /* what malloc() gave; NULL: nothing */
/* As realloc(), and what is left behind is overwritten. */
void *wipe_realloc(void *, size_t size);

#endif
