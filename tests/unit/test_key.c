/* SPDX-License-Identifier: MIT
 *
 * Object keys: how an upload's is made, and what never becomes a part of one.
 */
#include "key.h"
#include "codec.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

#define BYTES(text) (text), sizeof(text) - 1
#define NOW INT64_C(1781440496) /* 2026-06-14T12:34:56 */

static void test_key_that_is_fine_is_fine(void) {
  static const char *const fine[] = {
      "",
      "a",
      "a/b c",
      "/a",
      "a//b",
      "a/",
      "...",
      "..a/b",
      ".d/a..",
      "a+b%20%2e%2e",
      "a\\..\\b",
      "\xC3\xA9/\xF0\x9F\x98\x80",
      "cafe\xCC\x81",
      "\xC2\xA0",
      "a?b=c&d#e\"f'*[",
  };

  for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
    ROW(fine[i], key_fault(fine[i], strlen(fine[i])) == NULL);
}

static void test_key_that_climbs_or_controls_is_refused(void) {
  static const struct {
    const char *in;
    size_t len;
  } bad[] = {
      {BYTES(".")},
      {BYTES("..")},
      {BYTES("a/..")},
      {BYTES("../a")},
      {BYTES("a/../b")},
      {BYTES("a/./b")},
      {BYTES("./a")},
      {BYTES("a/.")},
      {BYTES("../")},
      {BYTES("//..")},
      {BYTES("a\nb")},
      {BYTES("a\r\nX: 1")},
      {BYTES("\t")},
      {BYTES("a\0b")},
      {BYTES("\x1B")},
      {BYTES("\x7F")},
      {BYTES("\xC2\x80")},
      {BYTES("a\xC2\x85")},
      {BYTES("\xC2\x9F")},
      {BYTES("\xFF\xFE")},
      {BYTES("\xC3")},
      {BYTES("\xC0\xAE\xC0\xAE")},
      {BYTES("\xED\xA0\x80")},
  };

  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    ROW(bad[i].in, key_fault(bad[i].in, bad[i].len) != NULL);
}

static void test_key_that_xml_cannot_hold_is_not_made(void) {
  static const char *const bad[] = {"\xEF\xBF\xBE", "a/\xEF\xBF\xBF"};
  static const char *const fine[] = {"\xEF\xBF\xBD", "\xEF\xB7\x90",
                                     "\xF0\x9F\xBF\xBE", "\xF4\x8F\xBF\xBF"};

  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    ROW(bad[i], key_fault(bad[i], strlen(bad[i])) != NULL);
  for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
    ROW(fine[i], key_fault(fine[i], strlen(fine[i])) == NULL);
}

static void test_key_that_others_made_is_found_and_removed(void) {
  static const struct {
    const char *in;
    size_t len;
    bool found, removed, climbs;
  } rows[] = {
      {BYTES("a/b"), true, true, false},
      {BYTES("a\nb\x01"), true, true, false},
      {BYTES("\x7F\xC2\x85"), true, true, false},
      {BYTES("\xEF\xBF\xBE/\xEF\xBF\xBF"), true, true, false},
      {BYTES("/a//b/"), true, true, false},
      {BYTES(".a/..b/c.."), true, true, false},
      {BYTES(".."), false, true, true},
      {BYTES("a/../b"), false, true, true},
      {BYTES("a/."), false, true, true},
      {BYTES("./a"), false, true, true},
      {BYTES("a\0b"), false, false, false},
      {BYTES("\xFF"), false, false, false},
      {BYTES("\xED\xA0\x80"), false, false, false},
  };
  char key[KEY_MAX + 1];

  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const char *in = rows[i].in;
    ROW(in, (key_found_fault(in, rows[i].len) == NULL) == rows[i].found);
    ROW(in, (key_removed_fault(in, rows[i].len) == NULL) == rows[i].removed);
    ROW(in, key_climbs(in, rows[i].len) == rows[i].climbs);
  }
  memset(key, 'k', sizeof key);
  CU_ASSERT_PTR_NULL(key_found_fault(key, KEY_MAX));
  CU_ASSERT_PTR_NOT_NULL(key_found_fault(key, KEY_MAX + 1));
  CU_ASSERT_PTR_NOT_NULL(key_removed_fault(key, KEY_MAX + 1));
}

