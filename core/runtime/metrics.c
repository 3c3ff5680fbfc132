/* SPDX-License-Identifier: MIT
 *
 * One row of numbers for each loop, and where in it each of them stands.
 */
#include "metrics.h"

#include <stdlib.h>

const int metrics_http[METRICS_HTTP - 1] = {
    200, 201, 204, 206, 304, 400, 401, 403, 404, 405, 406,
    408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 422,
    429, 431, 460, 499, 500, 501, 502, 503, 504, 505, 507};

const uint64_t metrics_bounds_us[METRICS_BOUNDS] = {
    250,     500,     1000,     2500,     5000,    10000,
    25000,   50000,   100000,   250000,   500000,  1000000,
    2500000, 5000000, 10000000, 30000000, 60000000};

#define PER_CALL (METRICS_RESULTS + METRICS_HISTOGRAM)

/* ---- where they stand -----------------------------------------------------
 */

#define TIMES_AT 0
#define BYTES_AT \
  (TIMES_AT + METRICS_OPERATIONS * METRICS_WAITS * METRICS_HISTOGRAM)
#define ENDED_AT (BYTES_AT + METRICS_OPERATIONS * 2)
#define REFUSED_AT (ENDED_AT + METRICS_ENDERS)
#define GAUGES_AT (REFUSED_AT + METRICS_LIMITS)
#define CALLS_AT (GAUGES_AT + METRICS_GAUGES)

/* Its calls, then two numbers for its attempts. */
#define PER_BACKEND (METRICS_CALLS * PER_CALL + 2)

static size_t calls_at(size_t backend, unsigned call) {
  return CALLS_AT + backend * PER_BACKEND + call * PER_CALL;
}

static size_t attempts_at(size_t backend) {
  return calls_at(backend, METRICS_CALLS);
}

static size_t requests_at(const struct metrics *metrics, size_t route,
                          size_t operation) {
  return calls_at(metrics->backends, 0) +
         (route * METRICS_OPERATIONS + operation) * METRICS_HTTP;
}

static size_t times_at(size_t operation, enum metrics_wait wait) {
  return TIMES_AT + (operation * METRICS_WAITS + wait) * METRICS_HISTOGRAM;
}

bool metrics_init(struct metrics *metrics, size_t routes, size_t backends) {
  metrics->routes = routes;
  metrics->backends = backends;
  metrics->count = requests_at(metrics, routes, 0);
  metrics->cells = calloc(metrics->count, sizeof *metrics->cells);
  return metrics->cells != NULL;
}

void metrics_fini(struct metrics *metrics) {
  free(metrics->cells);
  metrics->cells = NULL;
}

/* ---- counting -------------------------------------------------------------
 */

/* Others read it, but nobody else writes it. */
static void add(_Atomic uint64_t *cell, uint64_t n) {
  atomic_store_explicit(cell,
                        atomic_load_explicit(cell, memory_order_relaxed) + n,
                        memory_order_relaxed);
}

static void add_time(_Atomic uint64_t *cells, uint64_t us) {
  size_t at = 0;
  while (at < METRICS_BOUNDS && us > metrics_bounds_us[at])
    at++;
  add(&cells[at], 1);
  add(&cells[METRICS_BOUNDS + 1], us);
}

static size_t metrics_slot_of(int status) {
  size_t at = 0;
  while (at < METRICS_HTTP - 1 && metrics_http[at] != status)
    at++;
  return at;
}

void metrics_add_request(struct metrics *metrics,
                         const struct metrics_request *request) {
  if (metrics == NULL)
    return;
  _Atomic uint64_t *cells = metrics->cells;
  size_t operation = request->operation;
  add(&cells[requests_at(metrics, request->route, operation) +
             metrics_slot_of(request->status)],
      1);
  for (int wait = 0; wait < METRICS_WAITS; wait++)
    if (request->us[wait] > 0)
      add_time(&cells[times_at(operation, (enum metrics_wait)wait)],
               request->us[wait]);
  add(&cells[BYTES_AT + operation * 2], request->bytes_in);
  add(&cells[BYTES_AT + operation * 2 + 1], request->bytes_out);
  add(&cells[ENDED_AT + request->ended_by], 1);
}

