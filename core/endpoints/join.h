/* SPDX-License-Identifier: MIT
 *
 * An upload that is put together of parts that were uploaded before (tus,
 * concatenation): a source of bytes in place of a request's body.
 */
#ifndef ENDPOINTS_JOIN_H
#define ENDPOINTS_JOIN_H

#include "resumable.h"

/* Parts, whose addresses spaces separate in the head, are to be the source of
 * the upload; false: it was answered. */
bool join_read(struct exchange *, const char *parts);
/* Looks, with the key, whether all of them are complete, then starts the
 * creation. */
void join_check(struct exchange *);

#endif
