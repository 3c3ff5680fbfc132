/* SPDX-License-Identifier: MIT
 *
 * Answers of a helper, of which nothing is believed.
 */
#include "sniffwire.h"
#include "unit.h"

#include <string.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

static void test_answers_are_whole_parts_or_nonsense(void) {
  static const struct {
    const char *bytes;
    size_t len;
    enum sniffwire_state want;
    const char *text;
  } rows[] = {
      {"", 0, SNIFFWIRE_PART, ""},
      {"t", 1, SNIFFWIRE_PART, ""},
      {"t\3", 2, SNIFFWIRE_PART, ""},
      {"t\3a/", 4, SNIFFWIRE_PART, ""},
      {"t\3a/b", 5, SNIFFWIRE_WHOLE, "a/b"},
      {"r\0", 2, SNIFFWIRE_WHOLE, ""},
      {"e\4a ~!", 6, SNIFFWIRE_WHOLE, "a ~!"},
      {"t\3a/bc", 6, SNIFFWIRE_NONSENSE, ""},
      {"r\0r", 3, SNIFFWIRE_NONSENSE, ""},
      {"x", 1, SNIFFWIRE_NONSENSE, ""},
      {"\0", 1, SNIFFWIRE_NONSENSE, ""},
      {"t\3a\n", 4, SNIFFWIRE_NONSENSE, ""},
      {"t\3\x7f", 3, SNIFFWIRE_NONSENSE, ""},
      {"t\3\xc3", 3, SNIFFWIRE_NONSENSE, ""},
      {"t\x80", 2, SNIFFWIRE_NONSENSE, ""},
      {"t\x7f", 2, SNIFFWIRE_PART, ""},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct sniffwire_answer answer = {.text = ""};
    ROW(rows[i].bytes, sniffwire_read((const unsigned char *)rows[i].bytes,
                                      rows[i].len, &answer) == rows[i].want);
    ROW(rows[i].bytes, strcmp(answer.text, rows[i].text) == 0);
  }
}

static void test_longest_text_is_read_as_it_was_written(void) {
  char text[SNIFFWIRE_TEXT + 2];
  unsigned char out[SNIFFWIRE_MAX];
  struct sniffwire_answer answer;
  memset(text, 'a', sizeof text - 1);
  text[sizeof text - 1] = '\0';
  size_t size = sniffwire_write(out, SNIFFWIRE_TYPE, text);
  CU_ASSERT_EQUAL(size, SNIFFWIRE_MAX);
  CU_ASSERT_EQUAL(sniffwire_read(out, size, &answer), SNIFFWIRE_WHOLE);
  CU_ASSERT_EQUAL(strlen(answer.text), SNIFFWIRE_TEXT);
}

static void test_what_no_answer_has_is_not_written(void) {
  unsigned char out[SNIFFWIRE_MAX];
  struct sniffwire_answer answer;
  size_t size = sniffwire_write(out, SNIFFWIRE_FAILED, "a\nb\xc3");
  CU_ASSERT_EQUAL(sniffwire_read(out, size, &answer), SNIFFWIRE_WHOLE);
  CU_ASSERT_STRING_EQUAL(answer.text, "a?b?");
}

static void test_lengths_are_read_as_they_were_written(void) {
  static const uint32_t rows[] = {0, 1, 255, 256, 1u << 20, 0xffffffffu};
  unsigned char head[SNIFFWIRE_HEAD];
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    sniffwire_put_length(head, rows[i]);
    CU_ASSERT_EQUAL(sniffwire_length(head), rows[i]);
  }
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_answers_are_whole_parts_or_nonsense),
      UNIT(test_longest_text_is_read_as_it_was_written),
      UNIT(test_what_no_answer_has_is_not_written),
      UNIT(test_lengths_are_read_as_they_were_written),
      {NULL, NULL}};
  return unit_main("sniffwire", tests);
}
