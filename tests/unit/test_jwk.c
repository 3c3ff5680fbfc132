/* SPDX-License-Identifier: MIT
 *
 * Keys and signatures: the examples of RFC 7515 (appendix A.1 to A.3) and of
 * RFC 8037 (appendix A.4), and what must not verify.
 */
#include "jwk.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "digest.h"
#include "unit.h"

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

/* RFC 7519, section 3.1, too */
#define CLAIMS                                                              \
  "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmN" \
  "vbS9pc19yb290Ijp0cnVlfQ"
#define RSA_N                                                               \
  "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4q" \
  "PCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ4" \
  "7soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBE" \
  "Ma2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWN" \
  "moudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
#define EC_X "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define EC_Y "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define ED_X "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
#define SECRET                                                              \
  "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgU" \
  "uTwjAzZr1Z9CAow"

#define KEY_RSA "{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AQAB\"}"
#define KEY_EC \
  "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}"
#define KEY_ED "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" ED_X "\"}"
#define KEY_OCT "{\"kty\":\"oct\",\"k\":\"" SECRET "\"}"

#define TOKEN_HS                                     \
  "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." CLAIMS \
  ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define TOKEN_RS                                                            \
  "eyJhbGciOiJSUzI1NiJ9." CLAIMS                                            \
  ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHI"  \
  "m4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB-"  \
  "-f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383Lc" \
  "OLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUip" \
  "UTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
#define TOKEN_ES                                                            \
  "eyJhbGciOiJFUzI1NiJ9." CLAIMS                                            \
  ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxf" \
  "KTUJqPP3-Kg6NU1Q"
#define TOKEN_ED                                                            \
  "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."               \
  "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g" \
  "7sVvpAr_MuM0KAg"

static const struct {
  const char *name, *key, *token;
  enum jwa alg;
} examples[] = {{"HS256", KEY_OCT, TOKEN_HS, JWA_HS256},
                {"RS256", KEY_RSA, TOKEN_RS, JWA_RS256},
                {"ES256", KEY_EC, TOKEN_ES, JWA_ES256},
                {"EdDSA", KEY_ED, TOKEN_ED, JWA_EDDSA}};
#define EXAMPLES (sizeof examples / sizeof *examples)

/* Why it isn't one. */
static const char *read_key(struct jwk *key, const char *text, bool secrets) {
  json_t *json = json_loads(text, 0, NULL);
  CU_ASSERT_PTR_NOT_NULL_FATAL(json);
  *key = (struct jwk){.algs = 0};
  const char *fault = jwk_read(key, json, secrets);
  json_decref(json);
  return fault;
}

static struct jws parsed(const char *token) {
  struct jws jws;
  CU_ASSERT_PTR_NULL(jws_parse(&jws, token, strlen(token)));
  return jws;
}

static void test_jwk_examples_of_the_rfcs_verify_with_their_key_only(void) {
  for (size_t i = 0; i < EXAMPLES; i++) {
    struct jwk key;
    ROW(examples[i].name, read_key(&key, examples[i].key, true) == NULL);
    ROW(examples[i].name, jwk_has(&key, examples[i].alg));
    for (size_t j = 0; j < EXAMPLES; j++) {
      struct jws jws = parsed(examples[j].token);
      ROW(examples[j].name, jwk_verify(&key, &jws) == (i == j));
      /* The same, should a token's alg ever be believed. */
      jws.alg = examples[i].alg;
      ROW(examples[j].name, jwk_verify(&key, &jws) == (i == j));
      jws.alg = examples[(i + 1) % EXAMPLES].alg;
      ROW(examples[j].name, !jwk_verify(&key, &jws));
      jws_fini(&jws);
    }
    jwk_fini(&key);
  }
}

static void test_jwk_each_bit_of_a_signature_counts(void) {
  for (size_t i = 0; i < EXAMPLES; i++) {
    struct jwk key;
    read_key(&key, examples[i].key, true);
    struct jws jws = parsed(examples[i].token);
    for (size_t bit = 0; bit < 8 * jws.signature.len; bit += 3) {
      jws.signature.data[bit / 8] ^= (char)(1 << bit % 8);
      ROW(examples[i].name, !jwk_verify(&key, &jws));
      jws.signature.data[bit / 8] ^= (char)(1 << bit % 8);
    }
    jws.input_len--;
    ROW(examples[i].name, !jwk_verify(&key, &jws));
    jws_fini(&jws);
    jwk_fini(&key);
  }
}

