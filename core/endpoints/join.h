/* SPDX-License-Identifier: MIT
 *
 * Uploads of tus that become one: their bytes are read from their stages and
 * appended to a new one, in the request that asks for it.
 */
#ifndef ENDPOINTS_JOIN_H
#define ENDPOINTS_JOIN_H

#include "resumable.h"

struct join;

/* Of addresses with spaces between.  False when it was answered: one of them
 * leads nowhere. */
bool join_read(struct exchange *, const char *parts);
/* Looks whether all of them are complete, then creates the upload. */
void join_check(struct join *);
/* The upload's stage is there. */
void join_start(struct join *);
/* The stage has taken what was read. */
void join_go_on(struct join *);
void join_free(struct join *); /* NULL: nothing */

#endif
