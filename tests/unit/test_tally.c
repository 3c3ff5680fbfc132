/* SPDX-License-Identifier: MIT
 *
 * Counts by hash: up to their limit, apart from each other, and from several
 * threads at once.
 */
#include "tally.h"
#include "unit.h"

#include <pthread.h>

#define GROUP(n) (UINT64_C(1) << 63 | (uint64_t)(n) << 20) /* of one group */

static void test_counts_up_to_the_limit_and_not_beyond(void) {
  struct tally *tally = tally_new(64);
  for (int i = 0; i < 3; i++)
    CU_ASSERT_EQUAL(tally_add(tally, 7, 3), TALLY_COUNTED);
  CU_ASSERT_EQUAL(tally_add(tally, 7, 3), TALLY_AT_LIMIT);
  CU_ASSERT_EQUAL(tally_count(tally, 7), 3);
  tally_drop(tally, 7);
  CU_ASSERT_EQUAL(tally_count(tally, 7), 2);
  CU_ASSERT_EQUAL(tally_add(tally, 7, 3), TALLY_COUNTED);
  tally_free(tally);
}

static void test_neighbours_have_counts_of_their_own(void) {
  struct tally *tally = tally_new(TALLY_WAYS);
  for (int n = 0; n < TALLY_WAYS; n++)
    for (int i = 0; i <= n; i++)
      CU_ASSERT_EQUAL(tally_add(tally, GROUP(n), 100), TALLY_COUNTED);
  for (int n = 0; n < TALLY_WAYS; n++)
    CU_ASSERT_EQUAL(tally_count(tally, GROUP(n)), (uint32_t)n + 1);
  tally_free(tally);
}

static void test_a_full_group_counts_no_stranger_until_one_leaves(void) {
  struct tally *tally = tally_new(TALLY_WAYS);
  for (int n = 0; n < TALLY_WAYS; n++)
    CU_ASSERT_EQUAL(tally_add(tally, GROUP(n), 9), TALLY_COUNTED);
  CU_ASSERT_EQUAL(tally_add(tally, GROUP(50), 9), TALLY_NO_ROOM);
  CU_ASSERT_EQUAL(tally_count(tally, GROUP(50)), 0);
  tally_drop(tally, GROUP(3));
  CU_ASSERT_EQUAL(tally_add(tally, GROUP(50), 9), TALLY_COUNTED);
  CU_ASSERT_EQUAL(tally_count(tally, GROUP(3)), 0);
  tally_free(tally);
}

static void test_a_count_ends_where_its_bits_do(void) {
  struct tally *tally = tally_new(8);
  for (uint32_t i = 0; i < TALLY_MAX; i++)
    if (tally_add(tally, 1, UINT32_MAX) != TALLY_COUNTED)
      CU_FAIL("counted too early");
  CU_ASSERT_EQUAL(tally_add(tally, 1, UINT32_MAX), TALLY_AT_LIMIT);
  CU_ASSERT_EQUAL(tally_count(tally, 1), TALLY_MAX);
  tally_free(tally);
}

#define ROUNDS 200000

static void *come_and_go(void *tally) {
  for (uint64_t i = 0; i < ROUNDS; i++)
    if (tally_add(tally, GROUP(i % 3), 1000) == TALLY_COUNTED)
      tally_drop(tally, GROUP(i % 3));
  return NULL;
}

static void test_threads_at_once_leave_nothing_behind(void) {
  struct tally *tally = tally_new(TALLY_WAYS);
  pthread_t threads[4];
  for (int i = 0; i < 4; i++)
    CU_ASSERT_EQUAL(pthread_create(&threads[i], NULL, come_and_go, tally), 0);
  for (int i = 0; i < 4; i++)
    pthread_join(threads[i], NULL);
  for (uint64_t n = 0; n < 3; n++)
    CU_ASSERT_EQUAL(tally_count(tally, GROUP(n)), 0);
  tally_free(tally);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_counts_up_to_the_limit_and_not_beyond),
      UNIT(test_neighbours_have_counts_of_their_own),
      UNIT(test_a_full_group_counts_no_stranger_until_one_leaves),
      UNIT(test_a_count_ends_where_its_bits_do),
      UNIT(test_threads_at_once_leave_nothing_behind),
      {NULL, NULL}};
  return unit_main("tally", tests);
}
