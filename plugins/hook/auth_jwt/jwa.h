/* SPDX-License-Identifier: MIT
 *
 * The signatures that are known (RFC 7518, section 3.1; RFC 8037), and which
 * kind of key verifies each, so that a key says what it is good for, never a
 * token.
 */
#ifndef AUTH_JWT_JWA_H
#define AUTH_JWT_JWA_H

#include <openssl/types.h>

enum jwa {
  JWA_UNKNOWN, /* "none" too */
  JWA_HS256,
  JWA_HS384,
  JWA_HS512,
  JWA_RS256, /* PKCS #1 v1.5 */
  JWA_RS384,
  JWA_RS512,
  JWA_PS256, /* PSS */
  JWA_PS384,
  JWA_PS512,
  JWA_ES256, /* P-256 */
  JWA_ES384, /* P-384 */
  JWA_ES512, /* P-521 */
  JWA_EDDSA, /* Ed25519 */
  JWA_COUNT
};

#define JWA_BIT(alg) (1u << (alg))

enum jwa_kind { JWA_NO_KIND, JWA_HMAC, JWA_PKCS1, JWA_PSS, JWA_EC, JWA_ED };

/* All but "unknown", ended by NULL. */
extern const char *const jwa_names[];

enum jwa jwa_named(const char *name); /* to the letter */
enum jwa_kind jwa_kind(enum jwa);
const EVP_MD *jwa_hash(enum jwa); /* NULL for JWA_EDDSA */
/* The bits of all that are of this kind. */
unsigned jwa_bits(enum jwa_kind);

#endif
