/* SPDX-License-Identifier: MIT
 *
 * Rules that can be broken in any operation.  They are watched in every check
 * and judged once, at the end: so that a check fails for what it is about.
 */
#ifndef CHECK_BREACH_H
#define CHECK_BREACH_H

#include "trial.h"

enum breach {
  BREACH_DONE,   /* done twice, or a word after it */
  BREACH_TURN,   /* a word out of turn */
  BREACH_RESUME, /* of a request that doesn't wait */
  BREACH_THREAD,
  BREACH_BLOCK,
  BREACH_COUNT /* also: none */
};

const char *breach_name(enum breach); /* as a check's */
const char *breach_rule(enum breach);
bool breach_is_of(enum breach, enum plugin_kind);
/* What the trial's words and log say, and in `why` what was said. */
enum breach breach_of(const struct trial *, char *why, size_t size);

#endif
