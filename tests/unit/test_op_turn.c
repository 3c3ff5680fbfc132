/* SPDX-License-Identifier: MIT
 *
 * Every state of an operation with every call of both sides: what the table
 * says, and what the plugin's side makes of it.
 */
#include "op_turn.h"
#include "opkit.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

static const struct {
  enum op_turn from;
  enum op_call call;
  enum op_turn to;
} steps[] = {{OP_HEADING, OP_CALL_META, OP_ANSWERING},
             {OP_FINDING, OP_CALL_META, OP_DESCRIBED},
             {OP_DESCRIBED, OP_CALL_READ, OP_READING},
             {OP_READING, OP_CALL_SEND, OP_LENT},
             {OP_READING, OP_CALL_SEND_LAST, OP_LENT_LAST},
             {OP_LENT, OP_CALL_MORE, OP_READING},
             {OP_LENT_LAST, OP_CALL_MORE, OP_ANSWERING},
             {OP_WANTED, OP_CALL_READ, OP_REREADING},
             {OP_REREADING, OP_CALL_SEND_LAST, OP_RELENT},
             {OP_RELENT, OP_CALL_MORE, OP_STORING},
             {OP_STORING, OP_CALL_NEXT, OP_WANTED},
             {OP_WANTED, OP_CALL_DATA, OP_STORING},
             {OP_OPENING, OP_CALL_STAGED, OP_WANTED},
             {OP_WANTED, OP_CALL_SAVE, OP_SAVING},
             {OP_SAVING, OP_CALL_STAGED, OP_WANTED},
             {OP_WANTED, OP_CALL_COMMIT, OP_COMMITTING},
             {OP_COMMITTING, OP_CALL_META, OP_ANSWERING}};

static enum op_turn wanted(enum op_turn from, enum op_call call) {
  if (call == OP_CALL_DONE) /* once, and at any time */
    return from == OP_NEVER || from == OP_DONE || from == OP_BURIED ? OP_NEVER
                                                                    : OP_DONE;
  for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
    if (steps[i].from == from && steps[i].call == call)
      return steps[i].to;
  return OP_NEVER;
}

static void test_every_state_takes_its_calls_and_no_other(void) {
  for (enum op_turn turn = 0; turn < OP_TURNS; turn++)
    for (enum op_call call = 0; call < OP_CALLS; call++) {
      char row[32];
      snprintf(row, sizeof row, "state %d, call %d", (int)turn, (int)call);
      ROW(row, op_turn_next(turn, call) == wanted(turn, call));
    }
}

/* ---- the plugin's side -------------------------------------------------- */

/* How an operation comes into each state, where it stays. */
static const struct {
  enum op_turn turn;
  struct op_script script;
} ways[] = {
    {OP_HEADING, {OP_HEAD, .start = "", .leave = -1}},
    {OP_ANSWERING, {OP_HEAD, .start = "M", .leave = -1}},
    {OP_FINDING, {OP_GET, .start = "", .leave = -1}},
    {OP_DESCRIBED, {OP_GET, .start = "M", .leave = -1, .hold = 'm'}},
    {OP_READING, {OP_GET, .start = "M", .read = "", .leave = -1}},
    {OP_LENT, {OP_GET, .start = "M", .read = "S", .leave = -1, .hold = 'c'}},
    {OP_LENT_LAST,
     {OP_GET, .start = "M", .read = "L", .leave = -1, .hold = 'c'}},
    {OP_ANSWERING,
     {OP_GET, .start = "M", .read = "L", .more = "", .leave = -1}},
    {OP_STORING, {OP_PUT, .start = "", .chunks = 1, .leave = -1}},
    {OP_WANTED, {OP_PUT, .start = "N", .chunks = 1, .leave = -1, .hold = 'n'}},
    {OP_STORING, {OP_PUT, .start = "N", .data = "", .chunks = 1, .leave = -1}},
    {OP_COMMITTING,
     {OP_PUT, .start = "N", .data = "N", .commit = "", .chunks = 1,
      .leave = -1}},
    {OP_OPENING, {OP_STAGE, .start = "", .leave = -1}},
    {OP_WANTED, {OP_STAGE, .start = "g", .leave = -1, .hold = 's'}},
    {OP_STORING,
     {OP_STAGE, .start = "g", .data = "", .chunks = 1, .leave = -1}},
    {OP_SAVING,
     {OP_STAGE, .start = "g", .data = "N", .save = "", .chunks = 1,
      .leave = -1}},
    {OP_COMMITTING, {OP_STAGE, .start = "g", .commit = "", .leave = -1}},
    {OP_ANSWERING, {OP_LIST, .start = "e", .leave = -1}},
    {OP_ANSWERING, {OP_REMOVE, .start = "", .leave = -1}},
    {OP_ANSWERING, {OP_PING, .start = "", .leave = -1}},
    {OP_ANSWERING, {OP_PRESIGN, .start = "t", .leave = -1}},
    {OP_ANSWERING, {OP_VERIFY, .start = "t", .leave = -1}},
};

