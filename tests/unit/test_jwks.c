/* SPDX-License-Identifier: MIT
 *
 * Sets of keys: what is read, what is skipped, and which key a token means.
 */
#include "jwks.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "unit.h"

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

#define X "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" /* RFC 8037, A.2 */
#define ED(more) \
  "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" X "\"" more "}"
#define K1 "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE"
#define NAMELESS "{\"kty\":\"oct\",\"k\":\"" K1 "\"}"
#define OCT(kid) "{\"kty\":\"oct\",\"k\":\"" K1 "\",\"kid\":\"" kid "\"}"

static struct jwks *read_set(const char *text, bool secrets) {
  struct errmsg why = {""};
  struct jwks *set = jwks_read(text, strlen(text), secrets, &why);
  CU_ASSERT((set == NULL) == (why.text[0] != '\0'));
  return set;
}

static size_t count_of(const char *text) {
  struct jwks *set = read_set(text, true);
  size_t count = set == NULL ? 0 : set->count;
  jwks_free(set);
  return count;
}

static void test_jwks_sets_are_read_or_refused(void) {
  static const struct {
    const char *text;
    size_t count;
  } rows[] = {
      {"{\"keys\":[" ED("") "]}", 1},
      {" {\"x\":1,\"keys\":[" OCT("a") "," OCT("b") "]}\n", 2},
      /* Keys for others are skipped. */
      {"{\"keys\":[{\"kty\":\"RSA\"}," ED(",\"use\":\"enc\"") "," ED("") "]}",
       1},
      {"{\"keys\":[7,null,[]," ED("") "]}", 1},
      /* Both of a name stay, up to four. */
      {"{\"keys\":[" OCT("a") "," OCT("a") "]}", 2},
      {"{\"keys\":[" OCT("a") "," OCT("a") "," OCT("a") "," OCT("a") "]}", 4},
      {"{\"keys\":[" OCT("a") "," OCT("a") "," OCT("a") "," OCT("a") "," OCT(
           "a") "," OCT("b") "]}",
       5},
      {"{\"keys\":[" NAMELESS "," NAMELESS "," NAMELESS "," NAMELESS
       "," NAMELESS "," OCT("b") "]}",
       5},
      {"{\"keys\":[" OCT("a") "," ED(",\"kid\":\"a\"") "]}", 2},
      {"{\"keys\":[]}", 0},
      {"{\"keys\":{}}", 0},
      {"{\"keys\":[{\"kty\":\"RSA\"}]}", 0},
      {"{\"keys\":[" ED("") "],\"keys\":[]}", 0},
      {"{\"keys\":[" ED("") "]}}", 0},
      {"{\"keys\":[" ED(",\"x5c\":[[[[[[[[\"\"]]]]]]]]") "]}", 0},
      {ED(""), 0},
      {"[" ED("") "]", 0},
      {"<html>", 0},
      {"", 0},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    ROW(rows[i].text, count_of(rows[i].text) == rows[i].count);
}

static void test_jwks_of_an_issuer_has_no_secrets(void) {
  CU_ASSERT_PTR_NULL(read_set("{\"keys\":[" OCT("a") "]}", false));
}

/* ---- limits ------------------------------------------------------------- */

static size_t count_of_many(size_t keys) {
  struct buf text;
  buf_init(&text, JWKS_TEXT_MAX);
  buf_adds(&text, "{\"keys\":[");
  for (size_t i = 0; i < keys; i++)
    buf_addf(&text, "%s{\"kty\":\"oct\",\"kid\":\"%zu\",\"k\":\"" K1 "\"}",
             i == 0 ? "" : ",", i);
  buf_adds(&text, "]}");
  size_t count = count_of(text.data);
  buf_fini(&text);
  return count;
}

static void test_jwks_key_limit(void) {
  CU_ASSERT_EQUAL(count_of_many(JWKS_KEYS_MAX), JWKS_KEYS_MAX);
  CU_ASSERT_EQUAL(count_of_many(JWKS_KEYS_MAX + 1), 0);
}

static void test_jwks_text_limit(void) {
  static const char set[] = "{\"keys\":[" ED("") "]}";
  char *text = malloc(JWKS_TEXT_MAX + 2);
  memset(text, ' ', JWKS_TEXT_MAX + 1);
  memcpy(text, set, sizeof set - 1);
  text[JWKS_TEXT_MAX] = '\0';
  CU_ASSERT_EQUAL(count_of(text), 1);
  text[JWKS_TEXT_MAX] = ' ';
  text[JWKS_TEXT_MAX + 1] = '\0';
  CU_ASSERT_EQUAL(count_of(text), 0);
  free(text);
}

/* ---- which key ---------------------------------------------------------- */

/* A token of the secret K1. */
static struct jws signed_by_k1(char **token, const char *header) {
  unsigned char mac[DIGEST_SHA256_LEN];
  struct buf secret, out;
  struct jws jws;
  buf_init(&secret, 64);
  buf_init(&out, 4096);
  codec_unbase64url(&secret, K1, strlen(K1));
  codec_base64url(&out, header, strlen(header));
  buf_adds(&out, ".e30");
  digest_hmac_sha256(mac, secret.data, secret.len, out.data, out.len);
  buf_addc(&out, '.');
  codec_base64url(&out, mac, sizeof mac);
  buf_fini(&secret);
  *token = buf_take(&out);
  CU_ASSERT_PTR_NULL(jws_parse(&jws, *token, strlen(*token)));
  return jws;
}

static void test_jwks_kid_and_alg_say_which_key(void) {
#define ZERO(kid)                   \
  "{\"kty\":\"oct\",\"kid\":\"" kid \
  "\",\"k\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}"
#define NOTHING             \
  "{\"kty\":\"oct\",\"k\":" \
  "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}"
  static const char by_a[] = "{\"alg\":\"HS256\",\"kid\":\"a\"}";
  static const char by_none[] = "{\"alg\":\"HS256\"}";
  static const struct {
    const char *keys, *header;
    enum jwks_answer answer;
  } rows[] = {
      {OCT("a"), by_a, JWKS_SIGNED},
      {OCT("a"), by_none, JWKS_SIGNED}, /* there is but one */
      {OCT("a") "," ED(""), by_none, JWKS_SIGNED},
      {OCT("a") "," ZERO("b"), by_a, JWKS_SIGNED},
      {ZERO("a") "," OCT("b"), by_a, JWKS_FORGED}, /* swapped */
      {OCT("a") "," ZERO("b"), by_none, JWKS_NO_KEY},
      {OCT("b"), by_a, JWKS_NO_KEY},
      {OCT("A"), by_a, JWKS_NO_KEY},
      {NAMELESS, by_a, JWKS_NO_KEY},
      {NAMELESS, by_none, JWKS_SIGNED},
      {ZERO("a") "," OCT("a"), by_a, JWKS_SIGNED},
      {ZERO("a") "," ZERO("a"), by_a, JWKS_FORGED},
      {NOTHING "," NAMELESS, by_none, JWKS_SIGNED},
      {NOTHING "," OCT("a"), by_none, JWKS_NO_KEY},
      {NOTHING, by_none, JWKS_NO_KEY},
      {ED(",\"kid\":\"a\""), by_a, JWKS_NO_KEY}, /* another type */
      {ED(""), by_none, JWKS_NO_KEY},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct buf text;
    char *token;
    struct jws jws = signed_by_k1(&token, rows[i].header);
    buf_init(&text, 4096);
    buf_addf(&text, "{\"keys\":[%s]}", rows[i].keys);
    struct jwks *set = read_set(text.data, true);
    ROW(rows[i].keys, set != NULL && jwks_verify(set, &jws) == rows[i].answer);
    jwks_free(set);
    buf_fini(&text);
    jws_fini(&jws);
    free(token);
  }
}

/* ---- files -------------------------------------------------------------- */

static void add_pem(struct buf *text, EVP_PKEY *key, bool private) {
  BIO *bio = BIO_new(BIO_s_mem());
  char *data;
  if (private)
    PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
  else
    PEM_write_bio_PUBKEY(bio, key);
  size_t len = (size_t)BIO_get_mem_data(bio, &data);
  buf_add(text, data, len);
  BIO_free(bio);
}

static size_t pem_count(const struct buf *text) {
  struct errmsg why = {""};
  struct jwks *set = jwks_pem(text->data, text->len, &why);
  size_t count = set == NULL ? 0 : set->count;
  CU_ASSERT((set == NULL) == (why.text[0] != '\0'));
  jwks_free(set);
  return count;
}

static void test_jwks_pem_files_are_read_or_refused(void) {
  EVP_PKEY *good = EVP_EC_gen("P-256"), *bad = EVP_EC_gen("secp256k1");
  struct buf text;
  buf_init(&text, JWKS_TEXT_MAX + 1);
  CU_ASSERT_EQUAL(pem_count(&text), 0);
  for (size_t i = 1; i <= JWKS_TRIES_MAX; i++) {
    buf_adds(&text, "# a note\n");
    add_pem(&text, good, false);
    CU_ASSERT_EQUAL(pem_count(&text), i);
  }
  add_pem(&text, good, false);
  CU_ASSERT_EQUAL(pem_count(&text), 0);

  buf_clear(&text);
  add_pem(&text, good, false);
  add_pem(&text, bad, false);
  CU_ASSERT_EQUAL(pem_count(&text), 0);

  buf_clear(&text);
  add_pem(&text, good, false);
  buf_adds(&text, "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY----");
  CU_ASSERT_EQUAL(pem_count(&text), 0);

  buf_clear(&text);
  add_pem(&text, good, true);
  CU_ASSERT_EQUAL(pem_count(&text), 0);
  EVP_PKEY_free(good);
  EVP_PKEY_free(bad);
  buf_fini(&text);
}

static void test_jwks_a_secret_loses_one_line_break(void) {
  static const char text[] = "0123456789abcdef0123456789abcdef\n\n";
  struct errmsg why = {""};
  struct jwks *set = jwks_secret(text, 33, &why);
  CU_ASSERT_PTR_NOT_NULL_FATAL(set);
  CU_ASSERT_EQUAL(set->keys[0].secret_len, 32);
  jwks_free(set);
  set = jwks_secret(text, 34, &why);
  CU_ASSERT_EQUAL(set->keys[0].secret_len, 33);
  jwks_free(set);
  CU_ASSERT_PTR_NULL(jwks_secret(text + 1, 32, &why));
  CU_ASSERT_PTR_NULL(jwks_secret("", 0, &why));
}

static void test_jwks_a_secret_with_traces_of_an_editor_is_refused(void) {
#define S32 "0123456789abcdef0123456789abcdef"
  static const struct {
    const char *text, *why;
  } rows[] = {{"\xEF\xBB\xBF" S32, "byte order mark"}, {S32 "\r\n", "CR LF"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct errmsg why = {""};
    ROW(rows[i].why,
        jwks_secret(rows[i].text, strlen(rows[i].text), &why) == NULL);
    ROW(why.text, strstr(why.text, rows[i].why) != NULL);
  }
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_jwks_sets_are_read_or_refused),
      UNIT(test_jwks_of_an_issuer_has_no_secrets),
      UNIT(test_jwks_key_limit),
      UNIT(test_jwks_text_limit),
      UNIT(test_jwks_kid_and_alg_say_which_key),
      UNIT(test_jwks_pem_files_are_read_or_refused),
      UNIT(test_jwks_a_secret_loses_one_line_break),
      UNIT(test_jwks_a_secret_with_traces_of_an_editor_is_refused),
      {NULL, NULL}};
  return unit_main("jwks", tests);
}
