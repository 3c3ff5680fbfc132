/* SPDX-License-Identifier: MIT
 *
 * One check in a process of its own, and what became of it.
 */
#ifndef CHECK_PROCESS_H
#define CHECK_PROCESS_H

#include "suite.h"

#define CHECK_PROCESS_TEXT_MAX 65536 /* bytes of its log that are read */

enum check_result { CHECK_PASSED, CHECK_FAILED, CHECK_SKIPPED };

struct check_process {
  enum check_result result;
  bool late; /* it, or an operation in it, had no end */
  char why[1200];
  char breach[1200]; /* the first of a rule of its own: "rule\ttext", or "" */
  char log[CHECK_PROCESS_TEXT_MAX + 1]; /* what the process wrote to stderr */
};

/* `number` makes the check's keys its own. */
void check_process_run(struct check_process *, const struct check *,
                       const struct fixture_plan *, unsigned number);

#endif
