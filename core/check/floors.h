/* SPDX-License-Identifier: MIT
 *
 * The backends below a layer that is checked: each stands on the next one, the
 * last one is a storage.  fixture.c has them live around the layer.
 */
#ifndef CHECK_FLOORS_H
#define CHECK_FLOORS_H

#include "ask.h"
#include "layer.h"
#include "subject.h"

#define FLOORS_MAX LAYER_DEPTH_MAX
#define FLOORS_NAME "below" /* of the backend that a layer is given */

struct fixture;

/* Below the subject, from the first one down. */
struct floors_plan {
  struct subject subjects[FLOORS_MAX];
  struct layer layers[FLOORS_MAX]; /* unfolded, for those that are one */
  struct layer top;                /* the same of the subject */
  size_t count;
};

/* Adds one, of a text like "PATH.so key=value ...". */
bool floors_add(struct floors_plan *, const char *text, struct errmsg *);
/* All are there: does the subject stand on them?  Unfolds the layers. */
bool floors_unfold(struct floors_plan *, struct subject *, struct errmsg *);

/* A backend below, and its presence on the loop of the fixture. */
struct floor {
  const struct subject *subject;
  const struct sluice_backend *offers;
  const struct layer *layer; /* NULL: a storage */
  void *instance;
  unsigned abilities;
  struct sluice_host host; /* of start() */
  struct sluice_store start_store, store;
  struct op_layer on_loop;
  struct op_backend handle; /* of a floor */
};

/* `host` of the subject is a pattern for theirs.  NULL, or why one fails. */
const char *floors_start(const struct floors_plan *, struct floor *,
                         const struct sluice_host *);
const char *floors_open(struct floor *, size_t count, struct loop *);
void floors_close(struct floor *, size_t count);
void floors_stop(struct floor *, size_t count);

/* The host may ask `below`: in start(), or as `layer` on a loop. */
void floors_name(struct sluice_store *, struct sluice_host *,
                 struct floor *below, struct op_backend *layer);

#endif
