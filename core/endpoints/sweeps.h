/* SPDX-License-Identifier: MIT
 *
 * All that a gateway sweeps by itself, in each of its backends.  One loop of a
 * gateway does it.
 */
#ifndef ENDPOINTS_SWEEPS_H
#define ENDPOINTS_SWEEPS_H

struct gate;
struct sweeps;

/* Of the gate's loop, whose backends are open.  NULL: no memory. */
struct sweeps *sweeps_new(struct gate *);
/* No further one begins.  For both, NULL is nothing. */
void sweeps_stop(struct sweeps *);
void sweeps_free(struct sweeps *);

#endif
