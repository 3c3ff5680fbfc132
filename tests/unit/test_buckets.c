/* SPDX-License-Identifier: MIT
 *
 * Token buckets: rates, debts, places, and many threads on one bucket.
 */
#include "buckets.h"
#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>

#define COST 10
#define BURST 50 /* five requests */
#define T0 1000

static uint64_t hash_in(uint64_t group, uint64_t tag) {
  return tag << 46 | group;
}

static void test_burst_is_taken_and_comes_back_one_by_one(void) {
  struct buckets *buckets = buckets_new(BUCKETS_MIN);
  uint64_t hash = hash_in(3, 7), wait = 0;
  for (int i = 0; i < 5; i++)
    CU_ASSERT_EQUAL(buckets_take(buckets, hash, T0, COST, BURST, &wait),
                    BUCKETS_OK);
  CU_ASSERT_EQUAL(buckets_take(buckets, hash, T0, COST, BURST, &wait),
                  BUCKETS_EMPTY);
  CU_ASSERT_EQUAL(wait, COST);
  CU_ASSERT_EQUAL(buckets_take(buckets, hash, T0 + 9, COST, BURST, &wait),
                  BUCKETS_EMPTY);
  CU_ASSERT_EQUAL(wait, 1);
  CU_ASSERT_EQUAL(buckets_take(buckets, hash, T0 + 10, COST, BURST, &wait),
                  BUCKETS_OK);
  CU_ASSERT_EQUAL(buckets_take(buckets, hash, T0 + 10, COST, BURST, &wait),
                  BUCKETS_EMPTY);
  buckets_free(buckets);
}

static void test_refusal_costs_nothing(void) {
  struct buckets *buckets = buckets_new(BUCKETS_MIN);
  uint64_t hash = hash_in(3, 7), wait = 0;
  CU_ASSERT_EQUAL(buckets_take(buckets, hash, T0, BURST, BURST, &wait),
                  BUCKETS_OK);
  for (int i = 0; i < 9; i++)
    CU_ASSERT_EQUAL(buckets_take(buckets, hash, T0, COST, BURST, &wait),
                    BUCKETS_EMPTY);
  CU_ASSERT_EQUAL(wait, COST);
  buckets_free(buckets);
}

static void test_debt_is_waited_for_up_to_its_limit(void) {
  struct buckets *buckets = buckets_new(BUCKETS_MIN);
  uint64_t hash = hash_in(0, 1), wait = 0;
  CU_ASSERT_EQUAL(buckets_look(buckets, hash, T0, BURST, &wait), BUCKETS_OK);
  buckets_charge(buckets, hash, T0, 80, 100);
  CU_ASSERT_EQUAL(buckets_look(buckets, hash, T0, BURST, &wait),
                  BUCKETS_EMPTY);
  CU_ASSERT_EQUAL(wait, 31);
  CU_ASSERT_EQUAL(buckets_look(buckets, hash, T0 + 30, BURST, &wait),
                  BUCKETS_EMPTY);
  CU_ASSERT_EQUAL(buckets_look(buckets, hash, T0 + 31, BURST, &wait),
                  BUCKETS_OK);
  buckets_charge(buckets, hash, T0, UINT64_MAX, 100);
  CU_ASSERT_EQUAL(buckets_look(buckets, hash, T0, BURST, &wait),
                  BUCKETS_EMPTY);
  CU_ASSERT_EQUAL(wait, 51);
  buckets_free(buckets);
}

static void test_neighbours_do_not_share_until_there_is_no_place(void) {
  struct buckets *buckets = buckets_new(BUCKETS_MIN);
  uint64_t wait = 0;
  for (uint64_t tag = 1; tag <= BUCKETS_WAYS; tag++)
    CU_ASSERT_EQUAL(
        buckets_take(buckets, hash_in(9, tag), T0, BURST, BURST, &wait),
        BUCKETS_OK);
  for (uint64_t tag = 1; tag <= BUCKETS_WAYS; tag++)
    CU_ASSERT_EQUAL(
        buckets_take(buckets, hash_in(9, tag), T0, COST, BURST, &wait),
        BUCKETS_EMPTY);
  CU_ASSERT_EQUAL(
      buckets_take(buckets, hash_in(9, 99), T0, COST, BURST, &wait),
      BUCKETS_FULL);
  CU_ASSERT_EQUAL(buckets_look(buckets, hash_in(9, 99), T0, BURST, &wait),
                  BUCKETS_FULL);
  CU_ASSERT_EQUAL(buckets_charge(buckets, hash_in(9, 99), T0, 1, BURST),
                  BUCKETS_FULL);
  CU_ASSERT_EQUAL(
      buckets_take(buckets, hash_in(8, 99), T0, COST, BURST, &wait),
      BUCKETS_OK);
  buckets_free(buckets);
}

