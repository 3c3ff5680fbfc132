/* SPDX-License-Identifier: MIT
 *
 * The calendar against gmtime_r(), the three forms that HTTP's dates may have,
 * and all that looks like them.
 */
#include "date.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

#define NOW INT64_C(1781440496) /* 2026-06-14T12:34:56 */
#define YEAR_0 INT64_C(-62167219200)
#define YEAR_9999_END INT64_C(253402300799)

static void test_date_prints_known_times(void) {
  static const struct {
    int64_t seconds;
    const char *http, *iso, *day;
  } rows[] = {
      {0, "Thu, 01 Jan 1970 00:00:00 GMT", "1970-01-01T00:00:00+00:00",
       "1970/01/01"},
      {784111777, "Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37+00:00",
       "1994/11/06"},
      {-1, "Wed, 31 Dec 1969 23:59:59 GMT", "1969-12-31T23:59:59+00:00",
       "1969/12/31"},
      {951782400, "Tue, 29 Feb 2000 00:00:00 GMT", "2000-02-29T00:00:00+00:00",
       "2000/02/29"},
      {NOW, "Sun, 14 Jun 2026 12:34:56 GMT", "2026-06-14T12:34:56+00:00",
       "2026/06/14"},
      {YEAR_0, "Sat, 01 Jan 0000 00:00:00 GMT", "0000-01-01T00:00:00+00:00",
       "0000/01/01"},
      {YEAR_9999_END, "Fri, 31 Dec 9999 23:59:59 GMT",
       "9999-12-31T23:59:59+00:00", "9999/12/31"},
  };

  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char http[DATE_HTTP_SIZE], iso[DATE_ISO_SIZE], day[DATE_DAY_SIZE];
    date_http(http, rows[i].seconds);
    date_iso(iso, rows[i].seconds);
    date_day(day, rows[i].seconds);
    ROW(http, strcmp(http, rows[i].http) == 0);
    ROW(iso, strcmp(iso, rows[i].iso) == 0);
    ROW(day, strcmp(day, rows[i].day) == 0);
  }
}

static void test_date_out_of_range_is_the_nearest_in_range(void) {
  char low[DATE_ISO_SIZE], high[DATE_ISO_SIZE];

  date_iso(low, YEAR_0 - 1);
  date_iso(high, YEAR_9999_END + 1);
  CU_ASSERT_STRING_EQUAL(low, "0000-01-01T00:00:00+00:00");
  CU_ASSERT_STRING_EQUAL(high, "9999-12-31T23:59:59+00:00");
  date_iso(low, INT64_MIN);
  date_iso(high, INT64_MAX);
  CU_ASSERT_STRING_EQUAL(low, "0000-01-01T00:00:00+00:00");
  CU_ASSERT_STRING_EQUAL(high, "9999-12-31T23:59:59+00:00");
}

/* The step visits every day of a month and every month within some years. */
static void test_date_agrees_with_the_c_library_and_parses_back(void) {
  const int64_t step = INT64_C(86400) * 17 + 3601;

  for (int64_t t = YEAR_0; t <= YEAR_9999_END; t += step) {
    char day[DATE_DAY_SIZE], want[32], http[DATE_HTTP_SIZE];
    int64_t back = 0;
    struct tm tm;
    time_t as_time = (time_t)t;
    gmtime_r(&as_time, &tm);
    snprintf(want, sizeof want, "%04d/%02d/%02d", tm.tm_year + 1900,
             tm.tm_mon + 1, tm.tm_mday);
    date_day(day, t);
    date_http(http, t);
    if (strcmp(day, want) || !date_http_parse(http, NOW, &back) || back != t)
      ROW(want, false);
  }
}

