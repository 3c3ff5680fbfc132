/* SPDX-License-Identifier: MIT
 *
 * A key: whether it is good enough, and whether it verifies a token.
 */
#include "jwk.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/ecdsa.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "digest.h"

#define ED_SIGNATURE 64 /* bytes */

/* ---- good keys -----------------------------------------------------------
 */

static const char *rsa_fault(const EVP_PKEY *key) {
  int bits = EVP_PKEY_get_bits(key);
  if (bits < JWK_RSA_BITS_MIN)
    return "RSA keys below 2048 bits are too weak";
  if (bits > JWK_RSA_BITS_MAX)
    return "RSA keys above 4096 bits take too long";
  return NULL;
}

/* A curve that isn't known is none. */
static enum jwa ec_alg(const EVP_PKEY *key) {
  static const struct {
    const char *group;
    enum jwa alg;
  } curves[] = {{"prime256v1", JWA_ES256},
                {"secp384r1", JWA_ES384},
                {"secp521r1", JWA_ES512}};
  char group[32] = "";
  if (EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group,
                                     sizeof group, NULL) != 1)
    return JWA_UNKNOWN;
  for (size_t i = 0; i < sizeof curves / sizeof *curves; i++)
    if (strcmp(group, curves[i].group) == 0)
      return curves[i].alg;
  return JWA_UNKNOWN;
}

/* Takes milliseconds for an RSA key, whose modulus is tested. */
static bool is_sound(EVP_PKEY *key) {
  EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
  bool sound = context != NULL && EVP_PKEY_public_check(context) == 1;
  EVP_PKEY_CTX_free(context);
  return sound;
}

static const char *key_fault(EVP_PKEY *key, unsigned *algs) {
  const char *fault = NULL;
  switch (EVP_PKEY_get_base_id(key)) {
  case EVP_PKEY_RSA:
    *algs = jwa_bits(JWA_PKCS1) | jwa_bits(JWA_PSS);
    fault = rsa_fault(key);
    break;
  case EVP_PKEY_EC:
    *algs = JWA_BIT(ec_alg(key));
    if (*algs == JWA_BIT(JWA_UNKNOWN))
      fault = "of elliptic curves only P-256, P-384, P-521 and Ed25519 are "
              "supported";
    break;
  case EVP_PKEY_ED25519:
    *algs = JWA_BIT(JWA_EDDSA);
    break;
  default:
    return "its type is none of RSA, P-256, P-384, P-521 and Ed25519";
  }
  if (fault == NULL && !is_sound(key))
    fault = "its numbers make no public key";
  return fault;
}

const char *jwk_take(struct jwk *jwk, EVP_PKEY *key) {
  unsigned algs = 0;
  const char *fault = key_fault(key, &algs);
  if (fault != NULL) {
    EVP_PKEY_free(key);
    return fault;
  }
  jwk->algs = algs;
  jwk->key = key;
  return NULL;
}

/* RFC 7518, section 3.2: it has to be as long as the hash. */
static unsigned secret_algs(size_t len) {
  unsigned algs = 0;
  for (unsigned i = JWA_HS256; i <= JWA_HS512; i++)
    if (len >= (size_t)EVP_MD_get_size(jwa_hash((enum jwa)i)))
      algs |= JWA_BIT(i);
  return algs;
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
  jwk->algs = secret_algs(len);
  return NULL;
}

void jwk_fini(struct jwk *jwk) {
  EVP_PKEY_free(jwk->key);
  if (jwk->secret != NULL)
    digest_wipe(jwk->secret, jwk->secret_len);
  free(jwk->secret);
  free(jwk->kid);
  *jwk = (struct jwk){.algs = 0};
}

/* ---- signatures --------------------------------------------------------- */

static const unsigned char *signature_of(const struct jws *jws) {
  return (const unsigned char *)jws->signature.data;
}

static bool verify_hmac(const struct jwk *jwk, const struct jws *jws) {
  unsigned char want[EVP_MAX_MD_SIZE];
  unsigned len = 0;
  bool same = HMAC(jwa_hash(jws->alg), jwk->secret, (int)jwk->secret_len,
                   (const unsigned char *)jws->input, jws->input_len, want,
                   &len) != NULL &&
              jws->signature.len == len &&
              digest_equal(want, jws->signature.data, len);
  digest_wipe(want, sizeof want);
  return same;
}

/* RFC 7518, section 3.5: the salt is as long as the hash, whose function MGF1
 * has, too. */
static bool use_pss(EVP_PKEY_CTX *context) {
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) ==
             1;
}

/* One shot, as Ed25519 needs.  PKCS #1 v1.5 is what a context of an RSA key
 * begins with. */
static bool verify_key(const struct jwk *jwk, const struct jws *jws,
                       const unsigned char *signature, size_t len) {
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  EVP_PKEY_CTX *of_key = NULL; /* the context's own */
  bool good =
      context != NULL &&
      EVP_DigestVerifyInit(context, &of_key, jwa_hash(jws->alg), NULL,
                           jwk->key) == 1 &&
      (jwa_kind(jws->alg) != JWA_PSS || use_pss(of_key)) &&
      EVP_DigestVerify(context, signature, len,
                       (const unsigned char *)jws->input, jws->input_len) == 1;
  EVP_MD_CTX_free(context);
  return good;
}

/* RFC 7518, section 3.4: r and s as they are, each as long as the curve's
 * order; the library wants DER. */
static bool verify_ec(const struct jwk *jwk, const struct jws *jws) {
  const unsigned char *raw = signature_of(jws);
  unsigned char *der = NULL;
  bool good = false;
  int half = (EVP_PKEY_get_bits(jwk->key) + 7) / 8;
  if (jws->signature.len != 2 * (size_t)half)
    return false;
  ECDSA_SIG *pair = ECDSA_SIG_new();
  BIGNUM *r = BN_bin2bn(raw, half, NULL);
  BIGNUM *s = BN_bin2bn(raw + half, half, NULL);
  if (pair == NULL || r == NULL || s == NULL ||
      ECDSA_SIG_set0(pair, r, s) != 1)
    goto out;
  r = s = NULL;
  int len = i2d_ECDSA_SIG(pair, &der);
  good = len > 0 && verify_key(jwk, jws, der, (size_t)len);
out:
  BN_free(r);
  BN_free(s);
  ECDSA_SIG_free(pair);
  OPENSSL_free(der);
  return good;
}

static bool verify_as_it_is(const struct jwk *jwk, const struct jws *jws,
                            size_t len) {
  return jws->signature.len == len &&
         verify_key(jwk, jws, signature_of(jws), len);
}

bool jwk_has(const struct jwk *jwk, enum jwa alg) {
  return alg != JWA_UNKNOWN && (jwk->algs & JWA_BIT(alg)) != 0;
}

bool jwk_verify(const struct jwk *jwk, const struct jws *jws) {
  if (!jwk_has(jwk, jws->alg))
    return false;
  switch (jwa_kind(jws->alg)) {
  case JWA_NO_KIND:
    break;
  case JWA_HMAC:
    return verify_hmac(jwk, jws);
  case JWA_PKCS1:
  case JWA_PSS:
    return verify_as_it_is(jwk, jws, (size_t)EVP_PKEY_get_size(jwk->key));
  case JWA_EC:
    return verify_ec(jwk, jws);
  case JWA_ED:
    return verify_as_it_is(jwk, jws, ED_SIGNATURE);
  }
  return false;
}
