/* SPDX-License-Identifier: MIT
 *
 * When the hook events tries again.
 */
#include "backoff.h"
#include "unit.h"

#include <stddef.h>

static void test_pauses_double_up_to_the_most(void) {
  static const int64_t wants[] = {100, 200, 400, 800, 1000, 1000, 1000};
  for (int i = 0; i < 7; i++)
    CU_ASSERT_EQUAL(backoff_ms(i + 1, 100, 1000, 0), wants[i]);
}

static void test_many_attempts_do_not_overflow(void) {
  CU_ASSERT_EQUAL(backoff_ms(INT64_C(1) << 40, 1, INT64_MAX, 0), INT64_MAX);
  CU_ASSERT_EQUAL(backoff_ms(1, 500, 100, 0), 100);
}

static void test_chance_takes_a_half_at_most(void) {
  CU_ASSERT_EQUAL(backoff_ms(1, 100, 1000, UINT32_MAX), 51);
  CU_ASSERT_EQUAL(backoff_ms(1, 100, 1000, UINT32_C(1) << 31), 75);
  CU_ASSERT_EQUAL(backoff_ms(1, 1, 1000, UINT32_MAX), 1);
}

/* Sun, 06 Nov 1994 08:49:37 GMT */
#define NOW_S INT64_C(784111777)

static void test_retry_after_is_seconds_or_a_date(void) {
  static const struct {
    const char *value;
    int64_t want;
  } cases[] = {{NULL, 0},
               {"", 0},
               {"0", 0},
               {"120", 120000},
               {"86400", 86400000},
               {"86401", 86400000},
               {"99999999999999999999999999", 86400000},
               {"-1", 0},
               {"1.5", 0},
               {"1 ", 0},
               {"soon", 0},
               {"Sun, 06 Nov 1994 08:49:47 GMT", 10000},
               {"Sun, 06 Nov 1994 08:49:27 GMT", 0},
               {"Wed, 06 Nov 2024 08:49:37 GMT", 86400000}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    CU_ASSERT_EQUAL(backoff_after_ms(cases[i].value, NOW_S * 1000),
                    cases[i].want);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_pauses_double_up_to_the_most),
      UNIT(test_many_attempts_do_not_overflow),
      UNIT(test_chance_takes_a_half_at_most),
      UNIT(test_retry_after_is_seconds_or_a_date),
      {NULL, NULL}};
  return unit_main("backoff", tests);
}
