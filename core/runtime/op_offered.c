/* SPDX-License-Identifier: MIT
 *
 * The operations that a backend may offer, or not: the gateway's side of their
 * start.  A layer offers what is its own or passes (layer.c).
 */
#include "op_private.h"

/* False, and it is done, where it isn't offered. */
static bool op_offers(struct sluice_op *op, bool offered, const char *why) {
  if (offered)
    return op_asks(op);
  sluice_done(op, SLUICE_ENOTSUP, "%s", why);
  return false;
}

struct sluice_op *op_remove_if(struct op_backend *backend,
                               const struct sluice_removal *removal,
                               const struct op_events *events, void *arg) {
  bool offered = backend->plugin->remove_if != NULL;
  if (offered)
    OP_PASS(backend, remove_if);
  struct sluice_op *op = op_new(backend, OP_REMOVE, events, arg);
  if (op_offers(op, offered, "the backend removes nothing conditionally"))
    op_entries_of(backend)->remove_if(backend->handle, op, removal);
  return op;
}

struct sluice_op *op_copy(struct op_backend *backend,
                          const struct sluice_copy *copy,
                          const struct op_events *events, void *arg) {
  bool offered = backend->plugin->copy != NULL;
  if (offered)
    OP_PASS(backend, copy);
  struct sluice_op *op = op_new(backend, OP_COPY, events, arg);
  if (op_offers(op, offered, "the backend copies nothing"))
    op_entries_of(backend)->copy(backend->handle, op, copy);
  return op;
}

struct sluice_op *op_presign(struct op_backend *backend,
                             const struct sluice_link *link,
                             const struct op_events *events, void *arg) {
  bool offered = backend->plugin->presign != NULL;
  if (offered)
    OP_PASS(backend, presign);
  struct sluice_op *op = op_new(backend, OP_PRESIGN, events, arg);
  if (op_offers(op, offered, "the backend makes no links"))
    op_entries_of(backend)->presign(backend->handle, op, link);
  return op;
}

struct sluice_op *op_verify(struct op_backend *backend,
                            const struct sluice_claim *claim,
                            const struct op_events *events, void *arg) {
  bool offered = backend->plugin->verify != NULL;
  if (offered)
    OP_PASS(backend, verify);
  struct sluice_op *op = op_new(backend, OP_VERIFY, events, arg);
  if (op_offers(op, offered, "its links aren't served here"))
    op_entries_of(backend)->verify(backend->handle, op, claim);
  return op;
}

bool op_can_stage(const struct op_backend *backend) {
  return backend->plugin->stage != NULL;
}

#define NO_STAGES "uploads can't go on later here"

struct sluice_op *op_stage(struct op_backend *backend,
                           const struct sluice_stage *stage,
                           const struct op_events *events, void *arg) {
  bool offered = op_can_stage(backend);
  if (offered)
    OP_PASS(backend, stage);
  struct sluice_op *op = op_new(backend, OP_STAGE, events, arg);
  if (op_offers(op, offered, NO_STAGES))
    op_entries_of(backend)->stage(backend->handle, op, stage);
  return op;
}

struct sluice_op *op_stage_get(struct op_backend *backend, const char *id,
                               const struct op_events *events, void *arg) {
  bool offered = op_can_stage(backend);
  if (offered)
    OP_PASS(backend, stage_get);
  struct sluice_op *op = op_new(backend, OP_GET, events, arg);
  if (op_offers(op, offered, NO_STAGES))
    op_entries_of(backend)->stage_get(backend->handle, op, id);
  return op;
}

struct sluice_op *op_stage_remove(struct op_backend *backend, const char *id,
                                  const struct op_events *events, void *arg) {
  bool offered = op_can_stage(backend);
  if (offered)
    OP_PASS(backend, stage_remove);
  struct sluice_op *op = op_new(backend, OP_STAGE_REMOVE, events, arg);
  if (op_offers(op, offered, NO_STAGES))
    op_entries_of(backend)->stage_remove(backend->handle, op, id);
  return op;
}

struct sluice_op *op_stage_sweep(struct op_backend *backend, int64_t now_s,
                                 const struct op_events *events, void *arg) {
  bool offered = op_can_stage(backend);
  if (offered)
    OP_PASS(backend, stage_sweep);
  struct sluice_op *op = op_new(backend, OP_STAGE_SWEEP, events, arg);
  if (op_offers(op, offered, NO_STAGES))
    op_entries_of(backend)->stage_sweep(backend->handle, op, now_s);
  return op;
}
