/* SPDX-License-Identifier: MIT
 *
 * A layer over a storage: what passes by itself, and what a layer asks for.
 */
#include "askkit.h"
#include "unit.h"

#include <string.h>

/* ---- what passes -------------------------------------------------------- */

static void test_layer_without_entries_costs_no_operation(void) {
  struct ask_rig rig;
  ask_rig_begin(&rig, &(struct sluice_backend){0});
  ask_rig_get(&rig);
  CU_ASSERT_EQUAL(rig.above.operations, 0);
  CU_ASSERT_EQUAL(rig.below.operations, 1);
  ask_rig_end(&rig);
}

static void my_more(void *rig, struct sluice_op *op) {
  ((struct ask_rig *)rig)->alives++;
  sluice_ask_more(sluice_asked(op));
}

static void test_steps_that_a_layer_lacks_pass(void) {
  struct ask_rig rig;
  ask_rig_begin(&rig, &(struct sluice_backend){.more = my_more});
  ask_rig_get(&rig);
  CU_ASSERT_EQUAL(rig.alives, 1);
  CU_ASSERT_EQUAL(rig.above.operations, 1);
  ask_rig_end(&rig);
}

static void my_commit(void *arg, struct sluice_op *op,
                      const struct sluice_object *object) {
  (void)arg;
  sluice_ask_commit(sluice_asked(op), object);
}

static void test_upload_passes_through_a_commit_of_the_layer(void) {
  struct ask_rig rig;
  ask_rig_begin(&rig, &(struct sluice_backend){.commit = my_commit});
  ask_rig_put(&rig);
  CU_ASSERT_EQUAL(rig.data, 3);
  CU_ASSERT_EQUAL(rig.above.misused, 0);
  ask_rig_end(&rig);
}

static void my_list(void *arg, struct sluice_op *op,
                    const struct sluice_list *list) {
  sluice_ask_list(&((struct ask_rig *)arg)->store, op, list, NULL, NULL);
}

static void on_listed(void *arg, enum sluice_status status, const char *why) {
  struct ask_rig *rig = arg;
  ask_rig_on_done(arg, status, why);
  CU_ASSERT_EQUAL_FATAL(op_entries(rig->op), 2);
  struct op_entry entry = op_entry(rig->op, 0);
  CU_ASSERT_STRING_EQUAL(entry.key, "a");
  CU_ASSERT_STRING_EQUAL(entry.meta->user[0].value, "ann");
  CU_ASSERT_PTR_NULL(op_entry(rig->op, 1).meta);
  CU_ASSERT_STRING_EQUAL(op_token(rig->op), "b/");
}

static void test_list_is_handed_on_with_all_that_it_says(void) {
  static const struct op_events listed = {.done = on_listed};
  struct ask_rig rig;
  ask_rig_begin(&rig, &(struct sluice_backend){.list = my_list});
  rig.op = op_list(&rig.above, &(struct sluice_list){.prefix = "", .max = 2},
                   &listed, &rig);
  ask_rig_turn(&rig);
  CU_ASSERT_EQUAL(rig.dones, 1);
  ask_rig_end(&rig);
}

static void my_remove(void *arg, struct sluice_op *op, const char *key) {
  sluice_ask_remove(&((struct ask_rig *)arg)->store, op, key, NULL, NULL);
}

static void test_each_of_many_goes_through_a_remove_of_the_layer(void) {
  static const char *const keys[] = {"a", "f", "b"};
  struct ask_rig rig;
  ask_rig_begin(&rig, &(struct sluice_backend){.remove = my_remove});
  rig.op = op_remove_many(&rig.above, keys, 3, &ask_rig_events, &rig);
  ask_rig_turn(&rig);
  CU_ASSERT_EQUAL(rig.dones, 1);
  CU_ASSERT_EQUAL(rig.above.operations, 4);
  ask_rig_end(&rig);
}

