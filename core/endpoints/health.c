/* SPDX-License-Identifier: MIT
 *
 * GET /healthz: the process serves.  GET /readyz: its backends answer, and it
 * isn't stopping.
 */
#include <stdlib.h>

#include "endpoints.h"
#include "must.h"
#include "readiness.h"
#include "reply.h"

static void healthz_start(struct exchange *ex) {
  reply_json(ex, 200, json_pack("{s:s}", "status", "ok"));
}

static void readyz_free(void *work) {
  struct readiness_waiter *waiter = work;
  struct exchange *ex = waiter->arg;
  readiness_leave(ex->gate->readiness, waiter);
  free(waiter);
}

static void readyz_answer(void *arg) {
  struct exchange *ex = arg;
  const struct readiness *readiness = ex->gate->readiness;
  ex->ended_by = readiness_is_ready(readiness) ? ENDER_NONE : ENDER_STORAGE;
  if (readiness_is_ready(readiness))
    reply_json(ex, 200,
               json_pack("{s:s, s:o}", "status", "ready", "backends",
                         readiness_json(readiness)));
  else
    reply_error_more(ex, 503, "not_ready", "backends",
                     readiness_json(readiness), "A storage doesn't answer");
}

static void readyz_start(struct exchange *ex) {
  if (ex->gate->draining) {
    reply_error(ex, 503, "draining", "The gateway is stopping");
    return;
  }
  struct readiness_waiter *waiter = calloc(1, sizeof *waiter);
  must_have(waiter); /* a few bytes a connection */
  *waiter = (struct readiness_waiter){.told = readyz_answer, .arg = ex};
  ex->work = waiter;
  ex->work_free = readyz_free;
  if (readiness_ask(ex->gate->readiness, waiter))
    readyz_answer(ex);
}

const struct endpoint healthz_endpoint = {.operation = OPERATION_NONE,
                                          .method = "GET",
                                          .tail = "/healthz",
                                          .start = healthz_start};

const struct endpoint readyz_endpoint = {.operation = OPERATION_NONE,
                                         .method = "GET",
                                         .tail = "/readyz",
                                         .start = readyz_start};
