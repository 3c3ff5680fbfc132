/* SPDX-License-Identifier: MIT
 *
 * Objects that nobody needs any more, removed some at a time in the
 * background.  One that can't be is left for the next sweep.
 */
#ifndef S3_ERASER_H
#define S3_ERASER_H

#include "client.h"

#define ERASER_MAX 20000 /* keys that wait, on each loop */

struct eraser;

struct eraser *eraser_new(struct s3_loop *); /* NULL: no memory */
/* Ends what is under way; what still waits is left.  NULL: nothing. */
void eraser_free(struct eraser *);
void eraser_add(struct eraser *, const char *key);

#endif
