/* SPDX-License-Identifier: MIT
 *
 * At a start: the blobs that the index may not know.  Only numbers that can be
 * such are looked at, so the cost doesn't grow with the store.
 */
#ifndef LOCAL_SWEEP_H
#define LOCAL_SWEEP_H

#include "store.h"

#include <stdint.h>

enum sweep_verdict {
  SWEEP_KEEP,  /* a row has it; it becomes committed */
  SWEEP_LEAVE, /* a stage has it, and may go on */
  SWEEP_DROP,  /* nobody was told of it */
  SWEEP_MOVE   /* to lost+found */
};

struct sweep {
  uint64_t first; /* the number to begin with */
  enum sweep_verdict (*decide)(void *arg, uint64_t number, bool committed);
  void *arg;
  uint64_t dropped, moved; /* how many were */
};

/* False, and errno, when it couldn't be done to the end, durably. */
bool sweep_run(struct sweep *, const struct store *, int dir);

#endif
