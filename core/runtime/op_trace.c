/* SPDX-License-Identifier: MIT
 *
 * An operation's request: its trace for the storage, and the attempts that are
 * made for it.
 */
#include "metrics.h"
#include "op_private.h"
#include "violation.h"

struct about *op_about(const struct sluice_op *op) {
  return about_same(op->about, op->serial);
}

const char *sluice_op_traceparent(const struct sluice_op *op) {
  const struct about *about = op_about(op);
  return about == NULL ? NULL : about->traceparent;
}

const char *sluice_op_tracestate(const struct sluice_op *op) {
  const struct about *about = op_about(op);
  return about == NULL ? NULL : about->tracestate;
}

void sluice_attempt(struct sluice_op *op, unsigned number) {
  static const char name[] = "sluice_attempt";
  struct op_backend *backend = op->backend;
  struct about *about = op_about(op);
  if (!loop_is_mine(backend->host.loop))
    violation_of_thread(&backend->host, backend->plugin->name, name);
  if (op_is_done(op)) {
    op_violation(backend, name, VIOLATION_AFTER_DONE);
    return;
  }
  metrics_add_attempt(backend->metrics, backend->index, number != 1);
  if (about != NULL)
    about->attempts++;
}
