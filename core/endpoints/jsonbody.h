/* SPDX-License-Identifier: MIT
 *
 * A request's body as a JSON object, for the operations that take one.
 */
#ifndef ENDPOINTS_JSONBODY_H
#define ENDPOINTS_JSONBODY_H

#include <jansson.h>

#include "exchange.h"

#define JSONBODY_MAX 65536
/* Values of a document: each costs a parser some 40 bytes, in how few it may
 * be written. */
#define JSONBODY_VALUES_MAX 4096

/* Receives the body, then calls `then` with the object, lent until it
 * returns; what is no JSON object, or too long, is answered here. */
void jsonbody_read(struct exchange *,
                   void (*then)(struct exchange *, json_t *));
/* The same of one that may be longer; its memory is charged. */
void jsonbody_read_long(struct exchange *, size_t max,
                        void (*then)(struct exchange *, json_t *));
/* The text of this name, checked by a function of key.h; NULL when it was
 * answered as missing or bad. */
const char *jsonbody_key_of(struct exchange *, json_t *, const char *name,
                            const char *(*fault_of)(const char *key,
                                                    size_t len));
/* The document's "key", checked by a function of key.h; NULL when it was
 * answered as missing or bad. */
const char *jsonbody_key(struct exchange *, json_t *,
                         const char *(*fault_of)(const char *key, size_t len));

#endif
