/* SPDX-License-Identifier: MIT
 *
 * Shuffled numbers: none twice, and another order with another key.
 */
#include "shuffle.h"
#include "unit.h"

#include <stdlib.h>

#define MANY (1u << 20)

static int by_value(const void *a, const void *b) {
  uint32_t one = *(const uint32_t *)a, two = *(const uint32_t *)b;
  return (one > two) - (one < two);
}

/* Of a million random numbers some hundred and twenty would be there twice. */
static void test_a_million_numbers_are_a_million(void) {
  const unsigned char key[SIPHASH_KEY_LEN] = "sixteen bytes...";
  uint32_t *numbers = calloc(MANY, sizeof *numbers);
  size_t same = 0;
  for (uint32_t i = 0; i < MANY; i++)
    numbers[i] = shuffle(key, i - MANY / 2);
  qsort(numbers, MANY, sizeof *numbers, by_value);
  for (uint32_t i = 1; i < MANY; i++)
    same += numbers[i] == numbers[i - 1];
  CU_ASSERT_EQUAL(same, 0);
  free(numbers);
}

/* Neighbours differ in half of their bits, as random numbers do. */
static void test_the_next_one_can_not_be_told(void) {
  const unsigned char key[SIPHASH_KEY_LEN] = "sixteen bytes...";
  unsigned bits = 0;
  for (uint32_t i = 0; i < 1024; i++)
    bits +=
        (unsigned)__builtin_popcount(shuffle(key, i) ^ shuffle(key, i + 1));
  CU_ASSERT(bits > 15 * 1024 && bits < 17 * 1024);
}

static void test_another_key_is_another_order(void) {
  const unsigned char one[SIPHASH_KEY_LEN] = {1}, two[SIPHASH_KEY_LEN] = {2};
  size_t same = 0;
  for (uint32_t i = 0; i < 1024; i++)
    same += shuffle(one, i) == shuffle(two, i);
  CU_ASSERT(same < 3);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_a_million_numbers_are_a_million),
      UNIT(test_the_next_one_can_not_be_told),
      UNIT(test_another_key_is_another_order),
      {0}};
  return unit_main("shuffle", tests);
}