static void test_key_takes_1024_bytes_and_not_1025(void) {
  char key[KEY_MAX + 1];

  memset(key, 'k', sizeof key);
  CU_ASSERT_PTR_NULL(key_fault(key, KEY_MAX));
  CU_ASSERT_PTR_NOT_NULL(key_fault(key, KEY_MAX + 1));
}

static void test_key_prefix_loses_its_outer_slashes(void) {
  static const struct {
    const char *in, *want;
  } rows[] = {
      {"reports", "reports"},
      {"/reports", "reports"},
      {"reports/", "reports"},
      {"///a/b c//", "a/b c"},
      {"", "uploads"},
      {"/", "uploads"},
      {"///", "uploads"},
      {"..a/b..c/.d/...", "..a/b..c/.d/..."},
      {"a%20b%2e%2e", "a%20b%2e%2e"},
      {"\xC3\xA9", "\xC3\xA9"},
  };

  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char out[KEY_MAX + 1] = "";
    ROW(rows[i].in,
        !key_prefix(out, rows[i].in, strlen(rows[i].in), "/uploads/"));
    ROW(rows[i].in, strcmp(out, rows[i].want) == 0);
  }
}

static void test_key_prefix_that_is_bad_is_refused(void) {
  static const struct {
    const char *in;
    size_t len;
  } bad[] = {
      {BYTES("a//b")},      {BYTES("/a//b/")},    {BYTES("..")},
      {BYTES("/../")},      {BYTES("a/../b")},    {BYTES(".")},
      {BYTES("a/./b")},     {BYTES("../../tmp")}, {BYTES("a\nb")},
      {BYTES("a\0b")},      {BYTES("a\0//b")},    {BYTES("\x7F")},
      {BYTES("a\xC2\x9F")}, {BYTES("\xFF\xFE")},
  };

  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    char out[KEY_MAX + 1];
    ROW(bad[i].in, key_prefix(out, bad[i].in, bad[i].len, "u") != NULL);
  }
}

static void test_key_prefix_is_measured_without_its_outer_slashes(void) {
  char in[KEY_MAX + 2], out[KEY_MAX + 1];

  memset(in, 'p', sizeof in);
  in[0] = '/';
  CU_ASSERT_PTR_NULL(key_prefix(out, in, KEY_MAX + 1, ""));
  CU_ASSERT_EQUAL(strlen(out), KEY_MAX);
  CU_ASSERT_PTR_NOT_NULL(key_prefix(out, in, KEY_MAX + 2, ""));
}

static void test_key_prefix_checks_its_fallback_too(void) {
  char out[KEY_MAX + 1];

  CU_ASSERT_PTR_NOT_NULL(key_prefix(out, "", 0, "a/../b"));
  CU_ASSERT_PTR_NULL(key_prefix(out, "", 0, ""));
  CU_ASSERT_STRING_EQUAL(out, "");
}

static void test_key_filename_is_the_last_segment_without_controls(void) {
  static const struct {
    const char *in;
    size_t len;
    const char *want;
  } rows[] = {
      {BYTES("a.txt"), "a.txt"},
      {BYTES("my long report.pdf"), "my long report.pdf"},
      {BYTES("../../etc/passwd"), "passwd"},
      {BYTES("/etc/passwd"), "passwd"},
      {BYTES("C:\\x\\y.txt"), "y.txt"},
      {BYTES("a\\b/c\\d.txt"), "d.txt"},
      {BYTES(""), "unnamed"},
      {BYTES("a/b/"), "unnamed"},
      {BYTES("a\\"), "unnamed"},
      {BYTES("."), "unnamed"},
      {BYTES(".."), "unnamed"},
      {BYTES("a/.."), "unnamed"},
      {BYTES(".\x01."), "unnamed"},
      {BYTES(".\xFF."), "unnamed"},
      {BYTES("..."), "..."},
      {BYTES(".a"), ".a"},
      {BYTES("\r\n"), "unnamed"},
      {BYTES("a\r\n\0\t\x1F\x7F"
             "b.txt"),
       "ab.txt"},
      {BYTES("a\xC2\x85"
             "b\xC2\x80\xC2\x9F.txt"),
       "ab.txt"},
      {BYTES("a\xC2\xA0"
             "b"),
       "a\xC2\xA0"
       "b"},
      {BYTES("a\xFF\xFE"
             "b.txt"),
       "ab.txt"},
      {BYTES("\xC2\x01\x80"
             "a"),
       "a"},
      {BYTES("a\xE2\x82"), "a"},
      {BYTES("\xD0\xBE\xD1\x82 \xE2\x84\x96"
             "5"),
       "\xD0\xBE\xD1\x82 \xE2\x84\x96"
       "5"},
      {BYTES("a\"b'c;d%20+&#?.txt"), "a\"b'c;d%20+&#?.txt"},
  };

  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char out[KEY_NAME_MAX + 1];
    key_filename(out, rows[i].in, rows[i].len);
    ROW(rows[i].in, strcmp(out, rows[i].want) == 0);
  }
}

