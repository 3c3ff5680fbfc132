/* SPDX-License-Identifier: MIT
 *
 * Runs the tables, prints the lines, counts.
 */
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "violation_report.h"
#include "outage_command.h"
#include "round_trip.h"

#define LATE_MAX 3 /* checks without an end, before patience is lost */
#define SHORT_PATIENCE_MS 1000
#define RUNS_MAX 3        /* of a check whose calls slept */
#define AGAIN_NUMBER 1000 /* makes the keys of each such run its own */

static const struct check *const backend_tables[] = {
    life_checks,      write_checks,   read_checks,
    key_checks,       list_checks,    link_checks,
    exclusive_checks, ability_checks, cancel_checks,
    lifetime_checks,  loop_checks,    outage_checks,
    leak_checks,      stage_checks,   NULL};
static const struct check *const hook_tables[] = {
    life_checks, hook_checks, hook_outage_checks, hook_leak_checks, NULL};

struct run {
  const struct suite *suite;
  struct fixture_plan plan;
  struct check_process *process;
  unsigned number, passed, failed, skipped, late;
  char violations[VIOLATION_REPORT_COUNT]
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
  if (report < VIOLATION_REPORT_COUNT && run->violations[report][0] == '\0')
    snprintf(run->violations[report], sizeof run->violations[report],
             "%s (in \"%s\")", why, check->name);
  if (report < VIOLATION_REPORT_COUNT && process->result == CHECK_FAILED) {
    process->result = CHECK_SKIPPED;
    snprintf(process->why, sizeof process->why, "see \"%s\"",
             violation_report_name(report));
  }
}

/* Its storage is up again for the next check. */
static void bring_up(const struct run *run, const struct check *check) {
  if (check->kind == CHECK_OUTAGE && run->process->result == CHECK_FAILED)
    outage_command(run->plan.up);
}

static bool has_slept(const struct check_process *process) {
  char why[1200];
  return process->result == CHECK_PASSED &&
         violation_report_of(process, why, sizeof why) ==
             VIOLATION_REPORT_BLOCK;
}

/* A machine that has no time for one that holds a lock lets a call sleep, too,
 * but seldom; a plugin that blocks does in two runs of three. */
static void run_until_sure(struct run *run, const struct check *check) {
  unsigned number = run->number;
  int slept = 0;
  for (int at = 0; at < RUNS_MAX; at++) {
    check_process_run(run->process, check, &run->plan, number);
    number += AGAIN_NUMBER;
    slept += has_slept(run->process);
    if (slept == 0 || slept > RUNS_MAX / 2)
      break;
  }
}

static void run_one(struct run *run, const struct check *check) {
  struct check_process *process = run->process;
  bool wanted = suite_is_wanted(run->suite, check->name);
  if (!wanted && check->kind != CHECK_VITAL)
    return;
  if (is_skipped(run->suite, check->name)) {
    printf("skip  %s: by --skip\n", check->name);
    run->skipped++;
    return;
  }
  run_until_sure(run, check);
  bring_up(run, check);
  if (!wanted && process->result != CHECK_FAILED)
    return;
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
    print_failure(run, check->name, process->why,
                  process->rule[0] == '\0' ? check->rule : process->rule);
    break;
  }
  if (run->suite->verbose || process->result == CHECK_FAILED)
    print_log(run);
}

static void judge_violations(struct run *run) {
  enum plugin_kind kind = run->plan.subject->plugin.kind;
  for (enum violation_report report = 0; report < VIOLATION_REPORT_COUNT;
       report++) {
    const char *name = violation_report_name(report);
    if (!violation_report_is_of(report, kind))
      continue;
    if (run->violations[report][0] != '\0') {
      print_failure(run, name, run->violations[report],
                    violation_report_rule(report));
    } else {
      printf("ok    %s\n", name);
      run->passed++;
    }
  }
}

/* Removes the objects that failed checks left behind. */
static void suite_tidy(struct run *run) {
  static const struct check check = {.name = "tidy", .run = round_trip_tidy};
  if (run->plan.subject->plugin.kind == PLUGIN_BACKEND)
    check_process_run(run->process, &check, &run->plan, 0);
}

/* False: a vital one failed, and the others could only fail of the same. */
static bool run_all(struct run *run) {
  for (const struct check *const *t = tables_of(&run->plan); *t != NULL; t++)
    for (const struct check *check = *t; check->name != NULL; check++) {
      run->number++;
      run_one(run, check);
      if (check->kind == CHECK_VITAL && run->failed > 0)
        return false;
    }
  return true;
}

bool suite_run(const struct suite *suite) {
  struct run run = {.suite = suite, .plan = *suite->plan};
  run.process = calloc(1, sizeof *run.process);
  if (run.process == NULL)
    abort();
  if (run_all(&run)) {
    judge_violations(&run);
    suite_tidy(&run);
  } else {
    printf("nothing else is checked before this is mended\n");
  }
  printf("%u passed, %u failed, %u skipped\n", run.passed, run.failed,
         run.skipped);
  free(run.process);
  return run.failed == 0;
}

int suite_run_here(const struct suite *suite, const char *words) {
  const struct check *found = NULL;
  unsigned number = 0, at = 0, count = 0;
  for (const struct check *const *t = tables_of(suite->plan); *t != NULL; t++)
    for (const struct check *check = *t; check->name != NULL; check++) {
      bool exact = strcmp(check->name, words) == 0;
      number++;
      if (strstr(check->name, words) == NULL)
        continue;
      found = check;
      at = number;
      count++;
      if (exact)
        check_process_here(found, suite->plan, at);
    }
  if (count == 1)
    check_process_here(found, suite->plan, at);
  fprintf(stderr,
          "sluice-plugin-check: --no-fork: %u checks have '%s' in their name; "
          "write a name that --list prints\n",
          count, words);
  return 2;
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
