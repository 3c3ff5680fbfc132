/* SPDX-License-Identifier: MIT
 *
 * Calls of plugins that come again and again, on threads of the pool
 * (<sluice/timer.h>).
 */
#ifndef RUNTIME_TIMER_H
#define RUNTIME_TIMER_H

#include <sluice/plugin.h>

struct work_share;

/* The share's owner is gone: timers that it has left are freed.  How many
 * there were. */
size_t timer_free_all(struct work_share *);

#endif
