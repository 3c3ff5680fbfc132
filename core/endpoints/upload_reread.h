/* SPDX-License-Identifier: MIT
 *
 * The digest of a form's file whose field came behind it, when its bytes had
 * gone to the backend: they are read from there again, before the commit.
 */
#ifndef ENDPOINTS_UPLOAD_REREAD_H
#define ENDPOINTS_UPLOAD_REREAD_H

#include "exchange.h"

struct reread;

/* Has the digest to be made yet, of a file that the backend took all of? */
bool upload_reread_due(const struct exchange *);
/* Starts it; the put's chunk() and then its next() come. */
void upload_reread(struct exchange *);
void upload_reread_on_chunk(void *exchange, const struct sluice_chunk *);
/* The exchange is gone; NULL is nothing. */
void upload_reread_leave(struct reread *);

#endif
