/* SPDX-License-Identifier: MIT
 *
 * Bytes past a block whose size is known only as the program runs
 * end the process: level 3 of _FORTIFY_SOURCE sees it, level 2 doesn't.
 */
#include "unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Their values are no constants to the compiler. */
static size_t at_run_time(size_t size) {
  volatile size_t known = size;
  return known;
}

static int ending_of(size_t room, size_t written) {
  pid_t child = fork();
  int status = 0;
  if (child == 0) {
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    if (freopen("/dev/null", "w", stderr) == NULL)
      _exit(2);
    char *block = malloc(at_run_time(room));
    if (block == NULL)
      _exit(2);
    memset(block, 'x', at_run_time(written));
    _exit(block[0] == 'x' ? 0 : 3);
  }
  waitpid(child, &status, 0);
  return status;
}

static void test_block_is_filled(void) {
  CU_ASSERT_EQUAL(ending_of(100, 100), 0);
}

static void test_one_byte_more_ends_the_process(void) {
  int status = ending_of(100, 101);
  CU_ASSERT(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_block_is_filled),
      UNIT(test_one_byte_more_ends_the_process),
      {NULL, NULL}};
#if !defined __USE_FORTIFY_LEVEL || __USE_FORTIFY_LEVEL < 3
  (void)tests;
  puts("skipped: this build has no _FORTIFY_SOURCE=3");
  return UNIT_SKIP;
#else
  return unit_main("fortify", tests);
#endif
}
