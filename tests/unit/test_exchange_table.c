/* SPDX-License-Identifier: MIT
 *
 * The table of a request's states, walked through whole.
 */
#include "exchange_table.h"
#include "unit.h"

#include <stdio.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

/* Calls `fact` for each pair that can be. */
static void each(bool (*fact)(enum exchange_state, enum exchange_event,
                              struct exchange_step)) {
  for (enum exchange_state state = 0; state < EXCHANGE_STATES; state++)
    for (enum exchange_event event = 0; event < EXCHANGE_EVENTS; event++) {
      struct exchange_step step = exchange_step(state, event);
      char row[64];
      snprintf(row, sizeof row, "state %d, event %d", state, event);
      if (step.action != EXCHANGE_NEVER)
        ROW(row, fact(state, event, step));
    }
}

static bool is_over(enum exchange_action action) {
  return action == EXCHANGE_END || action == EXCHANGE_END_FAILED ||
         action == EXCHANGE_FREE;
}

/* ---- the client --------------------------------------------------------- */

enum client { WAITS, ANSWERED, LEFT };

static enum client client_of(enum exchange_state state) {
  if (state == EXCHANGE_OVER || exchange_is_left(state))
    return LEFT;
  return exchange_is_answered(state) ? ANSWERED : WAITS;
}

static bool client_never_comes_back(enum exchange_state state,
                                    enum exchange_event event,
                                    struct exchange_step step) {
  (void)event;
  return client_of(step.next) >= client_of(state);
}

static void test_a_client_is_answered_once_and_never_comes_back(void) {
  each(client_never_comes_back);
  for (enum exchange_state state = 0; state < EXCHANGE_STATES; state++) {
    struct exchange_step step = exchange_step(state, EXCHANGE_ANSWER);
    bool may = client_of(state) == WAITS;
    CU_ASSERT_EQUAL(step.action == EXCHANGE_NEVER, !may);
    CU_ASSERT_TRUE(!may || client_of(step.next) == ANSWERED);
  }
}

static void test_a_client_may_leave_in_every_state(void) {
  for (enum exchange_state state = 0; state < EXCHANGE_STATES; state++) {
    struct exchange_step step = exchange_step(state, EXCHANGE_LEAVE);
    bool left = client_of(state) == LEFT;
    CU_ASSERT_EQUAL(step.action == EXCHANGE_NEVER, left);
    CU_ASSERT_TRUE(left || client_of(step.next) == LEFT);
  }
}

/* An answer, or an end of it, is sent by those that have a client. */
static bool answers_have_a_client(enum exchange_state state,
                                  enum exchange_event event,
                                  struct exchange_step step) {
  (void)event;
  switch (step.action) {
  case EXCHANGE_START:
  case EXCHANGE_GO_ON:
  case EXCHANGE_REFUSE:
  case EXCHANGE_FAIL:
  case EXCHANGE_LATE_HOOK:
  case EXCHANGE_LATE_BACKEND:
    return client_of(state) == WAITS && client_of(step.next) == WAITS;
  case EXCHANGE_ABORT:
    return client_of(state) == ANSWERED;
  default:
    return true;
  }
}

static void test_only_who_has_a_waiting_client_answers(void) {
  each(answers_have_a_client);
}

/* ---- changes ------------------------------------------------------------ */

static bool a_change_is_not_given_up(enum exchange_state state,
                                     enum exchange_event event,
                                     struct exchange_step step) {
  if (!exchange_is_changing(state) || exchange_is_changing(step.next))
    return true;
  return event == EXCHANGE_FAILED || event == EXCHANGE_TOLD ||
         event == EXCHANGE_BREAK_OFF;
}

static void test_a_change_ends_when_it_failed_or_hooks_know(void) {
  each(a_change_is_not_given_up);
}

static bool a_change_that_took_place_is_told(enum exchange_state state,
                                             enum exchange_event event,
                                             struct exchange_step step) {
  (void)state;
  return (event == EXCHANGE_CHANGED) == (step.action == EXCHANGE_TELL);
}

static void test_a_change_that_took_place_is_told(void) {
  each(a_change_that_took_place_is_told);
}

/* ---- the end ------------------------------------------------------------ */

static bool the_end_is_the_end(enum exchange_state state,
                               enum exchange_event event,
                               struct exchange_step step) {
  (void)event;
  if (state == EXCHANGE_OVER)
    return step.action == EXCHANGE_FREE;
  return (step.next == EXCHANGE_OVER) == is_over(step.action);
}

static void test_an_end_is_entered_once(void) {
  each(the_end_is_the_end);
}

static void test_every_state_is_reached_and_left(void) {
  bool reached[EXCHANGE_STATES] = {[EXCHANGE_ADMITTING] = true};
  for (int round = 0; round < EXCHANGE_STATES; round++)
    for (enum exchange_state state = 0; state < EXCHANGE_STATES; state++)
      for (enum exchange_event event = 0; event < EXCHANGE_EVENTS; event++) {
        struct exchange_step step = exchange_step(state, event);
        if (reached[state] && step.action != EXCHANGE_NEVER)
          reached[step.next] = true;
      }
  for (enum exchange_state state = 0; state < EXCHANGE_STATES; state++) {
    bool left = state == EXCHANGE_OVER;
    for (enum exchange_event event = 0; event < EXCHANGE_EVENTS; event++) {
      struct exchange_step step = exchange_step(state, event);
      left = left || (step.action != EXCHANGE_NEVER && step.next != state);
    }
    char row[32];
    snprintf(row, sizeof row, "state %d", state);
    ROW(row, reached[state] && left);
  }
}

/* Each state that something is waited for in has a time, or a client whose own
 * time runs. */
static void test_no_state_waits_for_ever(void) {
  for (enum exchange_state state = 0; state < EXCHANGE_OVER; state++) {
    struct exchange_step step = exchange_step(state, EXCHANGE_SILENCE);
    bool answered = exchange_is_answered(state) && state != EXCHANGE_SENDING;
    char row[32];
    snprintf(row, sizeof row, "state %d", state);
    ROW(row, answered == (step.action == EXCHANGE_NEVER));
  }
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_a_client_is_answered_once_and_never_comes_back),
      UNIT(test_a_client_may_leave_in_every_state),
      UNIT(test_only_who_has_a_waiting_client_answers),
      UNIT(test_a_change_ends_when_it_failed_or_hooks_know),
      UNIT(test_a_change_that_took_place_is_told),
      UNIT(test_an_end_is_entered_once),
      UNIT(test_every_state_is_reached_and_left),
      UNIT(test_no_state_waits_for_ever),
      {NULL, NULL}};
  return unit_main("exchange_table", tests);
}
