/* SPDX-License-Identifier: MIT
 *
 * Drives a stage as the gateway would: each call runs the loop until the
 * plugin has answered it, and lends bytes that are spoiled once they came
 * back.
 */
#ifndef CHECK_STAGE_DRIVER_H
#define CHECK_STAGE_DRIVER_H

#include <sluice/plugin.h>

#include "fixture.h"
#include "sample.h"

struct stage_driver {
  struct fixture *fixture;
  struct sluice_op *op;
  const char *entry; /* for messages */
  char *buffer;
  uint64_t offset, lent; /* durable bytes, and all that were lent */
  uint64_t length, got;  /* of a get */
  int64_t expires_s;
  struct sample wanted;
  enum sluice_status status; /* once it is over */
  bool answered;             /* the last call, or it is over */
  bool over;
  bool complete;
  bool unheard; /* the next one that is made is */
  char why[256];
  char id[SLUICE_STAGE_ID_MAX + 1];
  char state[SLUICE_STAGE_STATE_MAX + 1]; /* as text */
};

void stage_driver_init(struct stage_driver *, struct fixture *);
/* Leaves it, and waits until the plugin has ended it. */
void stage_driver_fini(struct stage_driver *);

/* A new one, whose state is a text; its owner may be "". */
void stage_driver_make(struct stage_driver *, const char *state,
                       int64_t expires_s, const char *owner,
                       uint64_t owner_max);
void stage_driver_open(struct stage_driver *, const char *id);
/* The sample's next bytes, in chunks of 64 KiB or less. */
void stage_driver_lend(struct stage_driver *, const struct sample *,
                       uint64_t length);
void stage_driver_save(struct stage_driver *, const char *state,
                       int64_t expires_s);
/* All bytes that were lent, which are the sample's. */
void stage_driver_commit(struct stage_driver *, const char *key,
                         const struct sample *, const char *state);
/* All durable bytes, which have to be the sample's first `length`. */
void stage_driver_get(struct stage_driver *, const char *id,
                      const struct sample *, uint64_t length);
void stage_driver_remove(struct stage_driver *, const char *id);
void stage_driver_sweep(struct stage_driver *, int64_t now_s);

/* Fails the check unless it waits with these words, or ended so. */
void stage_driver_stands(struct stage_driver *, uint64_t offset,
                         const char *state, bool complete);
void stage_driver_ended(struct stage_driver *, enum sluice_status);

#endif
