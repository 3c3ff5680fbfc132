/* SPDX-License-Identifier: MIT
 *
 * How long an upload's object lives: as its client says, within what its link
 * and its route allow, and told in the answer.
 */
#ifndef ENDPOINTS_UPLOAD_EXPIRY_H
#define ENDPOINTS_UPLOAD_EXPIRY_H

#include "upload.h"

#define UPLOAD_EXPIRY_FIELD "expire_after" /* of a form */

/* A number of seconds that may be wished, as text; false, and 400 answered:
 * it isn't one.  `where` names it. */
bool upload_expiry_wish(struct exchange *, const char *text, const char *where,
                        int64_t *seconds);
/* Reads the head's wish; false: answered. */
bool upload_expiry_read(struct exchange *);
/* May there be objects that end, of uploads here? */
bool upload_expiry_is_on(const struct exchange *);
/* The life of what is uploaded by this request, in seconds, where it wishes
 * for so many; 0: no end. */
int64_t upload_expiry_life(const struct exchange *, int64_t wish);
/* The object is about to be stored as ex->key: its moment is set, and noted
 * for the sweep; then goes on. */
void upload_expiry_set(struct exchange *, void (*then)(struct exchange *));
/* Its moment is known. */
void upload_expiry_keep(struct upload *, int64_t moment_s);
/* Adds it to the answer, whose document may be NULL. */
void upload_expiry_say(struct exchange *, json_t *document);
/* A link to it is good for no longer. */
uint32_t upload_expiry_bound(int64_t moment_s, uint32_t seconds);

#endif
