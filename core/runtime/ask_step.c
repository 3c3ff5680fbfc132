/* SPDX-License-Identifier: MIT
 *
 * The steps of what a layer asked for.  One that would be out of turn is a
 * violation of the layer's, and isn't taken.
 */
#include "ask_private.h"

#include "violation.h"

/* Is it its turn?  An operation that is done, or is to end, takes no step:
 * done() is on its way. */
static bool ask_turn(const struct sluice_ask *ask, enum op_call call,
                     const char *name) {
  if (ask == NULL)
    return false;
  ask_check_thread(ask->layer, name);
  const struct sluice_op *op = ask->op;
  const char *fault = NULL;
  if (op == NULL)
    fault = VIOLATION_AFTER_DONE;
  else if (op_is_done(op) || op->pending)
    return false;
  else if (op_turn_next(op->turn, call) == OP_NEVER)
    fault = "out of turn";
  if (fault != NULL)
    op_violation(ask->layer, name, fault);
  return fault == NULL;
}

/* It can't be taken back, so it ends what it was said of. */
static void refuse_step(struct sluice_ask *ask, const char *name,
                        const char *fault) {
  op_violation(ask->layer, name, fault);
  op_cancel(ask->op);
}

void sluice_ask_read(struct sluice_ask *ask, uint64_t first, uint64_t count) {
  if (!ask_turn(ask, OP_CALL_READ, __func__))
    return;
  const struct sluice_op *op = ask->op;
  bool gives =
      op->kind == OP_PUT && (op->backend->abilities & SLUICE_CAN_REREAD) != 0;
  if (op_stores(op) && !gives)
    refuse_step(ask, __func__, "of what doesn't give its bytes back");
  else
    op_read(ask->op, first, count);
}

void sluice_ask_more(struct sluice_ask *ask) {
  if (ask_turn(ask, OP_CALL_MORE, __func__))
    op_more(ask->op);
}

void sluice_ask_data(struct sluice_ask *ask,
                     const struct sluice_chunk *chunk) {
  if (!ask_turn(ask, OP_CALL_DATA, __func__))
    return;
  if (chunk->fd != -1)
    refuse_step(ask, __func__, "with a chunk that isn't in memory");
  else
    op_data(ask->op, chunk);
}

static bool may_commit(struct sluice_ask *ask, enum op_kind kind,
                       const struct sluice_object *object, const char *name) {
  if (!ask_turn(ask, OP_CALL_COMMIT, name))
    return false;
  const char *fault = NULL;
  if (ask->op->kind != kind)
    fault = "of what isn't stored that way";
  else if (object->length != ask->op->known)
    fault = "with another length than that of all that was lent";
  if (fault != NULL)
    refuse_step(ask, name, fault);
  return fault == NULL;
}

void sluice_ask_commit(struct sluice_ask *ask,
                       const struct sluice_object *object) {
  if (may_commit(ask, OP_PUT, object, __func__))
    op_commit(ask->op, object);
}

void sluice_ask_save(struct sluice_ask *ask, const struct sluice_save *save) {
  if (!ask_turn(ask, OP_CALL_SAVE, __func__))
    return;
  if (ask->op->kind != OP_STAGE)
    refuse_step(ask, __func__, "of what is no stage");
  else
    op_save(ask->op, save);
}

void sluice_ask_stage_commit(struct sluice_ask *ask,
                             const struct sluice_object *object,
                             const struct sluice_save *save) {
  if (may_commit(ask, OP_STAGE, object, __func__))
    op_stage_commit(ask->op, object, save);
}

void sluice_ask_cancel(struct sluice_ask *ask) {
  if (ask == NULL)
    return;
  ask_check_thread(ask->layer, __func__);
  if (ask->op == NULL)
    op_violation(ask->layer, __func__, VIOLATION_AFTER_DONE);
  else
    op_cancel(ask->op);
}
