/* SPDX-License-Identifier: MIT
 *
 * The bound on memory that loops and plugins share.
 */
#include "budget.h"
#include "op.h"
#include "unit.h"

#include <pthread.h>
#include <stdint.h>

static void test_all_of_it_can_be_taken_and_not_a_byte_more(void) {
  static const size_t sizes[] = {1, 1000, 1 << 20, (1 << 20) + 1};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    struct budget budget = {(int64_t)sizes[i]};
    CU_ASSERT_FALSE(budget_take(&budget, sizes[i] + 1));
    CU_ASSERT_TRUE(budget_take(&budget, sizes[i]));
    CU_ASSERT_FALSE(budget_take(&budget, 1));
    budget_give(&budget, sizes[i]);
    CU_ASSERT_TRUE(budget_take(&budget, sizes[i]));
  }
}

static void test_nothing_can_always_be_taken(void) {
  struct budget budget = {0};
  CU_ASSERT_TRUE(budget_take(&budget, 0));
}

static void test_a_refusal_costs_nothing(void) {
  struct budget budget = {100};
  CU_ASSERT_TRUE(budget_take(&budget, 60));
  CU_ASSERT_FALSE(budget_take(&budget, 41));
  CU_ASSERT_FALSE(budget_take(&budget, SIZE_MAX));
  CU_ASSERT_TRUE(budget_take(&budget, 40));
}

static void test_what_is_given_back_can_be_taken_at_once(void) {
  struct budget budget = {1 << 20};
  CU_ASSERT_TRUE(budget_take(&budget, 700000));
  CU_ASSERT_FALSE(budget_take(&budget, 700000));
  budget_give(&budget, 700000);
  CU_ASSERT_TRUE(budget_take(&budget, 700000));
}

#define THREADS 3
#define ALL (10 << 20)

static void *take_and_give(void *arg) {
  struct budget *budget = arg;
  size_t held = 0, too_much = 0;
  for (size_t i = 1; i < 20000; i++) {
    size_t bytes = i * 7919 % (3 << 20);
    if (i % 3 != 0 && budget_take(budget, bytes)) {
      held += bytes;
      too_much += held > ALL;
    } else {
      budget_give(budget, held);
      held = 0;
    }
  }
  budget_give(budget, held);
  return too_much == 0 ? budget : NULL;
}

static void test_threads_lose_and_invent_nothing(void) {
  struct budget budget = {ALL};
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++)
    pthread_create(&threads[i], NULL, take_and_give, &budget);
  for (int i = 0; i < THREADS; i++) {
    void *fine = NULL;
    pthread_join(threads[i], &fine);
    CU_ASSERT_PTR_NOT_NULL(fine);
  }
  CU_ASSERT_EQUAL(atomic_load(&budget.free), ALL);
}

/* ---- as plugins take it ------------------------------------------------- */

static void test_a_plugin_takes_to_the_limit_and_gives_back(void) {
  struct budget budget = {1000};
  struct sluice_host host = {.name = "test", .memory = &budget};
  CU_ASSERT_TRUE(sluice_memory_take(&host, 600));
  CU_ASSERT_FALSE(sluice_memory_take(&host, 401));
  CU_ASSERT_TRUE(sluice_memory_take(&host, 400));
  CU_ASSERT_EQUAL(host.taken, 1000);
  sluice_memory_give(&host, 600);
  CU_ASSERT_EQUAL(atomic_load(&budget.free), 600);
  sluice_memory_give(&host, 400);
  CU_ASSERT_EQUAL(host.taken, 0);
  CU_ASSERT_EQUAL(host.misgiven, 0);
}

static void test_a_plugin_gives_no_more_than_it_took(void) {
  struct budget budget = {1000};
  struct sluice_host host = {.name = "test", .memory = &budget};
  CU_ASSERT_TRUE(sluice_memory_take(&host, 10));
  sluice_memory_give(&host, 11);
  CU_ASSERT_EQUAL(atomic_load(&budget.free), 1000);
  CU_ASSERT_EQUAL(host.taken, 0);
  CU_ASSERT_EQUAL(host.misgiven, 1);
}

static void test_a_host_without_a_bound_gives_all(void) {
  struct sluice_host host = {.name = "test"};
  CU_ASSERT_TRUE(sluice_memory_take(&host, SIZE_MAX / 2));
  sluice_memory_give(&host, SIZE_MAX / 2);
  CU_ASSERT_EQUAL(host.taken, 0);
}

static void test_a_smaller_bound_waits_for_what_was_taken(void) {
  struct budget budget = {1000};
  CU_ASSERT_TRUE(budget_take(&budget, 900));
  budget_resize(&budget, -500);
  CU_ASSERT_FALSE(budget_take(&budget, 1));
  budget_give(&budget, 900);
  CU_ASSERT_FALSE(budget_take(&budget, 501));
  CU_ASSERT_TRUE(budget_take(&budget, 500));
  budget_resize(&budget, 1);
  CU_ASSERT_TRUE(budget_take(&budget, 1));
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_all_of_it_can_be_taken_and_not_a_byte_more),
      UNIT(test_nothing_can_always_be_taken),
      UNIT(test_a_refusal_costs_nothing),
      UNIT(test_what_is_given_back_can_be_taken_at_once),
      UNIT(test_threads_lose_and_invent_nothing),
      UNIT(test_a_plugin_takes_to_the_limit_and_gives_back),
      UNIT(test_a_plugin_gives_no_more_than_it_took),
      UNIT(test_a_host_without_a_bound_gives_all),
      UNIT(test_a_smaller_bound_waits_for_what_was_taken),
      {NULL, NULL}};
  return unit_main("budget", tests);
}