static void test_jwk_a_signature_of_another_length_is_none(void) {
  for (size_t i = 0; i < EXAMPLES; i++) {
    struct jwk key;
    read_key(&key, examples[i].key, true);
    struct jws jws = parsed(examples[i].token);
    size_t len = jws.signature.len;
    jws.signature.len = len - 1;
    ROW(examples[i].name, !jwk_verify(&key, &jws));
    jws.signature.len = 0;
    ROW(examples[i].name, !jwk_verify(&key, &jws));
    jws.signature.len = len;
    buf_addc(&jws.signature, 0);
    ROW(examples[i].name, !jwk_verify(&key, &jws));
    jws_fini(&jws);
    jwk_fini(&key);
  }
}

/* CVE-2022-21449 */
static void test_jwk_signatures_of_zeros_or_the_order_are_none(void) {
  static const char order[] = "\xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff"
                              "\xff\xff\xff\xff\xff\xbc\xe6\xfa\xad\xa7\x17"
                              "\x9e\x84\xf3\xb9\xca\xc2\xfc\x63\x25\x51";
  for (size_t i = 0; i < EXAMPLES; i++) {
    struct jwk key;
    read_key(&key, examples[i].key, true);
    struct jws jws = parsed(examples[i].token);
    memset(jws.signature.data, 0, jws.signature.len);
    ROW(examples[i].name, !jwk_verify(&key, &jws));
    jws_fini(&jws);
    jwk_fini(&key);
  }
  struct jwk key;
  read_key(&key, KEY_EC, false);
  struct jws jws = parsed(TOKEN_ES);
  memcpy(jws.signature.data, order, 32);
  memcpy(jws.signature.data + 32, order, 32);
  CU_ASSERT(!jwk_verify(&key, &jws));
  jws_fini(&jws);
  jwk_fini(&key);
}

/* The public key's text as an HMAC's secret, as whoever forges would. */
static void test_jwk_no_hmac_verifies_with_a_public_key(void) {
  unsigned char mac[DIGEST_SHA256_LEN];
  struct jwk key;
  read_key(&key, KEY_RSA, false);
  struct jws jws = parsed(TOKEN_HS);
  digest_hmac_sha256(mac, RSA_N, strlen(RSA_N), jws.input, jws.input_len);
  buf_clear(&jws.signature);
  buf_add(&jws.signature, mac, sizeof mac);
  CU_ASSERT(!jwk_verify(&key, &jws));
  jws_fini(&jws);
  jwk_fini(&key);
}

/* ---- which keys --------------------------------------------------------- */

static void test_jwk_keys_are_taken_or_refused(void) {
#define RSA(more) \
  "{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AQAB\"" more "}"
#define EC(crv, x, y) \
  "{\"kty\":\"EC\",\"crv\":\"" crv "\",\"x\":\"" x "\",\"y\":\"" y "\"}"
#define OKP(crv, x) "{\"kty\":\"OKP\",\"crv\":\"" crv "\",\"x\":\"" x "\"}"
  static const struct {
    const char *key;
    bool good;
  } rows[] = {
      {RSA(""), true},
      {RSA(",\"use\":\"sig\",\"alg\":\"RS256\",\"kid\":\"../../etc\""), true},
      {RSA(",\"key_ops\":[\"verify\"],\"x5c\":[\"x\"]"), true},
      {RSA(",\"use\":\"enc\""), false},
      {RSA(",\"use\":1"), false},
      {RSA(",\"key_ops\":[\"sign\"]"), false},
      {RSA(",\"alg\":\"HS256\""), false},
      {RSA(",\"alg\":\"RS512\""), true},
      {RSA(",\"alg\":\"PS384\""), true},
      {RSA(",\"alg\":\"ES256\""), false},
      {RSA(",\"alg\":\"RSA-OAEP\""), false},
      {RSA(",\"kid\":\"a\\u0001b\""), false},
      {RSA(",\"alg\":7"), false},
      {RSA(",\"kid\":7"), false},
      {RSA(",\"d\":\"AQAB\""), false},
      {"{\"kty\":\"RSA\",\"n\":\"" RSA_N "\"}", false},
      {"{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AQ\"}", false},
      {"{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AQAA\"}", false},
      {"{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"\"}", false},
      {"{\"kty\":\"RSA\",\"n\":\"" RSA_N "=\",\"e\":\"AQAB\"}", false},
      {"{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}", false},
      {EC("P-256", EC_X, EC_Y), true},
      {EC("P-256", EC_Y, EC_X), false}, /* not on the curve */
      {EC("P-256", EC_X, "AA"), false},
      {EC("P-256", EC_X "AA", EC_Y), false},
      {EC("P-384", EC_X, EC_Y), false},
      {EC("secp256k1", EC_X, EC_Y), false},
      {EC("Ed25519", EC_X, EC_Y), false},
      {OKP("Ed25519", ED_X), true},
      {OKP("X25519", ED_X), false},
      {OKP("Ed448", ED_X), false},
      {OKP("Ed25519", "AAAA"), false},
      {OKP("P-256", ED_X), false},
      {"{\"kty\":\"DSA\"}", false},
      {"{}", false},
      {"[]", false},
      {KEY_OCT, false}, /* an issuer publishes no secrets */
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct jwk key;
    const char *fault = read_key(&key, rows[i].key, false);
    ROW(rows[i].key, (fault == NULL) == rows[i].good);
    ROW(rows[i].key, rows[i].good || (key.key == NULL && key.kid == NULL));
    jwk_fini(&key);
  }
}

