/* SPDX-License-Identifier: MIT
 *
 * The names of signatures, and how each is made.
 */
#include "jwa.h"

#include <openssl/evp.h>
#include <stddef.h>
#include <string.h>

static const struct {
  enum jwa_kind kind;
  const EVP_MD *(*hash)(void);
} table[JWA_COUNT] = {[JWA_HS256] = {JWA_HMAC, EVP_sha256},
                      [JWA_HS384] = {JWA_HMAC, EVP_sha384},
                      [JWA_HS512] = {JWA_HMAC, EVP_sha512},
                      [JWA_RS256] = {JWA_PKCS1, EVP_sha256},
                      [JWA_RS384] = {JWA_PKCS1, EVP_sha384},
                      [JWA_RS512] = {JWA_PKCS1, EVP_sha512},
                      [JWA_PS256] = {JWA_PSS, EVP_sha256},
                      [JWA_PS384] = {JWA_PSS, EVP_sha384},
                      [JWA_PS512] = {JWA_PSS, EVP_sha512},
                      [JWA_ES256] = {JWA_EC, EVP_sha256},
                      [JWA_ES384] = {JWA_EC, EVP_sha384},
                      [JWA_ES512] = {JWA_EC, EVP_sha512},
                      [JWA_EDDSA] = {JWA_ED, NULL}};

const char *const jwa_names[] = {"HS256", "HS384", "HS512", "RS256", "RS384",
                                 "RS512", "PS256", "PS384", "PS512", "ES256",
                                 "ES384", "ES512", "EdDSA", NULL};

enum jwa jwa_named(const char *name) {
  for (size_t i = 0; jwa_names[i] != NULL; i++)
    if (strcmp(name, jwa_names[i]) == 0)
      return (enum jwa)(i + 1);
  return JWA_UNKNOWN;
}

enum jwa_kind jwa_kind(enum jwa alg) {
  return table[alg].kind;
}

const EVP_MD *jwa_hash(enum jwa alg) {
  return table[alg].hash == NULL ? NULL : table[alg].hash();
}

unsigned jwa_bits(enum jwa_kind kind) {
  unsigned bits = 0;
  for (unsigned i = 0; i < JWA_COUNT; i++)
    if (table[i].kind == kind)
      bits |= JWA_BIT(i);
  return bits;
}
