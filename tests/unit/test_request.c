/* SPDX-License-Identifier: MIT
 *
 * Requests on their way through hooks: who is admitted, and who waits.
 */
#include "requestkit.h"
#include "unit.h"

#include <string.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

/* ---- admission ---------------------------------------------------------- */

static void test_hooks_decide_in_order_and_guards_deny_by_default(void) {
  static const struct {
    const char *hooks, *asked;
    bool admitted;
    enum sluice_status refusal;
  } rows[] = {
      {"", "", true, SLUICE_OK},           {"p", "p", true, SLUICE_OK},
      {"a", "a", true, SLUICE_OK},         {"d", "d", false, SLUICE_EDENIED},
      {"n", "", true, SLUICE_OK},          {"P", "P", false, SLUICE_OK},
      {"A", "A", true, SLUICE_OK},         {"D", "D", false, SLUICE_EDENIED},
      {"N", "", false, SLUICE_OK},         {"aP", "aP", false, SLUICE_OK},
      {"PA", "PA", true, SLUICE_OK},       {"AP", "AP", true, SLUICE_OK},
      {"NA", "A", true, SLUICE_OK},        {"AD", "AD", false, SLUICE_EDENIED},
      {"Ad", "Ad", false, SLUICE_EDENIED}, {"dA", "d", false, SLUICE_EDENIED},
      {"pppA", "pppA", true, SLUICE_OK},   {"Appp", "Appp", true, SLUICE_OK},
      {"apaP", "apaP", false, SLUICE_OK},  {"f", "f", false, SLUICE_ERATE},
      {"AF", "AF", false, SLUICE_ERATE}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct scene scene;
    scene_init(&scene, rows[i].hooks);
    request_admit(&scene.request, REQUEST_ON_REQUEST, scene_then, &scene);
    ROW(rows[i].hooks, scene.thens == 1);
    ROW(rows[i].hooks, scene.admitted == rows[i].admitted);
    ROW(rows[i].hooks, strcmp(scene.asked, rows[i].asked) == 0);
    ROW(rows[i].hooks, scene.request.refusal == rows[i].refusal);
    scene_fini(&scene);
  }
}

static void test_a_key_passes_unless_it_is_denied(void) {
  static const struct {
    const char *hooks;
    bool admitted;
  } rows[] = {{"", true},   {"p", true},   {"P", true},
              {"A", true},  {"N", true},   {"PPP", true},
              {"D", false}, {"ad", false}, {"AD", false}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct scene scene;
    scene_init(&scene, rows[i].hooks);
    request_admit(&scene.request, REQUEST_ON_KEY, scene_then, &scene);
    ROW(rows[i].hooks, scene.thens == 1);
    ROW(rows[i].hooks, scene.admitted == rows[i].admitted);
    scene_fini(&scene);
  }
}

static void test_a_chain_names_its_hooks(void) {
  struct scene scene;
  scene_init(&scene, "dpD");
  scene.chain[0] = 1;
  scene.request.chain_count = 1;
  CU_ASSERT_FALSE(request_guarded(&scene.request));
  request_admit(&scene.request, REQUEST_ON_REQUEST, scene_then, &scene);
  CU_ASSERT_TRUE(scene.admitted);
  CU_ASSERT_STRING_EQUAL(scene.asked, "p");
  scene.chain[0] = 2;
  CU_ASSERT_TRUE(request_guarded(&scene.request));
  scene_fini(&scene);
}

static void test_a_refusals_words_are_kept_and_cut(void) {
  struct scene scene;
  char text[400];
  scene_init(&scene, "f");
  request_admit(&scene.request, REQUEST_ON_REQUEST, scene_then, &scene);
  CU_ASSERT_STRING_EQUAL(scene.request.message, "Not so fast");
  memset(text, 'x', sizeof text);
  text[sizeof text - 1] = '\0';
  sluice_request_refuse(&scene.request, SLUICE_OK, text);
  CU_ASSERT_EQUAL(scene.request.refusal, SLUICE_EDENIED);
  CU_ASSERT_EQUAL(strlen(scene.request.message),
                  sizeof scene.request.message - 1);
  scene_fini(&scene);
}

/* ---- waiting ------------------------------------------------------------ */

