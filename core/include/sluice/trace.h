/* SPDX-License-Identifier: MIT
 *
 * Since 1.1: which trace a request belongs to, and why it took so long.  A
 * part of <sluice/plugin.h>, which says by which rules and is what a plugin
 * includes.
 *
 * A trace is W3C's Trace Context.  The gateway takes what the client sent
 * where that is valid, and begins a trace where it isn't; the span is always
 * one of its own.
 */
#ifndef SLUICE_TRACE_H
#define SLUICE_TRACE_H

#include <sluice/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sluice_effort { /* what a request took, beside its record */
  uint32_t size;
  /* A part of the record's `usec`, and of none of its other parts: digests
   * were waited for. */
  uint64_t hash_us;
  uint64_t attempts; /* of all its operations: sluice_attempt() */
  /* The option of the configuration that set the limit, or the name of the
   * hook, by which it was refused or broken off; NULL: it wasn't. */
  const char *refused_by;
};

#pragma GCC visibility push(default)

/* The value of the header for those that a hook asks or tells on the request's
 * behalf; valid until its on_log returns. */
const char *sluice_request_traceparent(const struct sluice_request *);
/* NULL: it came without. */
const char *sluice_request_tracestate(const struct sluice_request *);
/* Before the answer: its client may see how long what took, in Server-Timing.
 */
void sluice_request_debug(struct sluice_request *);
/* In on_log; NULL: nothing is known.  Lent until that returns. */
const struct sluice_effort *
sluice_request_effort(const struct sluice_request *);

/* The same headers' values for a backend's storage, valid until the plugin's
 * function or event returns; NULL: no request is behind it. */
const char *sluice_op_traceparent(const struct sluice_op *);
const char *sluice_op_tracestate(const struct sluice_op *);
/* The storage is asked something for the operation: for the first time, or,
 * with another number than 1, once more as it failed before. */
void sluice_attempt(struct sluice_op *, unsigned number);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif
#endif
