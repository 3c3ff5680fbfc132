/* SPDX-License-Identifier: MIT
 *
 * A layer that asks out of turn, ends early or keeps too much: each is a
 * violation of its own, and harms nobody else.
 */
#include "askkit.h"
#include "unit.h"

static void my_more(void *rig, struct sluice_op *op) {
  ((struct ask_rig *)rig)->alives++;
  sluice_ask_more(sluice_asked(op));
}

/* ---- violations --------------------------------------------------------- */

static void hasty_head(void *arg, struct sluice_op *op, const char *key) {
  ask_rig_ask_head(arg, op, key);
  ask_rig_tell(op);
  sluice_done(op, SLUICE_OK, NULL);
}

static void test_operation_ends_after_all_that_it_asked_for(void) {
  struct ask_rig rig;
  ask_rig_begin(&rig, &(struct sluice_backend){.head = hasty_head});
  rig.hangs = true;
  ask_rig_head(&rig);
  CU_ASSERT_EQUAL(rig.above.misused, 1);
  CU_ASSERT_EQUAL(rig.canceled, 1);
  CU_ASSERT_EQUAL(rig.dones, 0);
  sluice_done(rig.deep, SLUICE_ECANCELED, NULL);
  ask_rig_turn(&rig);
  CU_ASSERT_EQUAL(rig.dones, 1);
  CU_ASSERT_EQUAL(rig.status, SLUICE_EUPSTREAM);
  CU_ASSERT_EQUAL(rig.below.misused, 0);
  ask_rig_end(&rig);
}

static void test_call_without_an_entry_is_a_violation(void) {
  struct ask_rig rig;
  ask_rig_begin(&rig, &(struct sluice_backend){.put = ask_rig_deep_put});
  rig.op = op_put(&rig.above, &(struct sluice_put){.length = -1},
                  &ask_rig_events, &rig);
  ask_rig_turn(&rig);
  op_data(rig.op, &ask_rig_last);
  ask_rig_turn(&rig);
  CU_ASSERT_EQUAL(rig.above.misused, 1);
  CU_ASSERT_EQUAL(rig.status, SLUICE_EUPSTREAM);
  ask_rig_end(&rig);
}

static void test_step_out_of_turn_is_a_violation_and_isn_t_taken(void) {
  struct ask_rig rig;
  ask_rig_begin(&rig, &(struct sluice_backend){.head = ask_rig_ask_head});
  rig.hangs = true;
  ask_rig_head(&rig);
  sluice_ask_read(rig.ask, 0, 1);
  sluice_ask_more(rig.ask);
  sluice_ask_data(rig.ask, &ask_rig_last);
  sluice_ask_commit(rig.ask, &(struct sluice_object){.key = "k"});
  CU_ASSERT_EQUAL(rig.above.misused, 4);
  CU_ASSERT_EQUAL(rig.committed, 0);
  rig.hangs = false;
  sluice_ask_cancel(rig.ask);
  sluice_ask_cancel(rig.ask);
  CU_ASSERT_EQUAL(rig.canceled, 1);
  ask_rig_turn(&rig);
  sluice_ask_cancel(rig.ask);
  sluice_ask_more(rig.ask);
  CU_ASSERT_PTR_NULL(sluice_ask_text(rig.ask, 0));
  CU_ASSERT_EQUAL(rig.above.misused, 7);
  CU_ASSERT_EQUAL(rig.below.misused, 0);
  ask_rig_end(&rig);
}

static void false_commit(void *arg, struct sluice_op *op,
                         const struct sluice_object *object) {
  struct sluice_object more = *object;
  (void)arg;
  more.length++;
  sluice_ask_commit(sluice_asked(op), &more);
}

static void test_commit_of_another_length_ends_what_was_stored(void) {
  struct ask_rig rig;
  ask_rig_begin(&rig, &(struct sluice_backend){.commit = false_commit});
  rig.op = op_put(&rig.above, &(struct sluice_put){.length = -1},
                  &ask_rig_events, &rig);
  ask_rig_turn(&rig);
  op_data(rig.op, &ask_rig_last);
  ask_rig_turn(&rig);
  op_commit(rig.op, &(struct sluice_object){.key = "k", .length = 3});
  ask_rig_turn(&rig);
  CU_ASSERT_EQUAL(rig.above.misused, 1);
  CU_ASSERT_EQUAL(rig.committed, 0);
  CU_ASSERT_EQUAL(rig.dones, 1);
  CU_ASSERT_NOT_EQUAL(rig.status, SLUICE_OK);
  ask_rig_end(&rig);
}

