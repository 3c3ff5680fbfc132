/* SPDX-License-Identifier: MIT
 *
 * Metrics as Prometheus reads them: the numbers of all loops added up, then
 * those that are asked for at this moment.  Each name is in sluice(1).
 */
#include "scrape.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "counts.h"
#include "ender.h"
#include "exposition.h"
#include "gateway.h"
#include "meters.h"
#include "metrics.h"
#include "work.h"

_Static_assert(ENDER_LIMIT + 1 == METRICS_ENDERS, "each ender is counted");
_Static_assert(SLUICE_ECANCELED + 1 == METRICS_RESULTS,
               "each status is counted");

static const char *const operations[METRICS_OPERATIONS] = {[OPERATION_NONE] =
                                                               "none"};

/* The numbers of a plain copy. */
static uint64_t at(const _Atomic uint64_t *cells, size_t i) {
  return atomic_load_explicit(&cells[i], memory_order_relaxed);
}

static const char *operation_label(size_t operation) {
  return operations[operation] != NULL
             ? operations[operation]
             : operation_name((enum operation)operation);
}

/* "/files", or "/a" where a route is one path; "none": of no route. */
static const char *route_label(const struct gateway *gateway, size_t i) {
  if (i == gateway->now->settings->route_count)
    return "none";
  const struct settings_route *route = &gateway->now->settings->routes[i];
  if (route->mount == NULL)
    return route->path;
  return route->mount[0] == '\0' ? "/" : route->mount;
}

static bool has_operation(const struct gateway *gateway, size_t i,
                          size_t operation) {
  if (i == gateway->now->settings->route_count)
    return operation == OPERATION_NONE;
  const struct settings_route *route = &gateway->now->settings->routes[i];
  return route->mount != NULL || operation == operation_find(route->operation);
}

static void put_histogram(struct buf *page, const char *name,
                          const struct exposition_label *labels,
                          const _Atomic uint64_t *cells) {
  uint64_t counts[METRICS_BOUNDS + 1];
  for (size_t i = 0; i <= METRICS_BOUNDS; i++)
    counts[i] = at(cells, i);
  exposition_histogram(page, name, labels, metrics_bounds_us, METRICS_BOUNDS,
                       counts, at(cells, METRICS_BOUNDS + 1));
}

/* ---- requests -------------------------------------------------------------
 */

static void put_statuses(const struct metrics *sum, struct buf *page,
                         size_t route, size_t operation, const char *label) {
  const _Atomic uint64_t *cells = metrics_requests(sum, route, operation);
  for (size_t i = 0; i < METRICS_HTTP; i++) {
    char status[16] = "other";
    if (i < METRICS_HTTP - 1)
      snprintf(status, sizeof status, "%d", metrics_http[i]);
    const struct exposition_label labels[] = {
        {"route", label},
        {"operation", operation_label(operation)},
        {"status", status},
        {NULL, NULL}};
    exposition_number(page, "sluice_requests_total", labels, at(cells, i));
  }
}

static void put_requests(const struct gateway *gateway,
                         const struct metrics *sum, struct buf *page) {
  exposition_family(page, "sluice_requests_total", "counter",
                    "Requests that ended, by the status of the answer; 499: "
                    "the client left before it.");
  for (size_t route = 0; route < sum->routes; route++)
    for (size_t i = 0; i < METRICS_OPERATIONS; i++)
      if (has_operation(gateway, route, i))
        put_statuses(sum, page, route, i, route_label(gateway, route));
}

static void put_times(const struct metrics *sum, struct buf *page) {
  static const char *const waits[] = {[METRICS_CLIENT] = "client",
                                      [METRICS_HOOKS] = "hooks",
                                      [METRICS_BACKEND] = "backend",
                                      [METRICS_HASH] = "hash"};
  exposition_family(page, "sluice_request_seconds", "histogram",
                    "From the first byte of a request to its end.");
  for (size_t i = 0; i < METRICS_OPERATIONS; i++) {
    const struct exposition_label labels[] = {
        {"operation", operation_label(i)}, {NULL, NULL}};
    put_histogram(page, "sluice_request_seconds", labels,
                  metrics_times(sum, i, METRICS_WHOLE));
  }
  exposition_family(page, "sluice_request_wait_seconds", "histogram",
                    "The part of it that was spent waiting for hooks, for the "
                    "backend, and for the client or the gateway itself.");
  for (size_t i = 0; i < METRICS_OPERATIONS; i++)
    for (int wait = 0; wait < METRICS_WHOLE; wait++) {
      const struct exposition_label labels[] = {
          {"operation", operation_label(i)},
          {"for", waits[wait]},
          {NULL, NULL}};
      put_histogram(page, "sluice_request_wait_seconds", labels,
                    metrics_times(sum, i, (enum metrics_wait)wait));
    }
}

