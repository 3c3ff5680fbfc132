/* SPDX-License-Identifier: MIT
 *
 * The keys that are believed: an issuer's set (RFC 7517, section 5), public
 * keys in PEM, or a secret.  A set never changes: there is a new one.
 */
#ifndef AUTH_JWT_JWKS_H
#define AUTH_JWT_JWKS_H

#include "digest.h"
#include "errmsg.h"
#include "jwk.h"

#define JWKS_TEXT_MAX 262144 /* bytes */
#define JWKS_KEYS_MAX 64
#define JWKS_TRIES_MAX 4 /* keys that may all have to be tried for a token */

struct jwks {
  unsigned char digest[DIGEST_SHA256_LEN]; /* of the text */
  bool named;                              /* kid decides: not of PEM */
  size_t count, skipped;
  struct errmsg why; /* of the first that was skipped */
  struct jwk keys[JWKS_KEYS_MAX];
};

/* All three check each key, which takes milliseconds: for a thread of the
 * pool, or a start.
 *
 * NULL and why: none of its keys can be used, or it is no set.  Keys that are
 * of other kinds, for other uses or wrong are skipped; with `secrets` it may
 * hold some for HS256. */
struct jwks *jwks_read(const char *data, size_t len, bool secrets,
                       struct errmsg *);
/* "PUBLIC KEY" blocks; anything else between them but text is refused. */
struct jwks *jwks_pem(const char *data, size_t len, struct errmsg *);
/* One line break at the end isn't part of it. */
struct jwks *jwks_secret(const char *data, size_t len, struct errmsg *);
void jwks_free(struct jwks *); /* NULL: nothing */
/* Does it hold any secret? */
bool jwks_is_secret(const struct jwks *);

enum jwks_answer {
  JWKS_SIGNED,
  JWKS_FORGED, /* not with any key that it names */
  JWKS_NO_KEY  /* it names none of these: there may be newer ones */
};

/* Of a set with names, the keys of the token's alg and kid are tried, of which
 * there are JWKS_TRIES_MAX at most; for a token without kid the only key of
 * its alg, or else those of them that have no kid.  Of keys in PEM, any of the
 * alg. */
enum jwks_answer jwks_verify(const struct jwks *, const struct jws *);

#endif
