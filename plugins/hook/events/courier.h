/* SPDX-License-Identifier: MIT
 *
 * Delivers the events, from one loop.  It keeps at most one job in the lane,
 * and pauses before the next one, so that a loop that is to end does.
 */
#ifndef EVENTS_COURIER_H
#define EVENTS_COURIER_H

#include <sluice/plugin.h>

#include "events.h"

struct courier;

/* On the loop of the host; NULL after sluice_fail(). */
struct courier *courier_new(struct events *, struct sluice_host *);
/* Leaves what it knows in events->left. */
void courier_free(struct courier *); /* NULL: nothing */

#endif