static void test_date_parses_all_three_forms(void) {
  static const struct {
    const char *in;
    int64_t want;
  } rows[] = {
      {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
      {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
      {"Sun Nov  6 08:49:37 1994", 784111777},
      {"Sun Nov 06 08:49:37 1994", 784111777},
      {"Mon Nov 16 08:49:37 1994", 784111777 + 864000},
      {"Fri, 06 Nov 1994 08:49:37 GMT", 784111777}, /* it was a Sunday */
      {"Sat, 31 Dec 2016 23:59:60 GMT", 1483228800},
      {"Tue, 29 Feb 2000 00:00:00 GMT", 951782400},
      {"Sat, 01 Jan 0000 00:00:00 GMT", YEAR_0},
      {"Fri, 31 Dec 9999 23:59:59 GMT", YEAR_9999_END},
  };

  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    int64_t got = -1;
    ROW(rows[i].in, date_http_parse(rows[i].in, NOW, &got));
    ROW(rows[i].in, got == rows[i].want);
  }
}

static void test_date_refuses_what_only_looks_like_one(void) {
  static const char *const bad[] = {
      "",
      "0",
      "yesterday",
      "Sun, 06 Nov 1994 08:49:37",
      "Sun, 06 Nov 1994 08:49:37 GMT ",
      " Sun, 06 Nov 1994 08:49:37 GMT",
      "Sun, 06 Nov 1994 08:49:37 UTC",
      "Sun, 06 Nov 1994 08:49:37 +0000",
      "sun, 06 Nov 1994 08:49:37 GMT",
      "Sun, 06 nov 1994 08:49:37 GMT",
      "Sun,  6 Nov 1994 08:49:37 GMT",
      "Sun, 6 Nov 1994 08:49:37 GMT",
      "Sun 06 Nov 1994 08:49:37 GMT",
      "Xyz, 06 Nov 1994 08:49:37 GMT",
      "Sun, 06 Xyz 1994 08:49:37 GMT",
      "Sun, 06 Nov 94 08:49:37 GMT",
      "Sun, 06 Nov 19940 08:49:37 GMT",
      "Sun, 00 Nov 1994 08:49:37 GMT",
      "Sun, 31 Nov 1994 08:49:37 GMT",
      "Sun, 29 Feb 1900 08:49:37 GMT",
      "Sun, 29 Feb 2001 08:49:37 GMT",
      "Sun, 06 Nov 1994 24:00:00 GMT",
      "Sun, 06 Nov 1994 08:60:00 GMT",
      "Sun, 06 Nov 1994 08:49:61 GMT",
      "Sun, 06 Nov 1994 8:49:37 GMT",
      "Sun, 06 Nov 1994 08:49 GMT",
      "Sun, -6 Nov 1994 08:49:37 GMT",
      "Sun, 06-Nov-94 08:49:37 GMT",
      "Sunday, 06-Nov-1994 08:49:37 GMT",
      "Sunday, 06 Nov 94 08:49:37 GMT",
      "Sunday, 06 Nov 1994 08:49:37 GMT",
      "Sun Nov 6 08:49:37 1994",
      "Sun Nov  6 08:49:37 1994 GMT",
      "Sun Nov  6 08:49:37 94",
      "Sun Nov  0 08:49:37 1994",
      "Sun Nov 31 08:49:37 1994",
      "Sunday Nov  6 08:49:37 1994",
      "1994-11-06T08:49:37Z",
  };

  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    int64_t got;
    ROW(bad[i], !date_http_parse(bad[i], NOW, &got));
  }
}

static void test_date_of_two_digits_is_at_most_50_years_ahead(void) {
  static const struct {
    const char *in;
    int64_t now;
    const char *want;
  } rows[] = {
      {"Sunday, 14-Jun-26 12:34:56 GMT", NOW, "2026/06/14"},
      {"Sunday, 14-Jun-76 12:34:56 GMT", NOW, "2076/06/14"},
      {"Sunday, 14-Jun-76 12:34:57 GMT", NOW, "1976/06/14"},
      {"Sunday, 14-Jun-77 12:34:56 GMT", NOW, "1977/06/14"},
      {"Sunday, 01-Jan-99 00:00:00 GMT", NOW, "1999/01/01"},
      {"Sunday, 01-Jan-05 00:00:00 GMT", 915148800 /* 1999 */, "2005/01/01"},
      {"Sunday, 29-Feb-00 00:00:00 GMT", NOW, "2000/02/29"},
      {"Sunday, 31-Dec-60 00:00:00 GMT", YEAR_9999_END, "9960/12/31"},
  };

  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char day[DATE_DAY_SIZE] = "";
    int64_t got = 0;
    ROW(rows[i].in, date_http_parse(rows[i].in, rows[i].now, &got));
    date_day(day, got);
    ROW(rows[i].in, strcmp(day, rows[i].want) == 0);
  }
}

