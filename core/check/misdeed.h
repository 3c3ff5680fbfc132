/* SPDX-License-Identifier: MIT
 *
 * Rules that can be broken in any operation.  They are watched in every check
 * and judged once, at the end: so that a check fails for what it is about.
 */
#ifndef CHECK_MISDEED_H
#define CHECK_MISDEED_H

#include "trial.h"

enum misdeed {
  MISDEED_DONE,   /* done twice, or a word after it */
  MISDEED_TURN,   /* a word out of turn */
  MISDEED_RESUME, /* of a request that doesn't wait */
  MISDEED_THREAD,
  MISDEED_BLOCK,
  MISDEED_COUNT /* also: none */
};

const char *misdeed_name(enum misdeed); /* as a check's */
const char *misdeed_rule(enum misdeed);
bool misdeed_is_of(enum misdeed, enum plugin_kind);
/* From here on, what the gateway sees of them is among the lab's words. */
void misdeed_watch(struct lab *);
/* What the trial's words say, and in `why` what was said. */
enum misdeed misdeed_of(const struct trial *, char *why, size_t size);

#endif
