/* SPDX-License-Identifier: MIT
 *
 * Keys that were seen lately, and those that had to go.
 */
#include "seen.h"
#include "unit.h"

#include <string.h>

#define MAX 100

static const unsigned char *key(unsigned number) {
  static unsigned char bytes[SEEN_KEY_LEN];
  digest_sha256(bytes, &number, sizeof number);
  return bytes;
}

static void test_a_key_is_there_until_its_time(void) {
  struct seen *seen = seen_new(MAX);
  CU_ASSERT_FALSE(seen_has(seen, key(1), 0));
  seen_add(seen, key(1), 1000);
  CU_ASSERT(seen_has(seen, key(1), 0));
  CU_ASSERT(seen_has(seen, key(1), 999));
  CU_ASSERT_FALSE(seen_has(seen, key(2), 999));
  CU_ASSERT_FALSE(seen_has(seen, key(1), 1000));
  CU_ASSERT_FALSE(seen_has(seen, key(1), 0)); /* and is gone */
  seen_free(seen);
}

static void test_another_time_takes_the_place_of_the_first(void) {
  struct seen *seen = seen_new(MAX);
  seen_add(seen, key(1), 1000);
  seen_add(seen, key(1), 2000);
  CU_ASSERT(seen_has(seen, key(1), 1999));
  seen_add(seen, key(1), 500);
  CU_ASSERT_FALSE(seen_has(seen, key(1), 500));
  seen_free(seen);
}

static void test_it_holds_its_number_and_no_more(void) {
  struct seen *seen = seen_new(MAX);
  for (unsigned i = 0; i < MAX; i++)
    seen_add(seen, key(i), 1000);
  for (unsigned i = 0; i < MAX; i++)
    CU_ASSERT(seen_has(seen, key(i), 0));
  seen_add(seen, key(MAX), 1000);
  CU_ASSERT_FALSE(seen_has(seen, key(0), 0)); /* the first that was asked */
  for (unsigned i = 1; i <= MAX; i++)
    CU_ASSERT(seen_has(seen, key(i), 0));
  seen_free(seen);
}

static void test_who_is_asked_for_stays(void) {
  struct seen *seen = seen_new(3);
  for (unsigned i = 0; i < 1000; i++) {
    seen_add(seen, key(i), 1000);
    CU_ASSERT(seen_has(seen, key(0), 0));
  }
  seen_free(seen);
}

static void test_what_is_over_makes_room(void) {
  struct seen *seen = seen_new(2);
  seen_add(seen, key(1), 1000);
  seen_add(seen, key(2), 10);
  CU_ASSERT_FALSE(seen_has(seen, key(2), 10));
  seen_add(seen, key(3), 1000);
  CU_ASSERT(seen_has(seen, key(1), 0));
  CU_ASSERT(seen_has(seen, key(3), 0));
  seen_free(seen);
}

static void test_one_place_is_enough(void) {
  struct seen *seen = seen_new(1);
  seen_add(seen, key(1), 1000);
  seen_add(seen, key(2), 1000);
  CU_ASSERT_FALSE(seen_has(seen, key(1), 0));
  CU_ASSERT(seen_has(seen, key(2), 0));
  seen_free(seen);
  seen_free(NULL);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_a_key_is_there_until_its_time),
      UNIT(test_another_time_takes_the_place_of_the_first),
      UNIT(test_it_holds_its_number_and_no_more),
      UNIT(test_who_is_asked_for_stays),
      UNIT(test_what_is_over_makes_room),
      UNIT(test_one_place_is_enough),
      {NULL, NULL}};
  return unit_main("seen", tests);
}
