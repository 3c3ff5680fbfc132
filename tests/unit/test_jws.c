/* SPDX-License-Identifier: MIT
 *
 * Tokens are taken apart, or refused: the compact form of RFC 7515.
 */
#include "jws.h"

#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "jwtjson.h"
#include "unit.h"

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

/* header.payload.AAAA */
static char *token_of(const char *header, const char *payload) {
  struct buf out;
  buf_init(&out, 4 * JWS_TOKEN_MAX);
  codec_base64url(&out, header, strlen(header));
  buf_addc(&out, '.');
  codec_base64url(&out, payload, strlen(payload));
  buf_adds(&out, ".AAAA");
  return buf_take(&out);
}

static bool takes(const char *token, size_t len) {
  struct jws jws;
  bool good = jws_parse(&jws, token, len) == NULL;
  jws_fini(&jws);
  return good;
}

static bool takes_header(const char *header) {
  char *token = token_of(header, "{}");
  bool good = takes(token, strlen(token));
  free(token);
  return good;
}

static void test_jws_a_token_is_taken_apart(void) {
  struct jws jws;
  char *token = token_of("{\"alg\":\"ES256\",\"kid\":\"k/1\","
                         "\"typ\":\"application/AT+JWT\"}",
                         "{\"a\":1}");
  CU_ASSERT_PTR_NULL(jws_parse(&jws, token, strlen(token)));
  CU_ASSERT_EQUAL(jws.alg, JWA_ES256);
  CU_ASSERT(jws.has_kid && jws.has_type);
  CU_ASSERT_STRING_EQUAL(jws.kid, "k/1");
  CU_ASSERT_STRING_EQUAL(jws.type, "AT+JWT");
  CU_ASSERT_STRING_EQUAL(jws.payload.data, "{\"a\":1}");
  CU_ASSERT_EQUAL(jws.signature.len, 3);
  CU_ASSERT_EQUAL(jws.input_len, strlen(token) - strlen(".AAAA"));
  jws_fini(&jws);
  free(token);
}

