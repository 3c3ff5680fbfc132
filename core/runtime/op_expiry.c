/* SPDX-License-Identifier: MIT
 *
 * An object whose moment has passed is there no more for whoever asks a
 * backend on behalf of a client, whether or not a sweep has removed it.  It is
 * decided here, above all layers, so that it holds for each backend, and so
 * that none of them takes an object that has ended in one store for a reason
 * to serve it from another.
 */
#include "op_private.h"

#include <string.h>

#include "date.h"
#include "expiry.h"

int64_t op_expires(const struct sluice_meta *meta) {
  const struct sluice_pair *pair = meta->user;
  int64_t moment_s;
  for (; pair != NULL && pair->name != NULL; pair++)
    if (strcmp(pair->name, EXPIRY_META) == 0)
      return pair->value != NULL && expiry_parse(pair->value, &moment_s)
                 ? moment_s
                 : 0;
  return 0;
}

bool op_has_expired(const struct sluice_meta *meta) {
  int64_t moment_s = op_expires(meta);
  return moment_s > 0 && expiry_is_over(moment_s, date_now_ms());
}

bool op_hides(const struct sluice_op *op) {
  return (op->kind == OP_HEAD || op->kind == OP_GET) &&
         !op->events->sees_expired && op_has_expired(&op->meta->meta);
}
