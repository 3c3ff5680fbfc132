/* SPDX-License-Identifier: MIT
 *
 * Removes the records of uploads with an Idempotency-Key that nobody asks for
 * any more.  One loop of a gateway does it.
 */
#ifndef ENDPOINTS_ONCESWEEP_H
#define ENDPOINTS_ONCESWEEP_H

struct gate;
struct oncesweep;

/* Of the gate's loop, whose backends are open.  NULL: no memory. */
struct oncesweep *oncesweep_new(struct gate *);
/* No further one begins.  For both, NULL is nothing. */
void oncesweep_stop(struct oncesweep *);
void oncesweep_free(struct oncesweep *);

#endif