static const char *take_rsa(int bits) {
  struct jwk key = {.algs = 0};
  const char *fault = jwk_take(&key, EVP_RSA_gen((unsigned)bits));
  jwk_fini(&key);
  return fault;
}

static void test_jwk_rsa_limits(void) {
  CU_ASSERT_PTR_NULL(take_rsa(JWK_RSA_BITS_MIN));
  CU_ASSERT_STRING_EQUAL(take_rsa(JWK_RSA_BITS_MIN - 8),
                         "RSA keys below 2048 bits are too weak");
}

static void test_jwk_rsa_above_4096_bits_is_refused(void) {
  static const char head[] = "{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"";
  struct jwk key;
  struct buf text;
  char n[513];
  memset(n, 0xff, sizeof n);
  buf_init(&text, 2048);
  buf_adds(&text, head);
  n[0] = 1; /* 4097 bits */
  codec_base64url(&text, n, sizeof n);
  buf_adds(&text, "\"}");
  CU_ASSERT_STRING_EQUAL(read_key(&key, text.data, false),
                         "RSA keys above 4096 bits take too long");
  buf_fini(&text);
}

static void test_jwk_other_curves_and_types_are_refused(void) {
  struct jwk key = {.algs = 0};
  CU_ASSERT_PTR_NOT_NULL(jwk_take(&key, EVP_EC_gen("P-224")));
  CU_ASSERT_PTR_NOT_NULL(jwk_take(&key, EVP_EC_gen("secp256k1")));
  CU_ASSERT_PTR_NOT_NULL(
      jwk_take(&key, EVP_PKEY_Q_keygen(NULL, NULL, "ED448")));
  CU_ASSERT_PTR_NOT_NULL(
      jwk_take(&key, EVP_PKEY_Q_keygen(NULL, NULL, "X25519")));
  CU_ASSERT_PTR_NULL(jwk_take(&key, EVP_EC_gen("P-256")));
  jwk_fini(&key);
}

static void test_jwk_secret_limits(void) {
  static const char secret[JWK_SECRET_MAX + 1] = "";
  struct jwk key = {.algs = 0};
  CU_ASSERT_PTR_NOT_NULL(jwk_secret(&key, secret, JWK_SECRET_MIN - 1));
  CU_ASSERT_PTR_NOT_NULL(jwk_secret(&key, secret, JWK_SECRET_MAX + 1));
  CU_ASSERT_PTR_NULL(jwk_secret(&key, secret, JWK_SECRET_MIN));
  CU_ASSERT_EQUAL(key.algs, JWA_BIT(JWA_HS256));
  jwk_fini(&key);
  CU_ASSERT_PTR_NULL(jwk_secret(&key, secret, 63));
  CU_ASSERT_EQUAL(key.algs, JWA_BIT(JWA_HS256) | JWA_BIT(JWA_HS384));
  jwk_fini(&key);
  CU_ASSERT_PTR_NULL(jwk_secret(&key, secret, 64));
  CU_ASSERT_EQUAL(key.algs, jwa_bits(JWA_HMAC));
  jwk_fini(&key);
  CU_ASSERT_PTR_NULL(jwk_secret(&key, secret, JWK_SECRET_MAX));
  jwk_fini(&key);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_jwk_examples_of_the_rfcs_verify_with_their_key_only),
      UNIT(test_jwk_each_bit_of_a_signature_counts),
      UNIT(test_jwk_a_signature_of_another_length_is_none),
      UNIT(test_jwk_signatures_of_zeros_or_the_order_are_none),
      UNIT(test_jwk_no_hmac_verifies_with_a_public_key),
      UNIT(test_jwk_keys_are_taken_or_refused),
      UNIT(test_jwk_rsa_limits),
      UNIT(test_jwk_rsa_above_4096_bits_is_refused),
      UNIT(test_jwk_other_curves_and_types_are_refused),
      UNIT(test_jwk_secret_limits),
      {NULL, NULL}};
  return unit_main("jwk", tests);
}
