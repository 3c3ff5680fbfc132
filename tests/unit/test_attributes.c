/* SPDX-License-Identifier: MIT
 *
 * Attributes that hooks share, at its limits and one past each.
 */
#include "attributes.h"
#include "unit.h"

#include <sluice/plugin.h>
#include <stdio.h>
#include <string.h>

static void test_one_is_read_until_it_is_taken_away(void) {
  struct attributes all = {0};
  CU_ASSERT_PTR_NULL(attributes_get(&all, "a"));
  CU_ASSERT_TRUE(attributes_set(&all, "a", "1"));
  CU_ASSERT_TRUE(attributes_set(&all, "b.c-d_9", ""));
  CU_ASSERT_STRING_EQUAL(attributes_get(&all, "a"), "1");
  CU_ASSERT_STRING_EQUAL(attributes_get(&all, "b.c-d_9"), "");
  CU_ASSERT_TRUE(attributes_set(&all, "a", "22"));
  CU_ASSERT_STRING_EQUAL(attributes_get(&all, "a"), "22");
  CU_ASSERT_EQUAL(all.count, 2);
  CU_ASSERT_TRUE(attributes_set(&all, "a", NULL));
  CU_ASSERT_TRUE(attributes_set(&all, "never", NULL));
  CU_ASSERT_PTR_NULL(attributes_get(&all, "a"));
  attributes_fini(&all);
  CU_ASSERT_EQUAL(all.count, 0);
  CU_ASSERT_EQUAL(all.size, 0);
}

static void test_so_many_fit_and_no_more(void) {
  struct attributes all = {0};
  char name[8];
  for (int i = 0; i < SLUICE_ATTRIBUTES_MAX; i++) {
    snprintf(name, sizeof name, "n%d", i);
    CU_ASSERT_TRUE(attributes_set(&all, name, "v"));
  }
  CU_ASSERT_FALSE(attributes_set(&all, "more", "v"));
  CU_ASSERT_TRUE(attributes_set(&all, "n0", "another"));
  CU_ASSERT_STRING_EQUAL(attributes_get(&all, "n31"), "v");
  attributes_fini(&all);
}

static void test_4096_bytes_fit_and_no_more(void) {
  struct attributes all = {0};
  char value[SLUICE_ATTRIBUTES_SIZE + 1];
  memset(value, 'x', sizeof value);
  value[SLUICE_ATTRIBUTES_SIZE] = '\0';
  CU_ASSERT_FALSE(attributes_set(&all, "n", value));
  value[SLUICE_ATTRIBUTES_SIZE - 2] = '\0'; /* and "n" with its NUL, and one */
  CU_ASSERT_FALSE(attributes_set(&all, "n", value));
  value[SLUICE_ATTRIBUTES_SIZE - 3] = '\0';
  CU_ASSERT_TRUE(attributes_set(&all, "n", value));
  CU_ASSERT_FALSE(attributes_set(&all, "m", ""));
  CU_ASSERT_TRUE(attributes_set(&all, "n", value)); /* in its own place */
  CU_ASSERT_TRUE(attributes_set(&all, "n", "short"));
  CU_ASSERT_TRUE(attributes_set(&all, "m", ""));
  attributes_fini(&all);
}

static void test_names_and_values_that_are_none_are_refused(void) {
  static const struct {
    const char *name, *value;
  } rows[] = {{"", "v"},     {"A", "v"},    {"a b", "v"},
              {"a=", "v"},   {"ä", "v"},    {"a", "\xff"},
              {"a", "x\ny"}, {"a", "\x7f"}, {"a", "\xc2\x85"}};
  struct attributes all = {0};
  char name[SLUICE_ATTRIBUTE_NAME_MAX + 2];
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    CU_ASSERT_FALSE(attributes_set(&all, rows[i].name, rows[i].value));
  memset(name, 'n', sizeof name);
  name[SLUICE_ATTRIBUTE_NAME_MAX + 1] = '\0';
  CU_ASSERT_FALSE(attributes_set(&all, name, "v"));
  name[SLUICE_ATTRIBUTE_NAME_MAX] = '\0';
  CU_ASSERT_TRUE(attributes_set(&all, name, "v"));
  CU_ASSERT_EQUAL(all.count, 1);
  attributes_fini(&all);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_one_is_read_until_it_is_taken_away),
      UNIT(test_so_many_fit_and_no_more),
      UNIT(test_4096_bytes_fit_and_no_more),
      UNIT(test_names_and_values_that_are_none_are_refused),
      {NULL, NULL}};
  return unit_main("attributes", tests);
}
