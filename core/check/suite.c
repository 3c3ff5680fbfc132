/* SPDX-License-Identifier: MIT
 *
 * Runs the tables, prints the lines, counts.
 */
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "violation_report.h"
#include "round_trip.h"

#define LATE_MAX 3 /* checks without an end, before patience is lost */
#define SHORT_PATIENCE_MS 1000

static const struct check *const backend_tables[] = {
    life_checks,     write_checks, read_checks,      key_checks,
    list_checks,     link_checks,  exclusive_checks, cancel_checks,
    lifetime_checks, loop_checks,  leak_checks,      NULL};
static const struct check *const hook_tables[] = {life_checks, hook_checks,
                                                  hook_leak_checks, NULL};

struct run {
  const struct suite *suite;
  struct fixture_plan plan;
  struct check_process *process;
  unsigned number, passed, failed, skipped, late;
  char breaches[VIOLATION_REPORT_COUNT]
               [1400]; /* the first of each, with its check */
};

static const struct check *const *tables_of(const struct fixture_plan *plan) {
  return plan->subject->plugin.kind == PLUGIN_BACKEND ? backend_tables
                                                      : hook_tables;
}

static bool suite_is_wanted(const struct suite *suite, const char *name) {
  return suite->only == NULL || strstr(name, suite->only) != NULL;
}

static bool is_skipped(const struct suite *suite, const char *name) {
  for (size_t i = 0; i < suite->skip_count; i++)
    if (strstr(name, suite->skips[i]) != NULL)
      return true;
  return false;
}

static void print_log(const struct run *run) {
  const char *log = run->process->log;
  if (*log == '\0')
    return;
  for (size_t len; *log != '\0'; log += len + (log[len] == '\n')) {
    len = strcspn(log, "\n");
    printf("        | %.*s\n", (int)len, log);
  }
}

static void print_failure(struct run *run, const char *name, const char *why,
                          const char *rule) {
  printf("FAIL  %s: %s\n", name, why);
  printf("        the rule: %s\n", rule);
  run->failed++;
}

/* A check may have failed by a violation that has a line of its own: then
 * that has to be mended first. */
static void suite_settle(struct run *run, const struct check *check) {
  struct check_process *process = run->process;
  char why[1200];
  enum violation_report report = violation_report_of(process, why, sizeof why);
  if (report < VIOLATION_REPORT_COUNT && run->breaches[report][0] == '\0')
    snprintf(run->breaches[report], sizeof run->breaches[report],
             "%s (in \"%s\")", why, check->name);
  if (report < VIOLATION_REPORT_COUNT && process->result == CHECK_FAILED) {
    process->result = CHECK_SKIPPED;
    snprintf(process->why, sizeof process->why, "see \"%s\"",
             violation_report_name(report));
  }
}

static void run_one(struct run *run, const struct check *check) {
  struct check_process *process = run->process;
  if (is_skipped(run->suite, check->name)) {
    printf("skip  %s: by --skip\n", check->name);
    run->skipped++;
    return;
  }
  check_process_run(process, check, &run->plan, run->number);
  if (strstr(process->why, "done within") != NULL)
    process->late = true;
  if (process->late && ++run->late == LATE_MAX &&
      run->plan.patience_ms > SHORT_PATIENCE_MS)
    run->plan.patience_ms = SHORT_PATIENCE_MS;
  suite_settle(run, check);
  switch (process->result) {
  case CHECK_PASSED:
    printf("ok    %s\n", check->name);
    run->passed++;
    break;
  case CHECK_SKIPPED:
    printf("skip  %s: %s\n", check->name, process->why);
    run->skipped++;
    break;
  case CHECK_FAILED:
    print_failure(run, check->name, process->why, check->rule);
    break;
  }
  if (run->suite->verbose || process->result == CHECK_FAILED)
    print_log(run);
}

static void judge_breaches(struct run *run) {
  enum plugin_kind kind = run->plan.subject->plugin.kind;
  for (enum violation_report report = 0; report < VIOLATION_REPORT_COUNT;
       report++) {
    const char *name = violation_report_name(report);
    if (!violation_report_is_of(report, kind))
      continue;
    if (run->breaches[report][0] != '\0') {
      print_failure(run, name, run->breaches[report],
                    violation_report_rule(report));
    } else {
      printf("ok    %s\n", name);
      run->passed++;
    }
  }
}

/* Removes the objects that failed checks left behind. */
static void suite_tidy(struct run *run) {
  static const struct check check = {"tidy", "", round_trip_tidy, false};
  if (run->plan.subject->plugin.kind == PLUGIN_BACKEND)
    check_process_run(run->process, &check, &run->plan, 0);
}

bool suite_run(const struct suite *suite) {
  struct run run = {.suite = suite, .plan = *suite->plan};
  run.process = malloc(sizeof *run.process);
  if (run.process == NULL)
    abort();
  for (const struct check *const *t = tables_of(&run.plan); *t != NULL; t++)
    for (const struct check *check = *t; check->name != NULL; check++) {
      run.number++;
      if (suite_is_wanted(suite, check->name))
        run_one(&run, check);
    }
  judge_breaches(&run);
  suite_tidy(&run);
  printf("%u passed, %u failed, %u skipped\n", run.passed, run.failed,
         run.skipped);
  free(run.process);
  return run.failed == 0;
}

void suite_list(const struct fixture_plan *plan) {
  enum plugin_kind kind = plan->subject->plugin.kind;
  for (const struct check *const *t = tables_of(plan); *t != NULL; t++)
    for (const struct check *check = *t; check->name != NULL; check++)
      printf("%s\n", check->name);
  for (enum violation_report report = 0; report < VIOLATION_REPORT_COUNT;
       report++)
    if (violation_report_is_of(report, kind))
      printf("%s\n", violation_report_name(report));
}
