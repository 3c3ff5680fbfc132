/* SPDX-License-Identifier: MIT
 *
 * Runs the tables, prints the lines, counts.
 */
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "misdeed.h"
#include "tour.h"

#define LATE_MAX 3 /* checks without an end, before patience is lost */
#define SHORT_PATIENCE_MS 1000

static const struct check *const backend_tables[] = {
    life_checks, write_checks, read_checks,      key_checks,
    list_checks, link_checks,  exclusive_checks, cancel_checks,
    lend_checks, loop_checks,  leak_checks,      NULL};
static const struct check *const hook_tables[] = {life_checks, hook_checks,
                                                  hook_leak_checks, NULL};

struct run {
  const struct suite *suite;
  struct lab_plan plan;
  struct trial *trial;
  unsigned number, passed, failed, skipped, late;
  char breaches[MISDEED_COUNT][1400]; /* the first of each, with its check */
};

static const struct check *const *tables_of(const struct lab_plan *plan) {
  return plan->subject->plugin.kind == PLUGIN_BACKEND ? backend_tables
                                                      : hook_tables;
}

static bool is_wanted(const struct suite *suite, const char *name) {
  return suite->only == NULL || strstr(name, suite->only) != NULL;
}

static bool is_skipped(const struct suite *suite, const char *name) {
  for (size_t i = 0; i < suite->skip_count; i++)
    if (strstr(name, suite->skips[i]) != NULL)
      return true;
  return false;
}

static void print_log(const struct run *run) {
  const char *log = run->trial->log;
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

/* What a check fails of may be the breach of a rule that has a line of its
 * own: then that is what has to be mended first. */
static void settle(struct run *run, const struct check *check) {
  struct trial *trial = run->trial;
  char why[1200];
  enum misdeed misdeed = misdeed_of(trial, why, sizeof why);
  if (misdeed < MISDEED_COUNT && run->breaches[misdeed][0] == '\0')
    snprintf(run->breaches[misdeed], sizeof run->breaches[misdeed],
             "%s (in \"%s\")", why, check->name);
  if (misdeed < MISDEED_COUNT && trial->end == TRIAL_FAILED) {
    trial->end = TRIAL_SKIPPED;
    snprintf(trial->why, sizeof trial->why, "see \"%s\"",
             misdeed_name(misdeed));
  }
}

static void run_one(struct run *run, const struct check *check) {
  struct trial *trial = run->trial;
  if (is_skipped(run->suite, check->name)) {
    printf("skip  %s: by --skip\n", check->name);
    run->skipped++;
    return;
  }
  trial_run(trial, check, &run->plan, run->number);
  if (strstr(trial->why, "done within") != NULL)
    trial->late = true;
  if (trial->late && ++run->late == LATE_MAX &&
      run->plan.patience_ms > SHORT_PATIENCE_MS)
    run->plan.patience_ms = SHORT_PATIENCE_MS;
  settle(run, check);
  switch (trial->end) {
  case TRIAL_OK:
    printf("ok    %s\n", check->name);
    run->passed++;
    break;
  case TRIAL_SKIPPED:
    printf("skip  %s: %s\n", check->name, trial->why);
    run->skipped++;
    break;
  case TRIAL_FAILED:
    print_failure(run, check->name, trial->why, check->rule);
    break;
  }
  if (run->suite->verbose || trial->end == TRIAL_FAILED)
    print_log(run);
}

static void judge_breaches(struct run *run) {
  enum plugin_kind kind = run->plan.subject->plugin.kind;
  for (enum misdeed misdeed = 0; misdeed < MISDEED_COUNT; misdeed++) {
    const char *name = misdeed_name(misdeed);
    if (!misdeed_is_of(misdeed, kind))
      continue;
    if (run->breaches[misdeed][0] != '\0') {
      print_failure(run, name, run->breaches[misdeed], misdeed_rule(misdeed));
    } else {
      printf("ok    %s\n", name);
      run->passed++;
    }
  }
}

/* What checks stored, and those that failed left behind. */
static void tidy(struct run *run) {
  static const struct check check = {"tidy", "", tour_tidy, false};
  if (run->plan.subject->plugin.kind == PLUGIN_BACKEND)
    trial_run(run->trial, &check, &run->plan, 0);
}

bool suite_run(const struct suite *suite) {
  struct run run = {.suite = suite, .plan = *suite->plan};
  run.trial = malloc(sizeof *run.trial);
  if (run.trial == NULL)
    abort();
  for (const struct check *const *t = tables_of(&run.plan); *t != NULL; t++)
    for (const struct check *check = *t; check->name != NULL; check++) {
      run.number++;
      if (is_wanted(suite, check->name))
        run_one(&run, check);
    }
  judge_breaches(&run);
  tidy(&run);
  printf("%u passed, %u failed, %u skipped\n", run.passed, run.failed,
         run.skipped);
  free(run.trial);
  return run.failed == 0;
}

void suite_list(const struct lab_plan *plan) {
  enum plugin_kind kind = plan->subject->plugin.kind;
  for (const struct check *const *t = tables_of(plan); *t != NULL; t++)
    for (const struct check *check = *t; check->name != NULL; check++)
      printf("%s\n", check->name);
  for (enum misdeed misdeed = 0; misdeed < MISDEED_COUNT; misdeed++)
    if (misdeed_is_of(misdeed, kind))
      printf("%s\n", misdeed_name(misdeed));
}
