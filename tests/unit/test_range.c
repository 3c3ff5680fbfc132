/* SPDX-License-Identifier: MIT
 *
 * Range and the conditional headers, by RFC 9110's own order of precedence.
 */
#include "range.h"
#include "unit.h"

#include <string.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

#define MODIFIED INT64_C(784111777)
#define NOW INT64_C(1781440496)
#define SAME_DATE "Sun, 06 Nov 1994 08:49:37 GMT"
#define EARLIER "Sun, 06 Nov 1994 08:49:36 GMT"
#define LATER "Sun, 06 Nov 1994 08:49:38 GMT"
#define FUTURE "Fri, 01 Jan 2100 00:00:00 GMT"
#define NINES "999999999999999999999999999999"

static void test_range_is_served(void) {
  static const struct {
    const char *in;
    uint64_t first, last;
  } rows[] = {
      {"bytes=0-0", 0, 0},
      {"bytes=5-9", 5, 9},
      {"bytes=19-19", 19, 19},
      {"bytes=0-19", 0, 19},
      {"bytes=5-", 5, 19},
      {"bytes=0-", 0, 19},
      {"bytes=19-", 19, 19},
      {"bytes=-5", 15, 19},
      {"bytes=-1", 19, 19},
      {"bytes=-20", 0, 19},
      {"bytes=-21", 0, 19},
      {"bytes=-500", 0, 19},
      {"bytes=15-500", 15, 19},
      {"bytes=19-20", 19, 19},
      {"bytes=0005-009", 5, 9},
      {"BYTES=5-9", 5, 9},
      {"bytes= 5-9", 5, 9},
      {"bytes=5-9 ", 5, 9},
      {"bytes=5-9,", 5, 9},
      {"bytes=,5-9", 5, 9},
      {"bytes=, ,\t5-9 \t, ,", 5, 9},
      {"bytes=5-" NINES, 5, 19},
      {"bytes=-" NINES, 0, 19},
      {"bytes=5-18446744073709551615", 5, 19},
      {"bytes=5-18446744073709551616", 5, 19},
  };

  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct range range = {99, 99};
    ROW(rows[i].in, range_parse(rows[i].in, 20, &range) == RANGE_PART);
    ROW(rows[i].in, range.first == rows[i].first);
    ROW(rows[i].in, range.count == rows[i].last - rows[i].first + 1);
  }
}

static void test_range_past_end_is_416(void) {
  static const struct {
    const char *in;
    uint64_t length;
  } rows[] = {
      {"bytes=20-", 20},
      {"bytes=20-20", 20},
      {"bytes=500-600", 20},
      {"bytes=-0", 20},
      {"bytes=-000", 20},
      {"bytes=" NINES "-", 20},
      {"bytes=" NINES "-" NINES, 20},
      {"bytes=0-0", 0},
      {"bytes=0-", 0},
      {"bytes=5-9", 0},
      {"bytes=-0", 0},
  };

  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct range range;
    ROW(rows[i].in,
        range_parse(rows[i].in, rows[i].length, &range) == RANGE_BEYOND);
  }
}

static void test_range_malformed_or_multiple_is_ignored(void) {
  static const char *const bad[] = {
      "",
      "bytes",
      "bytes=",
      "bytes=-",
      "bytes=,",
      "bytes= ",
      "bytes=abc",
      "bytes=9-5",
      "bytes=500-400",
      "bytes=0-1,5-6",
      "bytes=0-1, -1",
      "bytes=0-1,abc",
      "0-5",
      "lines=0-5",
      "bytes 0-5",
      "bytes =0-5",
      " bytes=0-5",
      "bytes=-1-5",
      "bytes=0x0-0x5",
      "bytes=0-5x",
      "bytes=0-5-9",
      "bytes=+1-+5",
      "bytes=1.0-5",
      "bytes=5",
      "bytes=5 - 9",
      "bytes=5- 9",
      "bytes=--5",
      "bytes=- 5",
      "bytes==0-5",
      "bytes=0-5;",
      "byte=0-5",
      "bytes=\xC2\xB2-5",
      "bytes=-5-",
      "bytes=0-1,0-1",
      "bytes=0-5 6",
  };

  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct range range;
    ROW(bad[i], range_parse(bad[i], 20, &range) == RANGE_WHOLE);
  }
  CU_ASSERT_EQUAL(range_parse(NULL, 20, NULL), RANGE_WHOLE);
}

