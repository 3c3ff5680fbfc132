/* SPDX-License-Identifier: MIT
 *
 * A table of facts, run by CUnit.  Every test program is one table and one
 * call of unit_main().
 */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <CUnit/CUnit.h>

/* The exit status with which a program says that it could not test: the
 * harness of automake counts it as skipped. */
#define UNIT_SKIP 77

struct unit_test {
  const char *name;
  void (*run)(void);
};

#define UNIT(f) \
  { #f, f }

/* Runs the tests, up to a NULL name.  Prints what failed with file:line, then
 * "N passed, N failed".  0 when none failed, else 1: what main() returns. */
int unit_main(const char *suite, const struct unit_test *tests);

#endif
