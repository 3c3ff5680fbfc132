/* SPDX-License-Identifier: MIT
 *
 * A table of orders and questions.
 */
#include "control.h"

#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gateway.h"
#include "log.h"
#include "work.h"

static void control_tell(struct control *control, int status,
                         json_t *document) {
  control->waits = CONTROL_WAITS_FOR_NOTHING;
  control->told(control->arg, status, document);
}

static void tell_error(struct control *control, int status,
                       const char *error) {
  control_tell(control, status, json_pack("{s:s}", "error", error));
}

/* ---- status ------------------------------------------------------------- */

static json_t *earlier(const struct gateway *gateway) {
  json_t *list = json_array();
  const struct generation *generation;
  for (generation = LIST_FIRST(&gateway->earlier); generation != NULL;
       generation = LIST_NEXT(generation, in_list))
    json_array_append_new(list, json_integer((json_int_t)generation->number));
  return list;
}

static void status(struct control *control, const char *argument) {
  const struct gateway *gateway = control->gateway;
  const struct settings_limits *limits = &gateway->now->settings->limits;
  struct work_load load = work_load(gateway->pool);
  uint64_t connections = 0;
  char confined[64];
  (void)argument;
  for (size_t i = 0; i < gateway->worker_count; i++)
    connections +=
        metrics_gauges(&gateway->workers[i].metrics)[METRICS_OPEN_CONNECTIONS];
  json_t *document = json_pack(
      "{s:s, s:i, s:s, s:s, s:s, s:I, s:I, s:o, s:I, s:I, s:I, s:I, s:I, "
      "s:i, s:i, s:I}",
      "version", SLUICE_VERSION, "pid", (int)getpid(), "state",
      gateway->stopping ? "draining" : "serving", "log_level",
      log_level_word(), "file", gateway->file, "uptime_s",
      (json_int_t)(time(NULL) - gateway->started_s), "configuration",
      (json_int_t)gateway->now->number, "earlier_configurations",
      earlier(gateway), "workers", (json_int_t)gateway->worker_count,
      "connections", (json_int_t)connections, "connections_max",
      (json_int_t)(gateway->now->connections_max * gateway->worker_count),
      "memory_used",
      (json_int_t)limits->memory - atomic_load(&gateway->memory.free),
      "memory_max", (json_int_t)limits->memory, "pool_threads",
      (int)load.threads, "pool_threads_busy", (int)load.busy,
      "pool_jobs_waiting", (json_int_t)load.waiting);
  confine_describe(&gateway->confine, confined);
  json_object_set_new(document, "confined_by", json_string(confined));
  if (gateway->certificate.tls != NULL)
    json_object_set_new(
        document, "certificate_ends_s",
        json_integer((json_int_t)certificate_ends(&gateway->certificate)));
  control_tell(control, 200, document);
}

/* ---- requests ----------------------------------------------------------- */

static void on_loops(void *arg, json_t *requests, size_t count) {
  control_tell(arg, 200,
               json_pack("{s:I, s:O}", "count", (json_int_t)count, "requests",
                         requests));
}

static void requests(struct control *control, const char *argument) {
  (void)argument;
  control->waits = CONTROL_WAITS_FOR_LOOPS;
  control->loops = (struct inflight_waiter){.told = on_loops, .arg = control};
  inflight_ask(control->gateway, &control->loops);
}

/* ---- readiness ---------------------------------------------------------- */

static void on_ready(void *arg, json_t *report) {
  struct control *control = arg;
  bool stopping = control->gateway->stopping;
  json_t *document = json_deep_copy(report);
  json_object_set_new(document, "state",
                      json_string(stopping ? "draining" : "serving"));
  if (stopping)
    json_object_set_new(document, "ready", json_false());
  control_tell(control, 200, document);
}

static void ready(struct control *control, const char *argument) {
  (void)argument;
  control->waits = CONTROL_WAITS_FOR_READY;
  control->ready = (struct readyask_waiter){.told = on_ready, .arg = control};
  readyask_ask(control->gateway, &control->ready);
}

/* ---- orders ------------------------------------------------------------- */

static void on_done(void *arg, bool ok, const char *what) {
  if (ok)
    control_tell(arg, 200, json_pack("{s:s}", "done", what));
  else
    tell_error(arg, 409, what);
}

static void order_reload(struct control *control, const char *argument) {
  (void)argument;
  control->waits = CONTROL_WAITS_FOR_RELOAD;
  control->reload = (struct reload_waiter){.told = on_done, .arg = control};
  reload_ask(control->gateway, "reload", &control->reload);
}

static void order_upgrade(struct control *control, const char *argument) {
  (void)argument;
  control->waits = CONTROL_WAITS_FOR_HANDOVER;
  control->handover =
      (struct handover_waiter){.told = on_done, .arg = control};
  handover_start(control->gateway, &control->handover);
}

static void order_drain(struct control *control, const char *argument) {
  (void)argument;
  log_line(SLUICE_LOG_INFO, NULL,
           "drain: no new connections, requests may finish");
  if (!control->gateway->stopping)
    control->gateway->stop(control->gateway);
  control_tell(control, 200,
               json_pack("{s:s}", "done",
                         "no new connections; it ends when requests have"));
}

static void order_level(struct control *control, const char *argument) {
  if (!log_set_level_word(argument)) {
    tell_error(control, 400, "write one of error, warn, info, debug");
    return;
  }
  control_tell(control, 200,
               json_pack("{s:s}", "log_level", log_level_word()));
}

/* ---- the table ---------------------------------------------------------- */

static const struct row {
  const char *method, *path;
  void (*run)(struct control *, const char *argument);
} rows[] = {{"GET", "/status", status},
            {"GET", "/requests", requests},
            {"GET", "/ready", ready},
            {"POST", "/reload", order_reload},
            {"POST", "/upgrade", order_upgrade},
            {"POST", "/drain", order_drain},
            {"POST", "/level/", order_level}};

/* A path that ends in / has an argument behind it. */
static bool fits(const struct row *row, const char *path) {
  size_t len = strlen(row->path);
  return row->path[len - 1] == '/' ? strncmp(path, row->path, len) == 0
                                   : strcmp(path, row->path) == 0;
}

static const struct row *control_find(const char *path) {
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (fits(&rows[i], path))
      return &rows[i];
  return NULL;
}

bool control_has(const char *path) {
  return control_find(path) != NULL;
}

void control_ask(struct control *control, const struct head *head) {
  const struct row *row = control_find(head->path);
  if (strcmp(head->method, row->method) != 0)
    tell_error(control, 405, "this path has another method");
  else
    row->run(control, head->path + strlen(row->path));
}

void control_leave(struct control *control) {
  switch (control->waits) {
  case CONTROL_WAITS_FOR_NOTHING:
    break;
  case CONTROL_WAITS_FOR_LOOPS:
    inflight_leave(control->gateway, &control->loops);
    break;
  case CONTROL_WAITS_FOR_READY:
    readyask_leave(control->gateway, &control->ready);
    break;
  case CONTROL_WAITS_FOR_RELOAD:
    reload_leave(control->gateway, &control->reload);
    break;
  case CONTROL_WAITS_FOR_HANDOVER:
    handover_leave(control->gateway, &control->handover);
    break;
  }
  control->waits = CONTROL_WAITS_FOR_NOTHING;
}
