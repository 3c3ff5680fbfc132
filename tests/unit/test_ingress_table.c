/* SPDX-License-Identifier: MIT
 *
 * The tables of a connection's states, and of its body's, walked through
 * whole.
 */
#include "ingress_table.h"
#include "unit.h"

#include <stdio.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)
#define MAX 16

struct machine {
  int states;
  bool (*may)(int from, int to);
  bool first[MAX]; /* it begins there */
  bool last[MAX];  /* nothing follows */
};

static bool conn_may(int from, int to) {
  return ingress_may_become((enum ingress_state)from, (enum ingress_state)to);
}

static bool body_may(int from, int to) {
  return ingress_body_may_become((enum ingress_body_state)from,
                                 (enum ingress_body_state)to);
}

static const struct machine machines[] = {
    {INGRESS_STATES, conn_may, .first = {[INGRESS_HEAD] = true},
     .last = {[INGRESS_DISCARDING] = true}},
    {INGRESS_BODY_STATES, body_may,
     .first = {[INGRESS_BODY_EXPECTED] = true,
               [INGRESS_BODY_UNREAD] = true,
               [INGRESS_BODY_ENDED] = true,
               [INGRESS_BODY_REFUSED] = true},
     .last = {[INGRESS_BODY_ENDED] = true,
              [INGRESS_BODY_BAD] = true,
              [INGRESS_BODY_REFUSED] = true}}};

/* Calls `fact` for each machine and each of its states. */
static void each(bool (*fact)(const struct machine *, int state)) {
  for (size_t i = 0; i < sizeof machines / sizeof *machines; i++)
    for (int state = 0; state < machines[i].states; state++) {
      char row[64];
      snprintf(row, sizeof row, "machine %zu, state %d", i, state);
      ROW(row, fact(&machines[i], state));
    }
}

static bool is_reached(const struct machine *machine, int state) {
  bool reached[MAX] = {false};
  for (int i = 0; i < machine->states; i++)
    reached[i] = machine->first[i];
  for (int round = 0; round < machine->states; round++)
    for (int from = 0; from < machine->states; from++)
      for (int to = 0; to < machine->states; to++)
        reached[to] = reached[to] || (reached[from] && machine->may(from, to));
  return reached[state];
}

static void test_every_state_is_reached(void) {
  each(is_reached);
}

static bool is_left(const struct machine *machine, int state) {
  bool left = false;
  for (int to = 0; to < machine->states; to++)
    left = left || machine->may(state, to);
  return left != machine->last[state];
}

static void test_every_state_is_left_but_the_last_ones(void) {
  each(is_left);
}

static bool is_another(const struct machine *machine, int state) {
  return !machine->may(state, state);
}

static void test_a_state_does_not_follow_itself(void) {
  each(is_another);
}

/* ---- the connection ----------------------------------------------------- */

/* The only state that `to` follows. */
static void follows(enum ingress_state from, enum ingress_state to) {
  for (enum ingress_state state = 0; state < INGRESS_STATES; state++) {
    char row[64];
    snprintf(row, sizeof row, "state %d behind %d", to, state);
    ROW(row, ingress_may_become(state, to) == (state == from));
  }
}

static void test_only_a_whole_head_is_handed_over(void) {
  follows(INGRESS_WHOLE, INGRESS_BUSY);
}

static void test_only_a_request_with_an_owner_is_answered(void) {
  follows(INGRESS_BUSY, INGRESS_ANSWERING);
}

static void test_a_request_in_hand_ends_with_its_answer(void) {
  for (enum ingress_state to = 0; to < INGRESS_STATES; to++)
    CU_ASSERT_EQUAL(ingress_may_become(INGRESS_BUSY, to),
                    to == INGRESS_ANSWERING);
}

static void test_what_is_to_close_reads_no_more_heads(void) {
  for (enum ingress_state to = 0; to < INGRESS_STATES; to++) {
    bool closing = to == INGRESS_LINGERING || to == INGRESS_DISCARDING;
    CU_ASSERT_TRUE(closing || !ingress_may_become(INGRESS_LINGERING, to));
    CU_ASSERT_TRUE(closing || !ingress_may_become(INGRESS_DISCARDING, to));
  }
}

/* ---- the body ----------------------------------------------------------- */

/* A client that waits for 100 Continue may never send the body: its end isn't
 * looked for. */
static void test_a_body_that_waits_for_a_word_is_not_passed_over(void) {
  for (enum ingress_body_state to = 0; to < INGRESS_BODY_STATES; to++)
    CU_ASSERT_EQUAL(ingress_body_may_become(INGRESS_BODY_EXPECTED, to),
                    to == INGRESS_BODY_AHEAD);
}

/* min_rate counts only against a client that is waited for. */
static void test_a_client_that_is_held_back_is_not_waited_for(void) {
  CU_ASSERT_FALSE(
      ingress_body_may_become(INGRESS_BODY_FULL, INGRESS_BODY_WANTED));
}

static void test_a_body_that_is_read_may_be_given_up(void) {
  for (enum ingress_body_state state = 0; state < INGRESS_BODY_STATES; state++)
    CU_ASSERT_EQUAL(ingress_body_is_read(state),
                    ingress_body_may_become(state, INGRESS_BODY_UNREAD));
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_every_state_is_reached),
      UNIT(test_every_state_is_left_but_the_last_ones),
      UNIT(test_a_state_does_not_follow_itself),
      UNIT(test_only_a_whole_head_is_handed_over),
      UNIT(test_only_a_request_with_an_owner_is_answered),
      UNIT(test_a_request_in_hand_ends_with_its_answer),
      UNIT(test_what_is_to_close_reads_no_more_heads),
      UNIT(test_a_body_that_waits_for_a_word_is_not_passed_over),
      UNIT(test_a_client_that_is_held_back_is_not_waited_for),
      UNIT(test_a_body_that_is_read_may_be_given_up),
      {NULL, NULL}};
  return unit_main("ingress_table", tests);
}