static void test_what_is_the_layer_s_own_is_never_gone_around(void) {
  static const struct {
    const char *name;
    struct sluice_backend own;
    bool links, copies, removes_if, stages;
  } rows[] = {
      {"nothing", {.size = 0}, true, true, true, true},
      {"more", {.more = my_more}, false, false, true, true},
      {"head", {.head = ask_rig_ask_head}, false, false, true, true},
      {"commit", {.commit = my_commit}, false, false, true, false},
      {"remove", {.remove = my_remove}, true, true, false, true},
      {"list", {.list = my_list}, true, true, true, true},
  };
  struct sluice_backend below = ask_pass;
  below.presign = ask_rig_deep_presign;
  below.copy = (void (*)(void *, struct sluice_op *,
                         const struct sluice_copy *))(void (*)(void))my_more;
  below.remove_if =
      (void (*)(void *, struct sluice_op *, const struct sluice_removal *))(
          void (*)(void))my_more;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct layer layer;
    layer_unfold(&layer, &rows[i].own, &below);
    const struct sluice_backend *offers = &layer.offers;
    CU_assertImplementation((offers->presign != NULL) == rows[i].links,
                            __LINE__, rows[i].name, __FILE__, "", CU_FALSE);
    CU_ASSERT_EQUAL(offers->copy != NULL, rows[i].copies);
    CU_ASSERT_EQUAL(offers->remove_if != NULL, rows[i].removes_if);
    CU_ASSERT_EQUAL(offers->stage != NULL, rows[i].stages);
    unsigned can = layer_can(offers, 255);
    CU_ASSERT_EQUAL((can & SLUICE_CAN_COPY) != 0, rows[i].copies);
    CU_ASSERT_EQUAL((can & SLUICE_CAN_REMOVE) != 0, rows[i].removes_if);
  }
}

static void test_what_isn_t_offered_ends_with_enotsup(void) {
  struct ask_rig rig;
  ask_rig_begin(&rig, &(struct sluice_backend){0});
  op_copy(&rig.above, &(struct sluice_copy){.from = "a", .to = "b"},
          &ask_rig_events, &rig);
  ask_rig_turn(&rig);
  CU_ASSERT_EQUAL(rig.status, SLUICE_ENOTSUP);
  op_remove_if(&rig.above, &(struct sluice_removal){.key = "a"},
               &ask_rig_events, &rig);
  ask_rig_turn(&rig);
  CU_ASSERT_EQUAL(rig.status, SLUICE_ENOTSUP);
  CU_ASSERT_EQUAL(rig.dones, 2);
  ask_rig_end(&rig);
}

/* ---- what is asked for -------------------------------------------------- */

static void test_answer_and_reason_are_handed_on(void) {
  struct ask_rig rig;
  ask_rig_begin(&rig, &(struct sluice_backend){.head = ask_rig_ask_head});
  ask_rig_head(&rig);
  CU_ASSERT_EQUAL(rig.metas, 1);
  CU_ASSERT_EQUAL(rig.status, SLUICE_OK);
  CU_ASSERT_STRING_EQUAL(rig.why, "it is there");
  ask_rig_end(&rig);
}

static void test_alive_is_handed_on(void) {
  struct ask_rig rig;
  ask_rig_begin(&rig, &(struct sluice_backend){.head = ask_rig_ask_head});
  rig.hangs = true;
  ask_rig_head(&rig);
  sluice_alive(rig.deep);
  ask_rig_turn(&rig);
  CU_ASSERT_EQUAL(rig.alives, 1);
  rig.hangs = false;
  op_leave(rig.op, NULL, NULL);
  ask_rig_end(&rig);
}

struct mark {
  struct loop_task task;
  const struct ask_rig *rig;
  size_t alives; /* that were heard before it */
};

static void on_mark(struct loop_task *task) {
  struct mark *mark = (struct mark *)task;
  mark->alives = mark->rig->alives;
}

