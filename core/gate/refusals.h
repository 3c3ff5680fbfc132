/* SPDX-License-Identifier: MIT
 *
 * The log's lines about clients that were refused: one at once, then one a
 * second at most, with the last of them and how many there were, so that who
 * floods the gateway doesn't flood its log.
 */
#ifndef GATE_REFUSALS_H
#define GATE_REFUSALS_H

#include "loop.h"

enum refusal { /* each kind has lines of its own */
               REFUSAL_CONNECTIONS,
               REFUSAL_REQUESTS,
               REFUSAL_MEMORY,
               REFUSAL_SLOW,
               REFUSAL_KINDS
};

#define REFUSAL_LEN 256

struct refusals { /* of one loop */
  struct event *timer;
  struct {
    bool told;              /* within the last second */
    size_t count;           /* since then */
    char last[REFUSAL_LEN]; /* of them */
  } kinds[REFUSAL_KINDS];
};

bool refusals_init(struct refusals *, struct loop *);
void refusals_fini(struct refusals *); /* and tells what wasn't told yet */
/* "198.51.100.7 is refused: it has 256 connections" */
void refusals_note(struct refusals *, enum refusal, const char *client,
                   const char *fmt, ...) SLUICE_PRINTF(4, 5);

#endif