static void test_place_of_a_full_bucket_is_taken_over(void) {
  struct buckets *buckets = buckets_new(BUCKETS_MIN);
  uint64_t wait = 0;
  for (uint64_t tag = 1; tag <= BUCKETS_WAYS; tag++)
    buckets_take(buckets, hash_in(9, tag), T0 + tag, COST, BURST, &wait);
  CU_ASSERT_EQUAL(
      buckets_take(buckets, hash_in(9, 99), T0 + 10, COST, BURST, &wait),
      BUCKETS_FULL);
  CU_ASSERT_EQUAL(
      buckets_take(buckets, hash_in(9, 99), T0 + 11, COST, BURST, &wait),
      BUCKETS_OK);
  buckets_free(buckets);
}

static void test_clock_that_turns_around_forgets_nothing(void) {
  struct buckets *buckets = buckets_new(BUCKETS_MIN);
  uint64_t hash = hash_in(3, 7), wait = 0, end = (UINT64_C(1) << 46) - 20;
  CU_ASSERT_EQUAL(buckets_take(buckets, hash, end, BURST, BURST, &wait),
                  BUCKETS_OK);
  CU_ASSERT_EQUAL(buckets_take(buckets, hash, end + 30, COST, BURST, &wait),
                  BUCKETS_OK);
  CU_ASSERT_EQUAL(buckets_take(buckets, hash, end + 30, 30, BURST, &wait),
                  BUCKETS_EMPTY);
  buckets_free(buckets);
}

#define CROWD 4
#define CROWD_BURST 500000

struct crowd {
  struct buckets *buckets;
  pthread_barrier_t ready;
  atomic_uint taken;
};

/* Takes until all four are empty. */
static void *crowd_run(void *arg) {
  struct crowd *crowd = arg;
  unsigned taken = 0;
  uint64_t wait;
  pthread_barrier_wait(&crowd->ready);
  for (unsigned before = taken + 1; before != taken;) {
    before = taken;
    for (uint64_t tag = 1; tag <= 4; tag++)
      taken += buckets_take(crowd->buckets, hash_in(5, tag), T0, 1,
                            CROWD_BURST, &wait) == BUCKETS_OK;
  }
  atomic_fetch_add(&crowd->taken, taken);
  return NULL;
}

static void test_threads_take_exactly_what_is_there(void) {
  struct crowd crowd = {.buckets = buckets_new(BUCKETS_MIN)};
  pthread_t threads[CROWD];
  pthread_barrier_init(&crowd.ready, NULL, CROWD);
  for (size_t i = 0; i < CROWD; i++)
    pthread_create(&threads[i], NULL, crowd_run, &crowd);
  for (size_t i = 0; i < CROWD; i++)
    pthread_join(threads[i], NULL);
  CU_ASSERT_EQUAL(atomic_load(&crowd.taken), 4 * CROWD_BURST);
  pthread_barrier_destroy(&crowd.ready);
  buckets_free(crowd.buckets);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_burst_is_taken_and_comes_back_one_by_one),
      UNIT(test_refusal_costs_nothing),
      UNIT(test_debt_is_waited_for_up_to_its_limit),
      UNIT(test_neighbours_do_not_share_until_there_is_no_place),
      UNIT(test_place_of_a_full_bucket_is_taken_over),
      UNIT(test_clock_that_turns_around_forgets_nothing),
      UNIT(test_threads_take_exactly_what_is_there),
      {0}};
  return unit_main("buckets", tests);
}
