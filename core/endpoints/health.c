/* SPDX-License-Identifier: MIT
 *
 * GET /healthz: the process serves.  GET /readyz: its backends answer, and it
 * isn't stopping.
 */
#include <assert.h>
#include <stdlib.h>

#include "endpoints.h"
#include "reply.h"

static void healthz_start(struct exchange *ex) {
  reply_json(ex, 200, json_pack("{s:s}", "status", "ok"));
}

struct readiness {
  size_t next; /* backend to ask */
};

static void ping_next(struct exchange *ex);

static void on_done(void *arg, enum sluice_status status, const char *why) {
  struct exchange *ex = arg;
  (void)why;
  ex->op = NULL;
  if (status != SLUICE_OK) {
    reply_error(ex, 503, "not_ready", "A storage doesn't answer");
    return;
  }
  struct readiness *readiness = ex->work;
  readiness->next++;
  ping_next(ex);
}

static void ping_next(struct exchange *ex) {
  static const struct op_events events = {.done = on_done};
  const struct readiness *readiness = ex->work;
  if (readiness->next == ex->gate->settings->backend_count) {
    reply_json(ex, 200, json_pack("{s:s}", "status", "ready"));
    return;
  }
  exchange_watch(ex);
  ex->op = op_ping(&ex->gate->backends[readiness->next], &events, ex);
}

static void readyz_late(struct exchange *ex) {
  reply_error(ex, 503, "not_ready", "A storage doesn't answer");
}

static void readyz_start(struct exchange *ex) {
  if (ex->gate->draining) {
    reply_error(ex, 503, "draining", "The gateway is stopping");
    return;
  }
  ex->work = calloc(1, sizeof(struct readiness));
  assert(ex->work != NULL);
  ex->work_free = free;
  ping_next(ex);
}

const struct endpoint healthz_endpoint = {.operation = OPERATION_NONE,
                                          .method = "GET",
                                          .tail = "/healthz",
                                          .start = healthz_start};

const struct endpoint readyz_endpoint = {.operation = OPERATION_NONE,
                                         .method = "GET",
                                         .tail = "/readyz",
                                         .late = readyz_late,
                                         .start = readyz_start};
