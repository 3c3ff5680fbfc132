/* SPDX-License-Identifier: MIT
 *
 * What a request waits for, and its end.
 */
#include "exchange.h"

#include <stdlib.h>
#include <time.h>

#include "log.h"
#include "reply.h"
#include "worker.h"

/* ---- patience with backends and hooks ----------------------------------- */

static void log_silence(const struct exchange *ex, const char *name,
                        const char *what, uint64_t *count) {
  ++*count;
  log_line(SLUICE_LOG_ERROR, name, "request %s: %s (%llu times on this loop)",
           ex->request.id, what, (unsigned long long)*count);
}

static void on_silence(evutil_socket_t fd, short what, void *arg) {
  struct exchange *ex = arg;
  struct op_backend *backend = exchange_backend(ex);
  (void)fd, (void)what;
  if (ex->state == EXCHANGE_ANSWERING) {
    log_silence(ex, backend->host.name,
                "the backend stalled in the middle of an object",
                &backend->silent);
    ingress_abort(ex->conn);
    return;
  }
  if (ex->route->operation == ROUTE_READYZ) {
    reply_error(ex, 503, "not_ready", "A storage doesn't answer");
    return;
  }
  struct request_hook *hook =
      ex->request.waiting ? request_hook(&ex->request) : NULL;
  ex->request.over = hook != NULL;
  if (hook != NULL && ex->request.phase == REQUEST_ON_CHANGE) {
    log_silence(ex, hook->host.name,
                "the hook didn't let the answer go in time", &hook->silent);
    ex->go_on(ex);
    return;
  }
  exchange_drop(ex);
  if (hook != NULL)
    log_silence(ex, hook->host.name, "the hook didn't answer in time",
                &hook->silent);
  else
    log_silence(ex, backend->host.name, "the backend didn't answer in time",
                &backend->silent);
  reply_denial(ex, SLUICE_ETIMEOUT, NULL);
}

void exchange_watch(struct exchange *ex) {
  if (ex->timer == NULL)
    ex->timer = evtimer_new(loop_base(ex->worker->loop), on_silence, ex);
  if (ex->timer != NULL)
    event_add(ex->timer, ex->worker->backend_timeout);
}

void exchange_unwatch(struct exchange *ex) {
  if (ex->timer != NULL)
    event_del(ex->timer);
}

void exchange_drop(struct exchange *ex) {
  struct sluice_op *op = ex->op;
  void *work = ex->work;
  bool lent = op != NULL && ex->work_lent;
  if (work != NULL && ex->work_left != NULL)
    ex->work_left(work);
  ex->work_left = NULL;
  ex->op = NULL;
  ex->work = NULL;
  ex->work_lent = false;
  exchange_unwatch(ex);
  if (op != NULL)
    op_leave(op, lent ? ex->work_free : NULL, work);
  if (work != NULL && !lent)
    ex->work_free(work);
}

/* ---- the end ------------------------------------------------------------ */

static uint64_t elapsed_us(const struct exchange *ex) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000 -
         ingress_since(ex->conn);
}

static void exchange_free(struct exchange *ex) {
  request_fini(&ex->request);
  head_fini(&ex->head);
  free(ex->key);
  if (ex->timer != NULL)
    event_free(ex->timer);
  pool_give(&ex->worker->spent, ex);
}

/* A hook that waits has a pointer to it. */
static void keep_owed(struct exchange *ex) {
  ex->next_owed = ex->worker->owed;
  ex->worker->owed = ex;
}

static void free_owed(struct exchange *ex) {
  struct exchange **at = &ex->worker->owed;
  while (*at != ex)
    at = &(*at)->next_owed;
  *at = ex->next_owed;
  exchange_free(ex);
}

void exchange_free_owed(struct worker *worker) {
  while (worker->owed != NULL)
    free_owed(worker->owed);
}

void exchange_end(struct exchange *ex) {
  exchange_drop(ex);
  struct sluice_record record = {.size = sizeof record,
                                 .status = ex->status,
                                 .bytes_in = ex->bytes_in,
                                 .bytes_out = ex->bytes_out,
                                 .usec = elapsed_us(ex),
                                 .code = ex->code};
  request_log(&ex->request, &record);
  budget_give(ex->worker->memory, ex->cost);
  ex->worker->exchanges--;
  ex->state = EXCHANGE_OVER;
  if (request_leave(&ex->request))
    keep_owed(ex);
  else
    exchange_free(ex);
}

bool exchange_too_late(struct exchange *ex) {
  bool late = ex->request.over;
  if (late && ex->state == EXCHANGE_OVER)
    free_owed(ex);
  return late;
}

/* ---- changes ----------------------------------------------------------- */

static void on_change_told(void *arg, bool admitted) {
  struct exchange *ex = arg;
  (void)admitted;
  if (exchange_too_late(ex))
    return;
  exchange_unwatch(ex);
  ex->go_on(ex);
}

void exchange_changed(struct exchange *ex, const struct sluice_object *object,
                      void (*then)(struct exchange *)) {
  ex->go_on = then;
  exchange_watch(ex);
  request_change(&ex->request, object, on_change_told, ex);
}
