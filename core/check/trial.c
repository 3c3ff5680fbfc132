/* SPDX-License-Identifier: MIT
 *
 * The process of a check writes its words and its log to two files in memory,
 * so that it never waits for us, and we wait for its end or its deadline.
 */
#include "trial.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "misdeed.h"

#define DEADLINE 12 /* of a check, in times of an operation's patience */
#define DEADLINE_MIN_MS 60000

/* ---- in the process ----------------------------------------------------- */

static _Noreturn void child(const struct check *check,
                            const struct lab_plan *plan, unsigned number,
                            int words, int log) {
  struct lab lab;
  setpgid(0, 0);
  dup2(log, STDERR_FILENO);
  dup2(log, STDOUT_FILENO); /* a hook may log there */
  signal(SIGPIPE, SIG_IGN);
  lab_init(&lab, plan, words, number);
  misdeed_watch(&lab);
  if (!check->raw) {
    lab_start(&lab);
    lab_open(&lab);
  }
  check->run(&lab);
  if (!check->raw) {
    lab_idle(&lab, 10); /* for what is said too late */
    lab_close(&lab);
    lab_stop(&lab);
  }
  if (write(words, "O\n", 2) != 2)
    _exit(1);
  exit(0); /* so that a sanitizer looks for leaks */
}

/* ---- around it ---------------------------------------------------------- */

static void wait_for(pid_t pid, struct trial *trial, int64_t deadline_ms) {
  int fd = (int)syscall(SYS_pidfd_open, pid, 0);
  struct pollfd ended = {.fd = fd, .events = POLLIN};
  int status = 0;
  if (fd < 0)
    abort();
  trial->late = poll(&ended, 1, (int)deadline_ms) == 0;
  kill(-pid, SIGKILL); /* and who it started */
  kill(pid, SIGKILL);
  waitpid(pid, &status, 0);
  close(fd);
  trial->end = TRIAL_FAILED;
  if (trial->late)
    snprintf(trial->why, sizeof trial->why, "no end after %lld s",
             (long long)(deadline_ms / 1000));
  else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
    snprintf(trial->why, sizeof trial->why,
             "a call of the plugin doesn't return");
  else if (WIFSIGNALED(status))
    snprintf(trial->why, sizeof trial->why, "the process died: %s",
             strsignal(WTERMSIG(status)));
  else if (WEXITSTATUS(status) != 0)
    snprintf(trial->why, sizeof trial->why, "the process ended with status %d",
             WEXITSTATUS(status));
  else
    snprintf(trial->why, sizeof trial->why, "the process ended before");
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
    trial->late = true;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
    trial->end = TRIAL_OK;
}

static void slurp(int fd, char *out, size_t max) {
  ssize_t len = pread(fd, out, max, 0);
  out[len < 0 ? 0 : len] = '\0';
  close(fd);
}

static void read_words(struct trial *trial, char *words) {
  bool ended = false;
  char *rest = words;
  for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
    if (*line == 'F' || *line == 'S') {
      snprintf(trial->why, sizeof trial->why, "%s", line + 1);
      trial->end = *line == 'F' ? TRIAL_FAILED : TRIAL_SKIPPED;
      return;
    }
    if (*line == 'B' && trial->breach[0] == '\0')
      snprintf(trial->breach, sizeof trial->breach, "%s", line + 1);
    ended = ended || *line == 'O';
  }
  if (!ended)
    trial->end = TRIAL_FAILED;
  else if (trial->end == TRIAL_OK)
    trial->why[0] = '\0';
}

void trial_run(struct trial *trial, const struct check *check,
               const struct lab_plan *plan, unsigned number) {
  char said[TRIAL_TEXT_MAX + 1];
  int words = memfd_create("words", MFD_CLOEXEC);
  int log = memfd_create("log", MFD_CLOEXEC);
  int64_t deadline = plan->patience_ms * DEADLINE;
  *trial = (struct trial){0};
  fflush(stdout);
  pid_t pid = words < 0 || log < 0 ? -1 : fork();
  if (pid == 0)
    child(check, plan, number, words, log);
  if (pid < 0)
    abort();
  wait_for(pid, trial,
           deadline < DEADLINE_MIN_MS ? DEADLINE_MIN_MS : deadline);
  slurp(words, said, TRIAL_TEXT_MAX);
  slurp(log, trial->log, TRIAL_TEXT_MAX);
  read_words(trial, said);
}
