/* SPDX-License-Identifier: MIT
 *
 * Links to objects, signed here and checked here: the query is
 * key=K&expires=SECONDS[&disposition=D][&type=T] and then &signature=HEX, the
 * HMAC-SHA-256 of a scope and of all before it.  What is signed is the query
 * itself, byte for byte as it was made: a link that verifies is one that this
 * key made, and there is no second reading of it.
 */
#ifndef BASE_SIGNEDLINK_H
#define BASE_SIGNEDLINK_H

#include "buf.h"
#include "digest.h"

#define SIGNEDLINK_MAX 16384 /* bytes of a URL */

struct signedlink {
  const char *key;
  int64_t expires_s;              /* since 1970, UTC */
  const char *disposition, *type; /* NULL or "": as stored */
};

/* The permission that a link gives. */
struct signedlink_grant {
  struct buf key, disposition, type; /* the last two may be empty */
};

/* Adds the query to `url`.  The scope says what the link is for: one of
 * another scope doesn't verify.  False: it would be too long. */
bool signedlink_make(struct buf *url, const struct digest_key *,
                     const char *scope, const struct signedlink *);
/* NULL and the grant, or why it is refused: a constant for the log.  The
 * grant is initialised in any case. */
const char *signedlink_check(struct signedlink_grant *,
                             const struct digest_key *, const char *scope,
                             const char *query, int64_t now_s);
void signedlink_fini(struct signedlink_grant *);

#endif
