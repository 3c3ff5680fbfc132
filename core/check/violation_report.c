/* SPDX-License-Identifier: MIT
 *
 * The gateway itself sees most of these, and logs them under the plugin's
 * name (core/runtime/violation.h): here they become words of the check.
 */
#include "violation_report.h"

#include <stdio.h>
#include <string.h>

#include "violation.h"
#include "rules.h"

static const struct {
  const char *word, *name, *rule;
  bool backend, hook;
} rules[VIOLATION_REPORT_COUNT] = {
    [VIOLATION_REPORT_DONE] =
        {"done", "done: once, and nothing is said after it",
         "Every operation ends in exactly one sluice_done(), "
         "also when it was canceled.  After it the operation "
         "must not be touched.",
         true, false},
    [VIOLATION_REPORT_TURN] =
        {"turn", "turn: nothing is said out of turn",
         "What each of a plugin's functions may say is beside "
         "it: \"sluice_send() and wait for more()\", \"valid "
         "until the request's on_log returns\"",
         true, true},
    [VIOLATION_REPORT_RESUME] =
        {"resume", "resume: once, after WAIT",
         "After WAIT, once, from any event of the loop.", false, true},
    [VIOLATION_REPORT_THREAD] =
        {"thread", "thread: calls come on the loop's own thread",
         "sluice_* calls are made on the loop's own thread, "
         "unless they say otherwise.",
         true, true},
    [VIOLATION_REPORT_BLOCK] = {"block", "loop: no call blocks it", RULE_BLOCK,
                                true, true},
    [VIOLATION_REPORT_TIMERS] = {"timers", "timers: stop() leaves none",
                                 RULE_TIMERS, true, true},
    [VIOLATION_REPORT_METRICS] =
        {"metrics", "metrics: only what its table declares is counted",
         RULE_METRICS, true, true},
};

const char *violation_report_name(enum violation_report report) {
  return rules[report].name;
}

const char *violation_report_rule(enum violation_report report) {
  return rules[report].rule;
}

bool violation_report_is_of(enum violation_report report,
                            enum plugin_kind kind) {
  return kind == PLUGIN_BACKEND ? rules[report].backend : rules[report].hook;
}

static enum violation_report kind_of(const char *call, const char *what) {
  if (strcmp(what, VIOLATION_THREAD) == 0)
    return VIOLATION_REPORT_THREAD;
  if (strcmp(what, VIOLATION_AFTER_DONE) == 0 ||
      (call != NULL && strcmp(call, "sluice_done") == 0 &&
       strcmp(what, VIOLATION_TWICE) == 0))
    return VIOLATION_REPORT_DONE;
  if (strcmp(what, VIOLATION_METRIC) == 0)
    return VIOLATION_REPORT_METRICS;
  if (strcmp(what, VIOLATION_RESUMED) == 0)
    return VIOLATION_REPORT_RESUME;
  return VIOLATION_REPORT_TURN;
}

static void on_violation(void *arg, const char *call, const char *what) {
  fixture_report(arg, rules[kind_of(call, what)].word, "%s%s%s",
                 call == NULL ? "" : call, call == NULL ? "" : "() ", what);
}

void violation_report_watch(struct fixture *fixture) {
  fixture->watch = (struct violation_watch){on_violation, fixture};
  fixture->host.watch = &fixture->watch;
}

enum violation_report violation_report_of(const struct check_process *process,
                                          char *why, size_t size) {
  enum violation_report report = 0;
  size_t len = strcspn(process->violation, "\t");
  while (report < VIOLATION_REPORT_COUNT &&
         (strlen(rules[report].word) != len ||
          strncmp(rules[report].word, process->violation, len) != 0))
    report++;
  if (report < VIOLATION_REPORT_COUNT)
    snprintf(why, size, "%s", process->violation + len + 1);
  return report;
}
