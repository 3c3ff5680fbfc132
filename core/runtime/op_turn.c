/* SPDX-License-Identifier: MIT
 *
 * The table of states and calls.  What isn't in it is out of turn.  A plugin
 * may be done whenever it has not been; while a chunk is lent that is against
 * the rules, which sluice_done() looks after.
 */
#include "op_turn.h"

#include "op_private.h"

enum op_turn op_turn_next(enum op_turn turn, enum op_call call) {
  static const enum op_turn table[OP_TURNS][OP_CALLS] = {
      [OP_HEADING] = {[OP_CALL_META] = OP_ANSWERING, [OP_CALL_DONE] = OP_DONE},
      [OP_FINDING] = {[OP_CALL_META] = OP_DESCRIBED, [OP_CALL_DONE] = OP_DONE},
      [OP_READING] = {[OP_CALL_SEND] = OP_LENT,
                      [OP_CALL_SEND_LAST] = OP_LENT_LAST,
                      [OP_CALL_DONE] = OP_DONE},
      [OP_REREADING] =
          {[OP_CALL_SEND_LAST] = OP_RELENT, [OP_CALL_DONE] = OP_DONE},
      [OP_RELENT] = {[OP_CALL_MORE] = OP_STORING, [OP_CALL_DONE] = OP_DONE},
      [OP_STORING] = {[OP_CALL_NEXT] = OP_WANTED, [OP_CALL_DONE] = OP_DONE},
      [OP_ANSWERING] = {[OP_CALL_DONE] = OP_DONE},
      [OP_COMMITTING] =
          {[OP_CALL_META] = OP_ANSWERING, [OP_CALL_DONE] = OP_DONE},
      [OP_DESCRIBED] = {[OP_CALL_READ] = OP_READING, [OP_CALL_DONE] = OP_DONE},
      [OP_LENT] = {[OP_CALL_MORE] = OP_READING, [OP_CALL_DONE] = OP_DONE},
      [OP_LENT_LAST] =
          {[OP_CALL_MORE] = OP_ANSWERING, [OP_CALL_DONE] = OP_DONE},
      [OP_OPENING] = {[OP_CALL_STAGED] = OP_WANTED, [OP_CALL_DONE] = OP_DONE},
      [OP_SAVING] = {[OP_CALL_STAGED] = OP_WANTED, [OP_CALL_DONE] = OP_DONE},
      [OP_WANTED] = {[OP_CALL_DATA] = OP_STORING,
                     [OP_CALL_READ] = OP_REREADING,
                     [OP_CALL_SAVE] = OP_SAVING,
                     [OP_CALL_COMMIT] = OP_COMMITTING,
                     [OP_CALL_DONE] = OP_DONE}};
  return table[turn][call];
}

bool op_takes_turn(struct sluice_op *op, enum op_call call) {
  enum op_turn next = op_turn_next(op->turn, call);
  if (next != OP_NEVER)
    op->turn = next;
  return next != OP_NEVER;
}
