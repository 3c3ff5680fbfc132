/* SPDX-License-Identifier: MIT
 *
 * A walk through a folder that a fake backend lists: each key tells by the
 * letter behind the folder's name how its removal ends.
 */
#include "unit.h"
#include "walk.h"

#include <stdio.h>
#include <string.h>

#define FOLDER "own/"
#define KEYS_MAX 64
#define PAGE 20

struct rig {
  struct loop *loop;
  struct sluice_backend plugin;
  struct op_backend backend;
  struct loop_debt debt;
  struct walk *walk;
  char keys[KEYS_MAX][32];
  bool gone[KEYS_MAX];
  size_t count;
  size_t lists, running, most, canceled;
  size_t asked[KEYS_MAX];
  enum walk_rest rests[KEYS_MAX]; /* that it had, the last is WALK_BEGINS */
  size_t rested, rests_max;
};

/* ---- the backend: "g" goes, "f" fails, "h" hangs ------------------------ */

static void on_list(void *handle, struct sluice_op *op,
                    const struct sluice_list *list) {
  struct rig *rig = handle;
  struct sluice_meta meta = SLUICE_META;
  size_t i = 0, told = 0;
  rig->lists++;
  while (list->token != NULL && i < rig->count &&
         strcmp(rig->keys[i], list->token) <= 0)
    i++;
  for (; i < rig->count && told < list->max; i++)
    if (!rig->gone[i]) {
      sluice_entry(op, rig->keys[i], &meta);
      told++;
    }
  if (i < rig->count)
    sluice_truncated(op, rig->keys[i - 1]);
  sluice_done(op, SLUICE_OK, NULL);
}

static void on_remove(void *handle, struct sluice_op *op, const char *key) {
  struct rig *rig = handle;
  size_t i = 0;
  while (strcmp(rig->keys[i], key) != 0)
    i++;
  rig->asked[i]++;
  if (++rig->running > rig->most)
    rig->most = rig->running;
  sluice_op_state(op, sizeof(bool));
  char letter = key[sizeof FOLDER + 1];
  if (letter == 'h')
    return;
  rig->running--;
  rig->gone[i] = letter == 'g';
  sluice_done(op, letter == 'g' ? SLUICE_OK : SLUICE_EIO, NULL);
}

static void on_cancel(void *handle, struct sluice_op *op) {
  struct rig *rig = handle;
  rig->canceled++;
  rig->running--;
  sluice_done(op, SLUICE_ECANCELED, NULL);
}

/* ---- the kind ----------------------------------------------------------- */

static enum walk_choice on_entry(struct walk *walk,
                                 const struct op_entry *entry) {
  char letter = entry->key[sizeof FOLDER + 1];
  (void)walk;
  return letter == 's' ? WALK_STOPS : letter == 'p' ? WALK_PASSES : WALK_TAKES;
}

static void on_task(struct walk_task *task) {
  walk_remove(task, &(struct sluice_removal){.key = task->entry->key}, NULL);
}

static int64_t take_rest(struct walk *walk, enum walk_rest rest) {
  struct rig *rig = (struct rig *)(uintptr_t)walk->of;
  rig->rests[rig->rested++] = rest;
  return rig->rested == rig->rests_max ? 3600 * 1000 : 0;
}

static const struct walk_kind kind = {.folder = FOLDER,
                                      .failure = "nothing is found",
                                      .page = PAGE,
                                      .size = sizeof(struct walk),
                                      .task_size = sizeof(struct walk_task),
                                      .choose = on_entry,
                                      .start = on_task,
                                      .pause = take_rest};

/* `keys`: a letter each; a walk that has rested so often. */
static void begin(struct rig *rig, const char *keys, size_t rests) {
  *rig = (struct rig){.loop = loop_new(), .count = strlen(keys)};
  rig->rests_max = rests;
  rig->plugin = (struct sluice_backend){
      SLUICE_HEAD(sluice_backend), .name = "fake", .list = on_list,
      .remove = on_remove, .cancel = on_cancel};
  rig->backend =
      (struct op_backend){.plugin = &rig->plugin,
                          .handle = rig,
                          .host = {.name = "main", .loop = rig->loop}};
  for (size_t i = 0; i < rig->count; i++)
    snprintf(rig->keys[i], sizeof rig->keys[i], FOLDER "%02zu%c", i, keys[i]);
  rig->walk = walk_new(&kind, &rig->backend, &rig->debt, rig, 0);
}

static void turn(struct rig *rig) {
  for (int i = 0; i < 1000; i++)
    event_base_loop(loop_base(rig->loop), EVLOOP_NONBLOCK);
}

