/* SPDX-License-Identifier: MIT
 *
 * The checks of a kind of plugins, run one by one, each in a process of its
 * own: what crashes or hangs there is one failed check.
 */
#ifndef CHECK_SUITE_H
#define CHECK_SUITE_H

#include "fixture.h"

enum check_kind {
  CHECK_USUAL, /* the plugin is started, and a loop has its handle */
  CHECK_RAW,   /* the check starts the plugin itself */
  CHECK_VITAL, /* so it does, always; when it fails no other is run */
  CHECK_OUTAGE /* it may leave the storage down */
};

struct check {
  const char *name; /* a noun and a fact */
  const char *rule; /* the words of <sluice/plugin.h> that it proves */
  void (*run)(struct fixture *);
  enum check_kind kind;
};

/* Tables that end with a NULL name, one a file. */
extern const struct check life_checks[], write_checks[], read_checks[],
    key_checks[], list_checks[], exclusive_checks[], link_checks[],
    cancel_checks[], outage_checks[], lifetime_checks[], leak_checks[],
    loop_checks[], ability_checks[], stage_checks[];
extern const struct check hook_checks[], hook_outage_checks[],
    hook_leak_checks[];

#define SUITE_SKIPS_MAX 32

struct suite {
  const struct fixture_plan *plan;
  const char *only; /* words in the names of the checks to run, or NULL */
  /* The same of those not to run: what a storage is known not to have. */
  const char *skips[SUITE_SKIPS_MAX];
  size_t skip_count;
  bool verbose; /* also what the plugin logs */
};

/* Runs the one check whose name is, or alone has, these words: in this
 * process, which it ends.  Where there isn't just one it returns 2, after a
 * line that says so. */
int suite_run_here(const struct suite *, const char *words);
/* Prints a line a check and their sum; true: none failed. */
bool suite_run(const struct suite *);
void suite_list(const struct fixture_plan *); /* prints the names */

#endif