static void test_a_hook_that_waited_decides_later(void) {
  static const struct {
    const char *hooks;
    enum sluice_verdict verdict;
    bool admitted;
    const char *asked;
  } rows[] = {
      {"w", SLUICE_PASS, true, "w"},    {"w", SLUICE_DENY, false, "w"},
      {"w", SLUICE_ALLOW, true, "w"},   {"W", SLUICE_PASS, false, "W"},
      {"W", SLUICE_ALLOW, true, "W"},   {"W", SLUICE_DENY, false, "W"},
      {"wA", SLUICE_PASS, true, "wA"},  {"wP", SLUICE_ALLOW, false, "wP"},
      {"WP", SLUICE_ALLOW, true, "WP"}, {"Wd", SLUICE_ALLOW, false, "Wd"},
      {"WA", SLUICE_DENY, false, "W"},  {"pWp", SLUICE_ALLOW, true, "pWp"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct scene scene;
    scene_init(&scene, rows[i].hooks);
    request_admit(&scene.request, REQUEST_ON_REQUEST, scene_then, &scene);
    scene_turn(&scene);
    ROW(rows[i].hooks, scene.thens == 0);
    sluice_request_resume(&scene.request, rows[i].verdict);
    ROW(rows[i].hooks, scene.thens == 0); /* not inside the hook's call */
    scene_turn(&scene);
    ROW(rows[i].hooks, scene.thens == 1);
    ROW(rows[i].hooks, scene.admitted == rows[i].admitted);
    ROW(rows[i].hooks, strcmp(scene.asked, rows[i].asked) == 0);
    scene_fini(&scene);
  }
}

static void test_hooks_may_wait_one_after_the_other(void) {
  struct scene scene;
  scene_init(&scene, "wWw");
  request_admit(&scene.request, REQUEST_ON_REQUEST, scene_then, &scene);
  for (int i = 0; i < 3; i++) {
    CU_ASSERT_EQUAL(scene.thens, 0);
    sluice_request_resume(&scene.request, SLUICE_ALLOW);
    scene_turn(&scene);
  }
  CU_ASSERT_EQUAL(scene.thens, 1);
  CU_ASSERT_TRUE(scene.admitted);
  CU_ASSERT_STRING_EQUAL(scene.asked, "wWw");
  scene_fini(&scene);
}

static void test_a_second_resume_is_ignored(void) {
  struct scene scene;
  scene_init(&scene, "W");
  request_admit(&scene.request, REQUEST_ON_REQUEST, scene_then, &scene);
  sluice_request_resume(&scene.request, SLUICE_DENY);
  sluice_request_resume(&scene.request, SLUICE_ALLOW);
  scene_turn(&scene);
  sluice_request_resume(&scene.request, SLUICE_ALLOW);
  scene_turn(&scene);
  CU_ASSERT_EQUAL(scene.thens, 1);
  CU_ASSERT_FALSE(scene.admitted);
  scene_fini(&scene);
}

static void test_resuming_with_wait_goes_on_waiting(void) {
  struct scene scene;
  scene_init(&scene, "W");
  request_admit(&scene.request, REQUEST_ON_REQUEST, scene_then, &scene);
  sluice_request_resume(&scene.request, SLUICE_WAIT);
  scene_turn(&scene);
  CU_ASSERT_EQUAL(scene.thens, 0);
  sluice_request_resume(&scene.request, SLUICE_ALLOW);
  scene_turn(&scene);
  CU_ASSERT_TRUE(scene.thens == 1 && scene.admitted);
  scene_fini(&scene);
}

static void test_resuming_who_does_not_wait_is_ignored(void) {
  struct scene scene;
  scene_init(&scene, "D");
  request_admit(&scene.request, REQUEST_ON_REQUEST, scene_then, &scene);
  sluice_request_resume(&scene.request, SLUICE_ALLOW);
  scene_turn(&scene);
  CU_ASSERT_TRUE(scene.thens == 1 && !scene.admitted);
  scene_fini(&scene);
}

static void test_a_resume_before_its_wait_admits_nobody(void) {
  struct scene scene;
  scene_init(&scene, "R");
  request_admit(&scene.request, REQUEST_ON_REQUEST, scene_then, &scene);
  scene_turn(&scene);
  CU_ASSERT_EQUAL(scene.thens, 0);
  scene_fini(&scene);
}

static void test_a_late_resume_admits_nobody(void) {
  static const bool rows[] = {false, true}; /* over when it is acted on */
  for (size_t i = 0; i < 2; i++) {
    struct scene scene;
    scene_init(&scene, "Wp");
    request_admit(&scene.request, REQUEST_ON_REQUEST, scene_then, &scene);
    if (!rows[i])
      request_abandon(&scene.request);
    sluice_request_resume(&scene.request, SLUICE_ALLOW);
    request_abandon(&scene.request);
    scene_turn(&scene);
    CU_ASSERT_TRUE(scene.thens == 1 && !scene.admitted);
    CU_ASSERT_STRING_EQUAL(scene.asked, "W");
    scene_fini(&scene);
  }
}

static void test_a_change_is_told_to_all_and_refused_by_none(void) {
  static const char *const rows[] = {"", "p", "d", "D", "aDpf", "NFn"};
  const struct sluice_object object = {.key = "k"};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct scene scene;
    scene_init(&scene, rows[i]);
    request_change(&scene.request, &object, scene_then, &scene);
    size_t asking = strlen(rows[i]) - (rows[i][0] == 'N' ? 2 : 0);
    ROW(rows[i], scene.thens == 1);
    ROW(rows[i], scene.admitted);
    ROW(rows[i], strlen(scene.asked) == asking);
    scene_fini(&scene);
  }
}

static void test_a_signed_link_asks_no_guard(void) {
  struct scene scene;
  scene_init(&scene, "pDaD");
  scene.request.is_signed = true;
  request_admit(&scene.request, REQUEST_ON_REQUEST, scene_then, &scene);
  CU_ASSERT_TRUE(scene.admitted);
  CU_ASSERT_STRING_EQUAL(scene.asked, "pa");
  scene_fini(&scene);
  scene_init(&scene, "Dd");
  scene.request.is_signed = true;
  request_admit(&scene.request, REQUEST_ON_REQUEST, scene_then, &scene);
  CU_ASSERT_FALSE(scene.admitted);
  scene_fini(&scene);
}

