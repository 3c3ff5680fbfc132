/* SPDX-License-Identifier: MIT
 *
 * Stages between the gateway and a plugin: what is told of one is true, or the
 * operation ends.
 */
#include "opkit.h"
#include "unit.h"

#include <string.h>

static void run(struct op_rig *rig, const struct op_script *script) {
  op_rig_run(rig, script);
}

static void test_a_stage_runs_its_course(void) {
  struct op_rig rig;
  run(&rig,
      &(struct op_script){OP_STAGE, .start = "g", .data = "N|N", .save = "g|g",
                          .commit = "D", .chunks = 2, .leave = -1});
  CU_ASSERT_STRING_EQUAL(rig.line, "<T>s<A>n<W>s<A>n<W>s<C!>d");
  op_rig_fini(&rig);
}

static void test_an_offset_beyond_what_was_lent_is_told_to_nobody(void) {
  struct op_rig rig;
  run(&rig,
      &(struct op_script){OP_STAGE, .start = "g", .data = "N", .save = "G",
                          .cancel = "D", .chunks = 1, .leave = -1});
  CU_ASSERT_STRING_EQUAL(rig.line, "<T>s<A>n<W>d<X!>");
  CU_ASSERT_EQUAL(rig.status, SLUICE_EUPSTREAM);
  CU_ASSERT_EQUAL(rig.backend.misused, 1);
  op_rig_fini(&rig);
}

static void test_a_stage_that_is_done_before_its_commit_failed(void) {
  struct op_rig rig;
  run(&rig, &(struct op_script){OP_STAGE, .start = "gD", .leave = -1});
  CU_ASSERT_EQUAL(rig.status, SLUICE_EUPSTREAM);
  CU_ASSERT_EQUAL(rig.backend.misused, 1);
  op_rig_fini(&rig);
}

static void test_a_state_larger_than_can_be_saved_is_refused(void) {
  static char state[SLUICE_STAGE_STATE_MAX + 1];
  for (size_t size = sizeof state - 1; size <= sizeof state; size++) {
    struct op_rig rig;
    op_rig_init(&rig, &(struct op_script){OP_STAGE, .start = "", .cancel = "D",
                                          .leave = -1, .hold = 's'});
    op_rig_start(&rig);
    sluice_staged(rig.op,
                  &(struct sluice_staged){.size = sizeof(struct sluice_staged),
                                          .state = state,
                                          .state_size = size});
    CU_ASSERT_EQUAL(rig.backend.misused, size == sizeof state);
    if (size < sizeof state)
      op_rig_say(&rig, "E");
    op_rig_finish(&rig);
    op_rig_fini(&rig);
  }
}

static void test_a_backend_without_stages_is_asked_for_none(void) {
  struct op_rig rig;
  op_rig_init(&rig, &(struct op_script){OP_STAGE, .leave = -1});
  rig.plugin.stage = NULL;
  CU_ASSERT(!op_can_stage(&rig.backend));
  op_rig_start(&rig);
  op_rig_finish(&rig);
  CU_ASSERT_STRING_EQUAL(rig.line, "d");
  CU_ASSERT_EQUAL(rig.status, SLUICE_ENOTSUP);
  op_rig_fini(&rig);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_a_stage_runs_its_course),
      UNIT(test_an_offset_beyond_what_was_lent_is_told_to_nobody),
      UNIT(test_a_stage_that_is_done_before_its_commit_failed),
      UNIT(test_a_state_larger_than_can_be_saved_is_refused),
      UNIT(test_a_backend_without_stages_is_asked_for_none),
      {NULL, NULL}};
  return unit_main("op_stage", tests);
}
