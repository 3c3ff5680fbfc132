/* SPDX-License-Identifier: MIT
 *
 * One check in a process of its own, and what became of it.
 */
#ifndef CHECK_TRIAL_H
#define CHECK_TRIAL_H

#include "suite.h"

#define TRIAL_TEXT_MAX 65536 /* bytes of its log that are looked at */

enum trial_end { TRIAL_OK, TRIAL_FAILED, TRIAL_SKIPPED };

struct trial {
  enum trial_end end;
  bool late; /* it, or an operation in it, had no end */
  char why[1200];
  char breach[1200]; /* the first of a rule of its own: "rule\ttext", or "" */
  char log[TRIAL_TEXT_MAX + 1]; /* what the process wrote to stderr */
};

/* `number` makes the check's keys its own. */
void trial_run(struct trial *, const struct check *, const struct lab_plan *,
               unsigned number);

#endif
