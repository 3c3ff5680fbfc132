/* SPDX-License-Identifier: MIT
 *
 * Tokens of one loop that were verified with the keys of now, so that a client
 * who comes back costs a digest.  Bounded: what is new takes the place of what
 * ends first among the few that share it.
 */
#ifndef AUTH_JWT_JWTCACHE_H
#define AUTH_JWT_JWTCACHE_H

#include "claims.h"
#include "digest.h"

#define JWTCACHE_MAX 65536
#define JWTCACHE_WAYS 4 /* that share a place */

struct jwtcache;

/* Of at least so many tokens, up to JWTCACHE_MAX; 0: it holds none.  NULL: no
 * memory. */
struct jwtcache *jwtcache_new(size_t tokens);
void jwtcache_free(struct jwtcache *); /* NULL: nothing */

/* The tokens that are held were verified with the keys of this digest; with
 * those of another one, all are forgotten. */
void jwtcache_keys(struct jwtcache *,
                   const unsigned char keys[DIGEST_SHA256_LEN]);
/* Of a token's digest, if it is of this time; NULL: verify it.  Get. */
struct bearer *jwtcache_get(const struct jwtcache *,
                            const unsigned char token[DIGEST_SHA256_LEN],
                            int64_t now_s);
void jwtcache_add(struct jwtcache *,
                  const unsigned char token[DIGEST_SHA256_LEN],
                  struct bearer *); /* which it holds */

#endif
