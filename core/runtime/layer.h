/* SPDX-License-Identifier: MIT
 *
 * A backend that stands on others: what of its descriptor is its own, what
 * passes to the backend below, and what it offers because of both
 * (<sluice/ask.h>).  Called at the start, once for each layer.
 */
#ifndef RUNTIME_LAYER_H
#define RUNTIME_LAYER_H

#include <sluice/plugin.h>

/* Names in one option, and layers on each other. */
#define LAYER_NAMES_MAX 16
#define LAYER_DEPTH_MAX 16

/* A layer, as its table of options says. */
enum layer_kind {
  LAYER_NONE, /* it stands on nothing */
  LAYER_ONE,  /* on one backend, always: what it lacks passes there */
  LAYER_MANY  /* on several, or sometimes on none: it has to have all */
};
enum layer_kind layer_kind(const struct sluice_option *table);
bool layer_is_name(int type); /* of an option */

struct layer {
  struct sluice_backend offers; /* with what passes; NULL: not offered */
  struct sluice_backend calls;  /* an operation that is NULL passes whole */
};

/* `below` is what that backend offers; NULL: there isn't just one. */
void layer_unfold(struct layer *, const struct sluice_backend *own,
                  const struct sluice_backend *below);
/* The life of a layer that has none of its own. */
void layer_live(struct sluice_backend *own);
/* The bits of a layer that says none, of those of the one below. */
unsigned layer_inherits(const struct sluice_backend *own, unsigned below);
/* The bits that it can, of those that it says or has from below. */
unsigned layer_can(const struct sluice_backend *offers, unsigned said);

#endif
