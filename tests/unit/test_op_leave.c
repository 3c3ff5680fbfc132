/* SPDX-License-Identifier: MIT
 *
 * Operations that the gateway leaves: at any step, with a plugin that ends
 * soon, late or never.
 */
#include "opkit.h"
#include "unit.h"

#include <string.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

/* ---- leaving ------------------------------------------------------------ */

/* Leaves in each event of a whole life, and right after the start. */
static void leave_everywhere(struct op_script script, int events) {
  for (script.leave = 0; script.leave <= events; script.leave++) {
    struct op_rig rig;
    op_rig_run(&rig, &script);
    ROW(rig.line, rig.releases == 1 && rig.dones == 0);
    ROW(rig.line, rig.line[rig.len - 1] == 'r');
    ROW(rig.line, rig.events == script.leave);
    const char *said = strchr(rig.line, '!');
    ROW(rig.line, said != NULL && strchr(said + 1, '!') == NULL);
    ROW(rig.line, rig.backend.late == 1 && rig.backend.misused == 0);
    op_rig_fini(&rig);
  }
}

static void test_leaving_at_any_step_releases_once_after_done(void) {
  static const char *const cancels[] = {"D", ";D", "E", ";;;E"};
  for (size_t i = 0; i < sizeof cancels / sizeof *cancels; i++) {
    leave_everywhere((struct op_script){OP_GET, .start = "M", .read = "S",
                                        .more = "S|L", .cancel = cancels[i]},
                     4);
    leave_everywhere((struct op_script){OP_PUT, .start = "N", .data = "N|N",
                                        .chunks = 2, .cancel = cancels[i]},
                     3);
    leave_everywhere((struct op_script){OP_STAGE, .start = "g", .data = "N|N",
                                        .save = "g|g", .chunks = 2,
                                        .cancel = cancels[i]},
                     5);
    leave_everywhere(
        (struct op_script){OP_HEAD, .start = "M", .cancel = cancels[i]}, 1);
    leave_everywhere(
        (struct op_script){OP_LIST, .start = "ee", .cancel = cancels[i]}, 0);
  }
}

static void test_a_plugin_that_was_done_is_not_canceled(void) {
  struct op_rig rig;
  op_rig_run(&rig, &(struct op_script){OP_HEAD, .start = "MD", .leave = 0});
  CU_ASSERT_STRING_EQUAL(rig.line, "<H!>r");
  CU_ASSERT_EQUAL(rig.releases, 1);
  op_rig_fini(&rig);
  op_rig_run(&rig, &(struct op_script){OP_HEAD, .start = "MD", .leave = 1});
  CU_ASSERT_STRING_EQUAL(rig.line, "<H!>mr");
  op_rig_fini(&rig);
}

static void test_what_a_canceled_plugin_still_says_is_fine(void) {
  static const struct op_script rows[] = {
      {OP_GET, .start = "M", .read = "S", .cancel = "SD", .leave = 2},
      {OP_GET, .start = ";MD", .cancel = "", .leave = 0},
      {OP_PUT, .start = "N", .data = "", .cancel = "ND", .leave = 1},
      {OP_PUT, .start = ";ND", .cancel = "", .leave = 0},
      {OP_LIST, .start = "e;epuD", .cancel = "", .leave = 0}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct op_rig rig;
    op_rig_run(&rig, &rows[i]);
    ROW(rig.line, rig.releases == 1 && rig.dones == 0);
    ROW(rig.line, rig.backend.misused == 0);
    op_rig_fini(&rig);
  }
}

static void test_without_a_chunk_nothing_is_released(void) {
  struct op_rig rig;
  op_rig_init(&rig, &(struct op_script){OP_PING, .cancel = "D", .leave = -1});
  op_rig_start(&rig);
  op_leave(rig.op, NULL, NULL);
  op_rig_finish(&rig);
  CU_ASSERT_STRING_EQUAL(rig.line, "<Z><X!>");
  op_rig_fini(&rig);
}

static void test_a_plugin_that_never_answers_keeps_the_chunk(void) {
  struct op_rig rig;
  op_rig_init(&rig,
              &(struct op_script){OP_PUT, .start = "N", .data = "",
                                  .cancel = NULL, .chunks = 1, .leave = -1});
  op_rig_start(&rig);
  op_rig_turn(&rig);
  CU_ASSERT_STRING_EQUAL(rig.line, "<P>n<A>");
  op_rig_leave(&rig);
  op_rig_turn(&rig);
  CU_ASSERT_STRING_EQUAL(rig.line, "<P>n<A><X>");
  CU_ASSERT_EQUAL(rig.releases, 0);
  op_rig_say(&rig, "E"); /* so that nothing is lost here */
  op_rig_finish(&rig);
  CU_ASSERT_EQUAL(rig.releases, 1);
  op_rig_fini(&rig);
}

/* ---- canceling ---------------------------------------------------------- */

/* Until the plugin has the commit, or the remove. */
static void begin_change(struct op_rig *rig, enum op_kind kind,
                         const char *commit, const char *cancel) {
  op_rig_init(rig,
              &(struct op_script){kind, .start = kind == OP_PUT ? "N" : "",
                                  .commit = commit, .cancel = cancel,
                                  .chunks = 0, .leave = -1});
  op_rig_start(rig);
  op_rig_turn(rig);
}

