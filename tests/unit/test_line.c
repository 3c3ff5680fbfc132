/* SPDX-License-Identifier: MIT
 *
 * Lines of access logs: escapes, cuts and times.
 */
#include "line.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROW(name, truth)                               \
  do {                                                 \
    bool row_truth = (truth);                          \
    if (!row_truth)                                    \
      printf("%s:%d: %s\n", __FILE__, __LINE__, name); \
    CU_ASSERT_TRUE(row_truth);                         \
  } while (0)

struct row {
  const char *in;
  size_t max;
  const char *want;
};

static char room[LINE_BYTES_MAX];

static bool is(const struct line *line, const char *want) {
  return line->len == strlen(want) && memcmp(line->data, want, line->len) == 0;
}

static void test_json_is_escaped(void) {
  static const struct row rows[] = {
      {NULL, 9, "null"},
      {"", 9, "\"\""},
      {"plain /%~", 99, "\"plain /%~\""},
      {"\"\\/", 99, "\"\\\"\\\\/\""},
      {"\x01\t\n\r\x1f\x7f", 99,
       "\"\\u0001\\u0009\\u000a\\u000d\\u001f\\u007f\""},
      {"\xc2\x80\xc2\x9f\xc2\xa0", 99, "\"\\u0080\\u009f\xc2\xa0\""},
      {"\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9", 99,
       "\"\xe2\x80\xa7\\u2028\\u2029\""},
      {"\xf0\x9f\x98\x80", 99, "\"\xf0\x9f\x98\x80\""},
      {"\xff", 99, "\"\\\\xff\""},
      {"a\xc3", 99, "\"a\\\\xc3\""},
      {"\xc0\xafz", 99, "\"\\\\xc0\\\\xafz\""},
      {"\xed\xa0\x80", 99, "\"\\\\xed\\\\xa0\\\\x80\""},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct line line = {room, 0, sizeof room};
    line_json(&line, rows[i].in, rows[i].max);
    ROW(rows[i].want, is(&line, rows[i].want));
  }
}

static void test_json_is_cut_between_characters(void) {
  static const struct row rows[] = {
      {"12345678", 8, "\"12345678\""},
      {"123456789", 8, "\"12345\xe2\x80\xa6\""},
      {"1234\xc3\xa9"
       "78",
       8,
       "\"1234\xc3\xa9"
       "78\""},
      {"1234\xc3\xa9"
       "789",
       8, "\"1234\xe2\x80\xa6\""},
      {"1234567\n", 8, "\"12345\xe2\x80\xa6\""},
      {"\n\n", 8, "\"\xe2\x80\xa6\""},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct line line = {room, 0, sizeof room};
    line_json(&line, rows[i].in, rows[i].max);
    ROW(rows[i].want, is(&line, rows[i].want));
  }
}

/* The mark goes where the last whole character left room for it, also when
 * that was before an escape. */
static void test_cut_never_splits_an_escape(void) {
  char in[32];
  for (size_t lead = 0; lead < 16; lead++)
    for (size_t max = 3; max < 24; max++) {
      struct line line = {room, 0, sizeof room};
      memset(in, 'a', sizeof in);
      in[lead] = '\n';
      in[lead + 1] = '"';
      in[lead + 4] = '\0';
      line_json(&line, in, max);
      room[line.len] = '\0';
      CU_ASSERT_TRUE(line.len <= max + 2);
      char *escape = strchr(room, '\\');
      CU_ASSERT_TRUE(escape == NULL || strncmp(escape, "\\u000a", 6) == 0);
      escape = escape == NULL ? NULL : strchr(escape + 6, '\\');
      CU_ASSERT_TRUE(escape == NULL || escape[1] == '"');
      CU_ASSERT_TRUE(line.len == lead + 12 || strstr(room, "\xe2\x80\xa6"));
    }
}

static void test_apache_escapes_all_but_printable_ascii(void) {
  static const struct row rows[] = {
      {"a b", 99, "a b"},
      {"\"\\", 99, "\\\"\\\\"},
      {"\n\x7f\xc3\xa9", 99, "\\x0a\\x7f\\xc3\\xa9"},
      {"1234567", 7, "1234567"},
      {"12345678", 7, "1234..."},
      {"12\n4", 7, "12\\x0a4"},
      {"12\n45", 7, "12..."},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct line line = {room, 0, sizeof room};
    line_escaped(&line, rows[i].in, false, rows[i].max);
    ROW(rows[i].want, is(&line, rows[i].want));
  }
}

static void test_word_has_no_space(void) {
  struct line line = {room, 0, sizeof room};
  line_escaped(&line, "a b ", true, 99);
  CU_ASSERT_TRUE(is(&line, "a\\x20b\\x20"));
}

static void test_numbers_are_whole(void) {
  struct line line = {room, 0, sizeof room};
  line_number(&line, 0);
  line_text(&line, " ");
  line_number(&line, UINT64_MAX);
  CU_ASSERT_TRUE(is(&line, "0 18446744073709551615"));
}

static void test_what_does_not_fit_is_left_out(void) {
  struct line line = {room, 0, 4};
  line_text(&line, "12345");
  line_number(&line, 7);
  CU_ASSERT_TRUE(is(&line, "1234"));
}

static void test_times_are_utc(void) {
  struct line_clock clock = {0};
  struct line line = {room, 0, sizeof room};
  line_iso(&line, &clock, 1781440496007);
  line_text(&line, " ");
  line_clf(&line, &clock, 1781440496999);
  line_text(&line, " ");
  line_iso(&line, &clock, 1781440497000);
  CU_ASSERT_TRUE(is(&line, "2026-06-14T12:34:56.007Z "
                           "14/Jun/2026:12:34:56 +0000 "
                           "2026-06-14T12:34:57.000Z"));
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_json_is_escaped),
      UNIT(test_json_is_cut_between_characters),
      UNIT(test_cut_never_splits_an_escape),
      UNIT(test_apache_escapes_all_but_printable_ascii),
      UNIT(test_word_has_no_space),
      UNIT(test_numbers_are_whole),
      UNIT(test_what_does_not_fit_is_left_out),
      UNIT(test_times_are_utc),
      {0}};
  return unit_main("line", tests);
}
