/* SPDX-License-Identifier: MIT
 *
 * Removes objects whose moment has passed, by their notes, so that a sweep
 * costs what is due and one list.  One loop of a gateway does it, one object
 * at a time; several gateways of a storage may.
 */
#ifndef ENDPOINTS_EXPIRYSWEEP_H
#define ENDPOINTS_EXPIRYSWEEP_H

struct gate;
struct expirysweep;

/* Of the gate's loop, whose backends are open.  NULL: no memory. */
struct expirysweep *expirysweep_new(struct gate *);
/* No further one begins.  For both, NULL is nothing. */
void expirysweep_stop(struct expirysweep *);
void expirysweep_free(struct expirysweep *);

#endif
