/* SPDX-License-Identifier: MIT
 *
 * A walk of each kind through each backend that it is for.
 */
#include "sweeps.h"

#include <stdlib.h>

#include "sweepkinds.h"

#define KINDS (sizeof kinds / sizeof *kinds)

static const struct {
  const struct walk_kind *kind;
  bool (*is_for)(const struct gate *, size_t backend); /* NULL: each */
} kinds[] = {{&stagesweep, stagesweep_is_for},
             {&oncesweep, oncesweep_is_for},
             {&linksweep_uses, NULL},
             {&linksweep_revoked, NULL},
             {&expirysweep, expirysweep_is_for}};

struct sweeps {
  size_t count;
  struct walk *walks[];
};

static bool sweeps_add(struct sweeps *sweeps, struct gate *gate, size_t kind,
                       size_t i) {
  if (kinds[kind].is_for != NULL && !kinds[kind].is_for(gate, i))
    return true;
  struct walk *walk =
      walk_new(kinds[kind].kind, gate->backends[i], &gate->debt, gate, i);
  if (walk != NULL)
    sweeps->walks[sweeps->count++] = walk;
  return walk != NULL;
}

struct sweeps *sweeps_new(struct gate *gate) {
  size_t backends = gate->settings->backend_count;
  struct sweeps *sweeps =
      calloc(1, sizeof *sweeps + KINDS * backends * sizeof *sweeps->walks);
  bool ok = sweeps != NULL;
  for (size_t i = 0; ok && i < KINDS * backends; i++)
    ok = sweeps_add(sweeps, gate, i / backends, i % backends);
  if (ok)
    return sweeps;
  sweeps_free(sweeps);
  return NULL;
}

void sweeps_stop(struct sweeps *sweeps) {
  for (size_t i = 0; sweeps != NULL && i < sweeps->count; i++)
    walk_stop(sweeps->walks[i]);
}

void sweeps_free(struct sweeps *sweeps) {
  for (size_t i = 0; sweeps != NULL && i < sweeps->count; i++)
    walk_free(sweeps->walks[i]);
  free(sweeps);
}
