/* SPDX-License-Identifier: MIT
 *
 * Sizes and times as people write them: with a unit, whole, and in range.
 */
#include "quantity.h"
#include "unit.h"

#include <string.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

static void test_quantity_size_has_a_unit(void) {
  static const struct {
    const char *in;
    uint64_t want;
  } rows[] = {
      {"0", 0},
      {"0B", 0},
      {"1B", 1},
      {"64KiB", 65536},
      {"50MiB", 52428800},
      {"007MiB", 7340032},
      {"2GiB", UINT64_C(2147483648)},
      {"1TiB", UINT64_C(1099511627776)},
      {"18446744073709551615B", UINT64_MAX},
      {"16777215TiB", UINT64_C(16777215) << 40},
  };

  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    uint64_t got = 1;
    ROW(rows[i].in, quantity_size(rows[i].in, &got));
    ROW(rows[i].in, got == rows[i].want);
  }
}

static void test_quantity_size_is_refused(void) {
  static const char *const bad[] = {
      "",
      "1",
      "00",
      "B",
      "MiB",
      "-1B",
      "+1B",
      " 1B",
      "1B ",
      "1 MiB",
      "1.5MiB",
      "1MB",
      "1mib",
      "1M",
      "1MiBx",
      "0x10B",
      "1e3B",
      "1,000B",
      "1PiB",
      "1m",
      "1MiB0",
      "18446744073709551616B",
      "16777216TiB",
      "99999999999999999999999TiB",
  };

  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    uint64_t got;
    ROW(bad[i], !quantity_size(bad[i], &got));
  }
}

static void test_quantity_time_has_a_unit(void) {
  static const struct {
    const char *in;
    int64_t want;
  } rows[] = {
      {"0", 0},        {"250ms", 250},
      {"30s", 30000},  {"5m", 300000},
      {"1h", 3600000}, {"7d", 604800000},
      {"0s", 0},       {"9223372036854775807ms", INT64_MAX},
  };

  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    int64_t got = -1;
    ROW(rows[i].in, quantity_time(rows[i].in, &got));
    ROW(rows[i].in, got == rows[i].want);
  }
}

static void test_quantity_time_is_refused(void) {
  static const char *const bad[] = {
      "",
      "1",
      "s",
      "-1s",
      "1.5h",
      "1 s",
      "1S",
      "1w",
      "1M",
      "1us",
      "1h30m",
      "1min",
      "9223372036854775808ms",
      "106751991168d",
      "18446744073709551616ms",
  };

  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    int64_t got;
    ROW(bad[i], !quantity_time(bad[i], &got));
  }
}

static void test_quantity_int_is_whole_and_in_range(void) {
  static const struct {
    const char *in;
    int64_t want;
  } rows[] = {
      {"0", 0},
      {"-0", 0},
      {"12", 12},
      {"-7", -7},
      {"007", 7},
      {"9223372036854775807", INT64_MAX},
      {"-9223372036854775808", INT64_MIN},
  };

  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    int64_t got = 1;
    ROW(rows[i].in, quantity_int(rows[i].in, &got));
    ROW(rows[i].in, got == rows[i].want);
  }
}

static void test_quantity_int_is_refused(void) {
  static const char *const bad[] = {
      "",
      "-",
      "--1",
      "+1",
      " 1",
      "1 ",
      "1.0",
      "0x1",
      "1a",
      "abc",
      "1-1",
      "9223372036854775808",
      "-9223372036854775809",
      "99999999999999999999999",
  };

  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    int64_t got;
    ROW(bad[i], !quantity_int(bad[i], &got));
  }
}

static void test_quantity_prints_the_largest_unit_that_divides(void) {
  static const struct {
    uint64_t in;
    const char *want;
  } rows[] = {
      {0, "0 bytes"},
      {1, "1 byte"},
      {1001, "1001 bytes"},
      {1023, "1023 bytes"},
      {1024, "1 KB"},
      {1025, "1025 bytes"},
      {52428800, "50 MB"},
      {52428801, "52428801 bytes"},
      {UINT64_C(1) << 30, "1 GB"},
      {UINT64_C(3) << 29, "1536 MB"},
      {UINT64_C(1) << 40, "1024 GB"},
      {UINT64_MAX, "18446744073709551615 bytes"},
  };

  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char got[32];
    quantity_print(got, rows[i].in);
    ROW(rows[i].want, strcmp(got, rows[i].want) == 0);
  }
}

static const struct unit_test tests[] = {
    UNIT(test_quantity_size_has_a_unit),
    UNIT(test_quantity_size_is_refused),
    UNIT(test_quantity_time_has_a_unit),
    UNIT(test_quantity_time_is_refused),
    UNIT(test_quantity_int_is_whole_and_in_range),
    UNIT(test_quantity_int_is_refused),
    UNIT(test_quantity_prints_the_largest_unit_that_divides),
    {NULL, NULL},
};

int main(void) {
  return unit_main("quantity", tests);
}
