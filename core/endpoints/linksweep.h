/* SPDX-License-Identifier: MIT
 *
 * Removes what links have left below .sluice/ once they have expired: counts
 * of uses, and revocations.  One loop of a gateway does it, a little at a
 * time.
 */
#ifndef ENDPOINTS_LINKSWEEP_H
#define ENDPOINTS_LINKSWEEP_H

struct gate;
struct linksweep;

/* Of the gate's loop, whose backends are open.  NULL: no memory. */
struct linksweep *linksweep_new(struct gate *);
/* No further one begins. */
void linksweep_stop(struct linksweep *); /* NULL: nothing */
void linksweep_free(struct linksweep *);

#endif