void metrics_refuse(struct metrics *metrics, enum metrics_limit limit) {
  if (metrics != NULL)
    add(&metrics->cells[REFUSED_AT + limit], 1);
}

void metrics_set(struct metrics *metrics, enum metrics_gauge gauge,
                 uint64_t value) {
  if (metrics != NULL)
    atomic_store_explicit(&metrics->cells[GAUGES_AT + gauge], value,
                          memory_order_relaxed);
}

void metrics_add_call(struct metrics *metrics, size_t backend, unsigned call,
                      enum sluice_status status, uint64_t us) {
  if (metrics == NULL)
    return;
  _Atomic uint64_t *cells = &metrics->cells[calls_at(backend, call)];
  add(&cells[status], 1);
  add_time(cells + METRICS_RESULTS, us);
}

void metrics_add_attempt(struct metrics *metrics, size_t backend, bool again) {
  if (metrics == NULL)
    return;
  _Atomic uint64_t *cells = &metrics->cells[attempts_at(backend)];
  add(&cells[0], 1);
  if (again)
    add(&cells[1], 1);
}

/* ---- reading --------------------------------------------------------------
 */

static void sum_cells(_Atomic uint64_t *into, const _Atomic uint64_t *from,
                      size_t count) {
  for (size_t i = 0; i < count; i++)
    add(&into[i], atomic_load_explicit(&from[i], memory_order_relaxed));
}

void metrics_sum(struct metrics *into, const struct metrics *from) {
  sum_cells(into->cells, from->cells, into->count);
}

void metrics_sum_as(struct metrics *into, const struct metrics *from,
                    const size_t *routes, const size_t *backends) {
  sum_cells(into->cells, from->cells, CALLS_AT);
  for (size_t i = 0; i < from->backends; i++)
    if (backends[i] != METRICS_NOWHERE)
      sum_cells(&into->cells[calls_at(backends[i], 0)],
                &from->cells[calls_at(i, 0)], PER_BACKEND);
  for (size_t i = 0; i < from->routes; i++)
    if (routes[i] != METRICS_NOWHERE)
      sum_cells(&into->cells[requests_at(into, routes[i], 0)],
                &from->cells[requests_at(from, i, 0)],
                METRICS_OPERATIONS * METRICS_HTTP);
}

const _Atomic uint64_t *metrics_requests(const struct metrics *metrics,
                                         size_t route, size_t operation) {
  return &metrics->cells[requests_at(metrics, route, operation)];
}

const _Atomic uint64_t *metrics_times(const struct metrics *metrics,
                                      size_t operation,
                                      enum metrics_wait wait) {
  return &metrics->cells[times_at(operation, wait)];
}

const _Atomic uint64_t *metrics_bytes(const struct metrics *metrics,
                                      size_t operation) {
  return &metrics->cells[BYTES_AT + operation * 2];
}

const _Atomic uint64_t *metrics_ended(const struct metrics *metrics) {
  return &metrics->cells[ENDED_AT];
}

const _Atomic uint64_t *metrics_refused(const struct metrics *metrics) {
  return &metrics->cells[REFUSED_AT];
}

const _Atomic uint64_t *metrics_gauges(const struct metrics *metrics) {
  return &metrics->cells[GAUGES_AT];
}

const _Atomic uint64_t *metrics_calls(const struct metrics *metrics,
                                      size_t backend, unsigned call) {
  return &metrics->cells[calls_at(backend, call)];
}

const _Atomic uint64_t *metrics_attempts(const struct metrics *metrics,
                                         size_t backend) {
  return &metrics->cells[attempts_at(backend)];
}
