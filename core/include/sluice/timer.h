/* SPDX-License-Identifier: MIT
 *
 * Since 1.1: what a plugin does from time to time, for all of its loops at
 * once.  A part of <sluice/plugin.h>, which says by which rules and is what a
 * plugin includes.  What a single loop does again and again is an event of
 * that loop (sluice_loop()).
 */
#ifndef SLUICE_TIMER_H
#define SLUICE_TIMER_H

#include <sluice/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_TIMER_MIN_MS 10
#define SLUICE_TIMER_MAX_MS (30 * INT64_C(86400000)) /* thirty days */

struct sluice_timer;

#pragma GCC visibility push(default)

/* In start(), with its host: run(arg) is called on a thread of the pool, for
 * the first time after the period, and then each time one period after the
 * call before has returned: so never twice at once, and on a busy machine less
 * often.  It may block for as long as a job of sluice_work() may, and of the
 * functions here it may call those for any thread alone.  NULL: no memory, a
 * period that is too short or too long, the host of a loop, or a process
 * without a pool. */
struct sluice_timer *sluice_timer_new(struct sluice_host *, int64_t period_ms,
                                      void (*run)(void *arg), void *arg);
/* Waits for run() where that is under way, unless it is run() that calls, and
 * it isn't called any more: at the latest in stop(), or in a start() that
 * fails.  Not on a loop, which it would block.  NULL is fine. */
void sluice_timer_free(struct sluice_timer *);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif
#endif
