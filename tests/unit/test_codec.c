/* SPDX-License-Identifier: MIT
 *
 * Text encodings: what stays, what is escaped, and above all what a decoder
 * refuses.
 */
#include "codec.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

#define BYTES(text) (text), sizeof(text) - 1

static void test_codec_percent_keeps_what_its_set_says(void) {
  static const struct {
    const char *in;
    enum codec_set set;
    const char *want;
  } rows[] = {
      {"AZaz09-._~", CODEC_UNRESERVED, "AZaz09-._~"},
      {"a b/c+d", CODEC_UNRESERVED, "a%20b%2Fc%2Bd"},
      {"a b/c+d", CODEC_PATH, "a%20b/c%2Bd"},
      {"!#$&+-.^_`|~", CODEC_ATTR, "!#$&+-.^_`|~"},
      {"a'(b)*%\"", CODEC_ATTR, "a%27%28b%29%2A%25%22"},
      {"\xC3\xA9\x7F\x01", CODEC_UNRESERVED, "%C3%A9%7F%01"},
      {"@[`{", CODEC_UNRESERVED, "%40%5B%60%7B"},
      {"", CODEC_PATH, ""},
  };

  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct buf out;
    buf_init(&out, 100);
    ROW(rows[i].in,
        codec_percent(&out, rows[i].in, strlen(rows[i].in), rows[i].set));
    CU_ASSERT_STRING_EQUAL(out.data, rows[i].want);
    buf_fini(&out);
  }
}

static void test_codec_percent_into_a_full_buffer_is_refused(void) {
  struct buf out;

  buf_init(&out, 5);
  CU_ASSERT(codec_percent(&out, "a/b", 3, CODEC_UNRESERVED));
  buf_clear(&out);
  CU_ASSERT(!codec_percent(&out, "a/bc", 4, CODEC_UNRESERVED));
  buf_fini(&out);
}

static void test_codec_unpercent_decodes_or_refuses(void) {
  static const struct {
    const char *in;
    bool plus;
    const char *want; /* NULL: refused */
  } rows[] = {
      {"a%20b%2fc%2F", false, "a b/c/"},
      {"a+b", false, "a+b"},
      {"a+b%2B", true, "a b+"},
      {"%ff%FE", false, "\xFF\xFE"},
      {"", false, ""},
      {"%41", true, "A"},
      {"%", false, NULL},
      {"%4", false, NULL},
      {"a%", true, NULL},
      {"%zz", false, NULL},
      {"%4g", false, NULL},
      {"%g4", false, NULL},
      {"%00", false, NULL},
      {"a%00b", true, NULL},
      {"%%41", false, NULL},
      {"% 1", false, NULL},
      {"%-1", false, NULL},
      {"%+1", true, NULL},
      {"%2541", false, "%41"},
  };

  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct buf out;
    bool done;
    buf_init(&out, 100);
    done = codec_unpercent(&out, rows[i].in, strlen(rows[i].in), rows[i].plus);
    ROW(rows[i].in, done == (rows[i].want != NULL));
    if (done && rows[i].want)
      CU_ASSERT_STRING_EQUAL(out.data, rows[i].want);
    buf_fini(&out);
  }
}

static void test_codec_unpercent_stays_inside_its_input(void) {
  struct buf out;

  buf_init(&out, 10);
  CU_ASSERT(!codec_unpercent(&out, "a%41", 3, false));
  CU_ASSERT(!codec_unpercent(&out, "a%41", 2, false));
  CU_ASSERT(!codec_unpercent(&out, "a\0b", 3, false));
  buf_fini(&out);
}

static void test_codec_hex_round_trips(void) {
  const unsigned char bytes[] = {0x00, 0x0F, 0xA5, 0xFF};
  unsigned char back[4];
  char text[9];

  codec_hex(text, bytes, 4);
  CU_ASSERT_STRING_EQUAL(text, "000fa5ff");
  CU_ASSERT(codec_unhex(back, 4, text));
  CU_ASSERT(memcmp(bytes, back, 4) == 0);
  CU_ASSERT(codec_unhex(back, 4, "000FA5Ff"));
  CU_ASSERT(memcmp(bytes, back, 4) == 0);
  codec_hex(text, bytes, 0);
  CU_ASSERT_STRING_EQUAL(text, "");
}

