/* SPDX-License-Identifier: MIT
 *
 * The circuit breaker of the hook auth_request, with a clock of the test's.
 */
#include "breaker.h"
#include "unit.h"

static struct breaker breaker_of(int64_t failures, int64_t time_ms) {
  return (struct breaker){.failures_max = failures, .time_ms = time_ms};
}

static void fail(struct breaker *breaker, int64_t now, int times) {
  bool probe;
  for (int i = 0; i < times; i++)
    if (breaker_admit(breaker, now, &probe))
      breaker_note(breaker, false, now, probe);
}

static void test_last_failure_allowed_opens_it_and_not_the_one_before(void) {
  struct breaker breaker = breaker_of(3, 100);
  bool probe;
  fail(&breaker, 0, 2);
  CU_ASSERT_TRUE(breaker_admit(&breaker, 0, &probe));
  CU_ASSERT_FALSE(probe);
  CU_ASSERT_EQUAL(breaker_note(&breaker, false, 0, probe), BREAKER_OPENED);
  CU_ASSERT_FALSE(breaker_admit(&breaker, 0, &probe));
}

static void test_failures_that_are_not_in_a_row_do_not_open_it(void) {
  struct breaker breaker = breaker_of(3, 100);
  for (int i = 0; i < 10; i++) {
    fail(&breaker, 0, 2);
    CU_ASSERT_EQUAL(breaker_note(&breaker, true, 0, false), BREAKER_NOTHING);
  }
  CU_ASSERT_FALSE(breaker.open);
}

static void test_zero_failures_never_open_it(void) {
  struct breaker breaker = breaker_of(0, 100);
  fail(&breaker, 0, 1000);
  CU_ASSERT_FALSE(breaker.open);
}

static void test_one_probe_goes_when_the_time_is_over(void) {
  struct breaker breaker = breaker_of(1, 100);
  bool probe;
  fail(&breaker, 1000, 1);
  CU_ASSERT_EQUAL(breaker_wait(&breaker, 1030), 70);
  CU_ASSERT_FALSE(breaker_admit(&breaker, 1099, &probe));
  CU_ASSERT_TRUE(breaker_admit(&breaker, 1100, &probe));
  CU_ASSERT_TRUE(probe);
  CU_ASSERT_FALSE(breaker_admit(&breaker, 5000, &probe));
  CU_ASSERT_EQUAL(breaker_wait(&breaker, 5000), 0);
}

static void test_good_probe_closes_it(void) {
  struct breaker breaker = breaker_of(2, 100);
  bool probe;
  fail(&breaker, 0, 2);
  CU_ASSERT_TRUE(breaker_admit(&breaker, 100, &probe));
  CU_ASSERT_EQUAL(breaker_note(&breaker, true, 100, probe), BREAKER_CLOSED);
  fail(&breaker, 100, 1);
  CU_ASSERT_TRUE(breaker_admit(&breaker, 100, &probe));
  CU_ASSERT_FALSE(probe);
}

static void test_bad_probe_keeps_it_open_as_long_again(void) {
  struct breaker breaker = breaker_of(2, 100);
  bool probe;
  fail(&breaker, 0, 2);
  CU_ASSERT_TRUE(breaker_admit(&breaker, 150, &probe));
  CU_ASSERT_EQUAL(breaker_note(&breaker, false, 170, probe), BREAKER_NOTHING);
  CU_ASSERT_FALSE(breaker_admit(&breaker, 269, &probe));
  CU_ASSERT_TRUE(breaker_admit(&breaker, 270, &probe));
}

static void test_probe_that_nobody_waits_for_makes_room(void) {
  struct breaker breaker = breaker_of(1, 100);
  bool probe;
  fail(&breaker, 0, 1);
  CU_ASSERT_TRUE(breaker_admit(&breaker, 100, &probe));
  breaker_leave(&breaker, probe);
  CU_ASSERT_TRUE(breaker_admit(&breaker, 100, &probe));
  CU_ASSERT_TRUE(probe);
}

static void test_late_answers_close_it_or_are_no_news(void) {
  struct breaker breaker = breaker_of(1, 100);
  bool probe;
  fail(&breaker, 0, 1);
  CU_ASSERT_EQUAL(breaker_note(&breaker, false, 90, false), BREAKER_NOTHING);
  CU_ASSERT_TRUE(breaker_admit(&breaker, 100, &probe));
  CU_ASSERT_EQUAL(breaker_note(&breaker, true, 100, false), BREAKER_CLOSED);
  CU_ASSERT_EQUAL(breaker_note(&breaker, true, 100, probe), BREAKER_NOTHING);
  CU_ASSERT_FALSE(breaker.open || breaker.probing);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_last_failure_allowed_opens_it_and_not_the_one_before),
      UNIT(test_failures_that_are_not_in_a_row_do_not_open_it),
      UNIT(test_zero_failures_never_open_it),
      UNIT(test_one_probe_goes_when_the_time_is_over),
      UNIT(test_good_probe_closes_it),
      UNIT(test_bad_probe_keeps_it_open_as_long_again),
      UNIT(test_probe_that_nobody_waits_for_makes_room),
      UNIT(test_late_answers_close_it_or_are_no_news),
      {NULL, NULL}};
  return unit_main("breaker", tests);
}
