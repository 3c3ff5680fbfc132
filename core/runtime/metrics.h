/* SPDX-License-Identifier: MIT
 *
 * Numbers that are counted while requests are served.  Each loop has its own,
 * which it alone writes and any thread may read: counting takes no lock and
 * shares no cache line.  Who shows them adds those of all loops.
 *
 * All series are there from the start; how many there are, the configuration
 * says: so many routes and backends.
 */
#ifndef RUNTIME_METRICS_H
#define RUNTIME_METRICS_H

#include <sluice/plugin.h>
#include <stdatomic.h>

#include "operation.h"

/* The last of the operations stands for requests of none. */
#define METRICS_OPERATIONS (OPERATION_NONE + 1)
#define METRICS_HTTP 34    /* statuses of HTTP, the last one: any other */
#define METRICS_RESULTS 18 /* enum sluice_status */
#define METRICS_CALLS 13   /* of a backend's entries */
#define METRICS_ENDERS 7
#define METRICS_BOUNDS 17 /* of a histogram */
/* Its buckets, one more without a bound, and the sum of all times. */
#define METRICS_HISTOGRAM (METRICS_BOUNDS + 2)

enum metrics_wait {                 /* on whom a request waited */
                    METRICS_CLIENT, /* and what the gateway did itself */
                    METRICS_HOOKS,
                    METRICS_BACKEND,
                    METRICS_HASH,  /* digests, made by the pool */
                    METRICS_WHOLE, /* all of it */
                    METRICS_WAITS
};

enum metrics_limit { /* who was refused by which */
                     METRICS_MEMORY,
                     METRICS_CONNECTIONS,
                     METRICS_CLIENT_CONNECTIONS,
                     METRICS_CLIENT_REQUESTS,
                     METRICS_MIN_RATE,
                     METRICS_UPLOAD_SIZE,
                     METRICS_LIMITS
};

enum metrics_gauge {
  METRICS_OPEN_CONNECTIONS,
  METRICS_OPEN_REQUESTS,
  METRICS_GAUGES
};

struct metrics {
  size_t routes; /* one more than are configured: of no route */
  size_t backends;
  size_t count;
  _Atomic uint64_t *cells;
};

struct metrics_request {
  size_t route;
  enum operation operation;
  int status;
  unsigned ended_by;
  uint64_t bytes_in, bytes_out;
  uint64_t us[METRICS_WAITS];
};

extern const int metrics_http[METRICS_HTTP - 1];
extern const uint64_t metrics_bounds_us[METRICS_BOUNDS];

/* Zeroed before; `routes` as in the struct.  False: no memory. */
bool metrics_init(struct metrics *, size_t routes, size_t backends);
void metrics_fini(struct metrics *);

/* ---- by its loop; `metrics` may be NULL, then nothing is counted ----------
 */

void metrics_add_request(struct metrics *, const struct metrics_request *);
void metrics_refuse(struct metrics *, enum metrics_limit);
void metrics_set(struct metrics *, enum metrics_gauge, uint64_t);
/* Of the entry `call` of a backend, which ended so. */
void metrics_add_call(struct metrics *, size_t backend, unsigned call,
                      enum sluice_status, uint64_t us);
/* Its storage was asked something; `again`: as that failed before. */
void metrics_add_attempt(struct metrics *, size_t backend, bool again);

/* ---- by any thread --------------------------------------------------------
 */

/* Adds what `from` has; both have the same shape. */
void metrics_sum(struct metrics *into, const struct metrics *from);
/* The same where they don't: which route and backend of `into` each of `from`
 * is; METRICS_NOWHERE: its numbers are dropped. */
#define METRICS_NOWHERE SIZE_MAX
void metrics_sum_as(struct metrics *into, const struct metrics *from,
                    const size_t *routes, const size_t *backends);
/* The first of METRICS_HTTP numbers. */
const _Atomic uint64_t *metrics_requests(const struct metrics *, size_t route,
                                         size_t operation);
/* The first of METRICS_HISTOGRAM. */
const _Atomic uint64_t *metrics_times(const struct metrics *, size_t operation,
                                      enum metrics_wait);
/* Bytes that came, bytes that went. */
const _Atomic uint64_t *metrics_bytes(const struct metrics *,
                                      size_t operation);
const _Atomic uint64_t *metrics_ended(const struct metrics *);
const _Atomic uint64_t *metrics_refused(const struct metrics *);
const _Atomic uint64_t *metrics_gauges(const struct metrics *);
/* The first of METRICS_RESULTS numbers, then METRICS_HISTOGRAM of times. */
const _Atomic uint64_t *metrics_calls(const struct metrics *, size_t backend,
                                      unsigned call);
/* Attempts, and those of them that were repeated ones. */
const _Atomic uint64_t *metrics_attempts(const struct metrics *,
                                         size_t backend);

#endif
