/* SPDX-License-Identifier: MIT
 *
 * Wrong passwords: how many a client may send, for how long it waits then, and
 * who counts apart.
 */
#include "failures.h"
#include "unit.h"

#define T0 UINT64_C(5000000000) /* microseconds */
#define SECOND UINT64_C(1000000)
#define MOST 10
#define EVE "192.0.2.1"

static uint64_t wait_of(const struct failures *failures, const char *client,
                        const char *user, uint64_t now) {
  return failures_wait(failures, failures_who(failures, client, user, now),
                       now);
}

static void fail(struct failures *failures, const char *client,
                 const char *user, uint64_t now) {
  failures_add(failures, failures_who(failures, client, user, now), now);
}

static void test_the_last_one_has_to_be_waited_for(void) {
  struct failures *failures = failures_new(MOST, 60 * SECOND);
  for (int i = 0; i < MOST; i++) {
    CU_ASSERT_EQUAL(wait_of(failures, EVE, "bob", T0), 0);
    fail(failures, EVE, "bob", T0);
  }
  CU_ASSERT_EQUAL(wait_of(failures, EVE, "bob", T0), 6 * SECOND);
  CU_ASSERT_EQUAL(wait_of(failures, EVE, "alice", T0), 6 * SECOND);
  CU_ASSERT_EQUAL(wait_of(failures, EVE, "bob", T0 + 6 * SECOND - 1), 1);
  CU_ASSERT_EQUAL(wait_of(failures, EVE, "bob", T0 + 6 * SECOND), 0);
  fail(failures, EVE, "bob", T0 + 6 * SECOND);
  CU_ASSERT_EQUAL(wait_of(failures, EVE, "bob", T0 + 6 * SECOND), 6 * SECOND);
  CU_ASSERT_EQUAL(wait_of(failures, EVE, "bob", T0 + 12 * SECOND), 0);
  failures_free(failures);
}

/* As those that were checked at once on all loops. */
static void test_more_than_there_may_be_are_not_waited_for_longer(void) {
  struct failures *failures = failures_new(MOST, 60 * SECOND);
  for (int i = 0; i < 5 * MOST; i++)
    fail(failures, EVE, "bob", T0);
  CU_ASSERT_EQUAL(wait_of(failures, EVE, "bob", T0), 6 * SECOND);
  failures_free(failures);
}

static void test_other_clients_do_not_wait(void) {
  struct failures *failures = failures_new(1, 60 * SECOND);
  fail(failures, EVE, "bob", T0);
  fail(failures, "2001:db8::1", "bob", T0);
  CU_ASSERT_EQUAL(wait_of(failures, EVE, "bob", T0), 60 * SECOND);
  CU_ASSERT_EQUAL(wait_of(failures, "192.0.2.2", "bob", T0), 0);
  CU_ASSERT_EQUAL(wait_of(failures, "2001:db8::2", "bob", T0), 60 * SECOND);
  CU_ASSERT_EQUAL(wait_of(failures, "2001:db8:0:1::1", "bob", T0), 0);
  CU_ASSERT_EQUAL(wait_of(failures, "unix:", "bob", T0), 0);
  failures_free(failures);
}

static void test_who_was_admitted_counts_apart(void) {
  struct failures *failures = failures_new(2, 60 * SECOND);
  failures_admit(failures, EVE, "bob", T0);
  fail(failures, EVE, "alice", T0);
  fail(failures, EVE, "alice", T0);
  CU_ASSERT_EQUAL(wait_of(failures, EVE, "bob", T0), 0);
  CU_ASSERT_EQUAL(wait_of(failures, EVE, "alice", T0), 30 * SECOND);
  fail(failures, EVE, "bob", T0); /* guesses at bob's own password */
  fail(failures, EVE, "bob", T0);
  CU_ASSERT_EQUAL(wait_of(failures, EVE, "bob", T0), 30 * SECOND);
  failures_free(failures);
}

static void test_an_admission_is_forgotten_and_renewed(void) {
  struct failures *failures = failures_new(1, 86400 * SECOND);
  uint64_t later = T0 + FAILURES_ADMITTED_USEC * 3 / 4;
  uint64_t end = T0 + FAILURES_ADMITTED_USEC;
  failures_admit(failures, EVE, "bob", T0);
  failures_admit(failures, EVE, "ann", T0);
  fail(failures, EVE, "alice", T0);
  CU_ASSERT_EQUAL(wait_of(failures, EVE, "bob", end - 1), 0);
  CU_ASSERT_NOT_EQUAL(wait_of(failures, EVE, "bob", end), 0);
  failures_admit(failures, EVE, "ann", later);
  CU_ASSERT_EQUAL(wait_of(failures, EVE, "ann", end), 0);
  failures_free(failures);
}

static void test_none_may_be_counted(void) {
  struct failures *failures = failures_new(0, 60 * SECOND);
  for (int i = 0; i < 5000; i++)
    fail(failures, EVE, "bob", T0);
  CU_ASSERT_EQUAL(wait_of(failures, EVE, "bob", T0), 0);
  failures_free(failures);
}

static void test_the_most_that_may_be_written_is_counted(void) {
  struct failures *failures = failures_new(FAILURES_MAX, 86400 * SECOND);
  for (int i = 0; i < FAILURES_MAX - 1; i++)
    fail(failures, EVE, "bob", T0);
  CU_ASSERT_EQUAL(wait_of(failures, EVE, "bob", T0), 0);
  fail(failures, EVE, "bob", T0);
  CU_ASSERT_EQUAL(wait_of(failures, EVE, "bob", T0),
                  86400 * SECOND / FAILURES_MAX);
  failures_free(failures);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_the_last_one_has_to_be_waited_for),
      UNIT(test_more_than_there_may_be_are_not_waited_for_longer),
      UNIT(test_other_clients_do_not_wait),
      UNIT(test_who_was_admitted_counts_apart),
      UNIT(test_an_admission_is_forgotten_and_renewed),
      UNIT(test_none_may_be_counted),
      UNIT(test_the_most_that_may_be_written_is_counted),
      {0}};
  return unit_main("failures", tests);
}