static void file_data(void *arg, struct sluice_op *op,
                      const struct sluice_chunk *chunk) {
  struct sluice_chunk file = *chunk;
  (void)arg;
  file.fd = 0;
  sluice_ask_data(sluice_asked(op), &file);
}

static void test_chunk_of_a_file_isn_t_stored(void) {
  struct ask_rig rig;
  ask_rig_begin(&rig, &(struct sluice_backend){.data = file_data});
  rig.op = op_put(&rig.above, &(struct sluice_put){.length = -1},
                  &ask_rig_events, &rig);
  ask_rig_turn(&rig);
  op_data(rig.op, &ask_rig_last);
  ask_rig_turn(&rig);
  CU_ASSERT_EQUAL(rig.above.misused, 1);
  CU_ASSERT_EQUAL(rig.data, 0);
  CU_ASSERT_EQUAL(rig.dones, 1);
  ask_rig_end(&rig);
}

static void head_64(void *arg, struct sluice_op *op, const char *key) {
  static const struct sluice_heard none = {
      SLUICE_HEARD, .meta = ask_rig_on_meta, .done = ask_rig_on_done};
  struct ask_rig *rig = arg;
  for (int i = 0; i < SLUICE_ASKS_MAX; i++)
    CU_ASSERT_PTR_NOT_NULL(sluice_ask_head(&rig->store, op, key, &none, rig));
}

static void head_65(void *arg, struct sluice_op *op, const char *key) {
  struct ask_rig *rig = arg;
  head_64(arg, op, key);
  CU_ASSERT_PTR_NULL(sluice_ask_head(&rig->store, op, key, NULL, NULL));
}

static void test_operation_asks_for_at_most_64_at_once(void) {
  for (size_t more = 0; more < 2; more++) {
    struct ask_rig rig;
    ask_rig_begin(&rig,
                  &(struct sluice_backend){.head = more ? head_65 : head_64});
    ask_rig_head(&rig);
    CU_ASSERT_EQUAL(rig.dones, SLUICE_ASKS_MAX);
    CU_ASSERT_EQUAL(rig.above.misused, more);
    sluice_done(rig.op, SLUICE_ENOENT, NULL);
    ask_rig_end(&rig);
  }
}

static void test_it_asks_for_no_one_else_s_operation(void) {
  struct ask_rig rig;
  ask_rig_begin(&rig, &(struct sluice_backend){.head = ask_rig_ask_head});
  rig.hangs = true;
  ask_rig_head(&rig);
  CU_ASSERT_PTR_NULL(sluice_ask_ping(&rig.store, rig.deep, NULL, NULL));
  CU_ASSERT_EQUAL(rig.above.misused, 1);
  rig.hangs = false;
  op_leave(rig.op, NULL, NULL);
  ask_rig_end(&rig);
}

static void test_nothing_is_asked_for_in_start(void) {
  struct ask_rig rig;
  struct sluice_host host = {.name = "top"};
  struct sluice_store store = {.name = "main", .host = &host};
  ask_rig_begin(&rig, &(struct sluice_backend){0});
  CU_ASSERT_PTR_NULL(sluice_ask_ping(&store, NULL, NULL, NULL));
  CU_ASSERT_EQUAL(host.misgiven, 1);
  ask_rig_end(&rig);
}

/* Its only ask is for another kind of answer, or of another number. */
static void list_by_ping(void *arg, struct sluice_op *op,
                         const struct sluice_list *list) {
  (void)list;
  sluice_ask_ping(&((struct ask_rig *)arg)->store, op, NULL, NULL);
}

static void list_of_more(void *arg, struct sluice_op *op,
                         const struct sluice_list *list) {
  struct sluice_list other = *list;
  other.max++;
  sluice_ask_list(&((struct ask_rig *)arg)->store, op, &other, NULL, NULL);
}

static void test_answer_to_another_question_is_none(void) {
  static const struct sluice_backend own[] = {{.list = list_by_ping},
                                              {.list = list_of_more}};
  static const struct sluice_list all = {.prefix = "", .max = 2};
  for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
    struct ask_rig rig;
    ask_rig_begin(&rig, &own[i]);
    rig.op = op_list(&rig.above, &all, &ask_rig_events, &rig);
    ask_rig_turn(&rig);
    CU_ASSERT_EQUAL(rig.dones, 1);
    CU_ASSERT_EQUAL(rig.status, SLUICE_EUPSTREAM);
    CU_ASSERT_EQUAL(rig.above.misused, 1);
    ask_rig_end(&rig);
  }
}