static void test_range_suffix_of_nothing_is_the_whole_nothing(void) {
  struct range range;

  CU_ASSERT_EQUAL(range_parse("bytes=-5", 0, &range), RANGE_WHOLE);
}

static void test_range_of_a_huge_object_is_exact(void) {
  struct range range;

  CU_ASSERT_EQUAL(
      range_parse("bytes=18446744073709551613-", UINT64_MAX, &range),
      RANGE_PART);
  CU_ASSERT(range.first == UINT64_MAX - 2 && range.count == 2);
  CU_ASSERT_EQUAL(range_parse("bytes=0-", UINT64_MAX, &range), RANGE_PART);
  CU_ASSERT(range.first == 0 && range.count == UINT64_MAX);
}

struct row {
  struct range_conditions is;
  enum range_verdict want;
};

static void check(const struct row *rows, size_t count, const char *etag) {
  for (size_t i = 0; i < count; i++) {
    const struct range_conditions *is = &rows[i].is;
    const char *row = is->if_match              ? is->if_match
                      : is->if_none_match       ? is->if_none_match
                      : is->if_unmodified_since ? is->if_unmodified_since
                                                : is->if_modified_since;
    ROW(row ? row : "none",
        range_conditions(is, etag, MODIFIED, NOW) == rows[i].want);
  }
}

static void test_range_if_none_match_compares_weakly(void) {
  static const struct row rows[] = {
      {{.if_none_match = NULL}, RANGE_GO},
      {{.if_none_match = "\"tag\""}, RANGE_NOT_MODIFIED},
      {{.if_none_match = "W/\"tag\""}, RANGE_NOT_MODIFIED},
      {{.if_none_match = "\"a\", \"tag\" , W/\"b\""}, RANGE_NOT_MODIFIED},
      {{.if_none_match = "\"a\",W/\"tag\""}, RANGE_NOT_MODIFIED},
      {{.if_none_match = ", ,\"tag\",,"}, RANGE_NOT_MODIFIED},
      {{.if_none_match = "\"a,b\", \"tag\""}, RANGE_NOT_MODIFIED},
      {{.if_none_match = "*"}, RANGE_NOT_MODIFIED},
      {{.if_none_match = " * "}, RANGE_NOT_MODIFIED},
      {{.if_none_match = "\"other\""}, RANGE_GO},
      {{.if_none_match = "\"a\", W/\"b\""}, RANGE_GO},
      {{.if_none_match = "\"xtag\", \"tagx\", \"ta\", \"\""}, RANGE_GO},
      {{.if_none_match = "\"TAG\""}, RANGE_GO},
      {{.if_none_match = ""}, RANGE_GO},
      {{.if_none_match = "tag"}, RANGE_GO},
      {{.if_none_match = "\"tag"}, RANGE_GO},
      {{.if_none_match = "tag\""}, RANGE_GO},
      {{.if_none_match = "w/\"tag\""}, RANGE_GO},
      {{.if_none_match = "W/"}, RANGE_GO},
      {{.if_none_match = "W"}, RANGE_GO},
      {{.if_none_match = "W/ \"tag\""}, RANGE_GO},
      {{.if_none_match = "a \"tag\""}, RANGE_GO},
      {{.if_none_match = "\"a\" \"tag\""}, RANGE_GO},
      {{.if_none_match = "\"a,\"tag\""}, RANGE_GO},
      {{.if_none_match = "**"}, RANGE_GO},
      {{.if_none_match = "\"*\""}, RANGE_GO},
  };

  check(rows, sizeof rows / sizeof *rows, "tag");
}

static void test_range_if_match_compares_strongly(void) {
  static const struct row rows[] = {
      {{.if_match = "\"tag\""}, RANGE_GO},
      {{.if_match = "\"a\",\"tag\""}, RANGE_GO},
      {{.if_match = "W/\"tag\", \"tag\""}, RANGE_GO},
      {{.if_match = "*"}, RANGE_GO},
      {{.if_match = "\"other\""}, RANGE_FAILED},
      {{.if_match = "W/\"tag\""}, RANGE_FAILED},
      {{.if_match = ""}, RANGE_FAILED},
      {{.if_match = "tag"}, RANGE_FAILED},
  };

  check(rows, sizeof rows / sizeof *rows, "tag");
}

