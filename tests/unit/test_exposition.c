/* SPDX-License-Identifier: MIT
 *
 * Metrics as text.
 */
#include "exposition.h"
#include "unit.h"

#define PAGE_MAX 4096

static void test_family_is_two_comments(void) {
  struct buf page;
  buf_init(&page, PAGE_MAX);
  exposition_family(&page, "a_total", "counter", "What a is.");
  CU_ASSERT_STRING_EQUAL(page.data, "# HELP a_total What a is.\n"
                                    "# TYPE a_total counter\n");
  buf_fini(&page);
}

static void test_sample_has_its_labels_and_its_number(void) {
  static const struct {
    struct exposition_label labels[3];
    uint64_t value;
    const char *want;
  } rows[] = {
      {{{NULL, NULL}}, 0, "n 0\n"},
      {{{NULL, NULL}}, UINT64_MAX, "n 18446744073709551615\n"},
      {{{"a", "b"}, {NULL, NULL}}, 1, "n{a=\"b\"} 1\n"},
      {{{"a", "b"}, {"c", ""}, {NULL, NULL}}, 1, "n{a=\"b\",c=\"\"} 1\n"},
      {{{"a", "x\"y\\z\n"}, {NULL, NULL}}, 1, "n{a=\"x\\\"y\\\\z\\n\"} 1\n"},
      {{{"a", "\xC3\xA4"}, {NULL, NULL}}, 1, "n{a=\"\xC3\xA4\"} 1\n"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct buf page;
    buf_init(&page, PAGE_MAX);
    exposition_number(&page, "n", rows[i].labels, rows[i].value);
    CU_ASSERT_STRING_EQUAL(page.data, rows[i].want);
    buf_fini(&page);
  }
}

static void test_seconds_have_no_zeros_at_the_end(void) {
  static const struct {
    uint64_t us;
    const char *want;
  } rows[] = {{0, "s 0\n"},
              {1, "s 0.000001\n"},
              {250, "s 0.00025\n"},
              {1000000, "s 1\n"},
              {60000000, "s 60\n"},
              {1500000, "s 1.5\n"},
              {UINT64_MAX, "s 18446744073709.551615\n"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct buf page;
    buf_init(&page, PAGE_MAX);
    exposition_seconds(&page, "s", NULL, rows[i].us);
    CU_ASSERT_STRING_EQUAL(page.data, rows[i].want);
    buf_fini(&page);
  }
}

static void test_buckets_of_a_histogram_count_all_below_them(void) {
  static const uint64_t bounds[] = {1000, 2500};
  static const uint64_t counts[] = {1, 2, 4};
  const struct exposition_label labels[] = {{"a", "b"}, {NULL, NULL}};
  struct buf page;
  buf_init(&page, PAGE_MAX);
  exposition_histogram(&page, "h", labels, bounds, 2, counts, 12345678);
  CU_ASSERT_STRING_EQUAL(page.data, "h_bucket{a=\"b\",le=\"0.001\"} 1\n"
                                    "h_bucket{a=\"b\",le=\"0.0025\"} 3\n"
                                    "h_bucket{a=\"b\",le=\"+Inf\"} 7\n"
                                    "h_sum{a=\"b\"} 12.345678\n"
                                    "h_count{a=\"b\"} 7\n");
  buf_clear(&page);
  exposition_histogram(&page, "h", NULL, bounds, 0, counts, 0);
  CU_ASSERT_STRING_EQUAL(page.data, "h_bucket{le=\"+Inf\"} 1\n"
                                    "h_sum 0\n"
                                    "h_count 1\n");
  buf_fini(&page);
}

static void test_page_that_is_full_says_so(void) {
  struct buf page;
  buf_init(&page, 4);
  exposition_number(&page, "n", NULL, 1);
  CU_ASSERT_TRUE(!page.overflown && page.len == 4);
  exposition_number(&page, "n", NULL, 1);
  CU_ASSERT_TRUE(page.overflown);
  buf_fini(&page);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_family_is_two_comments),
      UNIT(test_sample_has_its_labels_and_its_number),
      UNIT(test_seconds_have_no_zeros_at_the_end),
      UNIT(test_buckets_of_a_histogram_count_all_below_them),
      UNIT(test_page_that_is_full_says_so),
      {NULL, NULL}};
  return unit_main("exposition", tests);
}