static void test_date_beyond_the_years_is_refused(void) {
  int64_t got;

  CU_ASSERT(
      !date_http_parse("Sunday, 01-Jan-49 00:00:00 GMT", INT64_MAX, &got));
  CU_ASSERT(
      !date_http_parse("Sunday, 01-Jan-51 00:00:00 GMT", INT64_MIN, &got));
}

static void test_date_now_is_the_wall_clock(void) {
  int64_t before = (int64_t)time(NULL) - 1, now = date_now_ms();

  CU_ASSERT(now / 1000 >= before);
  CU_ASSERT(now / 1000 <= (int64_t)time(NULL) + 1);
}

static void test_date_of_rfc3339_has_one_form(void) {
  static const struct {
    const char *text;
    bool fine;
    int64_t seconds;
  } rows[] = {{"2026-06-14T12:34:56Z", true, NOW},
              {"2026-06-14T12:34:56+00:00", true, NOW},
              {"2026-06-14T12:34:56-00:00", true, NOW},
              {"2026-06-14T12:34:56.999Z", true, NOW},
              {"2026-06-14T14:34:56+02:00", true, NOW},
              {"2026-06-14T07:04:56-05:30", true, NOW},
              {"2026-06-15T12:33:56+23:59", true, NOW},
              {"1970-01-01T00:00:00Z", true, 0},
              {"2000-02-29T00:00:00Z", true, 951782400},
              {"2016-12-31T23:59:60Z", true, 1483228800},
              {"9999-12-31T23:59:59Z", true, YEAR_9999_END},
              {"2026-06-14", false, 0},
              {"2026-06-14T12:34Z", false, 0},
              {"2026-06-14T12:34:56", false, 0},
              {"2026-06-14 12:34:56Z", false, 0},
              {"2026-06-14T12:34:56 Z", false, 0},
              {"2026-06-14T12:34:56z", false, 0},
              {"2026-06-14T12:34:56Z ", false, 0},
              {" 2026-06-14T12:34:56Z", false, 0},
              {"2026-06-14T12:34:56.Z", false, 0},
              {"2026-06-14T12:34:56+02", false, 0},
              {"2026-06-14T12:34:56+0200", false, 0},
              {"2026-06-14T12:34:56+24:00", false, 0},
              {"2026-06-14T12:34:56+02:60", false, 0},
              {"2026-06-14T12:34:56+02:000", false, 0},
              {"2026-02-29T12:34:56Z", false, 0},
              {"2026-00-14T12:34:56Z", false, 0},
              {"2026-13-14T12:34:56Z", false, 0},
              {"2026-06-00T12:34:56Z", false, 0},
              {"2026-06-31T12:34:56Z", false, 0},
              {"2026-06-14T24:00:00Z", false, 0},
              {"2026-06-14T12:60:00Z", false, 0},
              {"2026-06-14T12:34:61Z", false, 0},
              {"26-06-14T12:34:56Z", false, 0},
              {"+2026-06-14T12:34:56Z", false, 0},
              {"tomorrow", false, 0},
              {"", false, 0}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    int64_t seconds = 0;
    ROW(rows[i].text,
        date_rfc3339_parse(rows[i].text, &seconds) == rows[i].fine);
    ROW(rows[i].text, seconds == rows[i].seconds);
  }
}

static const struct unit_test tests[] = {
    UNIT(test_date_prints_known_times),
    UNIT(test_date_out_of_range_is_the_nearest_in_range),
    UNIT(test_date_agrees_with_the_c_library_and_parses_back),
    UNIT(test_date_parses_all_three_forms),
    UNIT(test_date_refuses_what_only_looks_like_one),
    UNIT(test_date_of_two_digits_is_at_most_50_years_ahead),
    UNIT(test_date_beyond_the_years_is_refused),
    UNIT(test_date_of_rfc3339_has_one_form),
    UNIT(test_date_now_is_the_wall_clock),
    {NULL, NULL},
};

int main(void) {
  return unit_main("date", tests);
}
