/* SPDX-License-Identifier: MIT
 *
 * An event as its receiver gets it.
 */
#ifndef EVENTS_BODY_H
#define EVENTS_BODY_H

#include <stdint.h>

#include "buf.h"

struct event_words {
  const char *id, *type;
  int64_t time_ms;
  const char *backend;                     /* NULL: none */
  const char *key, *identity, *request_id; /* identity: NULL: nobody said */
  const char *traceparent, *tracestate;    /* so, too: none */
  bool uploaded;                           /* what follows is there */
  uint64_t size;
  const char *content_type, *md5, *filename, *uploaded_by; /* or NULL */
};

/* Adds a JSON object; false: it doesn't fit, or something isn't UTF-8. */
bool event_body(struct buf *out, const struct event_words *);
/* Adds the header lines "traceparent: ..." and "tracestate: ..." of an event
 * to the two buffers, as far as it has them. */
void event_body_trace(const char *body, size_t len, struct buf *parent,
                      struct buf *state);

#endif
