/* SPDX-License-Identifier: MIT
 *
 * The name of a link: for logs, and to take it back by.  It says itself that
 * this key made it, whose it is and when it ends, so that nobody keeps a list
 * of links.
 */
#ifndef BASE_LINKID_H
#define BASE_LINKID_H

#include "digest.h"

#define LINKID_SIZE 45 /* 44 letters of base64url, and a NUL */

/* A new one.  `owner` is an identity; NULL: nobody's. */
void linkid_make(char out[LINKID_SIZE], const struct digest_key *,
                 const char *owner, int64_t expires_s);
/* Did this key make it?  Then it ends at *expires_s. */
bool linkid_read(const struct digest_key *, const char *id,
                 int64_t *expires_s);
/* Of one that was read: is it this identity's? */
bool linkid_is_of(const struct digest_key *, const char *id,
                  const char *owner);

#endif