static void remove_all_but_one(void *arg, struct sluice_op *op,
                               const char *const *keys, size_t count) {
  sluice_ask_remove_many(&((struct ask_rig *)arg)->store, op, keys + 1,
                         count - 1, NULL, NULL);
}

static void test_answer_of_fewer_keys_is_none(void) {
  static const char *const keys[] = {"a", "f", "b"};
  struct ask_rig rig;
  ask_rig_begin(&rig,
                &(struct sluice_backend){.remove_many = remove_all_but_one});
  rig.op = op_remove_many(&rig.above, keys, 3, &ask_rig_events, &rig);
  ask_rig_turn(&rig);
  CU_ASSERT_EQUAL(rig.dones, 1);
  CU_ASSERT_EQUAL(rig.status, SLUICE_EUPSTREAM);
  CU_ASSERT_EQUAL(rig.above.misused, 1);
  ask_rig_end(&rig);
}

static void on_bytes(void *arg, const struct sluice_chunk *chunk) {
  ((struct ask_rig *)arg)->chunks += chunk->length == 3;
}

static void hearing_put(void *arg, struct sluice_op *op,
                        const struct sluice_put *put) {
  static const struct sluice_heard heard = {SLUICE_HEARD, .chunk = on_bytes};
  sluice_ask_put(&((struct ask_rig *)arg)->store, op, put, &heard, arg);
}

static void rereading_commit(void *arg, struct sluice_op *op,
                             const struct sluice_object *object) {
  (void)arg, (void)object;
  sluice_ask_read(sluice_asked(op), 0, 3);
}

static void test_bytes_are_read_back_only_of_who_gives_them(void) {
  for (size_t can = 0; can < 2; can++) {
    struct ask_rig rig;
    ask_rig_begin(&rig, &(struct sluice_backend){.put = hearing_put,
                                                 .commit = rereading_commit});
    rig.below.abilities = can ? SLUICE_CAN_REREAD : 0;
    rig.op = op_put(&rig.above, &(struct sluice_put){.length = -1},
                    &ask_rig_events, &rig);
    ask_rig_turn(&rig);
    op_data(rig.op, &ask_rig_last);
    ask_rig_turn(&rig);
    op_commit(rig.op, &(struct sluice_object){.key = "k", .length = 3});
    ask_rig_turn(&rig);
    CU_ASSERT_EQUAL(rig.chunks, can);
    CU_ASSERT_EQUAL(rig.above.misused, 1 - can);
    CU_ASSERT_EQUAL(rig.dones, 1 - can);
    if (can)
      op_leave(rig.op, NULL, NULL);
    ask_rig_end(&rig);
  }
}

/* ---- work of its own ---------------------------------------------------- */

/* It has a thread look for something, and no cancel(). */
static void working_head(void *arg, struct sluice_op *op, const char *key) {
  (void)arg, (void)op, (void)key;
}

static void test_canceled_layer_ends_its_work_first(void) {
  struct ask_rig rig;
  ask_rig_begin(&rig, &(struct sluice_backend){.head = working_head});
  ask_rig_head(&rig);
  op_cancel(rig.op);
  ask_rig_turn(&rig);
  CU_ASSERT_EQUAL_FATAL(rig.dones, 0);
  sluice_done(rig.op, SLUICE_ENOENT, NULL);
  ask_rig_turn(&rig);
  CU_ASSERT_EQUAL(rig.dones, 1);
  CU_ASSERT_EQUAL(rig.above.misused, 0);
  ask_rig_end(&rig);
}

static void test_what_is_asked_for_after_a_cancel_is_canceled(void) {
  struct ask_rig rig;
  ask_rig_begin(&rig, &(struct sluice_backend){.head = working_head});
  ask_rig_head(&rig);
  op_cancel(rig.op);
  CU_ASSERT_PTR_NOT_NULL(sluice_ask_get(
      &rig.store, rig.op, &(struct sluice_get){.key = "k"}, NULL, NULL));
  CU_ASSERT_EQUAL(rig.canceled, 1);
  ask_rig_turn(&rig);
  CU_ASSERT_EQUAL(rig.dones, 1);
  CU_ASSERT_EQUAL(rig.status, SLUICE_ECANCELED);
  CU_ASSERT_EQUAL(rig.above.misused, 0);
  ask_rig_end(&rig);
}

