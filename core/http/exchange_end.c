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

/* ---- the end ------------------------------------------------------------ */

void exchange_drop(struct exchange *ex) {
  if (ex->changing)
    return;
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

static uint64_t elapsed_us(const struct exchange *ex) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000 -
         ex->since_us;
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

static void end(struct exchange *ex) {
  struct worker *worker = ex->worker;
  TAILQ_REMOVE(&worker->left, ex, in_left);
  ex->changing = false;
  exchange_drop(ex);
  struct sluice_record record = {.size = sizeof record,
                                 .status = ex->status,
                                 .bytes_in = ex->bytes_in,
                                 .bytes_out = ex->bytes_out,
                                 .usec = elapsed_us(ex),
                                 .code = ex->code};
  request_log(&ex->request, &record);
  budget_give(worker->memory, ex->cost);
  worker->exchanges--;
  ex->state = EXCHANGE_OVER;
  if (request_leave(&ex->request))
    keep_owed(ex);
  else
    exchange_free(ex);
  worker_check_end(worker);
}

void exchange_leave(struct exchange *ex) {
  struct worker *worker = ex->worker;
  ex->conn = NULL;
  ex->http = NULL;
  TAILQ_INSERT_TAIL(&worker->left, ex, in_left);
  if (ex->changing)
    exchange_watch(ex);
  else
    end(ex);
}

void exchange_break_off(struct worker *worker) {
  while (!TAILQ_EMPTY(&worker->left))
    end(TAILQ_FIRST(&worker->left));
}

bool exchange_too_late(struct exchange *ex) {
  bool late = ex->request.over;
  if (late && ex->state == EXCHANGE_OVER)
    free_owed(ex);
  return late;
}

/* ---- changes ------------------------------------------------------------ */

/* It was told 504, or has left. */
static bool client_is_done(const struct exchange *ex) {
  return ex->conn == NULL || ex->state == EXCHANGE_ANSWERING;
}

/* What was to change has changed, and hooks know, or it hasn't.  False: nobody
 * waits for the answer, and the exchange may be gone. */
static bool settle(struct exchange *ex) {
  bool awaited = !client_is_done(ex);
  ex->changing = false;
  if (ex->conn == NULL)
    end(ex);
  return awaited;
}

static void change_told(struct exchange *ex) {
  if (settle(ex))
    ex->go_on(ex);
}

static void on_change_told(void *arg, bool admitted) {
  struct exchange *ex = arg;
  (void)admitted;
  if (exchange_too_late(ex))
    return;
  exchange_unwatch(ex);
  change_told(ex);
}

void exchange_change(struct exchange *ex) {
  ex->changing = true;
  exchange_watch(ex);
}

void exchange_changed(struct exchange *ex, const struct sluice_object *object,
                      void (*then)(struct exchange *)) {
  if (ex->state == EXCHANGE_ANSWERING)
    log_line(SLUICE_LOG_WARN, exchange_backend(ex)->host.name,
             "request %s: the %s took place, after its client was told that "
             "it took too long",
             ex->request.id, ex->request.operation);
  ex->request.over = false; /* whoever left, or was answered */
  ex->go_on = then;
  exchange_watch(ex);
  request_change(&ex->request, object, on_change_told, ex);
}

void exchange_unchanged(struct exchange *ex, enum sluice_status status,
                        const char *why) {
  if (client_is_done(ex) && status != SLUICE_ECANCELED)
    reply_log_failure(ex, status, why);
  if (settle(ex))
    reply_failure(ex, status, why);
}

/* ---- patience with backends and hooks ----------------------------------- */

static void log_silence(const struct exchange *ex, const char *name,
                        const char *what, uint64_t *count) {
  ++*count;
  log_line(SLUICE_LOG_ERROR, name, "request %s: %s (%llu times on this loop)",
           ex->request.id, what, (unsigned long long)*count);
}

/* Nobody waits, and the backend says nothing.  If it never ends, others shall
 * not have less memory for it. */
static void cancel_change(struct exchange *ex) {
  struct op_backend *backend = exchange_backend(ex);
  log_silence(ex, backend->host.name,
              "the backend doesn't end what nobody waits for; it is canceled",
              &backend->silent);
  op_cancel(ex->op);
  budget_give(ex->worker->memory, ex->cost);
  ex->cost = 0;
}

static void on_silence(evutil_socket_t fd, short what, void *arg) {
  struct exchange *ex = arg;
  if (ex->request.resuming && !ex->request.over) {
    exchange_watch(ex); /* its hook has answered, in this very turn */
    return;
  }
  struct op_backend *backend = exchange_backend(ex);
  struct request_hook *hook = ex->request.waiting && !ex->request.over
                                  ? request_hook(&ex->request)
                                  : NULL;
  (void)fd, (void)what;
  if (hook != NULL && ex->request.phase == REQUEST_ON_CHANGE) {
    log_silence(ex, hook->host.name,
                "the hook didn't let the answer go in time", &hook->silent);
    ex->request.over = true;
    change_told(ex);
    return;
  }
  if (ex->conn == NULL) {
    cancel_change(ex);
    return;
  }
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
  if (hook != NULL)
    log_silence(ex, hook->host.name, "the hook didn't answer in time",
                &hook->silent);
  else
    log_silence(ex, backend->host.name, "the backend didn't answer in time",
                &backend->silent);
  reply_denial(ex, SLUICE_ETIMEOUT, NULL);
}

void exchange_watch(struct exchange *ex) {
  if (ex->changing && ex->state == EXCHANGE_ANSWERING && ex->conn != NULL)
    return; /* the client has its own time for the 504 */
  if (ex->timer == NULL)
    ex->timer = evtimer_new(loop_base(ex->worker->loop), on_silence, ex);
  if (ex->timer != NULL)
    event_add(ex->timer, ex->worker->backend_timeout);
}

void exchange_alive(void *arg) {
  struct exchange *ex = arg;
  if (ex->changing || ex->state == EXCHANGE_WORKING)
    exchange_watch(ex);
}

void exchange_unwatch(struct exchange *ex) {
  if (ex->timer != NULL)
    event_del(ex->timer);
}
