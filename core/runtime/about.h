/* SPDX-License-Identifier: MIT
 *
 * The request that a thread works for: told where a process crashes, and
 * passed on to whoever is asked for its sake.  It is memory of an exchange,
 * which rests before it is another's, so whoever keeps a pointer to it keeps
 * its serial number as well.
 */
#ifndef RUNTIME_ABOUT_H
#define RUNTIME_ABOUT_H

#include <stddef.h>
#include <stdint.h>

#include "tracecontext.h"

struct about {
  const char *id;
  uint64_t serial;                          /* 0: the request is over */
  char traceparent[TRACECONTEXT_TEXT_SIZE]; /* for those who are asked */
  char *tracestate;                         /* NULL: it came with none */
  uint64_t attempts;                        /* that backends made */
};

/* The request, as long as it is the one of that number; else NULL. */
static inline struct about *about_same(struct about *about, uint64_t serial) {
  return about != NULL && serial != 0 && about->serial == serial ? about
                                                                 : NULL;
}

#endif
