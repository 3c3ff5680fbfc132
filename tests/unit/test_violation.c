/* SPDX-License-Identifier: MIT
 *
 * This is what is left of a plugin that breaks the contract: its violations
 * counted, its late words told apart, its debts limited.
 */
#include "violation.h"
#include "opkit.h"
#include "quarantine.h"
#include "requestkit.h"
#include "unit.h"

#include <string.h>

static void test_the_first_violations_have_a_line_then_ever_fewer(void) {
  unsigned lines = 0;
  for (uint64_t n = 1; n <= 1 << 20; n++)
    lines += violation_shows(n);
  CU_ASSERT_TRUE(violation_shows(1) && violation_shows(VIOLATION_LINES));
  CU_ASSERT_FALSE(violation_shows(VIOLATION_LINES + 1));
  CU_ASSERT_TRUE(violation_shows(1 << 20));
  CU_ASSERT_EQUAL(lines, VIOLATION_LINES + 16); /* 32, 64, ... 2^20 */
}

static void test_what_was_given_back_rests_before_it_is_used_again(void) {
  struct loop *loop = loop_new();
  struct quarantine pool = {0};
  char *first = quarantine_take(&pool, loop, 8);
  memset(first, 'x', 8);
  quarantine_give(&pool, first);
  for (int i = 0; i < QUARANTINE_REST; i++) {
    char *other = quarantine_take(&pool, loop, 8);
    CU_ASSERT_PTR_NOT_EQUAL(other, first);
    CU_ASSERT_EQUAL(first[0], 'x');
    quarantine_give(&pool, other);
  }
  CU_ASSERT_PTR_EQUAL(quarantine_take(&pool, loop, 8), first);
  CU_ASSERT_EQUAL(first[0] | first[7], 0);
  loop_free(loop);
}

/* Its memory rests, so that this is no gamble. */
static void test_words_after_the_end_are_violations(void) {
  static const char *const words[] = {"D", "M", "S", "N", "e",
                                      "p", "t", "u", "v"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    struct op_rig rig;
    op_rig_run(&rig,
               &(struct op_script){OP_REMOVE, .start = "D", .leave = -1});
    CU_ASSERT_EQUAL(rig.backend.misused, 0);
    op_rig_say(&rig, words[i]);
    CU_ASSERT_EQUAL(rig.backend.misused, 1);
    CU_ASSERT_PTR_NULL(sluice_op_state(rig.op, 8));
    CU_ASSERT_EQUAL(rig.backend.misused, 2);
    CU_ASSERT_EQUAL(rig.dones, 1);
    op_rig_fini(&rig);
  }
}

static void heard(void *arg, const char *call, const char *what) {
  bool told =
      strcmp(call, "sluice_done") == 0 && strcmp(what, VIOLATION_TWICE) == 0;
  *(unsigned *)arg += told;
}

static void test_watch_hears_of_those_without_a_line_too(void) {
  unsigned count = 0;
  struct violation_watch watch = {heard, &count};
  struct op_rig rig;
  op_rig_run(&rig, &(struct op_script){OP_REMOVE, .start = "D", .leave = -1});
  rig.backend.host.watch = &watch;
  for (unsigned i = 0; i < VIOLATION_LINES + 5; i++)
    op_rig_say(&rig, "D");
  CU_ASSERT_EQUAL(count, VIOLATION_LINES + 5);
  op_rig_fini(&rig);
}

static void test_state_has_one_size_and_a_limit(void) {
  struct op_rig rig;
  op_rig_init(&rig, &(struct op_script){OP_REMOVE, .start = "", .leave = -1});
  op_rig_start(&rig);
  CU_ASSERT_PTR_NULL(sluice_op_state(rig.op, OP_STATE_MAX + 1));
  CU_ASSERT_EQUAL(rig.backend.misused, 1);
  void *state = sluice_op_state(rig.op, OP_STATE_MAX);
  CU_ASSERT_PTR_NOT_NULL(state);
  CU_ASSERT_PTR_NULL(sluice_op_state(rig.op, OP_STATE_MAX - 1));
  CU_ASSERT_EQUAL(rig.backend.misused, 2);
  CU_ASSERT_PTR_EQUAL(sluice_op_state(rig.op, OP_STATE_MAX), state);
  op_rig_say(&rig, "D");
  op_rig_finish(&rig);
  op_rig_fini(&rig);
}

static void test_what_is_no_text_is_left_out_or_refused(void) {
  static const char *const bad[] = {"a\r\nb", "\xff", "\x7f", "\xc2\x85"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct op_rig rig;
    op_rig_init(&rig,
                &(struct op_script){OP_HEAD, .start = "MD", .leave = -1});
    rig.meta.type = rig.meta.etag = bad[i];
    rig.meta.length = 7;
    op_rig_start(&rig);
    op_rig_finish(&rig);
    CU_ASSERT_EQUAL(rig.status, SLUICE_OK);
    CU_ASSERT_EQUAL(rig.seen.length, 7);
    CU_ASSERT_PTR_NULL(rig.seen.type);
    CU_ASSERT_PTR_NULL(rig.seen.etag);
    CU_ASSERT_EQUAL(rig.backend.misused, 2);
    op_rig_fini(&rig);
    op_rig_init(&rig,
                &(struct op_script){OP_PRESIGN, .start = "tD", .leave = -1});
    rig.text = bad[i];
    op_rig_start(&rig);
    op_rig_finish(&rig);
    CU_ASSERT_EQUAL(rig.status, SLUICE_EUPSTREAM);
    CU_ASSERT_EQUAL(rig.backend.misused, 1);
    op_rig_fini(&rig);
  }
}

