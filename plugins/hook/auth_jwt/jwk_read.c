/* SPDX-License-Identifier: MIT
 *
 * A key as JSON: RFC 7517, RFC 7518 section 6, RFC 8037.
 */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <string.h>

#include "codec.h"
#include "digest.h"
#include "jwk.h"
#include "jwtjson.h"
#include "words.h"

#define COORDINATE_MAX 66 /* bytes of x and y */
#define ED_KEY 32
#define EXPONENT_MAX 8

/* RFC 7518, section 6.2.1.1. */
static const struct curve {
  const char *name, *group;
  size_t coordinate; /* bytes of x and y */
} curves[] = {{"P-256", "prime256v1", 32},
              {"P-384", "secp384r1", 48},
              {"P-521", "secp521r1", COORDINATE_MAX},
              {NULL, NULL, 0}};

static bool unpack(struct buf *out, const json_t *json, const char *name) {
  const char *text = jwtjson_text(json, name);
  return text != NULL && codec_unbase64url(out, text, strlen(text)) &&
         out->len > 0;
}

static EVP_PKEY *from_params(const char *type, OSSL_PARAM_BLD *build) {
  OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
  EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
  EVP_PKEY *key = NULL;
  if (params != NULL && context != NULL &&
      EVP_PKEY_fromdata_init(context) == 1 &&
      EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
    key = NULL;
  EVP_PKEY_CTX_free(context);
  OSSL_PARAM_free(params);
  return key;
}

static EVP_PKEY *make_rsa(const struct buf *n, const struct buf *e) {
  OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
  BIGNUM *modulus = BN_bin2bn((unsigned char *)n->data, (int)n->len, NULL);
  BIGNUM *exponent = BN_bin2bn((unsigned char *)e->data, (int)e->len, NULL);
  EVP_PKEY *key = NULL;
  if (build != NULL && modulus != NULL && exponent != NULL &&
      BN_is_odd(exponent) && !BN_is_one(exponent) &&
      OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, modulus) == 1 &&
      OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, exponent) == 1)
    key = from_params("RSA", build);
  OSSL_PARAM_BLD_free(build);
  BN_free(modulus);
  BN_free(exponent);
  return key;
}

static EVP_PKEY *read_rsa(const json_t *json) {
  struct buf n, e;
  EVP_PKEY *key = NULL;
  buf_init(&n, JWK_RSA_BITS_MAX / 8 + 1);
  buf_init(&e, EXPONENT_MAX);
  if (unpack(&n, json, "n") && unpack(&e, json, "e"))
    key = make_rsa(&n, &e);
  buf_fini(&n);
  buf_fini(&e);
  return key;
}

static EVP_PKEY *make_ec(const struct curve *curve, const struct buf *point) {
  OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
  EVP_PKEY *key = NULL;
  if (build != NULL &&
      OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME,
                                      curve->group, 0) == 1 &&
      OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY,
                                       point->data, point->len) == 1)
    key = from_params("EC", build);
  OSSL_PARAM_BLD_free(build);
  return key;
}

/* NULL: no key of a curve that is known, or its numbers are none. */
static EVP_PKEY *read_ec(const json_t *json) {
  const char *crv = jwtjson_text(json, "crv");
  const struct curve *curve = curves;
  struct buf point;
  EVP_PKEY *key = NULL;
  while (curve->name != NULL && strcmp(curve->name, crv) != 0)
    curve++;
  size_t one = curve->coordinate;
  buf_init(&point, 1 + 2 * one);
  buf_addc(&point, 4); /* SEC 1: an uncompressed point follows */
  if (one > 0 && unpack(&point, json, "x") && point.len == 1 + one &&
      unpack(&point, json, "y") && point.len == 1 + 2 * one)
    key = make_ec(curve, &point);
  buf_fini(&point);
  return key;
}

static EVP_PKEY *read_ed25519(const json_t *json) {
  struct buf x;
  EVP_PKEY *key = NULL;
  buf_init(&x, ED_KEY);
  if (unpack(&x, json, "x") && x.len == ED_KEY)
    key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL,
                                      (unsigned char *)x.data, x.len);
  buf_fini(&x);
  return key;
}