static void test_codec_unhex_wants_exactly_its_digits(void) {
  static const char *const bad[] = {"",     "0",     "000",  "00000",
                                    "0g00", "00 00", "0x00", "-100"};
  unsigned char out[2];

  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    ROW(bad[i], !codec_unhex(out, 2, bad[i]));
  CU_ASSERT(codec_unhex(out, 0, ""));
}

static void test_codec_base64url_is_as_rfc_4648_has_it(void) {
  static const struct {
    const char *plain, *text;
  } rows[] = {
      {"", ""},
      {"f", "Zg"},
      {"fo", "Zm8"},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg"},
      {"fooba", "Zm9vYmE"},
      {"\xFB\xFF", "-_8"},
      {"foobar", "Zm9vYmFy"},
  };

  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct buf text, plain;
    buf_init(&text, 100);
    buf_init(&plain, 100);
    ROW(rows[i].text,
        codec_base64url(&text, rows[i].plain, strlen(rows[i].plain)));
    CU_ASSERT_STRING_EQUAL(text.data, rows[i].text);
    ROW(rows[i].text, codec_unbase64url(&plain, text.data, text.len));
    CU_ASSERT_STRING_EQUAL(plain.data, rows[i].plain);
    buf_fini(&text);
    buf_fini(&plain);
  }
}

static void test_codec_unbase64url_refuses_a_second_spelling(void) {
  static const char *const bad[] = {
      "Z",    "A",    "Zm9vA", "Zg==",  "Zh",  "Zm9=",    "Zm9vY",
      "Zm+v", "Zm/v", "Zm v",  "Zm9\n", "Zm9", "\xC3\xA9"};
  struct buf out;

  buf_init(&out, 100);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    ROW(bad[i], !codec_unbase64url(&out, bad[i], strlen(bad[i])));
  CU_ASSERT(!codec_unbase64url(&out, "Zm\0v", 4));
  buf_fini(&out);
}

/* This is what a decoder must refuse, by Unicode's table 3-7. */
static void test_codec_utf8_valid_knows_every_edge(void) {
  static const struct {
    const char *in;
    size_t len;
    bool want;
  } rows[] = {
      {BYTES(""), true},
      {BYTES("plain"), true},
      {BYTES("a\0b"), true},
      {BYTES("\x7F"), true},
      {BYTES("\xC2\x80"), true},
      {BYTES("\xDF\xBF"), true},
      {BYTES("\xE0\xA0\x80"), true},
      {BYTES("\xED\x9F\xBF"), true},
      {BYTES("\xEE\x80\x80"), true},
      {BYTES("\xEF\xBF\xBF"), true},
      {BYTES("\xF0\x90\x80\x80"), true},
      {BYTES("\xF4\x8F\xBF\xBF"), true},
      {BYTES("\x80"), false},
      {BYTES("\xBF"), false},
      {BYTES("\xC0\x80"), false},
      {BYTES("\xC1\xBF"), false},
      {BYTES("\xC2"), false},
      {BYTES("\xC2\x7F"), false},
      {BYTES("\xC2\xC0"), false},
      {BYTES("\xE0\x9F\xBF"), false},
      {BYTES("\xE0\xA0"), false},
      {BYTES("\xE1\x80\x7F"), false},
      {BYTES("\xED\xA0\x80"), false},
      {BYTES("\xED\xBF\xBF"), false},
      {BYTES("\xF0\x8F\xBF\xBF"), false},
      {BYTES("\xF0\x90\x80"), false},
      {BYTES("\xF1\x80\x80\xC0"), false},
      {BYTES("\xF4\x90\x80\x80"), false},
      {BYTES("\xF5\x80\x80\x80"), false},
      {BYTES("\xFF"), false},
      {BYTES("12345678\xFF"), false},
      {BYTES("1234567\xFF"), false},
      {BYTES("\xC3\xA9"
             "1234567890123456\xC3"),
       false},
      {BYTES("\xC3\xA9"
             "1234567890123456\xC3\xA9"),
       true},
  };

  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    ROW(rows[i].in, codec_utf8_valid(rows[i].in, rows[i].len) == rows[i].want);
}

