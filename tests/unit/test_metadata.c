/* SPDX-License-Identifier: MIT
 *
 * User metadata: every text comes back as it was, whatever it looks like, and
 * what others stored is read as well as it can be.
 */
#include "codec.h"
#include "metadata.h"
#include "unit.h"

#include <string.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

#define BYTES(text) (text), sizeof(text) - 1

static void test_metadata_encode_keeps_plain_text(void) {
  static const struct {
    const char *in, *want;
  } rows[] = {
      {"my report.pdf", "my report.pdf"},
      {"100%", "100%"},
      {"a%20b", "a%20b"},
      {"\"quoted\" \\ ~!", "\"quoted\" \\ ~!"},
      {"UTF-8' '", "UTF-8' '"},
      {"=", "="},
      {"", "UTF-8''"},
      {" a", "UTF-8''%20a"},
      {"a ", "UTF-8''a%20"},
      {"a  b", "UTF-8''a%20%20b"},
      {"a\tb", "UTF-8''a%09b"},
      {"a\r\nX: y", "UTF-8''a%0D%0AX%3A%20y"},
      {"na\xC3\xAFve", "UTF-8''na%C3%AFve"},
      {"\xF0\x9F\x98\x80.png", "UTF-8''%F0%9F%98%80.png"},
      {"\x7F", "UTF-8''%7F"},
      {"UTF-8''a", "UTF-8''UTF-8%27%27a"},
      {"utf-8''", "UTF-8''utf-8%27%27"},
      {"=?UTF-8?Q?a?=", "UTF-8''%3D%3FUTF-8%3FQ%3Fa%3F%3D"},
      {"a=?", "UTF-8''a%3D%3F"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct buf out, back;
    buf_init(&out, 200);
    buf_init(&back, 200);
    CU_ASSERT(metadata_encode(&out, rows[i].in));
    ROW(rows[i].in, strcmp(out.data, rows[i].want) == 0);
    CU_ASSERT(metadata_decode(&back, out.data, out.len));
    ROW(rows[i].in, strcmp(back.data, rows[i].in) == 0);
    buf_fini(&out);
    buf_fini(&back);
  }
}

static void check_decode(const char *in, size_t len, const char *want) {
  struct buf out;
  buf_init(&out, 400);
  ROW(in, metadata_decode(&out, in, len));
  ROW(in, strcmp(out.data, want) == 0 && strlen(want) == out.len);
  ROW(in, codec_utf8_valid(out.data, out.len));
  buf_fini(&out);
}

static void test_metadata_decode_reads_our_mark(void) {
  check_decode(BYTES("utf-8''%c3%a9"), "\xC3\xA9");
  check_decode(BYTES("UTF-8''"), "");
  check_decode(BYTES("UTF-8''a b"), "a b");
}

static void test_metadata_decode_leaves_malformed_marks(void) {
  check_decode(BYTES("UTF-8''%C3"), "UTF-8''%C3");
  check_decode(BYTES("UTF-8''%"), "UTF-8''%");
  check_decode(BYTES("UTF-8''%00"), "UTF-8''%00");
  check_decode(BYTES("UTF-8''%ED%A0%80"), "UTF-8''%ED%A0%80");
  check_decode(BYTES("UTF-8'en'%C3%A9"), "UTF-8'en'%C3%A9");
  check_decode("UTF-8''%41", 9, "UTF-8''%4");
}

static void test_metadata_decode_reads_encoded_words(void) {
  static const struct {
    const char *in, *want;
  } rows[] = {
      {"=?UTF-8?B?w6k=?=", "\xC3\xA9"},
      {"=?utf-8?b?w6k?=", "\xC3\xA9"},
      {"=?UTF-8?Q?caf=C3=A9_au_lait?=", "caf\xC3\xA9 au lait"},
      {"=?utf-8?q?=c3=a9?=", "\xC3\xA9"},
      {"=?UTF-8*en?Q?a?=", "a"},
      {"=?US-ASCII?Q?a=5Fb?=", "a_b"},
      {"=?ISO-8859-1?Q?caf=E9?=", "caf\xC3\xA9"},
      {"=?iso-8859-1?B?6Q==?=", "\xC3\xA9"},
      {"=?UTF-8?Q?100%41?=", "100%41"},
      {"=?UTF-8?B?"
       "?=",
       ""},
      {"=?UTF-8?B?w6k=?= =?UTF-8?Q?=C3=A8?=", "\xC3\xA9\xC3\xA8"},
      {"=?UTF-8?B?YQ==?=\t =?UTF-8?B?Yg==?=", "ab"},
      {"=?UTF-8?B?YQ==?==?UTF-8?B?Yg==?=", "ab"},
      /* A character in two words. */
      {"=?UTF-8?Q?=C3?= =?UTF-8?Q?=A9?=", "\xC3\xA9"},
      {"x =?UTF-8?Q?a?= y", "x a y"},
      {"x=?UTF-8?Q?a?=y", "xay"},
      {"=?UTF-8?Q?a?= b =?UTF-8?Q?c?=", "a b c"},
      /* Decoded once only. */
      {"=?UTF-8?B?PT9VVEYtOD9RP2E/PQ==?=", "=?UTF-8?Q?a?="},
      {"=?UTF-8?B?Pz4/Pj4+?=", "?>?>>>"},
      {"\xC3\xA9 =?UTF-8?Q?=C3=A9?=", "\xC3\xA9 \xC3\xA9"},
      {"\xE9 =?UTF-8?Q?=C3=A9?=", "\xC3\xA9 \xC3\xA9"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    check_decode(rows[i].in, strlen(rows[i].in), rows[i].want);
}

static void test_metadata_decode_leaves_malformed_words(void) {
  static const char *const rows[] = {
      "=?",
      "=?UTF-8",
      "=?UTF-8?Q?a",
      "=?UTF-8?Q?a?",
      "=?UTF-8?Q?a ?=",
      "=?"
      "?Q?a?=",
      "=?UTF-8?"
      "?a?=",
      "=?UTF-8?X?a?=",
      "=?UTF-8?QQ?a?=",
      "=?KOI8-R?Q?=C1?=",
      "=?UTF-8?Q?=C3?=",
      "=?UTF-8?Q?=C?=",
      "=?UTF-8?Q?=00?=",
      "=?UTF-8?B?AA==?=",
      "=?UTF-8?B?w6k_?=",
      "=?UTF-8?B?w-k=?=",
      "=?UTF-8?B?w?=",
      "=?UTF-8?B?====?=",
      "=?UTF-8?B?YR==?=",
      "=?UTF-8?Q?a?= =?UTF-8?Q?=C3?=",
      "=?=?=?=?",
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    check_decode(rows[i], strlen(rows[i]), rows[i]);
  check_decode("=?UTF-8?Q?a?=", 12, "=?UTF-8?Q?a?");
}

static void test_metadata_decode_reads_raw_bytes(void) {
  check_decode(BYTES(""), "");
  check_decode(BYTES("plain text"), "plain text");
  check_decode(BYTES("na\xC3\xAFve"), "na\xC3\xAFve");
  check_decode(BYTES("na\xEFve"), "na\xC3\xAFve");
  check_decode(BYTES("\xFF\x80"), "\xC3\xBF\xC2\x80");
  check_decode(BYTES("a\0b"), "a\xEF\xBF\xBD"
                              "b");
}

static void test_metadata_without_room_is_refused(void) {
  static const char *const headers[] = {"abcd", "\xE9\xE9", "UTF-8''%C3%A9ab",
                                        "=?UTF-8?B?YWJjZA==?="};
  for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
    struct buf out;
    buf_init(&out, 4);
    ROW(headers[i], metadata_decode(&out, headers[i], strlen(headers[i])));
    CU_ASSERT(out.len == 4);
    buf_fini(&out);
    buf_init(&out, 3);
    ROW(headers[i], !metadata_decode(&out, headers[i], strlen(headers[i])));
    buf_fini(&out);
  }
}

static void test_metadata_encode_without_room_is_refused(void) {
  struct buf out;
  buf_init(&out, 10);
  CU_ASSERT(metadata_encode(&out, "\t"));
  buf_clear(&out);
  CU_ASSERT(!metadata_encode(&out, "\ta"));
  buf_fini(&out);
  buf_init(&out, 1);
  CU_ASSERT(!metadata_encode(&out, "ab"));
  buf_fini(&out);
}

static const struct unit_test tests[] = {
    UNIT(test_metadata_encode_keeps_plain_text),
    UNIT(test_metadata_decode_reads_our_mark),
    UNIT(test_metadata_decode_leaves_malformed_marks),
    UNIT(test_metadata_decode_reads_encoded_words),
    UNIT(test_metadata_decode_leaves_malformed_words),
    UNIT(test_metadata_decode_reads_raw_bytes),
    UNIT(test_metadata_without_room_is_refused),
    UNIT(test_metadata_encode_without_room_is_refused),
    {NULL, NULL},
};

int main(void) {
  return unit_main("metadata", tests);
}
