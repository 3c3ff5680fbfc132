/* SPDX-License-Identifier: MIT
 *
 * Numbers of plugins: whoever counts them, and whatever ends meanwhile.
 */
#include "meter.h"

#include <pthread.h>
#include <string.h>

#include "op.h"
#include "unit.h"
#include "violation.h"

#define THREADS 4
#define EACH 20000

enum { EVENTS, LEVEL, TIMES };

static const char *const values[] = {"a", "b", NULL};
static const char *const below[] = {"x", "y", "z", NULL};

static const struct sluice_metric table[] = {
    [EVENTS] = {"m_total", SLUICE_COUNTER, "H.", "by", values},
    [LEVEL] = {"m_level", SLUICE_GAUGE, "H.", NULL, NULL},
    [TIMES] = {"m_seconds", SLUICE_HISTOGRAM, "H.", "of", NULL},
    {0}};

static const struct meter_form form = {
    .is_backend = true,
    .plugin = "m",
    .name = "main",
    .table = table,
    .below = below,
};

static uint64_t sum_of(struct meter *meter, size_t metric, size_t value,
                       size_t more) {
  uint64_t sums[128];
  CU_ASSERT_TRUE_FATAL(meter->count <= 128);
  meter_read(meter, sums, NULL, NULL);
  return sums[meter_at(meter, metric, value) + more];
}

static struct sluice_host host_of(struct meter *meter) {
  return (struct sluice_host){.name = "main",
                              .row = meter_row_new(meter, meter)};
}

static void *count_many(void *host) {
  for (int i = 0; i < EACH; i++)
    sluice_count(host, SLUICE_SERIES(EVENTS, i % 2), 3);
  return NULL;
}

