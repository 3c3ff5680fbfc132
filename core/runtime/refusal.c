/* SPDX-License-Identifier: MIT
 *
 * A handler that calls nothing but what a handler may.  The kernel has not
 * made the call, and goes on with the registers that are left here.
 */
#include "refusal.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>

#include "crash.h"
#include "urgent.h"

static struct {
  char names[REFUSAL_CALLS][REFUSAL_NAME_MAX + 1];
  atomic_bool told[REFUSAL_CALLS];
} refusal_table;

void refusal_name(int number, const char *name) {
  size_t len = strlen(name);
  if (number >= 0 && number < REFUSAL_CALLS && len <= REFUSAL_NAME_MAX)
    memcpy(refusal_table.names[number], name, len + 1);
}

/* How the call ends; false: not known on this processor. */
static bool set_result(ucontext_t *context, int error) {
#if defined __x86_64__
  if (context != NULL)
    context->uc_mcontext.gregs[REG_RAX] = -error;
  return true;
#elif defined __aarch64__
  if (context != NULL)
    context->uc_mcontext.regs[0] = (unsigned long long)-(long long)error;
  return true;
#else
  (void)context, (void)error;
  return false;
#endif
}

static void say_refused(int number, const char *name, const void *context) {
  struct urgent line = {.len = 0};
  urgent_stamp(&line);
  urgent_text(&line, " error a system call was refused: ");
  urgent_text(&line, name);
  urgent_text(&line, " (");
  urgent_number(&line, (uint64_t)number);
  urgent_text(&line, ") ");
  crash_say_place(&line, context);
  urgent_text(&line, "; who needs it sets server.confine");
  urgent_write(&line);
}

static void on_refused(int signal, siginfo_t *info, void *context) {
  int saved = errno, number = info->si_syscall;
  bool counted = number >= 0 && number < REFUSAL_CALLS;
  bool known = counted && refusal_table.names[number][0] != '\0';
  (void)signal;
  set_result(context, known ? EPERM : ENOSYS);
  if (known && !atomic_exchange(&refusal_table.told[number], true))
    say_refused(number, refusal_table.names[number], context);
  errno = saved;
}

bool refusal_watch(void) {
  struct sigaction action = {.sa_sigaction = on_refused,
                             .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGSYS);
  sigemptyset(&action.sa_mask);
  return set_result(NULL, 0) && sigaction(SIGSYS, &action, NULL) == 0 &&
         pthread_sigmask(SIG_UNBLOCK, &set, NULL) == 0;
}