static void test_range_dates_are_compared_by_the_second(void) {
  static const struct row rows[] = {
      {{.if_modified_since = SAME_DATE}, RANGE_NOT_MODIFIED},
      {{.if_modified_since = LATER}, RANGE_NOT_MODIFIED},
      {{.if_modified_since = FUTURE}, RANGE_NOT_MODIFIED},
      {{.if_modified_since = "Sunday, 06-Nov-94 08:49:37 GMT"},
       RANGE_NOT_MODIFIED},
      {{.if_modified_since = EARLIER}, RANGE_GO},
      {{.if_modified_since = "yesterday"}, RANGE_GO},
      {{.if_modified_since = ""}, RANGE_GO},
      {{.if_unmodified_since = SAME_DATE}, RANGE_GO},
      {{.if_unmodified_since = FUTURE}, RANGE_GO},
      {{.if_unmodified_since = EARLIER}, RANGE_FAILED},
      {{.if_unmodified_since = "yesterday"}, RANGE_GO},
  };

  check(rows, sizeof rows / sizeof *rows, "tag");
}

static void test_range_conditions_keep_their_order(void) {
  static const struct row rows[] = {
      {{.if_none_match = "\"other\"", .if_modified_since = SAME_DATE},
       RANGE_GO},
      {{.if_none_match = "\"tag\"", .if_modified_since = EARLIER},
       RANGE_NOT_MODIFIED},
      {{.if_match = "\"tag\"", .if_unmodified_since = EARLIER}, RANGE_GO},
      {{.if_match = "\"other\"", .if_none_match = "\"tag\""}, RANGE_FAILED},
      {{.if_match = "\"tag\"", .if_none_match = "\"tag\""},
       RANGE_NOT_MODIFIED},
      {{.if_match = "\"tag\"", .if_modified_since = SAME_DATE},
       RANGE_NOT_MODIFIED},
      {{.if_unmodified_since = EARLIER, .if_none_match = "\"tag\""},
       RANGE_FAILED},
      {{.if_unmodified_since = "yesterday", .if_none_match = "\"tag\""},
       RANGE_NOT_MODIFIED},
  };

  check(rows, sizeof rows / sizeof *rows, "tag");
}

static void test_range_without_an_etag_only_stars_match(void) {
  static const struct row rows[] = {
      {{.if_none_match = "\"tag\""}, RANGE_GO},
      {{.if_none_match = "\"\""}, RANGE_GO},
      {{.if_none_match = "*"}, RANGE_NOT_MODIFIED},
      {{.if_match = "\"tag\""}, RANGE_FAILED},
      {{.if_match = "*"}, RANGE_GO},
  };

  check(rows, sizeof rows / sizeof *rows, NULL);
}

static void test_range_counts_only_by_if_ranges_own_strong_tag(void) {
  static const struct {
    const char *in;
    bool want;
  } rows[] = {
      {NULL, true},
      {"\"tag\"", true},
      {" \"tag\" ", true},
      {"\"other\"", false},
      {"W/\"tag\"", false},
      {SAME_DATE, false},
      {FUTURE, false},
      {"", false},
      {"*", false},
      {"tag", false},
      {"\"tag", false},
      {"\"a\",\"tag\"", false},
      {"\"tag\",\"a\"", false},
      {"\"tag\"x", false},
  };

  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct range_conditions is = {.if_range = rows[i].in};
    ROW(rows[i].in ? rows[i].in : "none",
        range_if_range(&is, "tag") == rows[i].want);
    ROW("no etag", range_if_range(&is, NULL) == !rows[i].in);
  }
}

static const struct unit_test tests[] = {
    UNIT(test_range_is_served),
    UNIT(test_range_past_end_is_416),
    UNIT(test_range_malformed_or_multiple_is_ignored),
    UNIT(test_range_suffix_of_nothing_is_the_whole_nothing),
    UNIT(test_range_of_a_huge_object_is_exact),
    UNIT(test_range_if_none_match_compares_weakly),
    UNIT(test_range_if_match_compares_strongly),
    UNIT(test_range_dates_are_compared_by_the_second),
    UNIT(test_range_conditions_keep_their_order),
    UNIT(test_range_without_an_etag_only_stars_match),
    UNIT(test_range_counts_only_by_if_ranges_own_strong_tag),
    {NULL, NULL},
};

int main(void) {
  return unit_main("range", tests);
}