static void finish(struct rig *rig) {
  walk_stop(rig->walk);
  loop_stop(rig->loop);
  loop_run(rig->loop);
  CU_ASSERT_EQUAL(rig->running, 0);
  CU_ASSERT_EQUAL(rig->debt.count, 0);
  CU_ASSERT_EQUAL(rig->backend.misused, 0);
  walk_free(rig->walk);
  repeat_end(&rig->backend.repeats);
  loop_free(rig->loop);
}

static size_t left(const struct rig *rig) {
  size_t count = 0;
  for (size_t i = 0; i < rig->count; i++)
    count += !rig->gone[i];
  return count;
}

static void run(struct rig *rig, const char *keys, size_t rests) {
  begin(rig, keys, rests);
  turn(rig);
  CU_ASSERT_EQUAL(rig->rested, rests);
}

/* ---- the tests ---------------------------------------------------------- */

static void test_all_pages_are_walked(void) {
  struct rig rig;
  run(&rig, "ggggggggggggggggggggpppppppppppppppppppppggg", 4);
  CU_ASSERT_EQUAL(left(&rig), 21);
  CU_ASSERT_EQUAL(rig.lists, 3);
  CU_ASSERT_EQUAL(rig.rests[0], WALK_BEGINS);
  CU_ASSERT_EQUAL(rig.rests[1], WALK_PAGE_ENDS);
  CU_ASSERT_EQUAL(rig.rests[2], WALK_PAGE_ENDS);
  CU_ASSERT_EQUAL(rig.rests[3], WALK_ROUND_ENDS);
  finish(&rig);
}

static void test_one_that_stops_it_ends_the_round(void) {
  struct rig rig;
  run(&rig, "ggsgggggggggggggggggggggg", 2);
  CU_ASSERT_EQUAL(left(&rig), 23);
  CU_ASSERT_EQUAL(rig.lists, 1);
  CU_ASSERT_EQUAL(rig.rests[1], WALK_ROUND_ENDS);
  finish(&rig);
}

static void test_an_empty_folder_is_told_of(void) {
  struct rig rig;
  run(&rig, "", 2);
  CU_ASSERT_EQUAL(rig.rests[1], WALK_FINDS_NOTHING);
  finish(&rig);
}

static void test_a_few_go_at_once_and_a_stop_cancels_them(void) {
  struct rig rig;
  begin(&rig, "hhhhhhhhh", 2);
  turn(&rig);
  CU_ASSERT_EQUAL(rig.most, WALK_AT_ONCE);
  CU_ASSERT_EQUAL(rig.running, WALK_AT_ONCE);
  CU_ASSERT_EQUAL(rig.rested, 1);
  finish(&rig);
  CU_ASSERT_EQUAL(rig.canceled, WALK_AT_ONCE);
  CU_ASSERT_EQUAL(rig.asked[WALK_AT_ONCE], 0);
}

static void test_one_that_hangs_holds_up_no_other(void) {
  struct rig rig;
  begin(&rig, "hgggggggg", 2);
  turn(&rig);
  CU_ASSERT_EQUAL(left(&rig), 1);
  finish(&rig);
}

static void test_failures_hold_up_nothing(void) {
  struct rig rig;
  run(&rig, "fffffffffgfffffffffg", 2);
  CU_ASSERT_EQUAL(rig.rests[1], WALK_ROUND_ENDS);
  CU_ASSERT_EQUAL(left(&rig), 18);
  finish(&rig);
}

/* Those that were begun when the tenth had failed are passed by in the next
 * round, and tried again in the one behind it. */
static void test_many_failures_end_the_round_and_the_next_goes_on(void) {
  struct rig rig;
  run(&rig, "fffffffffffffffgg", 3);
  CU_ASSERT_EQUAL(rig.rests[1], WALK_FAILS);
  CU_ASSERT_EQUAL(rig.rests[2], WALK_ROUND_ENDS);
  CU_ASSERT_EQUAL(left(&rig), 15);
  CU_ASSERT_EQUAL(rig.asked[0], 1);
  CU_ASSERT_EQUAL(rig.asked[14], 1);
  finish(&rig);
  run(&rig, "fffffffffffffffgg", 4);
  CU_ASSERT_EQUAL(rig.asked[0], 2);
  finish(&rig);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_all_pages_are_walked),
      UNIT(test_one_that_stops_it_ends_the_round),
      UNIT(test_an_empty_folder_is_told_of),
      UNIT(test_a_few_go_at_once_and_a_stop_cancels_them),
      UNIT(test_one_that_hangs_holds_up_no_other),
      UNIT(test_failures_hold_up_nothing),
      UNIT(test_many_failures_end_the_round_and_the_next_goes_on),
      {NULL, NULL}};
  return unit_main("walk", tests);
}