static void put_bytes(const struct metrics *sum, struct buf *page) {
  static const char *const ways[] = {"in", "out"};
  exposition_family(page, "sluice_request_bytes_total", "counter",
                    "Bytes of bodies that came in, and that went out.");
  for (size_t i = 0; i < METRICS_OPERATIONS; i++)
    for (size_t way = 0; way < 2; way++) {
      const struct exposition_label labels[] = {
          {"operation", operation_label(i)},
          {"direction", ways[way]},
          {NULL, NULL}};
      exposition_number(page, "sluice_request_bytes_total", labels,
                        at(metrics_bytes(sum, i), way));
    }
}

static void put_ends(const struct metrics *sum, struct buf *page) {
  static const char *const limits[] = {
      [METRICS_MEMORY] = "memory",
      [METRICS_CONNECTIONS] = "connections",
      [METRICS_CLIENT_CONNECTIONS] = "per_client.connections",
      [METRICS_CLIENT_REQUESTS] = "per_client.requests",
      [METRICS_MIN_RATE] = "min_rate",
      [METRICS_UPLOAD_SIZE] = "uploads.max_bytes"};
  exposition_family(page, "sluice_requests_ended_total", "counter",
                    "Requests by who kept them from the end that the client "
                    "wanted; none: nobody did.");
  for (unsigned i = 0; i < METRICS_ENDERS; i++) {
    const char *word = ender_word((enum ender)i);
    const struct exposition_label labels[] = {
        {"by", word == NULL ? "none" : word}, {NULL, NULL}};
    exposition_number(page, "sluice_requests_ended_total", labels,
                      at(metrics_ended(sum), i));
  }
  exposition_family(page, "sluice_refusals_total", "counter",
                    "Clients that a limit kept out, or times that accepting "
                    "paused (connections).");
  for (size_t i = 0; i < METRICS_LIMITS; i++) {
    const struct exposition_label labels[] = {{"limit", limits[i]},
                                              {NULL, NULL}};
    exposition_number(page, "sluice_refusals_total", labels,
                      at(metrics_refused(sum), i));
  }
}

/* ---- backends -------------------------------------------------------------
 */

static const char *const results[METRICS_RESULTS] = {
    [SLUICE_OK] = "ok",
    [SLUICE_EINVAL] = "invalid",
    [SLUICE_EAUTH] = "auth",
    [SLUICE_EDENIED] = "denied",
    [SLUICE_ENOENT] = "not_found",
    [SLUICE_EEXIST] = "exists",
    [SLUICE_EPRECOND] = "precondition",
    [SLUICE_ERANGE] = "range",
    [SLUICE_ETOOBIG] = "too_large",
    [SLUICE_EBUSY] = "busy",
    [SLUICE_ERATE] = "rate",
    [SLUICE_EIO] = "io",
    [SLUICE_EUPSTREAM] = "upstream",
    [SLUICE_ETIMEOUT] = "timeout",
    [SLUICE_ENOSPC] = "no_space",
    [SLUICE_ENOTSUP] = "not_supported",
    [SLUICE_ENOMEM] = "no_memory",
    [SLUICE_ECANCELED] = "canceled"};

static void put_attempts(const struct gateway *gateway,
                         const struct metrics *sum, struct buf *page) {
  static const char *const names[] = {"sluice_backend_attempts_total",
                                      "sluice_backend_retries_total"};
  static const char *const helps[] = {
      "Requests to their storages, over a network, for operations.",
      "Those of them that were made as an earlier one had failed."};
  for (size_t i = 0; i < 2; i++) {
    exposition_family(page, names[i], "counter", helps[i]);
    for (size_t b = 0; b < sum->backends; b++) {
      const struct exposition_label labels[] = {
          {"backend", gateway->now->settings->backends[b].name}, {NULL, NULL}};
      exposition_number(page, names[i], labels,
                        at(metrics_attempts(sum, b), i));
    }
  }
}

static void put_calls(const struct gateway *gateway, const struct metrics *sum,
                      struct buf *page) {
  exposition_family(
      page, "sluice_backend_operations_total", "counter",
      "Operations of backends that ended, by what they came to.");
  for (size_t b = 0; b < sum->backends; b++)
    for (unsigned call = 0; call < METRICS_CALLS; call++)
      for (size_t i = 0; i < METRICS_RESULTS; i++) {
        const struct exposition_label labels[] = {
            {"backend", gateway->now->settings->backends[b].name},
            {"call", op_call_name(call)},
            {"result", results[i]},
            {NULL, NULL}};
        exposition_number(page, "sluice_backend_operations_total", labels,
                          at(metrics_calls(sum, b, call), i));
      }
  exposition_family(page, "sluice_backend_operation_seconds", "histogram",
                    "How long they took, the client's slowness included where "
                    "bytes go from one to the other.");
  for (size_t b = 0; b < sum->backends; b++)
    for (unsigned call = 0; call < METRICS_CALLS; call++) {
      const struct exposition_label labels[] = {
          {"backend", gateway->now->settings->backends[b].name},
          {"call", op_call_name(call)},
          {NULL, NULL}};
      put_histogram(page, "sluice_backend_operation_seconds", labels,
                    metrics_calls(sum, b, call) + METRICS_RESULTS);
    }
}

