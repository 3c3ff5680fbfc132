/* SPDX-License-Identifier: MIT
 *
 * Memory is overwritten before it is let go.
 */
#include "unit.h"
#include "wipe.h"

#include <stdlib.h>
#include <string.h>

static void test_nothing_is_freed(void) {
  wipe_free(NULL);
}

static void test_block_keeps_its_bytes_as_it_grows_and_shrinks(void) {
  char *block = wipe_realloc(NULL, 8);
  memcpy(block, "1234567", 8);
  block = wipe_realloc(block, 100000);
  CU_ASSERT_STRING_EQUAL(block, "1234567");
  block = wipe_realloc(block, 4);
  CU_ASSERT_EQUAL(memcmp(block, "1234", 4), 0);
  wipe_free(block);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_nothing_is_freed),
      UNIT(test_block_keeps_its_bytes_as_it_grows_and_shrinks),
      {NULL, NULL}};
  return unit_main("wipe", tests);
}
