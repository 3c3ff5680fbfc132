/* SPDX-License-Identifier: MIT
 *
 * The rules that can be broken in any operation.  They are watched in every
 * check and judged once, at the end: so that a check fails for what it is
 * about.
 */
#ifndef CHECK_VIOLATION_REPORT_H
#define CHECK_VIOLATION_REPORT_H

#include "check_process.h"

enum violation_report {
  VIOLATION_REPORT_DONE,   /* done twice, or a word after it */
  VIOLATION_REPORT_TURN,   /* a word out of turn */
  VIOLATION_REPORT_RESUME, /* of a request that doesn't wait */
  VIOLATION_REPORT_THREAD,
  VIOLATION_REPORT_BLOCK,
  VIOLATION_REPORT_TIMERS,  /* that run after stop() */
  VIOLATION_REPORT_METRICS, /* that its table doesn't declare */
  VIOLATION_REPORT_COUNT    /* also: none */
};

const char *violation_report_name(enum violation_report); /* as a check's */
const char *violation_report_rule(enum violation_report);
bool violation_report_is_of(enum violation_report, enum plugin_kind);
/* From here on, those that the gateway sees are among the fixture's words. */
void violation_report_watch(struct fixture *);
/* The rule that the process's words name; `why` gets the words. */
enum violation_report violation_report_of(const struct check_process *,
                                          char *why, size_t size);

#endif