static void test_backend_is_asked_until_it_owes_256_ends(void) {
  struct op_rig rig;
  op_rig_init(&rig, &(struct op_script){OP_REMOVE, .start = "", .leave = 0});
  for (int i = 0; i < OP_PENDING_MAX; i++) {
    rig.len = 0; /* of what happened nobody reads so many lines */
    op_rig_start(&rig);
  }
  CU_ASSERT_EQUAL(rig.backend.pending, OP_PENDING_MAX);
  struct sluice_op *one = rig.op;
  rig.script.leave = -1;
  op_rig_start(&rig);
  op_rig_turn(&rig);
  CU_ASSERT_EQUAL(rig.dones, 1);
  CU_ASSERT_EQUAL(rig.status, SLUICE_EBUSY);
  sluice_done(one, SLUICE_ECANCELED, NULL);
  op_rig_turn(&rig);
  CU_ASSERT_EQUAL(rig.backend.pending, OP_PENDING_MAX - 1);
  op_rig_start(&rig);
  op_rig_turn(&rig);
  CU_ASSERT_EQUAL(rig.dones, 1); /* it was asked, and thinks */
  CU_ASSERT_EQUAL(rig.backend.misused, 0);
  op_rig_fini(&rig);
}

/* ---- hooks -------------------------------------------------------------- */

static void test_hook_is_asked_until_it_owes_256_resumes(void) {
  static const struct {
    size_t pending;
    const char *asked;
  } rows[] = {{REQUEST_PENDING_MAX - 1, "p"}, {REQUEST_PENDING_MAX, ""}};
  for (size_t i = 0; i < 2; i++) {
    struct scene scene;
    scene_init(&scene, "p");
    scene.hooks[0].pending = rows[i].pending;
    request_admit(&scene.request, REQUEST_ON_REQUEST, scene_then, &scene);
    CU_ASSERT_STRING_EQUAL(scene.asked, rows[i].asked);
    CU_ASSERT_EQUAL(scene.admitted, i == 0);
    CU_ASSERT_EQUAL(scene.request.refusal, i == 0 ? SLUICE_OK : SLUICE_EBUSY);
    scene_fini(&scene);
  }
}

static void test_request_that_ended_is_owed_until_it_is_resumed(void) {
  struct scene scene;
  scene_init(&scene, "pw");
  request_admit(&scene.request, REQUEST_ON_REQUEST, scene_then, &scene);
  CU_ASSERT_TRUE(request_leave(&scene.request));
  CU_ASSERT_EQUAL(scene.hooks[0].pending, 0);
  CU_ASSERT_EQUAL(scene.hooks[1].pending, 1);
  sluice_request_resume(&scene.request, SLUICE_ALLOW);
  scene_turn(&scene);
  CU_ASSERT_EQUAL(scene.hooks[1].pending, 0);
  CU_ASSERT_FALSE(scene.admitted);
  CU_ASSERT_EQUAL(scene.hooks[1].misused, 0);
  scene_fini(&scene);
}

static void test_second_resume_is_the_violation_of_who_waited(void) {
  struct scene scene;
  scene_init(&scene, "wp");
  request_admit(&scene.request, REQUEST_ON_REQUEST, scene_then, &scene);
  sluice_request_resume(&scene.request, SLUICE_PASS);
  sluice_request_resume(&scene.request, SLUICE_PASS);
  scene_turn(&scene);
  sluice_request_resume(&scene.request, SLUICE_PASS);
  CU_ASSERT_EQUAL(scene.thens, 1);
  CU_ASSERT_EQUAL(scene.hooks[0].misused, 2);
  CU_ASSERT_EQUAL(scene.hooks[1].misused, 0);
  scene_fini(&scene);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_the_first_violations_have_a_line_then_ever_fewer),
      UNIT(test_what_was_given_back_rests_before_it_is_used_again),
      UNIT(test_words_after_the_end_are_violations),
      UNIT(test_watch_hears_of_those_without_a_line_too),
      UNIT(test_state_has_one_size_and_a_limit),
      UNIT(test_what_is_no_text_is_left_out_or_refused),
      UNIT(test_backend_is_asked_until_it_owes_256_ends),
      UNIT(test_hook_is_asked_until_it_owes_256_resumes),
      UNIT(test_request_that_ended_is_owed_until_it_is_resumed),
      UNIT(test_second_resume_is_the_violation_of_who_waited),
      {NULL, NULL}};
  return unit_main("violation", tests);
}
