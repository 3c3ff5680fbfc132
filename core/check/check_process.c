/* SPDX-License-Identifier: MIT
 *
 * The process of a check writes its words and its log to two files in memory,
 * so that it never waits for us, and we wait for its end or its deadline.
 */
#include "check_process.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "violation_report.h"

#define DEADLINE 12 /* of a check, in times of an operation's patience */
#define DEADLINE_MIN_MS 60000

/* ---- in the process ----------------------------------------------------- */

static _Noreturn void child(const struct check *check,
                            const struct fixture_plan *plan, unsigned number,
                            int words, int log) {
  struct fixture fixture;
  setpgid(0, 0);
  dup2(log, STDERR_FILENO);
  dup2(log, STDOUT_FILENO); /* a hook may log there */
  signal(SIGPIPE, SIG_IGN);
  fixture_init(&fixture, plan, words, number);
  violation_report_watch(&fixture);
  if (!check->raw) {
    fixture_start(&fixture);
    fixture_open(&fixture);
  }
  check->run(&fixture);
  if (!check->raw) {
    fixture_idle(&fixture, 10); /* for what is said too late */
    fixture_close(&fixture);
    fixture_stop(&fixture);
  }
  if (write(words, "O\n", 2) != 2)
    _exit(1);
  exit(0); /* so that a sanitizer looks for leaks */
}

/* ---- around it ---------------------------------------------------------- */

static void check_process_wait_for(pid_t pid, struct check_process *process,
                                   int64_t deadline_ms) {
  int fd = (int)syscall(SYS_pidfd_open, pid, 0);
  struct pollfd ended = {.fd = fd, .events = POLLIN};
  int status = 0;
  if (fd < 0)
    abort();
  process->late = poll(&ended, 1, (int)deadline_ms) == 0;
  kill(-pid, SIGKILL); /* and who it started */
  kill(pid, SIGKILL);
  waitpid(pid, &status, 0);
  close(fd);
  process->result = CHECK_FAILED;
  if (process->late)
    snprintf(process->why, sizeof process->why, "no end after %lld s",
             (long long)(deadline_ms / 1000));
  else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
    snprintf(process->why, sizeof process->why,
             "a call of the plugin doesn't return");
  else if (WIFSIGNALED(status))
    snprintf(process->why, sizeof process->why, "the process died: %s",
             strsignal(WTERMSIG(status)));
  else if (WEXITSTATUS(status) != 0)
    snprintf(process->why, sizeof process->why,
             "the process ended with status %d", WEXITSTATUS(status));
  else
    snprintf(process->why, sizeof process->why, "the process ended before");
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
    process->late = true;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
    process->result = CHECK_PASSED;
}

static void slurp(int fd, char *out, size_t max) {
  ssize_t len = pread(fd, out, max, 0);
  out[len < 0 ? 0 : len] = '\0';
  close(fd);
}

static void read_words(struct check_process *process, char *words) {
  bool ended = false;
  char *rest = words;
  for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
    if (*line == 'F' || *line == 'S') {
      snprintf(process->why, sizeof process->why, "%s", line + 1);
      process->result = *line == 'F' ? CHECK_FAILED : CHECK_SKIPPED;
      return;
    }
    if (*line == 'B' && process->breach[0] == '\0')
      snprintf(process->breach, sizeof process->breach, "%s", line + 1);
    ended = ended || *line == 'O';
  }
  if (!ended)
    process->result = CHECK_FAILED;
  else if (process->result == CHECK_PASSED)
    process->why[0] = '\0';
}

void check_process_run(struct check_process *process,
                       const struct check *check,
                       const struct fixture_plan *plan, unsigned number) {
  char said[CHECK_PROCESS_TEXT_MAX + 1];
  int words = memfd_create("words", MFD_CLOEXEC);
  int log = memfd_create("log", MFD_CLOEXEC);
  int64_t deadline = plan->patience_ms * DEADLINE;
  *process = (struct check_process){0};
  fflush(stdout);
  pid_t pid = words < 0 || log < 0 ? -1 : fork();
  if (pid == 0)
    child(check, plan, number, words, log);
  if (pid < 0)
    abort();
  check_process_wait_for(
      pid, process, deadline < DEADLINE_MIN_MS ? DEADLINE_MIN_MS : deadline);
  slurp(words, said, CHECK_PROCESS_TEXT_MAX);
  slurp(log, process->log, CHECK_PROCESS_TEXT_MAX);
  read_words(process, said);
}
