/* SPDX-License-Identifier: MIT
 *
 * Operations that a layer asks for (<sluice/ask.h>), for op.c, which starts
 * and ends those that they are asked for, and for layer.c.
 */
#ifndef RUNTIME_ASK_H
#define RUNTIME_ASK_H

#include "op.h"

/* A backend below, as sluice_store() gives it. */
struct sluice_store {
  const char *name;
  unsigned abilities;
  struct sluice_host *host;         /* of the layer */
  struct op_backend *layer, *below; /* NULL in start() */
};

/* A layer's presence on one loop. */
struct op_layer {
  const struct sluice_backend *calls; /* of struct layer */
  struct op_backend *below;           /* NULL: there isn't just one */
  struct quarantine asks;
};

/* Entries that pass what the layer hasn't. */
extern const struct sluice_backend ask_pass;

#endif
