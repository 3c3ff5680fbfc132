/* SPDX-License-Identifier: MIT
 *
 * The note by which a sweep finds an object that ends by itself: written
 * before the object is, so that none is forgotten, whatever crashes.  A note
 * of an object that isn't there harms nothing.
 */
#ifndef ENDPOINTS_EXPIRYNOTE_H
#define ENDPOINTS_EXPIRYNOTE_H

#include "exchange.h"

struct expirynote;

/* Writes it, then goes on; where it can't be written, that is answered.  The
 * place has the note until expirynote_leave(). */
void expirynote_write(struct expirynote **, struct exchange *, const char *key,
                      int64_t moment_s, void (*then)(struct exchange *));
/* The exchange is gone; NULL: nothing. */
void expirynote_leave(struct expirynote *);

/* Tells in an answer's head when its object ends; 0: nothing. */
void expirynote_say(struct exchange *, int64_t moment_s);

#endif
