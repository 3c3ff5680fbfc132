/* SPDX-License-Identifier: MIT
 *
 * Stages that become objects just now: known while they do, and no others.
 */
#include "stagebusy.h"
#include "stagename.h"
#include "unit.h"

#include <stdio.h>

static void base_of(char out[STAGENAME_BASE_LEN + 1], unsigned number) {
  char text[STAGENAME_TEXT_LEN + 1];
  snprintf(text, sizeof text, "0123456789abcdef/%016x0000000000000000",
           number);
  CU_ASSERT(stagename_base(out, text));
}

static void test_stagebusy_knows_a_stage_until_all_of_it_ended(void) {
  static struct stagebusy busy;
  char base[STAGENAME_BASE_LEN + 1], other[STAGENAME_BASE_LEN + 1];
  base_of(base, 0);
  base_of(other, 2);
  CU_ASSERT_FALSE(stagebusy_has(&busy, base));
  CU_ASSERT(stagebusy_add(&busy, base) && stagebusy_add(&busy, base));
  CU_ASSERT(stagebusy_has(&busy, base) && !stagebusy_has(&busy, other));
  stagebusy_remove(&busy, base);
  CU_ASSERT(stagebusy_has(&busy, base));
  stagebusy_remove(&busy, base);
  CU_ASSERT_FALSE(stagebusy_has(&busy, base));
}

static void test_stagebusy_knows_256_and_no_more(void) {
  static struct stagebusy busy;
  char base[STAGENAME_BASE_LEN + 1];
  for (unsigned i = 1; i <= STAGEBUSY_MAX; i++) {
    base_of(base, i);
    CU_ASSERT(stagebusy_add(&busy, base));
  }
  CU_ASSERT(stagebusy_has(&busy, base));
  base_of(base, STAGEBUSY_MAX + 1);
  CU_ASSERT_FALSE(stagebusy_add(&busy, base));
  CU_ASSERT_FALSE(stagebusy_has(&busy, base));
  base_of(base, 1);
  stagebusy_remove(&busy, base);
  base_of(base, STAGEBUSY_MAX + 1);
  CU_ASSERT(stagebusy_add(&busy, base));
}

static const struct unit_test tests[] = {
    UNIT(test_stagebusy_knows_a_stage_until_all_of_it_ended),
    UNIT(test_stagebusy_knows_256_and_no_more),
    {NULL, NULL},
};

int main(void) {
  return unit_main("stagebusy", tests);
}
