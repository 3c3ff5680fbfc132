/* SPDX-License-Identifier: MIT
 *
 * A list of requests as JSON, made by the loop that has them.
 */
#include "inflight.h"

#include <stdlib.h>

#include "clock.h"
#include "exchange.h"
#include "gateway.h"

/* ---- on the loop -------------------------------------------------------- */

static bool waits_for_backend(const struct exchange *ex) {
  return ex->waits_us != 0 && ex->waits_for == METRICS_BACKEND;
}

/* The one who has to do something: {"for": "hook", "name": "auth_jwt"}. */
static json_t *waits(const struct exchange *ex) {
  struct request_hook *hook =
      ex->request.turn == REQUEST_WAITING ? request_hook(&ex->request) : NULL;
  if (hook != NULL)
    return json_pack("{s:s, s:s}", "for", "hook", "name", hook->host.name);
  if (waits_for_backend(ex) && ex->route != NULL)
    return json_pack("{s:s, s:s}", "for", "backend", "name",
                     ex->gate->backends[ex->request.backend]->host.name);
  if (ex->waits_us != 0 && ex->waits_for == METRICS_HASH)
    return json_pack("{s:s, s:n}", "for", "hash", "name");
  return json_pack("{s:s, s:n}", "for", ex->conn == NULL ? "nobody" : "client",
                   "name");
}

static json_t *text_or_null(const char *text) {
  return text == NULL ? json_null() : json_string(text);
}

/* The path is the route's: those that are asked for may be an authority. */
static json_t *request_json(const struct exchange *ex, uint64_t number) {
  const struct sluice_request *request = &ex->request;
  const char *path = ex->route == NULL ? NULL : ex->route->path;
  uint64_t age_us = clock_us() - ex->since_us;
  return json_pack(
      "{s:s, s:s, s:s?, s:s, s:o, s:o, s:o, s:i, s:I, s:I, s:I, s:o, s:I}",
      "id", request->id, "method", ex->head.method, "route", path, "operation",
      ex->asked == OPERATION_NONE ? "none" : operation_name(ex->asked), "key",
      text_or_null(ex->key), "identity",
      text_or_null(sluice_request_identity(request)), "client",
      text_or_null(request->client), "status", ex->status, "bytes_in",
      (json_int_t)ex->bytes_in, "bytes_out", (json_int_t)ex->bytes_out,
      "age_us", (json_int_t)age_us, "waits", waits(ex), "configuration",
      (json_int_t)number);
}

static void on_ask(struct loop_task *task) {
  struct inflight_task *inflight = (struct inflight_task *)task;
  struct worker *worker = inflight->worker;
  struct seat *seat;
  const struct exchange *ex;
  inflight->count = 0;
  inflight->requests = json_array();
  for (seat = TAILQ_FIRST(&worker->seats); seat != NULL;
       seat = TAILQ_NEXT(seat, in_list))
    for (ex = TAILQ_FIRST(&seat->gate.all); ex != NULL;
         ex = TAILQ_NEXT(ex, in_gate))
      if (inflight->count++ < INFLIGHT_MAX)
        json_array_append_new(inflight->requests,
                              request_json(ex, seat->generation->number));
  loop_post(worker->gateway->loop, &inflight->told);
}

/* ---- on the main thread ------------------------------------------------- */

static void inflight_tell(struct gateway *gateway) {
  struct inflight *inflight = &gateway->inflight;
  struct inflight_waiter *waiter = inflight->waiters;
  json_t *all = json_array();
  size_t count = 0;
  inflight->waiters = NULL;
  for (size_t i = 0; i < gateway->worker_count; i++) {
    struct inflight_task *task = &inflight->tasks[i];
    count += task->count;
    json_array_extend(all, task->requests);
    json_decref(task->requests);
    task->requests = NULL;
  }
  while (waiter != NULL) {
    struct inflight_waiter *next = waiter->next;
    waiter->told(waiter->arg, all, count);
    waiter = next;
  }
  json_decref(all);
}

static void inflight_answered(struct gateway *gateway,
                              struct inflight_task *task) {
  task->asked = false;
  if (--gateway->inflight.missing == 0)
    inflight_tell(gateway);
}

static void on_told(struct loop_task *task) {
  struct inflight_task *told =
      (void *)((char *)task - offsetof(struct inflight_task, told));
  inflight_answered(told->worker->gateway, told);
}

void inflight_forget(struct gateway *gateway, size_t worker) {
  struct inflight_task *task = &gateway->inflight.tasks[worker];
  if (task->asked)
    inflight_answered(gateway, task);
}

void inflight_ask(struct gateway *gateway, struct inflight_waiter *waiter) {
  struct inflight *inflight = &gateway->inflight;
  waiter->next = inflight->waiters;
  inflight->waiters = waiter;
  if (inflight->missing > 0)
    return;
  for (size_t i = 0; i < gateway->worker_count; i++) {
    struct inflight_task *task = &inflight->tasks[i];
    task->count = 0; /* as of a loop that has ended */
    if (gateway->workers[i].has_ended)
      continue;
    inflight->missing++;
    task->asked = true;
    loop_post(gateway->workers[i].loop, &task->ask);
  }
}

void inflight_leave(struct gateway *gateway, struct inflight_waiter *waiter) {
  struct inflight_waiter **at = &gateway->inflight.waiters;
  for (; *at != NULL; at = &(*at)->next)
    if (*at == waiter) {
      *at = waiter->next;
      return;
    }
}

bool inflight_init(struct gateway *gateway) {
  struct inflight *inflight = &gateway->inflight;
  inflight->tasks = calloc(gateway->worker_count, sizeof *inflight->tasks);
  for (size_t i = 0; inflight->tasks != NULL && i < gateway->worker_count; i++)
    inflight->tasks[i] =
        (struct inflight_task){.ask = {.run = on_ask},
                               .told = {.run = on_told},
                               .worker = &gateway->workers[i]};
  return inflight->tasks != NULL;
}

void inflight_fini(struct gateway *gateway) {
  struct inflight *inflight = &gateway->inflight;
  for (size_t i = 0; inflight->tasks != NULL && i < gateway->worker_count; i++)
    json_decref(inflight->tasks[i].requests);
  free(inflight->tasks);
}
