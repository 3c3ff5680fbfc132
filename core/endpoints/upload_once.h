/* SPDX-License-Identifier: MIT
 *
 * An upload with an Idempotency-Key: what is recorded of it, and how it is
 * answered when it was made before.
 */
#ifndef ENDPOINTS_UPLOAD_ONCE_H
#define ENDPOINTS_UPLOAD_ONCE_H

#include "exchange.h"

/* Reads the request's key, where it has one; false: answered. */
bool upload_once_read(struct exchange *);
/* Goes on when it is this request's to be stored, or was before. */
void upload_once_claim(struct exchange *, void (*then)(struct exchange *));
/* All its bytes are there, and it was stored before: answers. */
void upload_once_replay(struct exchange *);
/* Records what is about to be stored, then goes on. */
void upload_once_fix(struct exchange *, void (*then)(struct exchange *));
/* Is the key one that somebody else may have stored it as before?  Then that
 * it is there is no failure, and looked at. */
bool upload_once_shares_key(const struct exchange *);
void upload_once_look(struct exchange *);
/* It is stored: that is recorded, and answered. */
void upload_once_done(struct exchange *);

#endif
