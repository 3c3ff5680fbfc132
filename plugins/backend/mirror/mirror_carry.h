/* SPDX-License-Identifier: MIT
 *
 * Makes one storage equal to the first one in a key: reads what is there, and
 * writes it, or removes it where nothing is.  Who starts it has taken the key,
 * so that nobody changes it meanwhile.
 */
#ifndef MIRROR_CARRY_H
#define MIRROR_CARRY_H

#include "mirror_layer.h"

struct mirror_carry;

struct carry_events {
  /* It goes on; may be NULL. */
  void (*alive)(void *arg);
  /* Once: SLUICE_OK, they are equal.  SLUICE_ETIMEOUT: it was given up, and
   * may still change something until over(). */
  void (*result)(void *arg, enum sluice_status, const char *why);
  void (*over)(void *arg); /* the last one, behind result() */
};

/* NULL: no memory is left, and nothing follows.  No event comes before it has
 * returned.  The events stay. */
struct mirror_carry *carry_start(struct mirror_handle *, const char *key,
                                 unsigned to, const struct carry_events *,
                                 void *arg);
/* In result(): the first storage, and not the other one, is why. */
bool carry_blames_first(const struct mirror_carry *);

#endif
