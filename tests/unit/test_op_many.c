/* SPDX-License-Identifier: MIT
 *
 * Removing many keys of a backend that removes one at a time: each key tells
 * by its first letter how its remove ends.
 */
#include "op.h"
#include "op_private.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

#define KEYS_MAX 1000

struct rig {
  struct loop *loop;
  struct sluice_backend plugin;
  struct op_backend backend;
  struct sluice_op *op;
  const char *keys[KEYS_MAX];
  char texts[KEYS_MAX][8];
  size_t count;
  size_t asked, running, most; /* removes: all, now, at once at most */
  size_t canceled, alive, dones, releases;
  enum sluice_status status, each[KEYS_MAX];
  char why[64];
};

static void end(struct rig *rig, struct sluice_op *op,
                enum sluice_status status, const char *why) {
  rig->running--;
  sluice_done(op, status, why == NULL ? NULL : "%s", why);
}

/* "h" hangs until it is canceled. */
static void on_remove(void *handle, struct sluice_op *op, const char *key) {
  struct rig *rig = handle;
  rig->asked++;
  if (++rig->running > rig->most)
    rig->most = rig->running;
  if (key[0] == 'o')
    end(rig, op, SLUICE_OK, NULL);
  else if (key[0] == 'n')
    end(rig, op, SLUICE_ENOENT, "no such thing");
  else if (key[0] == 'f')
    end(rig, op, SLUICE_EIO, "the disk is sick");
  else
    *(bool *)sluice_op_state(op, sizeof(bool)) = key[0] == 'l';
}

/* "l" was removed all the same. */
static void on_cancel(void *handle, struct sluice_op *op) {
  struct rig *rig = handle;
  rig->canceled++;
  bool removed = *(bool *)sluice_op_state(op, sizeof(bool));
  end(rig, op, removed ? SLUICE_OK : SLUICE_ECANCELED, NULL);
}

static void on_alive(void *arg) {
  ((struct rig *)arg)->alive++;
}

static void on_done(void *arg, enum sluice_status status, const char *why) {
  struct rig *rig = arg;
  rig->dones++;
  rig->status = status;
  snprintf(rig->why, sizeof rig->why, "%s", why == NULL ? "" : why);
  for (size_t i = 0; i < rig->count; i++)
    rig->each[i] = op_removed(rig->op, i);
}

static void on_released(void *arg) {
  ((struct rig *)arg)->releases++;
}

/* `keys`: a letter each, again and again until there are so many. */
static void begin(struct rig *rig, const char *keys, size_t count) {
  static const struct op_events events = {.alive = on_alive, .done = on_done};
  *rig = (struct rig){.loop = loop_new(), .count = count};
  rig->plugin =
      (struct sluice_backend){SLUICE_HEAD(sluice_backend), .name = "fake",
                              .remove = on_remove, .cancel = on_cancel};
  rig->backend =
      (struct op_backend){.plugin = &rig->plugin,
                          .handle = rig,
                          .host = {.name = "main", .loop = rig->loop}};
  for (size_t i = 0; i < count; i++) {
    snprintf(rig->texts[i], sizeof rig->texts[i], "%c%zu",
             keys[i % strlen(keys)], i);
    rig->keys[i] = rig->texts[i];
  }
  rig->op = op_remove_many(&rig->backend, rig->keys, count, &events, rig);
}

static void turn(struct rig *rig) {
  for (int i = 0; i < 64; i++)
    event_base_loop(loop_base(rig->loop), EVLOOP_NONBLOCK);
}

static void finish(struct rig *rig) {
  loop_stop(rig->loop);
  loop_run(rig->loop);
  CU_ASSERT_EQUAL(rig->running, 0);
  CU_ASSERT_EQUAL(rig->backend.pending, 0);
  CU_ASSERT_EQUAL(rig->backend.misused, 0);
  loop_free(rig->loop);
}

static void test_each_key_has_its_own_end(void) {
  static const enum sluice_status wanted[] = {SLUICE_OK, SLUICE_OK, SLUICE_EIO,
                                              SLUICE_OK};
  struct rig rig;
  begin(&rig, "onfo", 4);
  finish(&rig);
  CU_ASSERT_EQUAL(rig.dones, 1);
  CU_ASSERT_EQUAL(rig.status, SLUICE_OK);
  for (size_t i = 0; i < 4; i++)
    CU_ASSERT_EQUAL(rig.each[i], wanted[i]);
  CU_ASSERT_STRING_EQUAL(rig.why, "the disk is sick");
  CU_ASSERT_TRUE(rig.alive > 0);
}

static void test_a_thousand_go_a_quarter_at_once(void) {
  struct rig rig;
  begin(&rig, "h", KEYS_MAX);
  CU_ASSERT_EQUAL(rig.asked, 256);
  CU_ASSERT_EQUAL(rig.most, 256);
  op_leave(rig.op, NULL, NULL);
  finish(&rig);
  CU_ASSERT_EQUAL(rig.asked, 256);
  begin(&rig, "on", KEYS_MAX);
  finish(&rig);
  CU_ASSERT_EQUAL(rig.asked, KEYS_MAX);
  CU_ASSERT_EQUAL(rig.dones, 1);
  CU_ASSERT_EQUAL(rig.each[KEYS_MAX - 1], SLUICE_OK);
}

/* Of three hundred, the first 256 are begun: those that were done before, or
 * are so all the same, are gone; nothing is claimed of the others. */
static void test_a_cancel_tells_what_took_place(void) {
  struct rig rig;
  begin(&rig, "hlhlhlhl", 300);
  turn(&rig);
  op_cancel(rig.op);
  CU_ASSERT_EQUAL(rig.backend.pending,
                  257); /* itself, and each of its parts */
  turn(&rig);
  CU_ASSERT_EQUAL(rig.canceled, 256);
  CU_ASSERT_EQUAL(rig.dones, 1);
  CU_ASSERT_EQUAL(rig.asked, 256);
  for (size_t i = 0; i < 300; i++)
    CU_ASSERT_EQUAL(rig.each[i],
                    i % 2 == 1 && i < 256 ? SLUICE_OK : SLUICE_ECANCELED);
  finish(&rig);
}

static void test_what_was_gone_before_a_cancel_stays_gone(void) {
  struct rig rig;
  begin(&rig, "ofh", 3);
  turn(&rig);
  op_cancel(rig.op);
  finish(&rig);
  CU_ASSERT_EQUAL(rig.each[0], SLUICE_OK);
  CU_ASSERT_EQUAL(rig.each[1], SLUICE_EIO);
  CU_ASSERT_EQUAL(rig.each[2], SLUICE_ECANCELED);
}

static void test_keys_are_released_after_the_last_has_ended(void) {
  struct rig rig;
  begin(&rig, "oh", 10);
  turn(&rig);
  op_leave(rig.op, on_released, &rig);
  CU_ASSERT_EQUAL(rig.releases, 0);
  finish(&rig);
  CU_ASSERT_EQUAL(rig.releases, 1);
  CU_ASSERT_EQUAL(rig.dones, 0);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_each_key_has_its_own_end),
      UNIT(test_a_thousand_go_a_quarter_at_once),
      UNIT(test_a_cancel_tells_what_took_place),
      UNIT(test_what_was_gone_before_a_cancel_stays_gone),
      UNIT(test_keys_are_released_after_the_last_has_ended),
      {NULL, NULL}};
  return unit_main("op_many", tests);
}
