/* SPDX-License-Identifier: MIT
 *
 * One key, and whether a token was signed with it.  Its type decides which
 * signatures it verifies, and its own alg, where it has one, which of these: a
 * secret, as nothing else, HS256 to HS512; RSA RS256 to PS512; each curve its
 * own.
 */
#ifndef AUTH_JWT_JWK_H
#define AUTH_JWT_JWK_H

#include <jansson.h>
#include <openssl/types.h>

#include "jwa.h"
#include "jws.h"

#define JWK_RSA_BITS_MIN 2048
#define JWK_RSA_BITS_MAX 4096 /* what a verification may cost a loop */
#define JWK_SECRET_MIN 32     /* bytes, of HS256: RFC 7518, section 3.2 */
#define JWK_SECRET_MAX 1024

struct jwk {
  unsigned algs; /* bits that it verifies; 0: it is none */
  char *kid;     /* NULL: it has none */
  EVP_PKEY *key;
  unsigned char *secret;
  size_t secret_len;
};

/* These fill a zeroed one: NULL, or why it can't be used, after which it holds
 * nothing. */
const char *jwk_take(struct jwk *, EVP_PKEY *); /* a public key: taken */
const char *jwk_secret(struct jwk *, const void *secret, size_t len);
/* A key as JSON (RFC 7517).  With `secrets` a kty of "oct" is one. */
const char *jwk_read(struct jwk *, const json_t *, bool secrets);
void jwk_fini(struct jwk *); /* wipes the secret */

bool jwk_has(const struct jwk *, enum jwa);
/* False too where the key isn't of the token's alg. */
bool jwk_verify(const struct jwk *, const struct jws *);

#endif
