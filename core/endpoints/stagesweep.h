/* SPDX-License-Identifier: MIT
 *
 * Has backends remove the stages of uploads that nobody went on with.  One
 * loop of a gateway does it.
 */
#ifndef ENDPOINTS_STAGESWEEP_H
#define ENDPOINTS_STAGESWEEP_H

struct gate;
struct stagesweep;

/* Of the gate's loop, whose backends are open.  NULL: no memory. */
struct stagesweep *stagesweep_new(struct gate *);
/* No further one begins. */
void stagesweep_stop(struct stagesweep *); /* NULL: nothing */
void stagesweep_free(struct stagesweep *);

#endif
