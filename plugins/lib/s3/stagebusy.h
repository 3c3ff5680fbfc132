/* SPDX-License-Identifier: MIT
 *
 * The stages that this process makes objects of just now, on whichever loop:
 * who opens one of them comes again later, as giving up unfinished parts would
 * end the commit that runs.
 */
#ifndef S3_STAGEBUSY_H
#define S3_STAGEBUSY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define STAGEBUSY_MAX 256 /* at once; more aren't known, and may be ended */

struct stagebusy { /* zeroed: none */
  _Atomic uint64_t of[STAGEBUSY_MAX];
};

/* Of a stage's folder; each that was added is removed once.  False: there is
 * no room. */
bool stagebusy_add(struct stagebusy *, const char *base);
void stagebusy_remove(struct stagebusy *, const char *base);
bool stagebusy_has(struct stagebusy *, const char *base);

#endif
