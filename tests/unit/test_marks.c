/* SPDX-License-Identifier: MIT
 *
 * Numbers by names: what is read takes the place of what was read before, and
 * never of what was raised meanwhile; and the budget has it all back.
 */
#include "marks.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "budget.h"

#define MEMORY (8u << 20)

static struct budget memory;

static struct mark named(unsigned n, uint64_t number) {
  struct mark mark = {.number = number};
  memcpy(mark.name, &n, sizeof n);
  return mark;
}

static struct marks *made(size_t bytes) {
  atomic_init(&memory.free, (int64_t)bytes);
  return marks_new(&memory);
}

static uint64_t number_of(struct marks *marks, unsigned n) {
  struct mark mark = named(n, 0);
  return marks_find(marks, mark.name);
}

static void test_a_number_only_grows(void) {
  struct marks *marks = made(MEMORY);
  CU_ASSERT_EQUAL(number_of(marks, 1), 0);
  CU_ASSERT_TRUE(marks_raise(marks, &(struct mark){.number = 5}));
  struct mark one = named(1, 7), less = named(1, 6);
  CU_ASSERT_TRUE(marks_raise(marks, &one));
  CU_ASSERT_TRUE(marks_raise(marks, &less));
  CU_ASSERT_EQUAL(number_of(marks, 1), 7);
  CU_ASSERT_EQUAL(marks_top(marks), 7);
  CU_ASSERT_EQUAL(marks_count(marks), 2);
  marks_free(marks);
  CU_ASSERT_EQUAL(memory.free, MEMORY);
}

static void test_those_that_end_alike_are_counted(void) {
  struct marks *marks = made(MEMORY);
  CU_ASSERT_EQUAL(marks_count_ends(marks, "end", 3), 0);
  for (unsigned n = 1; n <= 200; n++) {
    struct mark mark = named(n, n);
    memcpy(mark.name + MARKS_NAME_LEN - 3, n % 2 == 0 ? "end" : "odd", 3);
    CU_ASSERT_TRUE(marks_raise(marks, &mark));
  }
  CU_ASSERT_EQUAL(marks_count_ends(marks, "end", 3), 100);
  CU_ASSERT_EQUAL(marks_count_ends(marks, "enD", 3), 0);
  marks_free(marks);
}

static void test_what_is_read_takes_the_place_of_what_was(void) {
  struct marks *marks = made(MEMORY);
  struct mark first[] = {named(1, 1), named(2, 2)}, second = named(2, 3);
  uint64_t begun = marks_begin(marks);
  CU_ASSERT_EQUAL(marks_read_ms(marks), 0);
  CU_ASSERT_TRUE(marks_read(marks, first, 2, begun, 100));
  begun = marks_begin(marks);
  CU_ASSERT_TRUE(marks_read(marks, &second, 1, begun, 200));
  CU_ASSERT_EQUAL(number_of(marks, 1), 0);
  CU_ASSERT_EQUAL(number_of(marks, 2), 3);
  CU_ASSERT_EQUAL(marks_read_ms(marks), 200);
  marks_free(marks);
  CU_ASSERT_EQUAL(memory.free, MEMORY);
}

/* The list may have been made before it was raised. */
static void test_what_is_raised_meanwhile_stays(void) {
  struct marks *marks = made(MEMORY);
  struct mark before = named(1, 1), meanwhile = named(2, 2);
  marks_raise(marks, &before);
  uint64_t begun = marks_begin(marks);
  marks_raise(marks, &meanwhile);
  CU_ASSERT_TRUE(marks_read(marks, NULL, 0, begun, 100));
  CU_ASSERT_EQUAL(number_of(marks, 1), 0);
  CU_ASSERT_EQUAL(number_of(marks, 2), 2);
  CU_ASSERT_EQUAL(marks_top(marks), 2);
  marks_free(marks);
}

static void test_an_older_reading_changes_nothing(void) {
  struct marks *marks = made(MEMORY);
  struct mark newer = named(1, 9);
  uint64_t old = marks_begin(marks), young = marks_begin(marks);
  CU_ASSERT_TRUE(marks_read(marks, &newer, 1, young, 200));
  CU_ASSERT_TRUE(marks_read(marks, NULL, 0, old, 100));
  CU_ASSERT_EQUAL(number_of(marks, 1), 9);
  CU_ASSERT_EQUAL(marks_read_ms(marks), 200);
  marks_free(marks);
}

static void test_one_in_so_long_may_read(void) {
  struct marks *marks = made(MEMORY);
  CU_ASSERT_TRUE(marks_claim(marks, 1000, 50));
  CU_ASSERT_FALSE(marks_claim(marks, 1049, 50));
  CU_ASSERT_TRUE(marks_claim(marks, 1050, 50));
  marks_free(marks);
}

static void test_there_are_so_many_and_not_one_more(void) {
  struct marks *marks = made(MEMORY);
  struct mark mark;
  for (unsigned n = 1; n <= MARKS_MAX; n++) {
    mark = named(n * 2654435761u, n);
    CU_ASSERT_TRUE(marks_raise(marks, &mark));
  }
  CU_ASSERT_EQUAL(marks_count(marks), MARKS_MAX);
  mark = named(0, 1);
  CU_ASSERT_FALSE(marks_raise(marks, &mark));
  mark = named(2654435761u, MARKS_MAX + 1); /* one that is there */
  CU_ASSERT_TRUE(marks_raise(marks, &mark));
  for (unsigned n = 2; n <= MARKS_MAX; n++)
    CU_ASSERT_EQUAL(number_of(marks, n * 2654435761u), n);
  marks_free(marks);
  CU_ASSERT_EQUAL(memory.free, MEMORY);
}

static void test_without_memory_it_says_so_and_keeps_what_it_had(void) {
  struct marks *marks = made(4096);
  struct mark mark = named(1, 1), *many = calloc(200, sizeof *many);
  for (unsigned n = 0; n < 200; n++)
    many[n] = named(n + 10, n + 10);
  CU_ASSERT_TRUE(marks_raise(marks, &mark));
  CU_ASSERT_FALSE(marks_read(marks, many, 200, marks_begin(marks), 100));
  CU_ASSERT_EQUAL(marks_read_ms(marks), 0);
  CU_ASSERT_EQUAL(number_of(marks, 1), 1);
  free(many);
  marks_free(marks);
  CU_ASSERT_EQUAL(memory.free, 4096);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_a_number_only_grows),
      UNIT(test_those_that_end_alike_are_counted),
      UNIT(test_what_is_read_takes_the_place_of_what_was),
      UNIT(test_what_is_raised_meanwhile_stays),
      UNIT(test_an_older_reading_changes_nothing),
      UNIT(test_one_in_so_long_may_read),
      UNIT(test_there_are_so_many_and_not_one_more),
      UNIT(test_without_memory_it_says_so_and_keeps_what_it_had),
      {NULL, NULL}};
  return unit_main("marks", tests);
}
