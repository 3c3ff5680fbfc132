/* SPDX-License-Identifier: MIT
 *
 * Runs a table of tests one by one, so that a test that fails is named even
 * where CUnit's own interfaces would only count it.
 */
#include "unit.h"

#include <CUnit/TestRun.h>
#include <stdbool.h>
#include <stdio.h>

static void print_failures(const char *suite, const char *test) {
  for (CU_pFailureRecord r = CU_get_failure_list(); r; r = r->pNext)
    printf("FAIL %s: %s: %s:%u: %s\n", suite, test, r->strFileName,
           r->uiLineNumber, r->strCondition ? r->strCondition : "");
}

/* False when the test failed, or could not be run at all. */
static bool run_one(CU_pSuite suite, const struct unit_test *t) {
  CU_pTest test = CU_add_test(suite, t->name, t->run);
  if (!test || CU_run_test(suite, test) != CUE_SUCCESS) {
    printf("FAIL %s: %s: %s\n", suite->pName, t->name, CU_get_error_msg());
    return false;
  }
  print_failures(suite->pName, t->name);
  return CU_get_number_of_failures() == 0;
}

static int run_all(CU_pSuite suite, const struct unit_test *tests) {
  unsigned passed = 0, failed = 0;
  for (const struct unit_test *t = tests; t->name; t++) {
    if (run_one(suite, t))
      passed++;
    else
      failed++;
  }
  printf("%u passed, %u failed\n", passed, failed);
  return failed || !passed;
}

int unit_main(const char *name, const struct unit_test *tests) {
  /* A test that crashes must not take the lines before it along. */
  setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
  if (CU_initialize_registry() != CUE_SUCCESS) {
    printf("FAIL %s: %s\n", name, CU_get_error_msg());
    return 1;
  }
  CU_pSuite suite = CU_add_suite(name, NULL, NULL);
  int status = 1;
  if (suite)
    status = run_all(suite, tests);
  else
    printf("FAIL %s: %s\n", name, CU_get_error_msg());
  CU_cleanup_registry();
  return status;
}