static void test_key_filename_is_cut_at_a_character(void) {
  static const char *const letters[] = {"a", "\xC3\xA9", "\xE2\x82\xAC",
                                        "\xF0\x9F\x98\x80"};

  for (size_t i = 0; i < 4; i++) {
    char in[1201] = "", out[KEY_NAME_MAX + 1];
    size_t one = strlen(letters[i]);
    for (size_t n = 0; n < 300; n++)
      memcpy(in + n * one, letters[i], one);
    key_filename(out, in, strlen(in));
    CU_ASSERT_EQUAL(strlen(out), KEY_NAME_MAX - KEY_NAME_MAX % (i + 1));
    ROW(letters[i], strncmp(in, out, strlen(out)) == 0);
    ROW(letters[i], codec_utf8_valid(out, strlen(out)));
  }
}

static void test_key_filename_of_246_bytes_is_kept_whole(void) {
  char in[KEY_NAME_MAX + 1], out[KEY_NAME_MAX + 1];

  memset(in, 'n', sizeof in);
  key_filename(out, in, KEY_NAME_MAX);
  CU_ASSERT_EQUAL(strlen(out), KEY_NAME_MAX);
  key_filename(out, in, KEY_NAME_MAX + 1);
  CU_ASSERT_EQUAL(strlen(out), KEY_NAME_MAX);
}

static void test_key_is_made_of_its_parts(void) {
  char out[KEY_MAX + 1];

  CU_ASSERT(key_make(out, "re ports", NOW, 0x3f9c01ab, "my long report.pdf"));
  CU_ASSERT_STRING_EQUAL(out,
                         "re ports/2026/06/14/3f9c01ab-my_long_report.pdf");
  CU_ASSERT(key_make(out, "a", NOW, 5, "b"));
  CU_ASSERT_STRING_EQUAL(out, "a/2026/06/14/00000005-b");
  CU_ASSERT(key_make(out, "", NOW, 5, "b"));
  CU_ASSERT_STRING_EQUAL(out, "2026/06/14/00000005-b");
}

static void test_key_made_of_1024_bytes_passes_and_1025_dont(void) {
  const size_t rest = strlen("/2026/06/14/00000005-b");
  char prefix[KEY_MAX + 1] = "", out[KEY_MAX + 1];

  memset(prefix, 'p', KEY_MAX - rest);
  CU_ASSERT(key_make(out, prefix, NOW, 5, "b"));
  CU_ASSERT_EQUAL(strlen(out), KEY_MAX);
  prefix[KEY_MAX - rest] = 'p';
  CU_ASSERT(!key_make(out, prefix, NOW, 5, "b"));
}

static void test_key_name_is_the_last_segment_that_has_letters(void) {
  static const char *const rows[][2] = {
      {"a/b/c.txt", "c.txt"}, {"c.txt", "c.txt"}, {"a/", "a"},
      {"a/b//", "b"},         {"/", "unnamed"},   {"", "unnamed"},
  };
  char out[KEY_MAX + 1], key[KEY_MAX + 1];

  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    key_name(out, rows[i][0]);
    ROW(rows[i][0], strcmp(out, rows[i][1]) == 0);
  }
  memset(key, 'k', KEY_MAX);
  key[KEY_MAX] = '\0';
  key_name(out, key);
  CU_ASSERT_STRING_EQUAL(out, key);
}