static const struct {
  const char *letter;
  enum op_call call;
} words[] = {{"M", OP_CALL_META},
             {"S", OP_CALL_SEND},
             {"L", OP_CALL_SEND_LAST},
             {"N", OP_CALL_NEXT},
             {"g", OP_CALL_STAGED}};

static void reach(struct op_rig *rig, const struct op_script *script) {
  op_rig_init(rig, script);
  op_rig_start(rig);
  op_rig_turn(rig);
}

static void end(struct op_rig *rig) {
  if (rig->dones == 0 && !op_is_done(rig->op))
    op_rig_say(rig, "E");
  op_rig_finish(rig);
  op_rig_fini(rig);
}

/* Out of turn is counted, and changes nothing. */
static void test_a_plugin_is_heard_in_its_turn_only(void) {
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
    for (size_t j = 0; j < sizeof words / sizeof *words; j++) {
      struct op_rig rig;
      char row[32];
      reach(&rig, &ways[i].script);
      snprintf(row, sizeof row, "way %zu, %s", i, words[j].letter);
      ROW(row, rig.op->turn == ways[i].turn);
      enum op_turn next = wanted(ways[i].turn, words[j].call);
      op_rig_say(&rig, words[j].letter);
      ROW(row, rig.backend.misused == (next == OP_NEVER));
      ROW(row, rig.op->turn == (next == OP_NEVER ? ways[i].turn : next));
      end(&rig);
    }
}

static void test_done_ends_every_state_once(void) {
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
    struct op_rig rig;
    char row[32];
    snprintf(row, sizeof row, "way %zu", i);
    reach(&rig, &ways[i].script);
    bool lent = rig.op->turn == OP_LENT || rig.op->turn == OP_LENT_LAST;
    op_rig_say(&rig, "E");
    ROW(row, rig.op->turn == OP_DONE && rig.backend.misused == lent);
    op_rig_say(&rig, "EMSN");
    ROW(row, rig.backend.misused == 4u + lent && rig.op->turn == OP_DONE);
    op_rig_finish(&rig);
    ROW(row, rig.op->turn == OP_BURIED && rig.dones == 1);
    op_rig_fini(&rig);
  }
}

/* ---- the gateway's side ------------------------------------------------- */

static void ask(struct sluice_op *op, enum op_call call) {
  struct sluice_chunk chunk = {.data = "", .fd = -1};
  struct sluice_object object = {.key = "key"};
  struct sluice_save save = {.state = "", .state_size = 0};
  if (call == OP_CALL_READ)
    op_read(op, 0, 1);
  else if (call == OP_CALL_MORE)
    op_more(op);
  else if (call == OP_CALL_DATA)
    op_data(op, &chunk);
  else if (op->kind == OP_STAGE && call == OP_CALL_SAVE)
    op_save(op, &save);
  else if (op->kind == OP_STAGE)
    op_stage_commit(op, &object, &save);
  else
    op_commit(op, &object);
}

/* After a cancel or done, no call of the gateway reaches the plugin. */
static void test_a_plugin_that_is_to_end_is_asked_nothing(void) {
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
    for (enum op_call call = OP_CALL_READ; call < OP_CALLS; call++) {
      struct op_rig rig;
      reach(&rig, &ways[i].script);
      op_cancel(rig.op);
      size_t len = rig.len;
      ask(rig.op, call);
      ROW(rig.line, rig.len == len);
      op_rig_say(&rig, "E");
      len = rig.len;
      ask(rig.op, call);
      ROW(rig.line, rig.len == len);
      op_rig_finish(&rig);
      op_rig_fini(&rig);
    }
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_every_state_takes_its_calls_and_no_other),
      UNIT(test_a_plugin_is_heard_in_its_turn_only),
      UNIT(test_done_ends_every_state_once),
      UNIT(test_a_plugin_that_is_to_end_is_asked_nothing),
      {NULL, NULL}};
  return unit_main("op_turn", tests);
}
