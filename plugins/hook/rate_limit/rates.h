/* SPDX-License-Identifier: MIT
 *
 * The options of rate_limit, and their meaning in microseconds.
 */
#ifndef RATE_LIMIT_RATES_H
#define RATE_LIMIT_RATES_H

#include <sluice/plugin.h>

#include "errmsg.h"

struct rates_conf {
  const char *by;
  int64_t requests, burst; /* 0: no limit; 0: as many as requests */
  uint64_t bytes, bytes_burst;
  int64_t per_ms, debt_ms;
  int64_t ipv4_prefix, ipv6_prefix;
  const char *const *operations; /* none: all */
  int64_t entries;
};

struct rates {
  bool by_identity;
  unsigned v4_bits, v6_bits; /* of an address, that count */
  unsigned operations;       /* OPERATION_BIT() of each */
  uint64_t interval;         /* of a request; 0: they have no limit */
  uint64_t burst;            /* that may be taken at once */
  uint64_t bytes, per;       /* bytes in so much time; 0: no limit */
  uint64_t bytes_burst;      /* time that the burst takes */
  uint64_t bytes_most;       /* and with the largest debt */
};

/* False and why. */
bool rates_read(struct rates *, const struct rates_conf *, struct errmsg *);
/* Is it one that is limited? */
bool rates_apply(const struct rates *, const char *name);
/* The cost of so many bytes. */
uint64_t rates_cost(const struct rates *, uint64_t bytes);
/* Whole seconds to wait, at least 1. */
unsigned rates_seconds(uint64_t usec);

#endif
