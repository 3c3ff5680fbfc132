/* SPDX-License-Identifier: MIT
 *
 * An object, or a stage, in memory: for gatestore.c.
 */
#ifndef TESTS_GATETHING_H
#define TESTS_GATETHING_H

#include <sluice/plugin.h>

#include "buf.h"

#define THING_MAX (1u << 17) /* bytes of each of its parts */

struct thing { /* an object, or a stage */
  struct buf key, type, bytes, state;
  struct buf user; /* name NUL value NUL ... */
  char md5[33];
  bool there, complete;
  size_t saved;
  int64_t expires_s;
  struct sluice_op *opener; /* of a stage: who writes it */
};

void thing_init(struct thing *);
void thing_fini(struct thing *);
/* NULL: there is none of that name. */
struct thing *thing_find(struct thing *, size_t count, const char *key);
/* NULL: there is no room. */
struct thing *thing_make(struct thing *, size_t count, const char *key);
/* Takes over type and metadata. */
void thing_describe(struct thing *, const struct sluice_object *);

#endif