static void test_word_goes_up_in_the_event_that_brings_it(void) {
  struct ask_rig rig;
  ask_rig_begin(&rig, &(struct sluice_backend){.head = ask_rig_ask_head});
  rig.hangs = true;
  ask_rig_head(&rig);
  struct mark mark = {.task.run = on_mark, .rig = &rig};
  sluice_alive(rig.deep);
  loop_defer(rig.above.host.loop, &mark.task); /* it is next */
  ask_rig_turn(&rig);
  CU_ASSERT_EQUAL(mark.alives, 1);
  rig.hangs = false;
  op_leave(rig.op, NULL, NULL);
  ask_rig_end(&rig);
}

static void released(void *arg) {
  ((struct ask_rig *)arg)->nexts = 100;
}

static void test_cancel_goes_down_and_bytes_stay_until_its_end(void) {
  struct ask_rig rig;
  ask_rig_begin(&rig, &(struct sluice_backend){.commit = my_commit});
  rig.op = op_put(&rig.above, &(struct sluice_put){.length = -1},
                  &ask_rig_events, &rig);
  ask_rig_turn(&rig);
  rig.hangs = true;
  op_data(rig.op, &ask_rig_last);
  op_leave(rig.op, released, &rig);
  ask_rig_turn(&rig);
  CU_ASSERT_EQUAL(rig.canceled, 1);
  CU_ASSERT_EQUAL(rig.nexts, 1); /* the storage still has the chunk */
  sluice_done(rig.deep, SLUICE_ECANCELED, NULL);
  ask_rig_turn(&rig);
  CU_ASSERT_EQUAL(rig.nexts, 100);
  CU_ASSERT_EQUAL(rig.dones, 0);
  ask_rig_end(&rig);
}

static void test_layer_may_ask_for_no_operation(void) {
  static const struct sluice_heard heard = {SLUICE_HEARD,
                                            .done = ask_rig_on_done};
  struct ask_rig rig;
  ask_rig_begin(&rig, &(struct sluice_backend){.head = ask_rig_ask_head});
  CU_ASSERT_PTR_NOT_NULL(sluice_ask_ping(&rig.store, NULL, &heard, &rig));
  ask_rig_turn(&rig);
  CU_ASSERT_EQUAL(rig.dones, 1);
  ask_rig_end(&rig);
}

static void test_store_is_found_by_its_name(void) {
  struct ask_rig rig;
  ask_rig_begin(&rig, &(struct sluice_backend){0});
  CU_ASSERT_PTR_EQUAL(sluice_store(&rig.above.host, "main"), &rig.store);
  CU_ASSERT_PTR_EQUAL(sluice_store(&rig.above.host, NULL), &rig.store);
  CU_ASSERT_PTR_NULL(sluice_store(&rig.above.host, "other"));
  CU_ASSERT_PTR_NULL(sluice_store(&rig.below.host, NULL));
  CU_ASSERT_EQUAL(sluice_store_can(&rig.store), 5);
  ask_rig_end(&rig);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_layer_without_entries_costs_no_operation),
      UNIT(test_steps_that_a_layer_lacks_pass),
      UNIT(test_upload_passes_through_a_commit_of_the_layer),
      UNIT(test_list_is_handed_on_with_all_that_it_says),
      UNIT(test_each_of_many_goes_through_a_remove_of_the_layer),
      UNIT(test_what_is_the_layer_s_own_is_never_gone_around),
      UNIT(test_what_isn_t_offered_ends_with_enotsup),
      UNIT(test_answer_and_reason_are_handed_on),
      UNIT(test_alive_is_handed_on),
      UNIT(test_word_goes_up_in_the_event_that_brings_it),
      UNIT(test_cancel_goes_down_and_bytes_stay_until_its_end),
      UNIT(test_layer_may_ask_for_no_operation),
      UNIT(test_store_is_found_by_its_name),
      {NULL, NULL}};
  return unit_main("ask", tests);
}