static const char *read_secret(struct jwk *jwk, const json_t *json) {
  struct buf secret;
  buf_init(&secret, JWK_SECRET_MAX);
  /* All of the room at once: a buffer that grows leaves pieces behind. */
  buf_addf(&secret, "%*s", JWK_SECRET_MAX, "");
  buf_clear(&secret);
  const char *fault = unpack(&secret, json, "k")
                          ? jwk_secret(jwk, secret.data, secret.len)
                          : "its k is no base64url, or too long";
  /* The library frees texts as they are. */
  char *text = (char *)jwtjson_text(json, "k");
  if (text != NULL)
    digest_wipe(text, strlen(text));
  if (secret.room > 0)
    digest_wipe(secret.data, secret.room);
  buf_fini(&secret);
  return fault;
}

/* ---- its use ------------------------------------------------------------ */

static const char *use_fault(const json_t *json) {
  const json_t *use = json_object_get(json, "use"), *item;
  const json_t *operations = json_object_get(json, "key_ops");
  const char *text = json_string_value(use);
  bool verifies = operations == NULL;
  size_t i;
  if (use != NULL && (text == NULL || strcmp(text, "sig") != 0))
    return "its use is not sig";
  json_array_foreach(operations, i, item) {
    text = json_string_value(item);
    verifies = verifies || (text != NULL && strcmp(text, "verify") == 0);
  }
  return verifies ? NULL : "its key_ops are without verify";
}

static bool is_curve(const json_t *json, const char *type,
                     const char *const *names) {
  const char *crv = jwtjson_text(json, "crv");
  return strcmp(jwtjson_text(json, "kty"), type) == 0 && crv != NULL &&
         words_has(names, crv);
}

static const char *jwk_read_read_key(struct jwk *jwk, const json_t *json,
                                     bool secrets) {
  static const char *const nist[] = {"P-256", "P-384", "P-521", NULL};
  static const char *const edwards[] = {"Ed25519", NULL};
  const char *kty = jwtjson_text(json, "kty");
  EVP_PKEY *key;
  if (kty == NULL)
    return "it has no kty";
  if (strcmp(kty, "oct") == 0)
    return secrets ? read_secret(jwk, json)
                   : "it is a secret, which an issuer does not publish";
  if (json_object_get(json, "d") != NULL)
    return "it has its private part, and so is not secret any more";
  if (strcmp(kty, "RSA") == 0)
    key = read_rsa(json);
  else if (is_curve(json, "EC", nist))
    key = read_ec(json);
  else if (is_curve(json, "OKP", edwards))
    key = read_ed25519(json);
  else
    return "its type is none of RSA, P-256, P-384, P-521 and Ed25519";
  return key == NULL ? "its numbers make no public key" : jwk_take(jwk, key);
}

/* RFC 7517, section 4.4: of all that its type could verify, only this. */
static const char *pin_alg(struct jwk *jwk, const json_t *alg) {
  if (alg == NULL)
    return NULL;
  if (!json_is_string(alg))
    return "its alg is no text";
  enum jwa named = jwa_named(json_string_value(alg));
  if (!jwk_has(jwk, named))
    return "its alg is none that its type, or its length, verifies";
  jwk->algs = JWA_BIT(named);
  return NULL;
}

static const char *take_kid(struct jwk *jwk, const json_t *kid) {
  const char *name = json_string_value(kid);
  if (kid == NULL)
    return NULL;
  if (!jws_is_word(name, JWS_KID_MAX))
    return "its kid is no text, or too long";
  jwk->kid = strdup(name);
  return jwk->kid == NULL ? "there is no memory" : NULL;
}

const char *jwk_read(struct jwk *jwk, const json_t *json, bool secrets) {
  const char *fault =
      json_is_object(json) ? use_fault(json) : "it is no JSON object";
  if (fault == NULL)
    fault = take_kid(jwk, json_object_get(json, "kid"));
  if (fault == NULL)
    fault = jwk_read_read_key(jwk, json, secrets);
  if (fault == NULL)
    fault = pin_alg(jwk, json_object_get(json, "alg"));
  if (fault != NULL)
    jwk_fini(jwk);
  return fault;
}