static void idle_get(void *arg, struct sluice_op *op,
                     const struct sluice_get *get) {
  (void)arg, (void)get;
  ask_rig_tell(op);
}

static void test_layer_that_waits_for_the_gateway_ends_at_once(void) {
  struct ask_rig rig;
  ask_rig_begin(&rig, &(struct sluice_backend){.get = idle_get});
  rig.op = op_get(&rig.above, &(struct sluice_get){.key = "k"},
                  &ask_rig_events, &rig);
  ask_rig_turn(&rig);
  op_cancel(rig.op);
  ask_rig_turn(&rig);
  CU_ASSERT_EQUAL(rig.dones, 1);
  CU_ASSERT_EQUAL(rig.status, SLUICE_ECANCELED);
  ask_rig_end(&rig);
}

/* ---- memory ------------------------------------------------------------- */

static void test_memory_of_a_layer_is_charged_to_the_last_byte(void) {
  static const size_t kept = 10000;
  for (size_t less = 0; less < 2; less++) {
    struct ask_rig rig;
    ask_rig_begin(
        &rig, &(struct sluice_backend){.more = my_more, .op_memory = kept});
    size_t room = OP_LAYER_COST + kept - less;
    atomic_store(&rig.memory.free, (int64_t)room);
    rig.op = op_get(&rig.above, &(struct sluice_get){.key = "k"},
                    &ask_rig_events, &rig);
    CU_ASSERT_EQUAL(rig.memory.free, less == 0 ? 0 : (int64_t)room);
    ask_rig_turn(&rig);
    CU_ASSERT_EQUAL(rig.dones, less);
    if (less == 0)
      op_leave(rig.op, NULL, NULL);
    else
      CU_ASSERT_EQUAL(rig.status, SLUICE_ENOMEM);
    ask_rig_turn(&rig);
    CU_ASSERT_EQUAL(rig.memory.free, (int64_t)room);
    atomic_store(&rig.memory.free, ASK_RIG_MEMORY);
    ask_rig_end(&rig);
  }
}

static size_t state_size;

static void keeping_head(void *arg, struct sluice_op *op, const char *key) {
  void *state = sluice_op_state(op, state_size);
  (void)arg, (void)key;
  sluice_done(op, state == NULL ? SLUICE_EIO : SLUICE_ENOENT, NULL);
}

static void test_state_of_a_layer_is_declared(void) {
  for (size_t more = 0; more < 2; more++) {
    struct ask_rig rig;
    ask_rig_begin(&rig, &(struct sluice_backend){.head = keeping_head,
                                                 .op_memory = 500});
    state_size = OP_LAYER_STATE + 500 + more;
    ask_rig_head(&rig);
    CU_ASSERT_EQUAL(rig.status, more ? SLUICE_EIO : SLUICE_ENOENT);
    CU_ASSERT_EQUAL(rig.above.misused, more);
    ask_rig_end(&rig);
  }
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_operation_ends_after_all_that_it_asked_for),
      UNIT(test_call_without_an_entry_is_a_violation),
      UNIT(test_step_out_of_turn_is_a_violation_and_isn_t_taken),
      UNIT(test_commit_of_another_length_ends_what_was_stored),
      UNIT(test_chunk_of_a_file_isn_t_stored),
      UNIT(test_operation_asks_for_at_most_64_at_once),
      UNIT(test_it_asks_for_no_one_else_s_operation),
      UNIT(test_nothing_is_asked_for_in_start),
      UNIT(test_answer_to_another_question_is_none),
      UNIT(test_answer_of_fewer_keys_is_none),
      UNIT(test_bytes_are_read_back_only_of_who_gives_them),
      UNIT(test_canceled_layer_ends_its_work_first),
      UNIT(test_what_is_asked_for_after_a_cancel_is_canceled),
      UNIT(test_layer_that_waits_for_the_gateway_ends_at_once),
      UNIT(test_memory_of_a_layer_is_charged_to_the_last_byte),
      UNIT(test_state_of_a_layer_is_declared),
      {NULL, NULL}};
  return unit_main("ask_faults", tests);
}
