/* SPDX-License-Identifier: MIT
 *
 * The signatures that are known (RFC 7518, section 3.1; RFC 8037): one for
 * each type of key, so that a key says which one verifies with it, never a
 * token.
 */
#ifndef AUTH_JWT_JWA_H
#define AUTH_JWT_JWA_H

enum jwa {
  JWA_UNKNOWN, /* "none" too */
  JWA_HS256,   /* a secret */
  JWA_RS256,   /* RSA, PKCS #1 v1.5 */
  JWA_ES256,   /* P-256 */
  JWA_EDDSA    /* Ed25519 */
};

enum jwa jwa_named(const char *name); /* to the letter */
const char *jwa_name(enum jwa);       /* "unknown" for JWA_UNKNOWN */

#endif
