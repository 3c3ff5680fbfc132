/* SPDX-License-Identifier: MIT
 *
 * The process of a check writes its words and its log to two files in memory,
 * so that it never waits for us, and we wait until it ends, or until nothing
 * goes on in it any more.
 */
#include "check_process.h"

#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "rules.h"
#include "violation_report.h"

/* Without a word of the plugin it is given up after so many times the patience
 * for an operation. */
#define DEADLINE 12
#define DEADLINE_MIN_MS 60000
#define LOOK_MS 200

/* ---- in the process ----------------------------------------------------- */

static _Noreturn void check_process_body(const struct check *check,
                                         const struct fixture_plan *plan,
                                         struct fixture_progress *progress,
                                         unsigned number, int words) {
  bool raw = check->kind == CHECK_RAW || check->kind == CHECK_VITAL;
  struct fixture fixture;
  signal(SIGPIPE, SIG_IGN); /* as the gateway does */
  fixture_init(&fixture, plan, progress, words, number);
  violation_report_watch(&fixture);
  if (!raw) {
    fixture_start(&fixture);
    fixture_open(&fixture);
  }
  check->run(&fixture);
  if (!raw) {
    fixture_idle(&fixture, 10); /* for words that come too late */
    fixture_close(&fixture);
    fixture_stop(&fixture);
  }
  fixture_pass(&fixture);
}

void check_process_here(const struct check *check,
                        const struct fixture_plan *plan, unsigned number) {
  static struct fixture_progress progress;
  check_process_body(check, plan, &progress, number, -1);
}

/* ---- around it ---------------------------------------------------------- */

static void check_process_fail(struct check_process *, const char *rule,
                               const char *fmt, ...) SLUICE_PRINTF(3, 4);

static void check_process_fail(struct check_process *process, const char *rule,
                               const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  vsnprintf(process->why, sizeof process->why, fmt, args);
  va_end(args);
  snprintf(process->rule, sizeof process->rule, "%s", rule);
  process->result = CHECK_FAILED;
}

/* Until it ends; false: nothing went on in it for so long. */
static bool ends(int pidfd, const struct fixture_progress *progress,
                 int64_t deadline_ms) {
  struct pollfd ended = {.fd = pidfd, .events = POLLIN};
  uint64_t words = progress->words, since_ms = clock_ms();
  while (poll(&ended, 1, LOOK_MS) == 0) {
    uint64_t now = progress->words;
    if (now != words)
      since_ms = clock_ms();
    else if (clock_ms() - since_ms > (uint64_t)deadline_ms)
      return false;
    words = now;
  }
  return true;
}

/* The result, unless the words say more than that. */
static void judge_end(struct check_process *process, int status,
                      const char *inside) {
  const char *in = inside == NULL ? "" : " in ";
  const char *entry = inside == NULL ? "" : inside;
  const char *call = inside == NULL ? "" : "()";
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
    process->late = true;
    check_process_fail(process, RULE_BLOCK, "%s%s doesn't return",
                       inside == NULL ? "a call of the plugin" : inside, call);
  } else if (WIFSIGNALED(status)) {
    check_process_fail(process, RULE_CRASH, "the process died%s%s%s: %s", in,
                       entry, call, strsignal(WTERMSIG(status)));
  } else if (WEXITSTATUS(status) != 0) {
    check_process_fail(
        process, RULE_CRASH,
        "the process ended%s%s%s with status %d; its log may say why", in,
        entry, call, WEXITSTATUS(status));
  } else {
    check_process_fail(process, RULE_CRASH,
                       "the process ended%s%s%s before the check did", in,
                       entry, call);
  }
}

/* True: it ended of its own and well. */
static bool wait_for_end(pid_t pid, struct check_process *process,
                         const struct fixture_progress *progress,
                         int64_t deadline_ms) {
  int fd = (int)syscall(SYS_pidfd_open, pid, 0), status = 0;
  if (fd < 0)
    abort();
  process->late = !ends(fd, progress, deadline_ms);
  const char *inside = progress->inside;
  kill(-pid, SIGKILL); /* and those that it started */
  kill(pid, SIGKILL);
  waitpid(pid, &status, 0);
  close(fd);
  if (process->late)
    check_process_fail(
        process, RULE_BLOCK, "nothing went on%s%s%s for %lld s",
        inside == NULL ? "" : " in ", inside == NULL ? "" : inside,
        inside == NULL ? "" : "()", (long long)(deadline_ms / 1000));
  else
    judge_end(process, status, inside);
  return !process->late && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void slurp(int fd, char *out, size_t max) {
  ssize_t len = pread(fd, out, max, 0);
  out[len < 0 ? 0 : len] = '\0';
  close(fd);
}

/* The letters are explained in fixture_words.c. */
static void read_word(struct check_process *process, char *line, bool well) {
  char letter = *line++, *text = line;
  const char *name = strsep(&text, "\t");
  if (text == NULL)
    return;
  if (letter == 'F' || letter == 'L')
    check_process_fail(process, name, "%s", text);
  process->late = process->late || letter == 'L';
  if (letter == 'S') {
    process->result = CHECK_SKIPPED;
    snprintf(process->why, sizeof process->why, "%s", text);
  }
  if (letter == 'O' && well)
    process->result = CHECK_PASSED;
  if (letter == 'O' && !well) {
    char end[sizeof process->why];
    memcpy(end, process->why, sizeof end);
    check_process_fail(process, RULE_GIVE_BACK, "after stop() %s", end);
  }
  if (letter == 'V' && process->violation[0] == '\0')
    snprintf(process->violation, sizeof process->violation, "%s\t%s", name,
             text);
}

/* One that is through may have ended badly all the same, as where a sanitizer
 * found a leak. */
static void read_words(struct check_process *process, char *words, bool well) {
  char *rest = words;
  for (char *line; (line = strsep(&rest, "\n")) != NULL;)
    read_word(process, line, well);
}

void check_process_run(struct check_process *process,
                       const struct check *check,
                       const struct fixture_plan *plan, unsigned number) {
  char said[CHECK_PROCESS_TEXT_MAX + 1];
  int words = memfd_create("words", MFD_CLOEXEC);
  int log = memfd_create("log", MFD_CLOEXEC);
  int64_t deadline = plan->patience_ms * DEADLINE;
  struct fixture_progress *progress =
      mmap(NULL, sizeof *progress, PROT_READ | PROT_WRITE,
           MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  *process = (struct check_process){0};
  fflush(stdout);
  if (words < 0 || log < 0 || progress == MAP_FAILED)
    abort();
  pid_t pid = fork();
  if (pid == 0) {
    setpgid(0, 0);
    dup2(log, STDERR_FILENO);
    dup2(log, STDOUT_FILENO); /* a hook may log there */
    check_process_body(check, plan, progress, number, words);
  }
  if (pid < 0)
    abort();
  bool well =
      wait_for_end(pid, process, progress,
                   deadline < DEADLINE_MIN_MS ? DEADLINE_MIN_MS : deadline);
  munmap(progress, sizeof *progress);
  slurp(words, said, CHECK_PROCESS_TEXT_MAX);
  slurp(log, process->log, CHECK_PROCESS_TEXT_MAX);
  read_words(process, said, well);
}
