/* SPDX-License-Identifier: MIT
 *
 * A URL's query: every way to write a parameter, and what makes one bad.
 */
#include "query.h"
#include "unit.h"

#include <string.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

static void test_query_finds_the_decoded_value(void) {
  static const struct {
    const char *query, *want;
  } rows[] = {
      {"key=a", "a"},
      {"key", ""},
      {"key=", ""},
      {"x=1&key=a&y", "a"},
      {"&&key=a&&", "a"},
      {"key=a=b", "a=b"},
      {"key=a%20b+c%2Bd", "a b c+d"},
      {"key=%C3%a9", "\xC3\xA9"},
      {"key=a%26b%3Dc", "a&b=c"},
      {"key=a;b?c/d", "a;b?c/d"},
      {"k%65y=a", "a"},
      {"%6B%65%79=a", "a"},
      {"x=%zz&key=a", "a"},
      {"%zz=1&key=a&%=2&ke%=3&%00=4", "a"},
      {"Key=b&key=a&KEY=c", "a"},
      {"keys=b&key=a&ke=c&xkey=d", "a"},
      {"key%20=b&key=a", "a"},
      {"x=key=b&key=a", "a"},
  };

  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct buf out;
    buf_init(&out, 100);
    buf_adds(&out, "old");
    ROW(rows[i].query, query_get(&out, rows[i].query, "key") == QUERY_FOUND);
    ROW(rows[i].query, strcmp(out.data, rows[i].want) == 0);
    buf_fini(&out);
  }
}

static void test_query_without_the_parameter_finds_none(void) {
  static const char *const rows[] = {
      "",     "&",     "=",        "=key",   "Key=a", "keys=a",
      "ke=a", "x=key", "%ke%79=a", "key+=a", "x&y",
  };
  struct buf out;

  buf_init(&out, 100);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    buf_adds(&out, "old");
    ROW(rows[i], query_get(&out, rows[i], "key") == QUERY_NONE);
    ROW(rows[i], out.len == 0);
  }
  CU_ASSERT_EQUAL(query_get(&out, NULL, "key"), QUERY_NONE);
  buf_fini(&out);
}

static void test_query_that_is_bad_is_bad(void) {
  static const char *const rows[] = {
      "key=%zz",       "key=a%2",           "key=%",
      "key=a%00b",     "key=%ff%fe",        "key=%C3",
      "key=\xFF",      "key=%ED%A0%80",     "key=a&key=b",
      "key&key",       "key=a&x=1&k%65y=a", "key=%zz&key=a",
      "key=a&key=%zz",
  };
  struct buf out;

  buf_init(&out, 100);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    ROW(rows[i], query_get(&out, rows[i], "key") == QUERY_BAD);
  buf_fini(&out);
}

static void test_query_value_fits_the_buffer_or_is_bad(void) {
  struct buf out;

  buf_init(&out, 3);
  CU_ASSERT_EQUAL(query_get(&out, "key=ab%63", "key"), QUERY_FOUND);
  CU_ASSERT_EQUAL(query_get(&out, "key=abcd", "key"), QUERY_BAD);
  CU_ASSERT_EQUAL(query_get(&out, "key=abc", "key"), QUERY_FOUND);
  buf_fini(&out);
}

static const struct unit_test tests[] = {
    UNIT(test_query_finds_the_decoded_value),
    UNIT(test_query_without_the_parameter_finds_none),
    UNIT(test_query_that_is_bad_is_bad),
    UNIT(test_query_value_fits_the_buffer_or_is_bad),
    {NULL, NULL},
};

int main(void) {
  return unit_main("query", tests);
}
