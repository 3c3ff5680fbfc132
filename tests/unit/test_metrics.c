/* SPDX-License-Identifier: MIT
 *
 * The numbers that loops count, and where each of them stands.
 */
#include "metrics.h"

#include "unit.h"

#define ROUTES 3
#define BACKENDS 2

static uint64_t sum_of(const _Atomic uint64_t *cells, size_t count) {
  uint64_t sum = 0;
  for (size_t i = 0; i < count; i++)
    sum += cells[i];
  return sum;
}

static void test_each_number_has_a_place_of_its_own(void) {
  struct metrics metrics = {0};
  CU_ASSERT_TRUE_FATAL(metrics_init(&metrics, ROUTES, BACKENDS));
  uint64_t n = 0;
  for (size_t route = 0; route < ROUTES; route++)
    for (size_t i = 0; i < METRICS_OPERATIONS; i++)
      for (size_t status = 0; status < METRICS_HTTP; status++, n++)
        metrics_add_request(&metrics, &(struct metrics_request){
                                          .route = route,
                                          .operation = (enum operation)i,
                                          .status = status < METRICS_HTTP - 1
                                                        ? metrics_http[status]
                                                        : 999,
                                          .us = {1, 1, 1, 1}});
  for (size_t backend = 0; backend < BACKENDS; backend++)
    for (unsigned call = 0; call < METRICS_CALLS; call++)
      for (int status = 0; status < METRICS_RESULTS; status++)
        metrics_add_call(&metrics, backend, call, (enum sluice_status)status,
                         5);
  for (size_t route = 0; route < ROUTES; route++)
    for (size_t i = 0; i < METRICS_OPERATIONS; i++)
      for (size_t status = 0; status < METRICS_HTTP; status++)
        CU_ASSERT_EQUAL(metrics_requests(&metrics, route, i)[status], 1);
  for (size_t backend = 0; backend < BACKENDS; backend++)
    for (unsigned call = 0; call < METRICS_CALLS; call++) {
      const _Atomic uint64_t *cells = metrics_calls(&metrics, backend, call);
      for (int status = 0; status < METRICS_RESULTS; status++)
        CU_ASSERT_EQUAL(cells[status], 1);
      CU_ASSERT_EQUAL(cells[METRICS_RESULTS], METRICS_RESULTS);
      CU_ASSERT_EQUAL(cells[METRICS_RESULTS + METRICS_BOUNDS + 1],
                      5 * METRICS_RESULTS);
    }
  CU_ASSERT_EQUAL(sum_of(metrics_ended(&metrics), METRICS_ENDERS), n);
  CU_ASSERT_EQUAL(sum_of(metrics_refused(&metrics), METRICS_LIMITS), 0);
  CU_ASSERT_EQUAL(sum_of(metrics_gauges(&metrics), METRICS_GAUGES), 0);
  metrics_fini(&metrics);
}

static void test_time_is_in_the_first_bucket_that_holds_it(void) {
  for (size_t i = 0; i <= METRICS_BOUNDS; i++) {
    struct metrics metrics = {0};
    CU_ASSERT_TRUE_FATAL(metrics_init(&metrics, 1, 1));
    uint64_t at = i < METRICS_BOUNDS ? metrics_bounds_us[i]
                                     : metrics_bounds_us[i - 1] + 1;
    metrics_add_call(&metrics, 0, 0, SLUICE_OK, at);
    const _Atomic uint64_t *times =
        metrics_calls(&metrics, 0, 0) + METRICS_RESULTS;
    CU_ASSERT_EQUAL(times[i], 1);
    CU_ASSERT_EQUAL(sum_of(times, METRICS_BOUNDS + 1), 1);
    CU_ASSERT_EQUAL(times[METRICS_BOUNDS + 1], at);
    metrics_fini(&metrics);
  }
}

static void test_who_nobody_waited_for_has_no_time(void) {
  struct metrics metrics = {0};
  CU_ASSERT_TRUE_FATAL(metrics_init(&metrics, 1, 1));
  metrics_add_request(&metrics,
                      &(struct metrics_request){.operation = OPERATION_LIST,
                                                .status = 200,
                                                .us = {7, 0, 3, 10}});
  static const uint64_t want[METRICS_WAITS] = {1, 0, 1, 1};
  for (int wait = 0; wait < METRICS_WAITS; wait++)
    CU_ASSERT_EQUAL(sum_of(metrics_times(&metrics, OPERATION_LIST,
                                         (enum metrics_wait)wait),
                           METRICS_BOUNDS + 1),
                    want[wait]);
  metrics_fini(&metrics);
}

static void test_loops_are_added_up(void) {
  struct metrics loops[2] = {{0}}, sum = {0};
  CU_ASSERT_TRUE_FATAL(metrics_init(&sum, 1, 1));
  for (unsigned i = 0; i < 2; i++) {
    CU_ASSERT_TRUE_FATAL(metrics_init(&loops[i], 1, 1));
    metrics_set(&loops[i], METRICS_OPEN_CONNECTIONS, 10 + i);
    metrics_refuse(&loops[i], METRICS_MEMORY);
    metrics_sum(&sum, &loops[i]);
    metrics_fini(&loops[i]);
  }
  CU_ASSERT_EQUAL(metrics_gauges(&sum)[METRICS_OPEN_CONNECTIONS], 21);
  CU_ASSERT_EQUAL(metrics_refused(&sum)[METRICS_MEMORY], 2);
  metrics_fini(&sum);
}

static void test_numbers_go_to_the_route_and_backend_of_another_shape(void) {
  static const size_t routes[] = {METRICS_NOWHERE, 2}, backends[] = {1};
  struct metrics from = {0}, into = {0};
  CU_ASSERT_TRUE_FATAL(metrics_init(&from, 2, 1));
  CU_ASSERT_TRUE_FATAL(metrics_init(&into, 3, 2));
  for (size_t route = 0; route < 2; route++)
    metrics_add_request(
        &from, &(struct metrics_request){.route = route, .status = 200});
  metrics_add_call(&from, 0, 3, SLUICE_OK, 1);
  metrics_sum_as(&into, &from, routes, backends);
  for (size_t route = 0; route < 3; route++)
    CU_ASSERT_EQUAL(metrics_requests(&into, route, 0)[0], route == 2);
  for (size_t backend = 0; backend < 2; backend++)
    CU_ASSERT_EQUAL(metrics_calls(&into, backend, 3)[SLUICE_OK], backend == 1);
  CU_ASSERT_EQUAL(metrics_ended(&into)[0], 2); /* of any route */
  metrics_fini(&from);
  metrics_fini(&into);
}

static void test_nothing_is_counted_where_nobody_asked(void) {
  metrics_add_request(NULL, &(struct metrics_request){.status = 200});
  metrics_add_call(NULL, 0, 0, SLUICE_OK, 1);
  metrics_refuse(NULL, METRICS_MEMORY);
  metrics_set(NULL, METRICS_OPEN_REQUESTS, 1);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_each_number_has_a_place_of_its_own),
      UNIT(test_time_is_in_the_first_bucket_that_holds_it),
      UNIT(test_who_nobody_waited_for_has_no_time),
      UNIT(test_loops_are_added_up),
      UNIT(test_numbers_go_to_the_route_and_backend_of_another_shape),
      UNIT(test_nothing_is_counted_where_nobody_asked),
      {NULL, NULL}};
  return unit_main("metrics", tests);
}