static void test_threads_of_one_host_lose_nothing(void) {
  struct meter *meter = meter_new(&form);
  struct sluice_host host = host_of(meter);
  pthread_t threads[THREADS];
  for (size_t i = 0; i < THREADS; i++)
    pthread_create(&threads[i], NULL, count_many, &host);
  for (size_t i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  CU_ASSERT_EQUAL(sum_of(meter, EVENTS, 0, 0), THREADS * EACH / 2 * 3);
  CU_ASSERT_EQUAL(sum_of(meter, EVENTS, 1, 0), THREADS * EACH / 2 * 3);
  meter_row_free(host.row);
  CU_ASSERT_TRUE(meter_leave(meter));
}

static void test_gauge_is_the_sum_of_hosts_that_are_there(void) {
  struct meter *meter = meter_new(&form);
  struct sluice_host one = host_of(meter), two = host_of(meter);
  sluice_gauge(&one, LEVEL, 5);
  sluice_gauge(&one, LEVEL, 7);
  sluice_gauge(&two, LEVEL, -9);
  CU_ASSERT_EQUAL((int64_t)sum_of(meter, LEVEL, 0, 0), -2);
  meter_row_free(two.row);
  CU_ASSERT_EQUAL(sum_of(meter, LEVEL, 0, 0), 7);
  meter_row_free(one.row);
  CU_ASSERT_EQUAL(sum_of(meter, LEVEL, 0, 0), 0);
  meter_leave(meter);
}

static bool is_of(const void *arg, const void *owner) {
  return arg == owner;
}

static void test_gauges_are_of_the_owners_that_are_shown(void) {
  struct meter *meter = meter_new(&form);
  struct sluice_host one = {.row = meter_row_new(meter, &one)};
  struct sluice_host two = {.row = meter_row_new(meter, &two)};
  uint64_t sums[128];
  sluice_gauge(&one, LEVEL, 5);
  sluice_gauge(&two, LEVEL, 7);
  sluice_count(&one, EVENTS, 1);
  sluice_count(&two, EVENTS, 1);
  meter_read(meter, sums, is_of, &two);
  CU_ASSERT_EQUAL(sums[meter_at(meter, LEVEL, 0)], 7);
  CU_ASSERT_EQUAL(sums[meter_at(meter, EVENTS, 0)], 2);
  meter_row_free(one.row);
  meter_row_free(two.row);
  meter_leave(meter);
}

static void test_counters_outlive_their_host(void) {
  struct meter *meter = meter_new(&form);
  struct sluice_host one = host_of(meter);
  sluice_count(&one, SLUICE_SERIES(EVENTS, 1), 4);
  sluice_observe(&one, SLUICE_SERIES(TIMES, 2), 300);
  meter_row_free(one.row);
  struct sluice_host two = host_of(meter);
  sluice_count(&two, SLUICE_SERIES(EVENTS, 1), 1);
  CU_ASSERT_EQUAL(sum_of(meter, EVENTS, 1, 0), 5);
  CU_ASSERT_EQUAL(sum_of(meter, TIMES, 2, 1), 1); /* over 250 us */
  CU_ASSERT_EQUAL(sum_of(meter, TIMES, 2, METRICS_BOUNDS + 1), 300);
  CU_ASSERT_EQUAL(sum_of(meter, TIMES, 1, METRICS_BOUNDS + 1), 0);
  meter_row_free(two.row);
  meter_leave(meter);
}

static void test_times_at_the_bounds(void) {
  struct meter *meter = meter_new(&form);
  struct sluice_host host = host_of(meter);
  sluice_observe(&host, TIMES, 250);
  sluice_observe(&host, TIMES, 251);
  sluice_observe(&host, TIMES, 60000000);
  sluice_observe(&host, TIMES, 60000001);
  CU_ASSERT_EQUAL(sum_of(meter, TIMES, 0, 0), 1);
  CU_ASSERT_EQUAL(sum_of(meter, TIMES, 0, 1), 1);
  CU_ASSERT_EQUAL(sum_of(meter, TIMES, 0, METRICS_BOUNDS - 1), 1);
  CU_ASSERT_EQUAL(sum_of(meter, TIMES, 0, METRICS_BOUNDS), 1);
  meter_row_free(host.row);
  meter_leave(meter);
}

static void hear(void *arg, const char *call, const char *what) {
  unsigned *heard = arg;
  *heard += call != NULL && strncmp(call, "sluice_", 7) == 0 &&
            strcmp(what, VIOLATION_METRIC) == 0;
}

static void test_what_is_not_declared_so_is_a_violation(void) {
  unsigned heard = 0;
  const struct violation_watch watch = {hear, &heard};
  struct meter *meter = meter_new(&form);
  struct sluice_host host = host_of(meter);
  host.watch = &watch;
  sluice_count(&host, 3, 1);
  sluice_count(&host, SLUICE_SERIES(EVENTS, 2), 1);
  sluice_count(&host, LEVEL, 1);
  sluice_gauge(&host, EVENTS, 1);
  sluice_gauge(&host, SLUICE_SERIES(LEVEL, 1), 1);
  sluice_observe(&host, SLUICE_SERIES(TIMES, 3), 1);
  sluice_observe(&host, UINT32_MAX, 1);
  CU_ASSERT_EQUAL(heard, 7);
  for (size_t i = 0; i < meter->count; i++)
    CU_ASSERT_EQUAL(sum_of(meter, EVENTS, 0, i), 0);
  meter_row_free(host.row);
  meter_leave(meter);
}

static void test_without_a_table_nothing_may_be_counted(void) {
  const struct meter_form bare = {.plugin = "m", .name = "main"};
  unsigned heard = 0;
  const struct violation_watch watch = {hear, &heard};
  struct meter *meter = meter_new(&bare);
  struct sluice_host host = host_of(meter), nobody = {.name = "main"};
  host.watch = nobody.watch = &watch;
  sluice_count(&host, 0, 1);
  CU_ASSERT_EQUAL(heard, 1);
  sluice_count(&nobody, 0, 1);
  CU_ASSERT_EQUAL(heard, 1);
  meter_row_free(host.row);
  meter_leave(meter);
}

static void test_a_meter_is_of_one_form(void) {
  static const char *const others[] = {"x", "z", "y", NULL};
  struct meter *meter = meter_new(&form);
  struct meter_form other = form;
  CU_ASSERT_TRUE(meter_is(meter, &other));
  other.below = others;
  CU_ASSERT_FALSE(meter_is(meter, &other));
  other.below = NULL;
  CU_ASSERT_FALSE(meter_is(meter, &other));
  other = form;
  other.name = "another";
  CU_ASSERT_FALSE(meter_is(meter, &other));
  other = form;
  other.is_backend = false;
  CU_ASSERT_FALSE(meter_is(meter, &other));
  meter->users++;
  CU_ASSERT_FALSE(meter_leave(meter));
  CU_ASSERT_TRUE(meter_leave(meter));
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_threads_of_one_host_lose_nothing),
      UNIT(test_gauge_is_the_sum_of_hosts_that_are_there),
      UNIT(test_gauges_are_of_the_owners_that_are_shown),
      UNIT(test_counters_outlive_their_host),
      UNIT(test_times_at_the_bounds),
      UNIT(test_what_is_not_declared_so_is_a_violation),
      UNIT(test_without_a_table_nothing_may_be_counted),
      UNIT(test_a_meter_is_of_one_form),
      {NULL, NULL}};
  return unit_main("meter", tests);
}
