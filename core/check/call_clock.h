/* SPDX-License-Identifier: MIT
 *
 * How long a call of the plugin kept its thread asleep: the time that passed,
 * without that in which it used the processor or waited for one.  So a busy
 * machine blames nobody.
 */
#ifndef CHECK_CALL_CLOCK_H
#define CHECK_CALL_CLOCK_H

#include <stdint.h>

struct call_clock {
  int fd; /* the kernel's account of this thread; -1: there is none */
  int64_t passed_us, used_us, queued_us;
  long sleeps, faults;
};

/* Of the calling thread, which alone may use it. */
void call_clock_init(struct call_clock *);
void call_clock_fini(struct call_clock *);
void call_clock_start(struct call_clock *);
/* Microseconds asleep since the start; 0: too few for `least`, or it can't be
 * told from a machine that is busy. */
int64_t call_clock_slept(const struct call_clock *, int64_t least_us);

#endif
