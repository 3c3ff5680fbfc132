/* SPDX-License-Identifier: MIT
 *
 * Passwords that wait to be checked, on a real loop with a thread: the lines
 * of clients take turns, and none is longer than is fair.
 */
#include "checks.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "loop.h"
#include "op.h"
#include "work.h"

/* Of "x". */
#define HASH "$2b$05$......................jmFFghpX59JEVqTMI7XbaYtR1ocb7wG"
#define ASKED_MAX 16

struct asked {
  struct checks_waiter waiter;
  struct scene *scene;
  char name[4]; /* the client's letter, and a number */
};

struct scene {
  struct loop *loop;
  struct work_pool *pool;
  struct sluice_host host;
  struct checks *checks;
  uint64_t barred; /* a client */
  struct asked asked[ASKED_MAX];
  size_t count;
  char checked[ASKED_MAX * 4 + 1]; /* clients, in the order of their turns */
  char said[ASKED_MAX * 8 + 1];    /* names, each with its result */
};

static bool may(void *arg, uint64_t who) {
  const struct scene *scene = arg;
  return who != scene->barred;
}

static void done(void *arg, const struct checks_question *question,
                 bool right) {
  struct scene *scene = arg;
  size_t len = strlen(scene->checked);
  snprintf(scene->checked + len, sizeof scene->checked - len, "%c%s",
           (int)question->client, right ? "!" : "");
}

static const struct checks_calls calls = {.may = may, .done = done};

static void scene_init(struct scene *scene, size_t max) {
  *scene = (struct scene){.loop = loop_new(), .pool = work_pool_new(1)};
  scene->host = (struct sluice_host){
      .name = "test", .loop = scene->loop, .share = work_own(scene->pool)};
  scene->checks = checks_new(&scene->host, max, &calls, scene);
  CU_ASSERT_PTR_NOT_NULL_FATAL(scene->checks);
}

/* Checks all that was asked. */
static void scene_run(struct scene *scene) {
  loop_stop(scene->loop);
  loop_run(scene->loop);
  checks_free(scene->checks);
  work_pool_free(scene->pool);
  loop_free(scene->loop);
}

static void then(struct checks_waiter *waiter, enum checks_result result) {
  static const char *const words[] = {[CHECKS_RIGHT] = "right",
                                      [CHECKS_WRONG] = "wrong",
                                      [CHECKS_BUSY] = "busy",
                                      [CHECKS_BARRED] = "barred"};
  struct asked *asked = (struct asked *)waiter;
  char *said = asked->scene->said;
  size_t len = strlen(said), size = sizeof asked->scene->said;
  snprintf(said + len, size - len, "%s%s %.1s", len == 0 ? "" : ", ",
           asked->name, words[result]);
}

static bool ask_about(struct scene *scene, const char *name,
                      const char *password, bool decoy) {
  struct asked *asked = &scene->asked[scene->count++];
  struct checks_question question = {.client = (unsigned char)name[0],
                                     .who = (unsigned char)name[0],
                                     .hash = HASH,
                                     .password = password,
                                     .decoy = decoy};
  digest_sha256(question.key, password, strlen(password));
  *asked = (struct asked){.waiter = {.then = then}, .scene = scene};
  snprintf(asked->name, sizeof asked->name, "%s", name);
  return checks_ask(scene->checks, &question, &asked->waiter);
}

/* About a password of its own. */
static bool ask(struct scene *scene, const char *name) {
  return ask_about(scene, name, name, false);
}

static void test_a_password_is_right_or_wrong(void) {
  struct scene scene;
  scene_init(&scene, 8);
  CU_ASSERT(ask_about(&scene, "a1", "x", false));
  CU_ASSERT(ask_about(&scene, "a2", "y", false));
  CU_ASSERT_STRING_EQUAL(scene.said, ""); /* never within */
  scene_run(&scene);
  CU_ASSERT_STRING_EQUAL(scene.said, "a1 r, a2 w");
  CU_ASSERT_STRING_EQUAL(scene.checked, "a!a");
}

static void test_a_decoy_is_never_right(void) {
  struct scene scene;
  scene_init(&scene, 8);
  CU_ASSERT(ask_about(&scene, "a1", "x", true));
  scene_run(&scene);
  CU_ASSERT_STRING_EQUAL(scene.said, "a1 w");
}

static void test_lines_take_turns(void) {
  static const char *const names[] = {"a1", "a2", "a3", "a4",
                                      "b1", "b2", "c1"};
  struct scene scene;
  scene_init(&scene, 8);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    CU_ASSERT(ask(&scene, names[i]));
  scene_run(&scene);
  CU_ASSERT_STRING_EQUAL(scene.said,
                         "a1 w, b1 w, c1 w, a2 w, b2 w, a3 w, a4 w");
}

static void test_the_same_question_is_checked_once(void) {
  struct scene scene;
  scene_init(&scene, 3);
  CU_ASSERT(ask_about(&scene, "a1", "1", false));
  CU_ASSERT(ask_about(&scene, "a2", "2", false));
  CU_ASSERT(
      ask_about(&scene, "a3", "2", false)); /* waits with the one before */
  CU_ASSERT(ask_about(&scene, "b1", "1", false)); /* it is at work */
  CU_ASSERT(ask_about(&scene, "b2", "2", false)); /* in a line of its own */
  scene_run(&scene);
  CU_ASSERT_STRING_EQUAL(scene.said, "a1 w, b1 w, b2 w, a2 w, a3 w");
  CU_ASSERT_STRING_EQUAL(scene.checked, "aba");
}

static void test_the_longest_line_gives_way(void) {
  struct scene scene;
  scene_init(&scene, 4);
  for (size_t i = 0; i < 4; i++)
    CU_ASSERT(ask(&scene, ((const char *[]){"a1", "a2", "a3", "a4"})[i]));
  CU_ASSERT_FALSE(ask(&scene, "a5"));
  CU_ASSERT(ask(&scene, "b1"));
  CU_ASSERT_FALSE(ask(&scene, "b2")); /* as many as a would have */
  CU_ASSERT(ask(&scene, "c1"));
  CU_ASSERT_FALSE(ask(&scene, "d1")); /* everybody has one */
  scene_run(&scene);
  CU_ASSERT_STRING_EQUAL(scene.said, "a4 b, a3 b, a1 w, b1 w, c1 w, a2 w");
}

static void test_one_may_be_all(void) {
  struct scene scene;
  scene_init(&scene, 1);
  CU_ASSERT(ask(&scene, "a1"));
  CU_ASSERT_FALSE(ask(&scene, "b1"));
  scene_run(&scene);
  CU_ASSERT_STRING_EQUAL(scene.said, "a1 w");
}

static void test_who_is_barred_meanwhile_is_not_checked(void) {
  struct scene scene;
  scene_init(&scene, 8);
  for (size_t i = 0; i < 4; i++)
    CU_ASSERT(ask(&scene, ((const char *[]){"a1", "a2", "b1", "a3"})[i]));
  scene.barred = 'a';
  scene_run(&scene);
  CU_ASSERT_STRING_EQUAL(scene.said, "a1 w, a2 b, a3 b, b1 w");
  CU_ASSERT_STRING_EQUAL(scene.checked, "ab");
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_a_password_is_right_or_wrong),
      UNIT(test_a_decoy_is_never_right),
      UNIT(test_lines_take_turns),
      UNIT(test_the_same_question_is_checked_once),
      UNIT(test_the_longest_line_gives_way),
      UNIT(test_one_may_be_all),
      UNIT(test_who_is_barred_meanwhile_is_not_checked),
      {0}};
  return unit_main("checks", tests);
}
