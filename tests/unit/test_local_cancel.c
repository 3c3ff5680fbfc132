/* SPDX-License-Identifier: MIT
 *
 * Operations of the backend `local` that are left at each of their turns:
 * each ends, and nothing of it stays but what was committed.
 */
#include "localkit.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SMALL 50u
#define LARGE 5000u

struct scene {
  struct kit kit;
  size_t fds;
  char *data;
};

static void start(struct scene *scene) {
  kit_init(&scene->kit, 100);
  if (!kit_start(&scene->kit))
    abort();
  scene->data = kit_bytes(1, LARGE);
  scene->fds = kit_fds();
}

static void end(struct scene *scene) {
  CU_ASSERT_EQUAL(kit_fds(), scene->fds);
  CU_ASSERT(ledger_idle(&scene->kit.local->ledger));
  kit_stop(&scene->kit);
  CU_ASSERT_EQUAL(kit_number(&scene->kit, "SELECT value FROM state"
                                          " WHERE name = 'clean'"),
                  1);
  kit_fini(&scene->kit);
  free(scene->data);
}

/* Leaves a put of three chunks: turns 0 to 4 are the start, three chunks and
 * the commit.  Returns whether it was there afterwards. */
static bool leave_put(struct scene *scene, size_t length,
                      enum call_leave leave, int turn) {
  struct kit *kit = &scene->kit;
  struct call call = {.kit = kit,
                      .key = "a",
                      .data = scene->data,
                      .length = length,
                      .piece = length / 3 + 1,
                      .hint = turn % 2 ? (int64_t)length : -1,
                      .exclusive = true,
                      .leave = leave,
                      .turn = turn};
  call_put(&call);
  call_wait(&call);
  call_fini(&call);
  CU_ASSERT(call.left);
  CU_ASSERT_EQUAL(kit_fds(), scene->fds);
  bool there = kit_head(kit, "a") == SLUICE_OK;
  CU_ASSERT(!there || kit_has(kit, "a", scene->data, length));
  CU_ASSERT_EQUAL(kit_files(kit, "blobs"), there && length == LARGE);
  kit_remove(kit, "a");
  CU_ASSERT_EQUAL(kit_files(kit, "blobs"), 0);
  return there;
}

static void test_left_put_leaves_nothing(void) {
  static const size_t lengths[] = {SMALL, LARGE};
  struct scene scene;
  start(&scene);
  for (size_t i = 0; i < 2; i++)
    for (int turn = 0; turn <= 4; turn++) {
      CU_ASSERT_FALSE(leave_put(&scene, lengths[i], CALL_LEAVES_BEFORE, turn));
      bool there = leave_put(&scene, lengths[i], CALL_LEAVES_AFTER, turn);
      /* A row is written when the writer has it; a blob is on its way. */
      CU_ASSERT_EQUAL(there, turn == 4 && lengths[i] == SMALL);
    }
  end(&scene);
}

static void test_left_get_leaves_no_descriptor(void) {
  static const size_t lengths[] = {SMALL, LARGE};
  struct scene scene;
  start(&scene);
  for (size_t i = 0; i < 2; i++) {
    kit_put(&scene.kit, "a", scene.data, lengths[i]);
    for (int turn = 0; turn < 3; turn++)
      for (int after = 0; after < 2; after++) {
        struct call call = {.kit = &scene.kit,
                            .key = "a",
                            .leave =
                                after ? CALL_LEAVES_AFTER : CALL_LEAVES_BEFORE,
                            .turn = turn};
        call_get(&call);
        call_wait(&call);
        CU_ASSERT(call.left);
        CU_ASSERT_EQUAL(kit_fds(), scene.fds);
        call_fini(&call);
      }
    CU_ASSERT(kit_has(&scene.kit, "a", scene.data, lengths[i]));
  }
  end(&scene);
}

static void test_left_get_of_a_removed_object_leaves_no_descriptor(void) {
  struct scene scene;
  start(&scene);
  kit_put(&scene.kit, "a", scene.data, LARGE);
  struct call call = {
      .kit = &scene.kit, .key = "a", .leave = CALL_LEAVES_BEFORE, .turn = 1};
  struct call gone = {.kit = &scene.kit, .key = "a"};
  call_get(&call);
  call_remove(&gone);
  call_wait(&gone);
  call_wait(&call);
  CU_ASSERT_EQUAL(gone.status, SLUICE_OK);
  CU_ASSERT_EQUAL(kit_fds(), scene.fds);
  call_fini(&call);
  call_fini(&gone);
  end(&scene);
}

static void test_left_head_remove_and_ping_end(void) {
  static void (*const calls[])(struct call *) = {call_head, call_remove,
                                                 call_ping};
  struct scene scene;
  start(&scene);
  for (size_t i = 0; i < 3; i++) {
    kit_put(&scene.kit, "a", scene.data, LARGE);
    struct call call = {
        .kit = &scene.kit, .key = "a", .leave = CALL_LEAVES_AFTER};
    calls[i](&call);
    call_wait(&call);
    CU_ASSERT(call.left);
    call_fini(&call);
  }
  end(&scene);
}

/* A get whose object is replaced over and over sees one of them, whole. */
static void test_get_sees_one_object_while_it_is_replaced(void) {
  enum { ROUNDS = 200 };
  struct scene scene;
  struct call gets[4], put;
  size_t read = 0;
  start(&scene);
  char *other = kit_bytes(2, LARGE);
  kit_put(&scene.kit, "a", scene.data, LARGE);
  for (int i = 0; i < ROUNDS; i++) {
    put = (struct call){.kit = &scene.kit,
                        .key = "a",
                        .data = i % 2 ? scene.data : other,
                        .length = LARGE};
    call_put(&put);
    while (!put.done) {
      for (size_t g = 0; g < 4; g++) {
        gets[g] = (struct call){.kit = &scene.kit, .key = "a"};
        call_get(&gets[g]);
      }
      for (size_t g = 0; g < 4; g++) {
        call_wait(&gets[g]);
        CU_ASSERT_EQUAL(gets[g].status, SLUICE_OK);
        CU_ASSERT(gets[g].body.len == LARGE &&
                  (memcmp(gets[g].body.data, other, LARGE) == 0 ||
                   memcmp(gets[g].body.data, scene.data, LARGE) == 0));
        call_fini(&gets[g]);
        read++;
      }
    }
    CU_ASSERT_EQUAL(put.status, SLUICE_OK);
    call_fini(&put);
  }
  CU_ASSERT(read >= ROUNDS);
  free(other);
  end(&scene);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_left_put_leaves_nothing),
      UNIT(test_left_get_leaves_no_descriptor),
      UNIT(test_left_get_of_a_removed_object_leaves_no_descriptor),
      UNIT(test_left_head_remove_and_ping_end),
      UNIT(test_get_sees_one_object_while_it_is_replaced),
      {NULL, NULL}};
  return unit_main("local cancel", tests);
}
