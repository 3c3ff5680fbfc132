/* SPDX-License-Identifier: MIT
 *
 * Tasks are contexts with stacks of their own.  All that wait for descriptors
 * are asked for by one poll(2), whose answer in one thread is always the same.
 */
#include "schedule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "chance.h"
#include "crash.h"
#include "sanitized.h"

#if SANITIZED_ADDRESS
#include <sanitizer/common_interface_defs.h>
#endif

#define STACK_BYTES (SANITIZED_ADDRESS ? 1u << 20 : 256u << 10)
#define TASKS_MAX 128
#define FDS_MAX (TASKS_MAX * SCHEDULE_FDS_MAX)
#define START_US 1000000000u /* of the clock that never goes back */
#define WEIGHT_MAX 8         /* how much one task is faster than another */

enum wait { RUNS, WAITS_FDS, WAITS_WAKE, WAITS_TIME, HAS_ENDED };

struct task {
  TAILQ_ENTRY(task) link;
  char name[24];
  void *(*run)(void *);
  void *arg, *result;
  enum wait wait;
  uint64_t until_us;
  const void *what;
  struct pollfd *fds;
  size_t fd_count, first_fd;
  bool in_time; /* what it waited for came */
  int locks;
  uint64_t weight;
  char *stack;
  const void *stack_low; /* for the sanitizer, as the two that follow */
  size_t stack_size;
  void *fake;
  ucontext_t context;
  struct about *about; /* of crash.h, which has one a thread */
};

static struct {
  TAILQ_HEAD(, task) tasks;
  struct task first, *now;
  uint64_t clock_us, turns;
  size_t count;
  bool on;
} schedule;

/* ---- switching ---------------------------------------------------------- */

static void after_switch(void) {
#if SANITIZED_ADDRESS
  const void *low;
  size_t size;
  __sanitizer_finish_switch_fiber(schedule.now->fake, &low, &size);
  if (schedule.first.stack_low == NULL) { /* whom the first switch left */
    schedule.first.stack_low = low;
    schedule.first.stack_size = size;
  }
#endif
}

static void switch_to(struct task *next) {
  struct task *before = schedule.now;
  if (next == before)
    return;
  schedule.now = next;
  before->about = crash_about(next->about);
#if SANITIZED_ADDRESS
  __sanitizer_start_switch_fiber(before->wait == HAS_ENDED ? NULL
                                                           : &before->fake,
                                 next->stack_low, next->stack_size);
#endif
  swapcontext(&before->context, &next->context);
  after_switch();
}

/* ---- who can go on ------------------------------------------------------ */

static bool is_due(const struct task *task) {
  return task->until_us <= schedule.clock_us;
}

static bool fds_ready(struct task *task, const struct pollfd *fds) {
  bool ready = false;
  for (size_t i = 0; i < task->fd_count; i++) {
    task->fds[i].revents = fds[task->first_fd + i].revents;
    ready |= task->fds[i].revents != 0;
  }
  return ready;
}

static void ask_fds(struct pollfd *fds) {
  struct task *task;
  size_t n = 0;
  TAILQ_FOREACH(task, &schedule.tasks, link) {
    if (task->wait != WAITS_FDS)
      continue;
    task->first_fd = n;
    memcpy(fds + n, task->fds, task->fd_count * sizeof *fds);
    n += task->fd_count;
  }
  struct timespec none = {0};
  if (n > 0)
    syscall(SYS_ppoll, fds, n, &none, NULL, 8);
}

static bool can_go_on(struct task *task, const struct pollfd *fds) {
  switch (task->wait) {
  case RUNS:
    return true;
  case WAITS_FDS:
    task->in_time = fds_ready(task, fds);
    return task->in_time || is_due(task);
  case WAITS_WAKE:
  case WAITS_TIME:
    task->in_time = false;
    return is_due(task);
  case HAS_ENDED:
    return false;
  }
  return false;
}

static size_t find_ready(struct task **ready) {
  struct pollfd fds[FDS_MAX];
  struct task *task;
  size_t n = 0;
  ask_fds(fds);
  TAILQ_FOREACH(task, &schedule.tasks, link)
  if (can_go_on(task, fds))
    ready[n++] = task;
  return n;
}

static void say_who_waits(void) {
  static const char *const words[] = {"runs", "waits for descriptors",
                                      "waits to be woken", "sleeps", "ended"};
  struct task *task;
  TAILQ_FOREACH(task, &schedule.tasks, link)
  trace("%s %s", task->name, words[task->wait]);
}

/* Nobody can go on now: the time of the next one comes. */
static void move_clock(void) {
  uint64_t next = SCHEDULE_NEVER;
  struct task *task;
  TAILQ_FOREACH(task, &schedule.tasks, link)
  if (task->wait != RUNS && task->wait != HAS_ENDED && task->until_us < next)
    next = task->until_us;
  if (next == SCHEDULE_NEVER) {
    say_who_waits();
    trace_found("nobody can go on, and nobody waits for a time");
  }
  schedule.clock_us = next;
}