/* ---- the gateway, at this moment ------------------------------------------
 */

static void put_gauge(struct buf *page, const char *name, const char *help,
                      uint64_t value) {
  exposition_family(page, name, "gauge", help);
  exposition_number(page, name, NULL, value);
}

static void put_state(struct gateway *gateway, const struct metrics *sum,
                      struct buf *page) {
  const _Atomic uint64_t *gauges = metrics_gauges(sum);
  const struct settings_limits *limits = &gateway->now->settings->limits;
  struct work_load load = work_load(gateway->pool);
  put_gauge(page, "sluice_connections", "Connections that are open.",
            at(gauges, METRICS_OPEN_CONNECTIONS));
  put_gauge(page, "sluice_connections_max",
            "As many as may be open: limits.connections.",
            gateway->now->connections_max * gateway->worker_count);
  put_gauge(page, "sluice_requests_in_flight", "Requests that have begun.",
            at(gauges, METRICS_OPEN_REQUESTS));
  put_gauge(page, "sluice_memory_used_bytes",
            "What requests in flight have taken of limits.memory.",
            (uint64_t)((int64_t)limits->memory -
                       atomic_load(&gateway->memory.free)));
  put_gauge(page, "sluice_memory_max_bytes", "limits.memory.", limits->memory);
  put_gauge(page, "sluice_pool_threads", "Threads for calls that block.",
            load.threads);
  put_gauge(page, "sluice_pool_threads_busy", "Those that work.", load.busy);
  put_gauge(page, "sluice_pool_jobs_waiting",
            "Blocking calls that wait for a thread.", load.waiting);
  put_gauge(page, "sluice_draining",
            "1 once the gateway was told to stop, else 0.", gateway->stopping);
  if (gateway->certificate.tls == NULL)
    return;
  put_gauge(page, "sluice_certificate_not_after_seconds",
            "When the TLS certificate ends, in seconds since 1970.",
            (uint64_t)certificate_ends(&gateway->certificate));
}

/* ---- the process, by the names that all exporters have for it -------------
 */

static uint64_t count_files(void) {
  uint64_t count = 0;
  DIR *folder = opendir("/proc/self/fd");
  if (folder == NULL)
    return 0;
  while (readdir(folder) != NULL)
    count++;
  closedir(folder);
  return count - 3; /* ".", "..", and the folder itself */
}

static uint64_t resident_bytes(void) {
  char line[128] = "", *at = line;
  FILE *file = fopen("/proc/self/statm", "re");
  if (file == NULL)
    return 0;
  if (fgets(line, sizeof line, file) != NULL)
    strtoull(line, &at, 10); /* its size; resident pages come next */
  fclose(file);
  return strtoull(at, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t us_of(struct timeval time) {
  return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_usec;
}

static void put_process(const struct gateway *gateway, struct buf *page) {
  struct rusage usage = {0};
  struct rlimit files = {0};
  getrusage(RUSAGE_SELF, &usage);
  getrlimit(RLIMIT_NOFILE, &files);
  exposition_family(page, "process_cpu_seconds_total", "counter",
                    "Processor time of this process.");
  exposition_seconds(page, "process_cpu_seconds_total", NULL,
                     us_of(usage.ru_utime) + us_of(usage.ru_stime));
  put_gauge(page, "process_resident_memory_bytes", "Memory in use.",
            resident_bytes());
  put_gauge(page, "process_open_fds", "Open descriptors.", count_files());
  put_gauge(page, "process_max_fds", "As many as there may be.",
            files.rlim_cur);
  put_gauge(page, "process_start_time_seconds",
            "When it started, in seconds since 1970.",
            (uint64_t)gateway->started_s);
}

static void put_build(const struct gateway *gateway, struct buf *page) {
  char workers[16];
  snprintf(workers, sizeof workers, "%zu", gateway->worker_count);
  const struct exposition_label labels[] = {
      {"version", SLUICE_VERSION}, {"workers", workers}, {NULL, NULL}};
  exposition_family(page, "sluice_build_info", "gauge",
                    "Always 1; its labels say what runs.");
  exposition_number(page, "sluice_build_info", labels, 1);
}

void scrape(struct gateway *gateway, struct buf *page) {
  struct metrics sum = {0};
  if (!counts_sum(gateway, &sum)) {
    metrics_fini(&sum);
    page->overflown = true;
    return;
  }
  put_build(gateway, page);
  put_requests(gateway, &sum, page);
  put_times(&sum, page);
  put_bytes(&sum, page);
  put_ends(&sum, page);
  put_calls(gateway, &sum, page);
  put_attempts(gateway, &sum, page);
  meters_write(gateway, page);
  put_state(gateway, &sum, page);
  put_process(gateway, page);
  metrics_fini(&sum);
}