static void test_key_user_takes_the_place_of_its_name(void) {
  char out[KEY_MAX + 1];

  CU_ASSERT_PTR_NULL(key_user(out, "users/{user}/in", "ann"));
  CU_ASSERT_STRING_EQUAL(out, "users/ann/in");
  CU_ASSERT_PTR_NULL(key_user(out, "{user}", "\xc3\xa4 {user} %s"));
  CU_ASSERT_STRING_EQUAL(out, "\xc3\xa4 {user} %s");
  CU_ASSERT_PTR_NULL(key_user(out, "u-{user}", "..."));
  CU_ASSERT_STRING_EQUAL(out, "u-...");
  CU_ASSERT_PTR_NULL(key_user(out, "plain", "../x"));
  CU_ASSERT_STRING_EQUAL(out, "plain");
}

static void test_key_user_that_is_no_segment_is_refused(void) {
  static const char *const rows[] = {"",     ".",    "..",      "/",
                                     "a/b",  "../a", "a/..",    "a\x7f",
                                     "a\nb", "\xff", "\xc2\x85"};
  char out[KEY_MAX + 1];

  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    CU_ASSERT_PTR_NOT_NULL(key_user(out, "users/{user}", rows[i]));
}

static void test_key_user_makes_1024_bytes_and_not_1025(void) {
  char prefix[KEY_MAX + 1], out[KEY_MAX + 1];

  memset(prefix, 'p', KEY_MAX);
  memcpy(prefix + KEY_MAX - 8, "/{user}", 8);
  CU_ASSERT_PTR_NULL(key_user(out, prefix, "1234567"));
  CU_ASSERT_EQUAL(strlen(out), KEY_MAX);
  CU_ASSERT_PTR_NOT_NULL(key_user(out, prefix, "12345678"));
}

static void test_key_user_may_be_named_once(void) {
  CU_ASSERT_PTR_NULL(key_user_fault("a"));
  CU_ASSERT_PTR_NULL(key_user_fault("a/{user}"));
  CU_ASSERT_PTR_NULL(key_user_fault("{User}/{user}/{user"));
  CU_ASSERT_PTR_NOT_NULL(key_user_fault("{user}{user}"));
}

static void test_key_made_has_no_empty_segment(void) {
  static const char *const fine[] = {"a", "a/b", "a/b.c/d"};
  static const char *const bad[] = {"",     "/",  "/a",     "a/",
                                    "a//b", "//", "a/../b", "a\n"};
  for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
    ROW(fine[i], key_made_fault(fine[i], strlen(fine[i])) == NULL);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    ROW(bad[i], key_made_fault(bad[i], strlen(bad[i])) != NULL);
}

static const struct unit_test tests[] = {
    UNIT(test_key_made_has_no_empty_segment),
    UNIT(test_key_user_takes_the_place_of_its_name),
    UNIT(test_key_user_that_is_no_segment_is_refused),
    UNIT(test_key_user_makes_1024_bytes_and_not_1025),
    UNIT(test_key_user_may_be_named_once),
    UNIT(test_key_that_is_fine_is_fine),
    UNIT(test_key_that_climbs_or_controls_is_refused),
    UNIT(test_key_that_xml_cannot_hold_is_not_made),
    UNIT(test_key_that_others_made_is_found_and_removed),
    UNIT(test_key_takes_1024_bytes_and_not_1025),
    UNIT(test_key_prefix_loses_its_outer_slashes),
    UNIT(test_key_prefix_that_is_bad_is_refused),
    UNIT(test_key_prefix_is_measured_without_its_outer_slashes),
    UNIT(test_key_prefix_checks_its_fallback_too),
    UNIT(test_key_filename_is_the_last_segment_without_controls),
    UNIT(test_key_filename_is_cut_at_a_character),
    UNIT(test_key_filename_of_246_bytes_is_kept_whole),
    UNIT(test_key_is_made_of_its_parts),
    UNIT(test_key_made_of_1024_bytes_passes_and_1025_dont),
    UNIT(test_key_name_is_the_last_segment_that_has_letters),
    {NULL, NULL},
};

int main(void) {
  return unit_main("key", tests);
}
