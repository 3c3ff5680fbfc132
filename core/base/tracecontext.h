/* SPDX-License-Identifier: MIT
 *
 * Trace Context (W3C, level 1 and the flag of level 2): which trace a request
 * belongs to, read from its fields `traceparent` and `tracestate`, and written
 * for whoever is asked on its behalf.  Strict: what isn't valid is as if it
 * hadn't come.
 */
#ifndef BASE_TRACECONTEXT_H
#define BASE_TRACECONTEXT_H

#include <stdbool.h>
#include <stddef.h>

#define TRACECONTEXT_TRACE_LEN 16
#define TRACECONTEXT_SPAN_LEN 8
#define TRACECONTEXT_TEXT_SIZE 56 /* of a `traceparent`, with its NUL */
/* Bytes of a `traceparent` of a version to come. */
#define TRACECONTEXT_PARENT_MAX 256
#define TRACECONTEXT_STATE_MAX 512 /* bytes of a `tracestate` */
#define TRACECONTEXT_STATES_MAX 32 /* members of it */

enum tracecontext_flag { /* others aren't passed on */
                         TRACECONTEXT_SAMPLED = 1,
                         TRACECONTEXT_RANDOM = 2
};

struct tracecontext {
  unsigned char trace[TRACECONTEXT_TRACE_LEN];
  unsigned char span[TRACECONTEXT_SPAN_LEN]; /* who asks */
  unsigned flags;
};

/* False, and nothing is set: it isn't valid. */
bool tracecontext_read(struct tracecontext *, const char *traceparent);
/* As version 00. */
void tracecontext_write(char out[TRACECONTEXT_TEXT_SIZE],
                        const struct tracecontext *);
/* Of random bytes, none of which need be set. */
void tracecontext_fix(struct tracecontext *);
/* Is it a list that may be passed on: up to 32 members, each a key once, and
 * at most 512 bytes, of which one at least is a member's? */
bool tracecontext_state_valid(const char *tracestate);

#endif
