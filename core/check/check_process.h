/* SPDX-License-Identifier: MIT
 *
 * One check in a process of its own, and its result.
 */
#ifndef CHECK_PROCESS_H
#define CHECK_PROCESS_H

#include "suite.h"

#define CHECK_PROCESS_TEXT_MAX 65536 /* bytes of its log that are read */

enum check_result { CHECK_PASSED, CHECK_FAILED, CHECK_SKIPPED };

struct check_process {
  enum check_result result;
  bool late;      /* it, or an operation in it, had no end */
  char why[1200]; /* it failed or was skipped */
  char rule[800]; /* that it failed by; "": the check's own */
  /* The first violation of a rule with a line of its own: "name\ttext". */
  char violation[1800];
  char log[CHECK_PROCESS_TEXT_MAX + 1]; /* all that it wrote to stderr */
};

/* `number` makes the check's keys its own. */
void check_process_run(struct check_process *, const struct check *,
                       const struct fixture_plan *, unsigned number);
/* In this process, for a debugger, with its words on stdout; ends it. */
_Noreturn void check_process_here(const struct check *,
                                  const struct fixture_plan *,
                                  unsigned number);

#endif
