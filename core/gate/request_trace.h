/* SPDX-License-Identifier: MIT
 *
 * The trace of a request: from its head to those who are asked on its behalf.
 */
#ifndef GATE_REQUEST_TRACE_H
#define GATE_REQUEST_TRACE_H

struct sluice_request;

/* Its loop, id and head are set. */
void request_trace(struct sluice_request *);
/* Nobody who was asked for its sake may know it any more. */
void request_trace_end(struct sluice_request *);

#endif