/* Guards see two requests, and others one. */
static void test_what_is_forbidden_may_be_asked_again_as_less(void) {
  struct scene scene;
  scene_init(&scene, "pADa");
  request_admit(&scene.request, REQUEST_ON_REQUEST, scene_then, &scene);
  CU_ASSERT_FALSE(scene.admitted);
  CU_ASSERT_EQUAL(scene.request.refusal, SLUICE_EDENIED);
  request_again(&scene.request, "presign");
  CU_ASSERT_EQUAL(scene.request.refusal, SLUICE_OK);
  CU_ASSERT_FALSE(scene.request.allowed);
  CU_ASSERT_STRING_EQUAL(scene.request.operation, "presign");
  scene.letters[2] = 'P';
  request_admit(&scene.request, REQUEST_ON_REQUEST, scene_then, &scene);
  CU_ASSERT_TRUE(scene.admitted);
  CU_ASSERT_STRING_EQUAL(scene.asked, "pADAPa");
  CU_ASSERT_EQUAL(scene.counts[0], 1);
  CU_ASSERT_EQUAL(scene.counts[1], 1); /* by a state that is new */
  CU_ASSERT_EQUAL(scene.counts[2], 1);
  CU_ASSERT_EQUAL(scene.counts[3], 1);
  scene_fini(&scene);
}

/* As the hook of that place would in on_request(). */
static bool choose(struct scene *scene, size_t hook, const char *name) {
  scene->request.phase = REQUEST_ON_REQUEST;
  scene->request.turn = REQUEST_ASKING;
  scene->request.calling = scene->request.at = hook;
  bool chosen = sluice_request_backend(&scene->request, name);
  scene->request.turn = REQUEST_IDLE;
  return chosen;
}

/* A guard is asked anew then, and others aren't. */
static void test_choice_of_a_guard_is_gone_when_it_is_asked_again(void) {
  struct op_backend backends[] = {{.host = {.name = "own"}},
                                  {.host = {.name = "one"}},
                                  {.host = {.name = "two"}}};
  struct op_backend *const all[] = {&backends[0], &backends[1], &backends[2]};
  struct scene scene;
  scene_init(&scene, "pD");
  scene.request.backends = all;
  scene.request.backend_count = 3;
  CU_ASSERT_TRUE(choose(&scene, 0, "one"));
  CU_ASSERT_TRUE(choose(&scene, 1, "two"));
  CU_ASSERT_EQUAL(scene.request.backend, 2);
  request_again(&scene.request, "presign");
  CU_ASSERT_EQUAL(scene.request.backend, 1);
  CU_ASSERT_FALSE(choose(&scene, 1, "three"));
  CU_ASSERT_TRUE(scene.request.astray);
  CU_ASSERT_EQUAL(scene.request.backend, 1);
  CU_ASSERT_TRUE(choose(&scene, 1, "own"));
  CU_ASSERT_FALSE(scene.request.astray);
  CU_ASSERT_EQUAL(scene.request.backend, 0);
  scene_fini(&scene);
}

static void test_each_hook_has_its_state_in_all_phases(void) {
  const struct sluice_object object = {.key = "k"};
  struct scene scene;
  scene_init(&scene, "pna");
  request_admit(&scene.request, REQUEST_ON_REQUEST, scene_then, &scene);
  request_admit(&scene.request, REQUEST_ON_KEY, scene_then, &scene);
  request_change(&scene.request, &object, scene_then, &scene);
  CU_ASSERT_EQUAL(scene.counts[0], 3);
  CU_ASSERT_EQUAL(scene.counts[1], 0);
  CU_ASSERT_EQUAL(scene.counts[2], 3);
  scene_fini(&scene);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_hooks_decide_in_order_and_guards_deny_by_default),
      UNIT(test_a_key_passes_unless_it_is_denied),
      UNIT(test_a_chain_names_its_hooks),
      UNIT(test_a_refusals_words_are_kept_and_cut),
      UNIT(test_a_hook_that_waited_decides_later),
      UNIT(test_hooks_may_wait_one_after_the_other),
      UNIT(test_a_second_resume_is_ignored),
      UNIT(test_resuming_with_wait_goes_on_waiting),
      UNIT(test_resuming_who_does_not_wait_is_ignored),
      UNIT(test_a_resume_before_its_wait_admits_nobody),
      UNIT(test_a_late_resume_admits_nobody),
      UNIT(test_a_change_is_told_to_all_and_refused_by_none),
      UNIT(test_a_signed_link_asks_no_guard),
      UNIT(test_what_is_forbidden_may_be_asked_again_as_less),
      UNIT(test_choice_of_a_guard_is_gone_when_it_is_asked_again),
      UNIT(test_each_hook_has_its_state_in_all_phases),
      {NULL, NULL}};
  return unit_main("request", tests);
}