static struct task *choose(struct task *const *ready, size_t n) {
  uint64_t sum = 0;
  for (size_t i = 0; i < n; i++)
    sum += ready[i]->weight;
  uint64_t at = chance_below(sum);
  size_t i = 0;
  while (at >= ready[i]->weight)
    at -= ready[i++]->weight;
  return ready[i];
}

static void turn(void) {
  struct task *ready[TASKS_MAX];
  size_t n;
  while ((n = find_ready(ready)) == 0)
    move_clock();
  struct task *next = choose(ready, n);
  next->wait = RUNS;
  schedule.turns++;
  schedule.clock_us += 1 + chance_below(40);
  switch_to(next);
}

static bool wait_as(enum wait wait, uint64_t until_us) {
  struct task *task = schedule.now;
  task->wait = wait;
  task->until_us = until_us;
  turn();
  return task->in_time;
}

/* ---- what tasks call ---------------------------------------------------- */

void schedule_yield(void) {
  if (schedule.on && schedule.now->locks == 0)
    wait_as(RUNS, SCHEDULE_NEVER);
}

void schedule_sleep(uint64_t us) {
  wait_as(WAITS_TIME, schedule.clock_us + us);
}

bool schedule_wait_fds(struct pollfd *fds, size_t count, uint64_t until_us) {
  if (count > SCHEDULE_FDS_MAX)
    trace_found("a task waits for %zu descriptors", count);
  schedule.now->fds = fds;
  schedule.now->fd_count = count;
  return wait_as(WAITS_FDS, until_us);
}

bool schedule_wait(const void *what, uint64_t until_us) {
  schedule.now->what = what;
  return wait_as(WAITS_WAKE, until_us);
}

void schedule_wake(const void *what, bool all) {
  struct task *waiting[TASKS_MAX], *task;
  size_t n = 0;
  TAILQ_FOREACH(task, &schedule.tasks, link)
  if (task->wait == WAITS_WAKE && task->what == what)
    waiting[n++] = task;
  size_t chosen = n > 0 ? chance_below(n) : 0;
  for (size_t i = 0; i < n; i++) {
    if (!all && i != chosen)
      continue;
    waiting[i]->wait = RUNS;
    waiting[i]->in_time = true;
  }
}

void schedule_locked(int change) {
  schedule.now->locks += change;
}

/* ---- life of a task ----------------------------------------------------- */

static void task_main(void) {
  struct task *task = schedule.now;
  after_switch();
  task->result = task->run(task->arg);
  task->wait = HAS_ENDED;
  schedule_wake(task, true);
  turn();
}

static void make_context(ucontext_t *context, char *stack) {
  getcontext(context);
  context->uc_stack.ss_sp = stack;
  context->uc_stack.ss_size = STACK_BYTES;
  makecontext(context, task_main, 0);
}

struct task *schedule_add(const char *name, void *(*run)(void *), void *arg) {
  struct task *task = calloc(1, sizeof *task);
  char *stack = malloc(STACK_BYTES);
  if (task == NULL || stack == NULL || schedule.count == TASKS_MAX) {
    free(stack);
    free(task);
    return NULL;
  }
  snprintf(task->name, sizeof task->name, "%s", name);
  task->run = run;
  task->arg = arg;
  task->weight = 1 + chance_below(WEIGHT_MAX);
  task->stack = stack;
  task->stack_low = stack;
  task->stack_size = STACK_BYTES;
  make_context(&task->context, stack);
  TAILQ_INSERT_TAIL(&schedule.tasks, task, link);
  schedule.count++;
  return task;
}

void *schedule_join(struct task *task) {
  while (task->wait != HAS_ENDED)
    schedule_wait(task, SCHEDULE_NEVER);
  void *result = task->result;
  TAILQ_REMOVE(&schedule.tasks, task, link);
  schedule.count--;
  free(task->stack);
  free(task);
  return result;
}

struct task *schedule_self(void) {
  return schedule.now;
}

bool schedule_is_task(const void *what) {
  const struct task *task;
  TAILQ_FOREACH(task, &schedule.tasks, link)
  if (task == what)
    return true;
  return false;
}

bool schedule_is_first(void) {
  return schedule.now == &schedule.first;
}

const char *schedule_task_name(void) {
  return schedule.now == NULL ? "" : schedule.now->name;
}

uint64_t schedule_now_us(void) {
  return schedule.clock_us;
}

uint64_t schedule_turns(void) {
  return schedule.turns;
}

bool schedule_is_on(void) {
  return schedule.on;
}

void schedule_begin(void) {
  TAILQ_INIT(&schedule.tasks);
  schedule.first = (struct task){.name = "main", .weight = WEIGHT_MAX / 2};
  TAILQ_INSERT_TAIL(&schedule.tasks, &schedule.first, link);
  schedule.count = 1;
  schedule.now = &schedule.first;
  schedule.clock_us = START_US;
  schedule.on = true;
}

void schedule_end(void) {
  if (schedule.count > 1) {
    say_who_waits();
    trace_found("%zu threads are left", schedule.count - 1);
  }
  schedule.on = false;
}
