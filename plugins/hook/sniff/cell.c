/* SPDX-License-Identifier: MIT
 *
 * The list of system calls, made by libseccomp, and limits of this process.
 */
#include "cell.h"

#include <errno.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>

#include "sanitized.h"
#include "sniffwire.h"

#define MEMORY ((rlim_t)256 << 20)

bool cell_is_open(void) {
  return INSTRUMENTED;
}

static bool limit(void) {
  static const struct {
    unsigned what;
    rlim_t most;
  } rows[] = {{RLIMIT_AS, MEMORY},  {RLIMIT_CORE, 0},  {RLIMIT_FSIZE, 0},
              {RLIMIT_NOFILE, 0},   {RLIMIT_NPROC, 0}, {RLIMIT_MEMLOCK, 0},
              {RLIMIT_MSGQUEUE, 0}, {RLIMIT_NICE, 0},  {RLIMIT_RTPRIO, 0}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const struct rlimit value = {rows[i].most, rows[i].most};
    if (setrlimit(rows[i].what, &value) != 0)
      return false;
  }
  return true;
}

static bool let(scmp_filter_ctx filter, const char *name, unsigned count,
                const struct scmp_arg_cmp *arguments) {
  int number = seccomp_syscall_resolve_name(name);
  return number < 0 || seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number,
                                              count, arguments) == 0;
}

static bool let_all(scmp_filter_ctx filter) {
  static const char *const plain[] = {
      "brk",          "munmap",          "madvise",     "exit",
      "exit_group",   "rt_sigreturn",    "sigreturn",   "setitimer",
      "futex",        "restart_syscall", "getrandom",   "clock_gettime",
      "gettimeofday", "clock_gettime64", "futex_time64"};
  static const char *const socket[] = {"read", "write"};
  static const char *const maps[] = {"mmap", "mmap2"};
  const struct scmp_arg_cmp own = SCMP_CMP(0, SCMP_CMP_EQ, SNIFFWIRE_FD, 0);
  const struct scmp_arg_cmp data =
      SCMP_CMP(2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
  const struct scmp_arg_cmp memory[] = {
      data, SCMP_CMP(3, SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS)};
  for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
    if (!let(filter, plain[i], 0, NULL))
      return false;
  for (size_t i = 0; i < 2; i++)
    if (!let(filter, socket[i], 1, &own) || !let(filter, maps[i], 2, memory))
      return false;
  return let(filter, "mprotect", 1, &data) && let(filter, "mremap", 0, NULL);
}

const char *cell_close(void) {
  if (INSTRUMENTED)
    return NULL;
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
      prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || !limit())
    return "can't be used: the helper isn't confined (limits)";
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
  bool ok = filter != NULL && let_all(filter) && seccomp_load(filter) == 0;
  seccomp_release(filter);
  return ok ? NULL : "can't be used: the helper isn't confined (seccomp)";
}