static void test_a_canceled_change_says_what_became_of_it(void) {
  static const struct {
    enum op_kind kind;
    const char *cancel, *line;
    enum sluice_status status;
  } rows[] = {{OP_PUT, "D", "<P>n<C><X!>d", SLUICE_OK},
              {OP_PUT, ";;D", "<P>n<C><X>!d", SLUICE_OK},
              {OP_PUT, "E", "<P>n<C><X!>d", SLUICE_ENOENT},
              {OP_REMOVE, "D", "<V><X!>d", SLUICE_OK},
              {OP_REMOVE, "E", "<V><X!>d", SLUICE_ENOENT}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct op_rig rig;
    begin_change(&rig, rows[i].kind, "", rows[i].cancel);
    op_cancel(rig.op);
    op_cancel(rig.op); /* nothing more */
    ROW(rig.line, rig.backend.pending == 1);
    op_rig_finish(&rig);
    CU_ASSERT_STRING_EQUAL(rig.line, rows[i].line);
    ROW(rig.line, rig.dones == 1 && rig.status == rows[i].status);
    ROW(rig.line, rig.backend.pending == 0 && rig.backend.misused == 0);
    op_rig_fini(&rig);
  }
}

static void test_a_canceled_change_is_otherwise_silent(void) {
  struct op_rig rig;
  begin_change(&rig, OP_PUT, "", "vND");
  op_cancel(rig.op);
  op_rig_finish(&rig);
  CU_ASSERT_STRING_EQUAL(rig.line, "<P>n<C><X!>d");
  CU_ASSERT_EQUAL(rig.backend.misused, 0);
  op_rig_fini(&rig);
}

static void test_a_change_that_was_done_is_not_canceled(void) {
  struct op_rig rig;
  begin_change(&rig, OP_REMOVE, NULL, "");
  op_rig_say(&rig, "D");
  op_cancel(rig.op);
  op_rig_finish(&rig);
  CU_ASSERT_STRING_EQUAL(rig.line, "<V>!d");
  CU_ASSERT_EQUAL(rig.dones, 1);
  op_rig_fini(&rig);
}

static void test_a_canceled_change_may_be_left(void) {
  struct op_rig rig;
  begin_change(&rig, OP_REMOVE, NULL, ";D");
  op_cancel(rig.op);
  op_leave(rig.op, NULL, NULL);
  CU_ASSERT_EQUAL(rig.backend.pending, 1);
  op_rig_finish(&rig);
  CU_ASSERT_STRING_EQUAL(rig.line, "<V><X>!");
  CU_ASSERT_EQUAL(rig.backend.pending, 0);
  op_rig_fini(&rig);
}

/* Of many keys it says which, though nobody waits. */
static void test_a_canceled_batch_says_what_is_left(void) {
  struct op_rig rig;
  begin_change(&rig, OP_REMOVE_MANY, NULL, "fD");
  op_cancel(rig.op);
  op_rig_finish(&rig);
  CU_ASSERT_STRING_EQUAL(rig.line, "<W><X!>d");
  CU_ASSERT_EQUAL(rig.removed[0], SLUICE_OK);
  CU_ASSERT_EQUAL(rig.removed[1], SLUICE_EIO);
  CU_ASSERT_EQUAL(rig.backend.misused, 0);
  op_rig_fini(&rig);
}

static void test_a_plugins_state_is_zeroed_and_kept(void) {
  struct op_rig rig;
  static const char zeroes[OP_STATE_MAX];
  op_rig_init(&rig, &(struct op_script){OP_PING, .cancel = "D", .leave = -1});
  op_rig_start(&rig);
  char *state = sluice_op_state(rig.op, OP_STATE_MAX);
  CU_ASSERT_EQUAL(memcmp(state, zeroes, OP_STATE_MAX), 0);
  state[OP_STATE_MAX - 1] = 'x';
  CU_ASSERT_PTR_EQUAL(sluice_op_state(rig.op, OP_STATE_MAX), state);
  op_rig_say(&rig, "D");
  op_rig_finish(&rig);
  op_rig_fini(&rig);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_leaving_at_any_step_releases_once_after_done),
      UNIT(test_a_plugin_that_was_done_is_not_canceled),
      UNIT(test_what_a_canceled_plugin_still_says_is_fine),
      UNIT(test_without_a_chunk_nothing_is_released),
      UNIT(test_a_plugin_that_never_answers_keeps_the_chunk),
      UNIT(test_a_canceled_change_says_what_became_of_it),
      UNIT(test_a_canceled_change_is_otherwise_silent),
      UNIT(test_a_change_that_was_done_is_not_canceled),
      UNIT(test_a_canceled_change_may_be_left),
      UNIT(test_a_canceled_batch_says_what_is_left),
      UNIT(test_a_plugins_state_is_zeroed_and_kept),
      {NULL, NULL}};
  return unit_main("op_leave", tests);
}
