/* SPDX-License-Identifier: MIT
 *
 * A hook for tests that counts requests, on the loop and by a thread.  The
 * header X-Miscount makes
 * it count what it hasn't declared.
 */
#include <sluice/plugin.h>
#include <stdlib.h>
#include <string.h>

enum { REQUESTS, OPEN, SECONDS, BY_THREADS };

static const char *const methods[] = {"get", "other", NULL};

static const struct sluice_metric metrics[] = {
    [REQUESTS] = {"countinghook_requests_total", SLUICE_COUNTER,
                  "Requests that were seen.", "method", methods},
    [OPEN] = {"countinghook_open", SLUICE_GAUGE,
              "Requests that haven't ended, less 2.", NULL, NULL},
    [SECONDS] = {"countinghook_seconds", SLUICE_HISTOGRAM,
                 "How long they took.", NULL, NULL},
    [BY_THREADS] = {"countinghook_threads_total", SLUICE_COUNTER,
                    "Requests that a thread has counted.", NULL, NULL},
    {NULL, 0, NULL, NULL, NULL}};

struct conf {
  int64_t step;
};

static const struct sluice_option options[] = {{"step", SLUICE_INT, "1",
                                                offsetof(struct conf, step),
                                                "how much a request counts"},
                                               {NULL, 0, NULL, 0, NULL}};

struct handle {
  const struct conf *conf;
  struct sluice_host *host;
  int64_t open;
};

static void *start(const void *conf, struct sluice_host *host) {
  sluice_gauge(host, OPEN, -2);
  return (void *)conf;
}

static void stop(void *instance) {
  (void)instance;
}

static void *open_hook(void *instance, struct sluice_host *host) {
  struct handle *handle = calloc(1, sizeof *handle);
  if (handle != NULL)
    *handle = (struct handle){.conf = instance, .host = host};
  return handle;
}

static void close_hook(void *handle) {
  free(handle);
}

static void miscount(struct sluice_host *host, const char *how) {
  if (strcmp(how, "number") == 0)
    sluice_count(host, 4, 1);
  else if (strcmp(how, "value") == 0)
    sluice_count(host, SLUICE_SERIES(REQUESTS, 2), 1);
  else if (strcmp(how, "kind") == 0)
    sluice_gauge(host, REQUESTS, 1);
}

static void by_thread(void *arg) {
  const struct handle *handle = arg;
  sluice_count(handle->host, BY_THREADS, 1);
}

static void counted(void *arg) {
  (void)arg;
}

static enum sluice_verdict on_request(void *arg,
                                      struct sluice_request *request) {
  struct handle *handle = arg;
  bool *begun = sluice_request_state(request, sizeof *begun);
  const char *how = sluice_request_header(request, "X-Miscount");
  bool get = strcmp(sluice_request_method(request), "GET") == 0;
  sluice_count(handle->host, SLUICE_SERIES(REQUESTS, get ? 0 : 1),
               (uint64_t)handle->conf->step);
  sluice_gauge(handle->host, OPEN, ++handle->open);
  sluice_work(handle->host, by_thread, counted, handle);
  *begun = true;
  if (how != NULL)
    miscount(handle->host, how);
  return SLUICE_PASS;
}

static void on_log(void *arg, struct sluice_request *request,
                   const struct sluice_record *record) {
  struct handle *handle = arg;
  const bool *begun = sluice_request_state(request, sizeof *begun);
  if (!*begun)
    return;
  sluice_gauge(handle->host, OPEN, --handle->open);
  sluice_observe(handle->host, SECONDS, record->usec);
}

static const struct sluice_hook hook = {
    SLUICE_HEAD(sluice_hook), .name = "countinghook",
    .version = "1",           .summary = "counts requests, for tests",
    .options = options,       .conf_size = sizeof(struct conf),
    .start = start,           .stop = stop,
    .open = open_hook,        .close = close_hook,
    .on_request = on_request, .on_log = on_log,
    .metrics = metrics,
};
SLUICE_HOOK(countinghook, hook)
