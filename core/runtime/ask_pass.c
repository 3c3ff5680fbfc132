/* SPDX-License-Identifier: MIT
 *
 * The entries that a layer doesn't have: an operation is asked for at the one
 * backend below, as it came, and a step is passed to what was asked for last.
 */
#include "ask.h"
#include "op_private.h"

static struct sluice_store *store_of(struct sluice_op *op) {
  return &op->backend->host.stores[0];
}

/* The layer started it itself, and has asked nobody. */
static struct sluice_ask *ask_of(struct sluice_op *op, const char *entry) {
  if (op->asks == NULL && !op_is_done(op)) {
    op_violation(op->backend, entry,
                 "is called, and the layer has neither that entry nor "
                 "anything in flight that the call could be passed to");
    sluice_done(op, SLUICE_EUPSTREAM, NULL);
  }
  return op->asks;
}

static void pass_get(void *handle, struct sluice_op *op,
                     const struct sluice_get *get) {
  (void)handle;
  sluice_ask_get(store_of(op), op, get, NULL, NULL);
}

static void pass_read(void *handle, struct sluice_op *op, uint64_t first,
                      uint64_t count) {
  (void)handle;
  sluice_ask_read(ask_of(op, "read"), first, count);
}

static void pass_more(void *handle, struct sluice_op *op) {
  (void)handle;
  sluice_ask_more(ask_of(op, "more"));
}

static void pass_put(void *handle, struct sluice_op *op,
                     const struct sluice_put *put) {
  (void)handle;
  sluice_ask_put(store_of(op), op, put, NULL, NULL);
}

static void pass_data(void *handle, struct sluice_op *op,
                      const struct sluice_chunk *chunk) {
  (void)handle;
  sluice_ask_data(ask_of(op, "data"), chunk);
}

static void pass_commit(void *handle, struct sluice_op *op,
                        const struct sluice_object *object) {
  (void)handle;
  sluice_ask_commit(ask_of(op, "commit"), object);
}

static void pass_stage(void *handle, struct sluice_op *op,
                       const struct sluice_stage *stage) {
  (void)handle;
  sluice_ask_stage(store_of(op), op, stage, NULL, NULL);
}

static void pass_save(void *handle, struct sluice_op *op,
                      const struct sluice_save *save) {
  (void)handle;
  sluice_ask_save(ask_of(op, "save"), save);
}

static void pass_stage_commit(void *handle, struct sluice_op *op,
                              const struct sluice_object *object,
                              const struct sluice_save *save) {
  (void)handle;
  sluice_ask_stage_commit(ask_of(op, "stage_commit"), object, save);
}

/* Does the layer wait for the gateway?  Else it may be at work, as on a
 * thread, with what would be gone after done(). */
static bool is_idle(const struct sluice_op *op) {
  static const bool idle[OP_TURNS] = {[OP_DESCRIBED] = true,
                                      [OP_LENT] = true,
                                      [OP_LENT_LAST] = true,
                                      [OP_RELENT] = true,
                                      [OP_WANTED] = true};
  return idle[op->turn];
}

static void pass_cancel(void *handle, struct sluice_op *op) {
  (void)handle;
  if (op->asks != NULL)
    op_cancel_asked(op);
  else if (is_idle(op))
    sluice_done(op, SLUICE_ECANCELED, NULL);
}

const struct sluice_backend ask_pass = {.get = pass_get,
                                        .read = pass_read,
                                        .more = pass_more,
                                        .put = pass_put,
                                        .data = pass_data,
                                        .commit = pass_commit,
                                        .cancel = pass_cancel,
                                        .stage = pass_stage,
                                        .save = pass_save,
                                        .stage_commit = pass_stage_commit};
