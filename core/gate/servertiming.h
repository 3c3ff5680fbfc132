/* SPDX-License-Identifier: MIT
 *
 * Server-Timing (W3C): how long whom an answer took, up to its head, for
 * clients that a hook said may know it.
 */
#ifndef GATE_SERVERTIMING_H
#define GATE_SERVERTIMING_H

#define SERVERTIMING_SIZE 256

struct exchange;

/* Its value, as it is by now. */
void servertiming_text(struct exchange *, char out[SERVERTIMING_SIZE]);

#endif
