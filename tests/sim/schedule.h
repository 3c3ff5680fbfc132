/* SPDX-License-Identifier: MIT
 *
 * Threads of a simulation, which take turns on one real thread: who goes on
 * is chosen by chance, and the clock moves when nobody can.  What the gateway
 * and its libraries call of libc's to wait, or to know the time, comes here
 * (libc.c).
 */
#ifndef TESTS_SIM_SCHEDULE_H
#define TESTS_SIM_SCHEDULE_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCHEDULE_NEVER UINT64_MAX
#define SCHEDULE_FDS_MAX 4 /* that one task waits for */

struct task;

/* The caller is the first task.  From here on the clock is the simulation's.
 */
void schedule_begin(void);
/* Every other task has ended. */
void schedule_end(void);
bool schedule_is_on(void);

/* NULL: no memory. */
struct task *schedule_add(const char *name, void *(*run)(void *), void *arg);
struct task *schedule_self(void);
bool schedule_is_task(const void *); /* and none that has been joined */
bool schedule_is_first(void);
const char *schedule_task_name(void);

uint64_t schedule_now_us(void);
uint64_t schedule_turns(void);

/* Others may go on first. */
void schedule_yield(void);
void schedule_sleep(uint64_t us);
/* Until one of them is ready, or until then; false: the time is over.  Their
 * revents are set. */
bool schedule_wait_fds(struct pollfd *, size_t count, uint64_t until_us);
/* Until schedule_wake() for it, or until then; false: the time is over. */
bool schedule_wait(const void *what, uint64_t until_us);
/* One of those who wait for it, by chance, or all. */
void schedule_wake(const void *what, bool all);
/* The result of its run(); it is gone then. */
void *schedule_join(struct task *);

/* Locks that the task holds: while it has one, nobody else goes on. */
void schedule_locked(int change);

#endif
