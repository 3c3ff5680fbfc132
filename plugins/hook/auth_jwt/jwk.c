/* SPDX-License-Identifier: MIT
 *
 * A key: whether it is good enough, and what it verifies.
 */
#include "jwk.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/ecdsa.h>
#include <stdlib.h>
#include <string.h>

#include "digest.h"

#define HALF 32 /* r or s of ES256, half of an EdDSA signature */

/* ---- which are good ----------------------------------------------------- */

static const char *rsa_fault(const EVP_PKEY *key) {
  int bits = EVP_PKEY_get_bits(key);
  if (bits < JWK_RSA_BITS_MIN)
    return "RSA keys below 2048 bits are too weak";
  if (bits > JWK_RSA_BITS_MAX)
    return "RSA keys above 4096 bits take too long";
  return NULL;
}

static const char *ec_fault(const EVP_PKEY *key) {
  char group[32] = "";
  if (EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group,
                                     sizeof group, NULL) != 1 ||
      strcmp(group, "prime256v1") != 0)
    return "of elliptic curves only P-256 and Ed25519 are supported";
  return NULL;
}

/* Takes milliseconds for an RSA key, whose modulus is tested. */
static bool is_sound(EVP_PKEY *key) {
  EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
  bool sound = context != NULL && EVP_PKEY_public_check(context) == 1;
  EVP_PKEY_CTX_free(context);
  return sound;
}

static const char *key_fault(EVP_PKEY *key, enum jwa *alg) {
  const char *fault = NULL;
  switch (EVP_PKEY_get_base_id(key)) {
  case EVP_PKEY_RSA:
    *alg = JWA_RS256;
    fault = rsa_fault(key);
    break;
  case EVP_PKEY_EC:
    *alg = JWA_ES256;
    fault = ec_fault(key);
    break;
  case EVP_PKEY_ED25519:
    *alg = JWA_EDDSA;
    break;
  default:
    return "its type is none of RSA, P-256 and Ed25519";
  }
  if (fault == NULL && !is_sound(key))
    fault = "its numbers make no public key";
  return fault;
}

const char *jwk_take(struct jwk *jwk, EVP_PKEY *key) {
  enum jwa alg = JWA_UNKNOWN;
  const char *fault = key_fault(key, &alg);
  if (fault != NULL) {
    EVP_PKEY_free(key);
    return fault;
  }
  jwk->alg = alg;
  jwk->key = key;
  return NULL;
}

const char *jwk_secret(struct jwk *jwk, const void *secret, size_t len) {
  if (len < JWK_SECRET_MIN)
    return "a secret needs 32 bytes at least";
  if (len > JWK_SECRET_MAX)
    return "a secret has 1024 bytes at most";
  jwk->secret = malloc(len);
  if (jwk->secret == NULL)
    return "there is no memory";
  memcpy(jwk->secret, secret, len);
  jwk->secret_len = len;
  jwk->alg = JWA_HS256;
  return NULL;
}

void jwk_fini(struct jwk *jwk) {
  EVP_PKEY_free(jwk->key);
  if (jwk->secret != NULL)
    digest_wipe(jwk->secret, jwk->secret_len);
  free(jwk->secret);
  free(jwk->kid);
  *jwk = (struct jwk){.alg = JWA_UNKNOWN};
}

/* ---- signatures --------------------------------------------------------- */

static bool verify_hmac(const struct jwk *jwk, const struct jws *jws) {
  unsigned char want[DIGEST_SHA256_LEN];
  digest_hmac_sha256(want, jwk->secret, jwk->secret_len, jws->input,
                     jws->input_len);
  bool same = jws->signature.len == sizeof want &&
              digest_equal(want, jws->signature.data, sizeof want);
  digest_wipe(want, sizeof want);
  return same;
}

/* One shot, as Ed25519 needs; `hash` is NULL for it. */
static bool verify_key(const struct jwk *jwk, const struct jws *jws,
                       const EVP_MD *hash, const void *signature, size_t len) {
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  bool good =
      context != NULL &&
      EVP_DigestVerifyInit(context, NULL, hash, NULL, jwk->key) == 1 &&
      EVP_DigestVerify(context, signature, len,
                       (const unsigned char *)jws->input, jws->input_len) == 1;
  EVP_MD_CTX_free(context);
  return good;
}

/* RFC 7518, section 3.4: r and s as they are; the library wants DER. */
static bool verify_es256(const struct jwk *jwk, const struct jws *jws) {
  const unsigned char *raw = (const unsigned char *)jws->signature.data;
  unsigned char *der = NULL;
  bool good = false;
  if (jws->signature.len != 2 * HALF)
    return false;
  ECDSA_SIG *pair = ECDSA_SIG_new();
  BIGNUM *r = BN_bin2bn(raw, HALF, NULL);
  BIGNUM *s = BN_bin2bn(raw + HALF, HALF, NULL);
  if (pair == NULL || r == NULL || s == NULL ||
      ECDSA_SIG_set0(pair, r, s) != 1)
    goto out;
  r = s = NULL;
  int len = i2d_ECDSA_SIG(pair, &der);
  good = len > 0 && verify_key(jwk, jws, EVP_sha256(), der, (size_t)len);
out:
  BN_free(r);
  BN_free(s);
  ECDSA_SIG_free(pair);
  OPENSSL_free(der);
  return good;
}

static bool verify_eddsa(const struct jwk *jwk, const struct jws *jws) {
  return jws->signature.len == 2 * HALF &&
         verify_key(jwk, jws, NULL, jws->signature.data, jws->signature.len);
}

/* PKCS #1 v1.5 is what a context of an RSA key begins with. */
static bool verify_rs256(const struct jwk *jwk, const struct jws *jws) {
  return jws->signature.len == (size_t)EVP_PKEY_get_size(jwk->key) &&
         verify_key(jwk, jws, EVP_sha256(), jws->signature.data,
                    jws->signature.len);
}

bool jwk_verify(const struct jwk *jwk, const struct jws *jws) {
  if (jwk->alg != jws->alg)
    return false;
  switch (jwk->alg) {
  case JWA_UNKNOWN:
    break;
  case JWA_HS256:
    return verify_hmac(jwk, jws);
  case JWA_RS256:
    return verify_rs256(jwk, jws);
  case JWA_ES256:
    return verify_es256(jwk, jws);
  case JWA_EDDSA:
    return verify_eddsa(jwk, jws);
  }
  return false;
}