/* Each input lies at the end of its own block, so that a sanitizer sees a
 * read beyond it. */
static void test_codec_utf8_valid_stays_inside_its_input(void) {
  static const char text[] = "abcdefg\xF0\x9F\x98\x80";

  for (size_t len = 0; len < sizeof text; len++) {
    char *exact = malloc(len ? len : 1);
    memcpy(exact, text, len);
    CU_ASSERT_EQUAL(codec_utf8_valid(exact, len), len <= 7 || len == 11);
    free(exact);
  }
}

static void test_codec_utf8_next_reads_every_length(void) {
  const char *at = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80";

  CU_ASSERT_EQUAL(codec_utf8_len(at, 10), 1);
  CU_ASSERT_EQUAL(codec_utf8_next(&at), 'a');
  CU_ASSERT_EQUAL(codec_utf8_len(at, 9), 2);
  CU_ASSERT_EQUAL(codec_utf8_next(&at), 0xE9);
  CU_ASSERT_EQUAL(codec_utf8_len(at, 7), 3);
  CU_ASSERT_EQUAL(codec_utf8_next(&at), 0x20AC);
  CU_ASSERT_EQUAL(codec_utf8_len(at, 4), 4);
  CU_ASSERT_EQUAL(codec_utf8_len(at, 3), 0);
  CU_ASSERT_EQUAL(codec_utf8_next(&at), 0x1F600);
  CU_ASSERT_STRING_EQUAL(at, "");
}

static void test_codec_controls_are_c0_del_and_c1(void) {
  CU_ASSERT(codec_control(0) && codec_control(0x1F));
  CU_ASSERT(!codec_control(0x20) && !codec_control(0x7E));
  CU_ASSERT(codec_control(0x7F) && codec_control(0x9F));
  CU_ASSERT(!codec_control(0xA0));
}

static void test_codec_clean_makes_one_line_of_utf8(void) {
  static const struct {
    const char *in, *want;
  } rows[] = {{"", ""},
              {"plain", "plain"},
              {"gr\xC3\xBC\xC3\x9F", "gr\xC3\xBC\xC3\x9F"},
              {"a\r\nb\x1B[0m\x7F", "a??b?[0m?"},
              {"c1 \xC2\x85.", "c1 ??."},
              {"cut \xE2\x82", "cut ??"},
              {"\xFF\xC0\x80", "???"},
              {"\xED\xA0\x80", "???"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char *text = strdup(rows[i].in);
    codec_clean(text);
    CU_ASSERT_STRING_EQUAL(text, rows[i].want);
    free(text);
  }
}

static void test_codec_same_has_no_case_and_no_prefixes(void) {
  CU_ASSERT(codec_same("ByTeS", 5, "bytes"));
  CU_ASSERT(codec_same("", 0, ""));
  CU_ASSERT(!codec_same("byte", 4, "bytes"));
  CU_ASSERT(!codec_same("bytes=", 6, "bytes"));
  CU_ASSERT(!codec_same("a\0b", 3, "a"));
  CU_ASSERT(!codec_same("[", 1, "{"));
  CU_ASSERT(!codec_same("@", 1, "`"));
}

static const struct unit_test tests[] = {
    UNIT(test_codec_percent_keeps_what_its_set_says),
    UNIT(test_codec_percent_into_a_full_buffer_is_refused),
    UNIT(test_codec_unpercent_decodes_or_refuses),
    UNIT(test_codec_unpercent_stays_inside_its_input),
    UNIT(test_codec_hex_round_trips),
    UNIT(test_codec_unhex_wants_exactly_its_digits),
    UNIT(test_codec_base64url_is_as_rfc_4648_has_it),
    UNIT(test_codec_unbase64url_refuses_a_second_spelling),
    UNIT(test_codec_utf8_valid_knows_every_edge),
    UNIT(test_codec_utf8_valid_stays_inside_its_input),
    UNIT(test_codec_utf8_next_reads_every_length),
    UNIT(test_codec_controls_are_c0_del_and_c1),
    UNIT(test_codec_clean_makes_one_line_of_utf8),
    UNIT(test_codec_same_has_no_case_and_no_prefixes),
    {NULL, NULL},
};

int main(void) {
  return unit_main("codec", tests);
}