static void test_jws_headers_are_taken_or_refused(void) {
  static const struct {
    const char *header;
    bool good;
  } rows[] = {
      {"{\"alg\":\"HS256\"}", true},
      {"{\"alg\":\"RS256\"}", true},
      {"{\"alg\":\"EdDSA\"}", true},
      {"{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}", true},
      /* Its word about keys doesn't matter. */
      {"{\"alg\":\"ES256\",\"jwk\":{\"kty\":\"oct\"},\"jku\":\"http://x\"}",
       true},
      {"{\"alg\":\"ES256\",\"x5u\":\"http://x\",\"x5c\":[\"x\"]}", true},
      {"{\"alg\":\"none\"}", false},
      {"{\"alg\":\"None\"}", false},
      {"{\"alg\":\"NONE\"}", false},
      {"{\"alg\":\"nOnE\"}", false},
      {"{\"alg\":\"\"}", false},
      {"{\"alg\":null}", false},
      {"{\"alg\":[\"HS256\"]}", false},
      {"{\"alg\":\"hs256\"}", false},
      {"{\"alg\":\"HS256 \"}", false},
      {"{\"alg\":\"HS512\"}", true},
      {"{\"alg\":\"PS256\"}", true},
      {"{\"alg\":\"ES512\"}", true},
      {"{\"alg\":\"ES521\"}", false},
      {"{\"alg\":\"RS1\"}", false},
      {"{\"alg\":\"ES256K\"}", false},
      {"{\"alg\":\"unknown\"}", false},
      {"{\"Alg\":\"HS256\"}", false},
      {"{}", false},
      {"[]", false},
      {"\"HS256\"", false},
      {"{\"alg\":\"HS256\",\"alg\":\"none\"}", false},
      {"{\"alg\":\"HS256\"}{}", false},
      {"{\"alg\":\"HS256\",\"crit\":[\"exp\"]}", false},
      {"{\"alg\":\"HS256\",\"crit\":[]}", false},
      {"{\"alg\":\"HS256\",\"crit\":null}", false},
      {"{\"alg\":\"HS256\",\"b64\":false}", false},
      {"{\"alg\":\"HS256\",\"zip\":\"DEF\"}", false},
      {"{\"alg\":\"HS256\",\"enc\":\"A128GCM\"}", false},
      {"{\"alg\":\"HS256\",\"cty\":\"JWT\"}", false},
      {"{\"alg\":\"HS256\",\"cty\":\"application/jwt\"}", false},
      {"{\"alg\":\"HS256\",\"cty\":\"json\"}", true},
      {"{\"alg\":\"HS256\",\"kid\":7}", false},
      {"{\"alg\":\"HS256\",\"kid\":\"a\\u0000b\"}", false},
      {"{\"alg\":\"HS256\",\"kid\":\"a\\nb\"}", false},
      {"{\"alg\":\"HS256\",\"typ\":\"\\ud800\"}", false},
      {"{\"alg\":\"HS256\",\"x\":[\"a\\u0000b\",1e999]}", true},
      {"{\"alg\":\"HS256\",\"typ\":{}}", false},
      {"{\"alg\":\"HS256\",\"kid\":\"\xff\"}", false},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    ROW(rows[i].header, takes_header(rows[i].header) == rows[i].good);
}

static void test_jws_forms_are_taken_or_refused(void) {
  static const struct {
    const char *token;
    bool good;
  } rows[] = {
#define HEAD "eyJhbGciOiJIUzI1NiJ9" /* {"alg":"HS256"} */
      {HEAD ".e30.AAAA", true},
      {HEAD ".e30.AA", true},
      {HEAD ".e30.AB", false}, /* bits left over */
      {HEAD ".e30.A", false},
      {HEAD ".e31.AAAA", false}, /* bits left over */
      {HEAD ".e30=.AAAA", false},
      {HEAD ".e30.AA==", false},
      {HEAD ".e30.AA+A", false},
      {HEAD ".e30.AA/A", false},
      {HEAD ".e30.AA A", false},
      {HEAD ".e30.AAAA\n", false},
      {" " HEAD ".e30.AAAA", false},
      {HEAD ".e30.", false}, /* no signature */
      {HEAD "..AAAA", false},
      {".e30.AAAA", false},
      {HEAD ".e30", false},
      {HEAD, false},
      {"", false},
      {"..", false},
      {HEAD ".e30.AAAA.", false},
      {HEAD ".e30.AAAA.AAAA.AAAA", false}, /* JWE */
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    ROW(rows[i].token,
        takes(rows[i].token, strlen(rows[i].token)) == rows[i].good);
}

static void test_jws_a_nul_is_refused(void) {
  static const char token[] = HEAD ".e30.AAAA\0AAA";
  CU_ASSERT(!takes(token, sizeof token - 1));
}

/* ---- limits ------------------------------------------------------------- */

/* A header whose kid makes it `len` bytes. */
static char *header_of(size_t len, const char *name) {
  struct buf out;
  buf_init(&out, len + 64);
  buf_addf(&out, "{\"alg\":\"HS256\",\"%s\":\"", name);
  while (out.len < len - 2)
    buf_addc(&out, 'a');
  buf_adds(&out, "\"}");
  return buf_take(&out);
}

static void test_jws_header_limit(void) {
  char *most = header_of(JWS_HEADER_MAX, "x");
  char *more = header_of(JWS_HEADER_MAX + 1, "x");
  CU_ASSERT(takes_header(most));
  CU_ASSERT(!takes_header(more));
  free(most);
  free(more);
}

static void test_jws_kid_and_type_limits(void) {
  static const struct {
    const char *name;
    size_t max;
  } rows[] = {{"kid", JWS_KID_MAX}, {"typ", JWS_TYPE_MAX}};
  for (size_t i = 0; i < 2; i++) {
    size_t frame = strlen("{\"alg\":\"HS256\",\"kid\":\"\"}");
    char *most = header_of(frame + rows[i].max, rows[i].name);
    char *more = header_of(frame + rows[i].max + 1, rows[i].name);
    ROW(rows[i].name, takes_header(most) && !takes_header(more));
    free(most);
    free(more);
  }
}

/* A token of a payload and a signature of so many bytes. */
static bool takes_sizes(size_t payload, size_t signature) {
  char *zeros = calloc(1, payload + signature);
  struct buf out;
  buf_init(&out, 4 * JWS_TOKEN_MAX);
  buf_adds(&out, HEAD ".");
  codec_base64url(&out, zeros, payload);
  buf_addc(&out, '.');
  codec_base64url(&out, zeros, signature);
  bool good = takes(out.data, out.len);
  buf_fini(&out);
  free(zeros);
  return good;
}

static void test_jws_payload_and_signature_limits(void) {
  CU_ASSERT(takes_sizes(100, JWS_SIGNATURE_MAX));
  CU_ASSERT(!takes_sizes(100, JWS_SIGNATURE_MAX + 1));
  CU_ASSERT(takes_sizes(JWS_PAYLOAD_MAX, 3));
  CU_ASSERT(!takes_sizes(JWS_PAYLOAD_MAX + 1, 3));
}

static void test_jws_token_limit(void) {
  size_t len = JWS_TOKEN_MAX + 1;
  char *token = malloc(len + 1);
  memset(token, 'A', len);
  token[len] = '\0';
  struct jws jws;
  const char *fault = jws_parse(&jws, token, len);
  CU_ASSERT_STRING_EQUAL(fault, "The token is too long");
  jws_fini(&jws);
  fault = jws_parse(&jws, token, JWS_TOKEN_MAX);
  CU_ASSERT_STRING_EQUAL(fault, "The token is not made of three parts");
  jws_fini(&jws);
  free(token);
}

static bool reads_depth(unsigned depth) {
  struct buf text;
  buf_init(&text, 4096);
  buf_adds(&text, "{\"[[[[[[[[[[[[\\\"{{{{\":");
  for (unsigned i = 1; i < depth; i++)
    buf_addc(&text, '[');
  for (unsigned i = 1; i < depth; i++)
    buf_addc(&text, ']');
  buf_adds(&text, depth > 1 ? "}" : "1}");
  json_t *json = jwtjson_read(text.data, text.len);
  bool good = json != NULL;
  json_decref(json);
  buf_fini(&text);
  return good;
}

static void test_jwtjson_depth_limit(void) {
  CU_ASSERT(reads_depth(1));
  CU_ASSERT(reads_depth(JWTJSON_DEPTH_MAX));
  CU_ASSERT(!reads_depth(JWTJSON_DEPTH_MAX + 1));
  CU_ASSERT(!reads_depth(1000));
}

static void test_jwtjson_what_is_no_strict_json_is_refused(void) {
  static const char *const rows[] = {
      "",
      "{",
      "}",
      "{}x",
      "{'a':1}",
      "{\"a\":01}",
      "{\"a\":1,}",
      "{\"a\":NaN}",
      "{\"a\":1e999e1}",
      "{\"a\":1e999.5}",
      "{\"a\":01e999}",
      "{\"a\":1.e999}",
      "{\"a\":-e999}",
      "{\"a\":+1e999}",
      "{\"a\":x1e999}",
      "{\"a\":1e+}",
      "{\"a\":\"\\u00\"}",
      "{\"a\":\"\\u000g\"}",
      "{\"a\":\"\\ud800",
      "{\"a\":\"\\u0000",
      "{\"a\":\"\\",
      "{\"a\":1e999",
      "[]",
      "{\"a\":\"\x01\"}",
      "{\"\\u0000\":1,\"\\u0000\":2}",
      "{\"a\":{\"b\":1,\"b\":2}}",
      "{\"a\":1,\"\\u0061\":2}",
      "\xEF\xBB\xBF{}",
      "{/**/}",
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    json_t *json = jwtjson_read(rows[i], strlen(rows[i]));
    ROW(rows[i], json == NULL);
    json_decref(json);
  }
  CU_ASSERT_PTR_NULL(jwtjson_read("{}\0", 3));
}

/* A number that is none that anybody takes, with its sign. */
static void test_jwtjson_numbers_that_no_double_holds_are_read(void) {
  static const struct {
    const char *text;
    double value;
  } rows[] = {{"1e999", 1e300},
              {"-1E+999", -1e300},
              {"1e308", 1e300},
              {"9e307", 9e307},
              {"12345.678e99999999999999999999", 1e300},
              {"0e999", 0},
              {"0.0e999", 0},
              {"1e-999", 0},
              {"-1e-99999999999999999999", 0},
              {"18446744073709551616", 18446744073709551616.0},
              {"9223372036854775807", 9223372036854775807.0},
              {"-9223372036854775809", -9223372036854775809.0},
              {"1000060", 1000060},
              {"1000060.5", 1000060.5}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct buf text;
    buf_init(&text, 256);
    buf_addf(&text, "{\"a\":[%s],\"b\":2}", rows[i].text);
    json_t *json = jwtjson_read(text.data, text.len);
    const json_t *number = json_array_get(json_object_get(json, "a"), 0);
    ROW(rows[i].text,
        json_is_number(number) && json_number_value(number) == rows[i].value);
    ROW(rows[i].text, json_number_value(json_object_get(json, "b")) == 2);
    json_decref(json);
    buf_fini(&text);
  }
}

static void test_jwtjson_a_number_of_many_digits_is_read(void) {
  struct buf text;
  buf_init(&text, 4096);
  buf_adds(&text, "{\"a\":");
  for (int i = 0; i < 400; i++)
    buf_addc(&text, '9');
  buf_addc(&text, '}');
  json_t *json = jwtjson_read(text.data, text.len);
  CU_ASSERT_EQUAL(json_number_value(json_object_get(json, "a")), 1e300);
  json_decref(json);
  buf_fini(&text);
}

static void test_jwtjson_escapes_of_no_character_read_as_a_control(void) {
  static const struct {
    const char *text, *value;
  } rows[] = {{"a\\u0000b", "a\x01"
                            "b"},
              {"\\ud800", "\x01"},
              {"\\uDFFF", "\x01"},
              {"\\ud800x", "\x01x"},
              {"\\ud800\\ud800", "\x01\x01"},
              {"\\ud800\\n", "\x01\n"},
              {"\\udc00\\ud800", "\x01\x01"},
              {"\\uD83D\\uDe00", "\xF0\x9F\x98\x80"},
              {"\\\\u0000", "\\u0000"},
              {"\\\"\\u0000", "\"\x01"},
              {"1e999", "1e999"},
              {"\\u0031e999", "1e999"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct buf text;
    buf_init(&text, 256);
    buf_addf(&text, "{\"a\":\"%s\",\"%s\":1}", rows[i].text, rows[i].text);
    json_t *json = jwtjson_read(text.data, text.len);
    const char *value = jwtjson_text(json, "a");
    ROW(rows[i].text, value != NULL && strcmp(value, rows[i].value) == 0);
    ROW(rows[i].text, json_object_get(json, rows[i].value) != NULL);
    json_decref(json);
    buf_fini(&text);
  }
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_jws_a_token_is_taken_apart),
      UNIT(test_jws_headers_are_taken_or_refused),
      UNIT(test_jws_forms_are_taken_or_refused),
      UNIT(test_jws_a_nul_is_refused),
      UNIT(test_jws_header_limit),
      UNIT(test_jws_kid_and_type_limits),
      UNIT(test_jws_payload_and_signature_limits),
      UNIT(test_jws_token_limit),
      UNIT(test_jwtjson_depth_limit),
      UNIT(test_jwtjson_what_is_no_strict_json_is_refused),
      UNIT(test_jwtjson_numbers_that_no_double_holds_are_read),
      UNIT(test_jwtjson_a_number_of_many_digits_is_read),
      UNIT(test_jwtjson_escapes_of_no_character_read_as_a_control),
      {NULL, NULL}};
  return unit_main("jws", tests);
}
