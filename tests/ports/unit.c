/* SPDX-License-Identifier: MIT
 *
 * unit_main() without CUnit: for a libc that CUnit isn't there for.  The tests
 * are the same; their macros end in CU_assertImplementation().
 */
#include "unit.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>

static struct {
  const char *suite, *test;
  unsigned failures; /* of this test */
  jmp_buf give_up;
} now;

CU_BOOL CU_assertImplementation(CU_BOOL bValue, unsigned int uiLine,
                                const char *strCondition, const char *strFile,
                                const char *strFunction, CU_BOOL bFatal) {
  (void)strFunction;
  if (bValue)
    return bValue;
  now.failures++;
  printf("FAIL %s: %s: %s:%u: %s\n", now.suite, now.test, strFile, uiLine,
         strCondition);
  if (bFatal)
    longjmp(now.give_up, 1);
  return bValue;
}

unsigned int CU_get_number_of_failures(void) {
  return now.failures;
}

static bool passes(const struct unit_test *t) {
  now.test = t->name;
  now.failures = 0;
  if (setjmp(now.give_up) == 0)
    t->run();
  return now.failures == 0;
}

int unit_main(const char *name, const struct unit_test *tests) {
  unsigned passed = 0, failed = 0;
  setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
  now.suite = name;
  for (const struct unit_test *t = tests; t->name; t++) {
    if (passes(t))
      passed++;
    else
      failed++;
  }
  printf("%u passed, %u failed\n", passed, failed);
  return failed || !passed;
}
