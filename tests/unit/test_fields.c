/* SPDX-License-Identifier: MIT
 *
 * Header fields as lines: what is added, found and removed.
 */
#include "fields.h"

#include <stdlib.h>
#include <string.h>

#include "unit.h"

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

static void fill(struct buf *lines) {
  fields_init(lines);
  CU_ASSERT_TRUE(fields_add(lines, "ETag", "\"a\""));
  CU_ASSERT_TRUE(fields_add(lines, "X-Empty", ""));
  CU_ASSERT_TRUE(fields_add(lines, "Vary", "Origin"));
  CU_ASSERT_TRUE(fields_add(lines, "vary", "Accept: x"));
}

static void test_fields_are_lines_in_their_order(void) {
  struct buf lines;
  fill(&lines);
  CU_ASSERT_STRING_EQUAL(lines.data, "ETag: \"a\"\r\nX-Empty: \r\n"
                                     "Vary: Origin\r\nvary: Accept: x\r\n");
  buf_fini(&lines);
}

static void test_no_field_is_more_than_a_line(void) {
  static const struct {
    const char *name, *value;
  } rows[] = {{"A", "a\r\nB: b"}, {"A", "a\n"}, {"A", "\r"},
              {"A\r\nB", "a"},    {"A\n", "a"}, {"A\r", "a"}};
  struct buf lines;
  fill(&lines);
  size_t had = lines.len;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    ROW(rows[i].value, !fields_add(&lines, rows[i].name, rows[i].value));
    ROW(rows[i].value, lines.len == had && lines.data[had] == '\0');
  }
  CU_ASSERT_TRUE(fields_add(&lines, "A", "a"));
  buf_fini(&lines);
}

static void test_a_field_is_found_by_its_whole_name(void) {
  static const struct {
    const char *name, *begin; /* of its value; NULL: isn't there */
  } rows[] = {
      {"ETag", "\"a\"\r\n"},  {"etag", "\"a\"\r\n"}, {"X-Empty", "\r\n"},
      {"VARY", "Origin\r\n"}, {"ETa", NULL},         {"ETag:", NULL},
      {"Tag", NULL},          {"Accept", NULL},      {"", NULL},
      {"Origin", NULL}};
  struct buf lines;
  fill(&lines);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const char *got = fields_get(&lines, lines.len, rows[i].name);
    const char *begin = rows[i].begin;
    ROW(rows[i].name, begin == NULL
                          ? got == NULL
                          : got && !strncmp(got, begin, strlen(begin)));
  }
  buf_fini(&lines);
}

static void test_a_field_behind_what_is_looked_at_is_not_found(void) {
  struct buf lines;
  fill(&lines);
  size_t within = strlen("ETag: \"a\"\r\nX-Empty: \r\n");
  CU_ASSERT_PTR_NOT_NULL(fields_get(&lines, within, "X-Empty"));
  CU_ASSERT_PTR_NULL(fields_get(&lines, within, "Vary"));
  CU_ASSERT_PTR_NULL(fields_get(&lines, 0, "ETag"));
  buf_fini(&lines);
}

static void test_the_first_of_a_name_is_removed(void) {
  struct buf lines;
  fill(&lines);
  CU_ASSERT_EQUAL(fields_remove(&lines, "vary"), strlen("Vary: Origin\r\n"));
  CU_ASSERT_EQUAL(fields_remove(&lines, "None"), 0);
  CU_ASSERT_STRING_EQUAL(lines.data,
                         "ETag: \"a\"\r\nX-Empty: \r\nvary: Accept: x\r\n");
  CU_ASSERT_TRUE(fields_remove(&lines, "vary") > 0);
  CU_ASSERT_TRUE(fields_remove(&lines, "etag") > 0);
  CU_ASSERT_TRUE(fields_remove(&lines, "x-empty") > 0);
  CU_ASSERT_EQUAL(lines.len, 0);
  CU_ASSERT_STRING_EQUAL(lines.data, "");
  buf_fini(&lines);
}

/* A field that doesn't fit spoils nothing. */
static void test_fields_fit_up_to_their_maximum(void) {
  struct buf lines;
  size_t most = FIELDS_MAX - strlen("A: \r\n");
  char *value = malloc(most + 2);
  CU_ASSERT_PTR_NOT_NULL_FATAL(value);
  memset(value, 'x', most + 1);
  value[most + 1] = '\0';
  fields_init(&lines);
  CU_ASSERT_FALSE(fields_add(&lines, "A", value));
  CU_ASSERT_EQUAL(lines.len, 0);
  value[most] = '\0';
  CU_ASSERT_TRUE(fields_add(&lines, "A", value));
  CU_ASSERT_EQUAL(lines.len, FIELDS_MAX);
  CU_ASSERT_FALSE(fields_add(&lines, "B", ""));
  CU_ASSERT_FALSE(lines.overflown);
  buf_fini(&lines);
  free(value);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_fields_are_lines_in_their_order),
      UNIT(test_no_field_is_more_than_a_line),
      UNIT(test_a_field_is_found_by_its_whole_name),
      UNIT(test_a_field_behind_what_is_looked_at_is_not_found),
      UNIT(test_the_first_of_a_name_is_removed),
      UNIT(test_fields_fit_up_to_their_maximum),
      {NULL, NULL}};
  return unit_main("fields", tests);
}
