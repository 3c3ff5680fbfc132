/* SPDX-License-Identifier: MIT
 *
 * A request's states, and what is common to all operations.
 */
#include "exchange.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cors.h"
#include "forwarded.h"
#include "log.h"
#include "reply.h"
#include "worker.h"

#define COST_PLAIN 16384 /* of a request, beside what its operation adds */

static const struct {
  void (*start)(struct exchange *);
  bool open; /* no hook is asked: it isn't about objects */
} operations[] = {
    [ROUTE_UPLOAD] = {upload_start, false},
    [ROUTE_PRESIGN] = {presign_start, false},
    [ROUTE_DOWNLOAD] = {download_start, false},
    [ROUTE_LIST] = {list_start, false},
    [ROUTE_DELETE] = {delete_start, false},
    [ROUTE_SIGNED] = {signed_start, false},
    [ROUTE_HEALTHZ] = {healthz_start, true},
    [ROUTE_READYZ] = {readyz_start, true},
};

struct op_backend *exchange_backend(struct exchange *ex) {
  return &ex->worker->backends[ex->route == NULL ? 0 : ex->route->backend];
}

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

static void exchange_end(struct exchange *ex) {
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

static void on_body(void *arg) {
  struct exchange *ex = arg;
  if (ex->on_body != NULL)
    ex->on_body(ex);
}

static void on_finished(void *arg) {
  exchange_end(arg);
}

static void on_gone(void *arg) {
  struct exchange *ex = arg;
  if (ex->status == 0)
    ex->status = 499; /* nobody was there to be told; for logs */
  if (ex->state == EXCHANGE_ANSWERING || ex->code == NULL)
    ex->code = "client_gone";
  exchange_end(ex);
}

/* ---- the beginning ------------------------------------------------------ */

static const char *code_of_refusal(int status) {
  switch (status) {
  case 413:
    return "too_large";
  case 414:
    return "uri_too_long";
  case 431:
    return "head_too_large";
  case 417:
    return "expectation_failed";
  case 501:
    return "not_implemented";
  case 503:
    return "overloaded";
  case 505:
    return "version_not_supported";
  default:
    return "bad_request";
  }
}

static void refuse_denied(struct exchange *ex) {
  enum sluice_status status = ex->request.refusal;
  if (status == SLUICE_OK)
    status = SLUICE_EAUTH; /* no hook allowed it */
  if (ex->request.message[0] == '\0')
    reply_failure(ex, status, NULL);
  else
    reply_denial(ex, status, ex->request.message);
}

/* A hook resumed a request that nobody waits for. */
static bool too_late(struct exchange *ex) {
  bool late = ex->request.over;
  if (late && ex->state == EXCHANGE_OVER)
    free_owed(ex);
  return late;
}

static void on_admitted(void *arg, bool admitted) {
  struct exchange *ex = arg;
  if (too_late(ex))
    return;
  exchange_unwatch(ex);
  if (!admitted) {
    refuse_denied(ex);
    return;
  }
  ex->state = EXCHANGE_WORKING;
  operations[ex->route->operation].start(ex);
}

static void on_key_checked(void *arg, bool admitted) {
  struct exchange *ex = arg;
  if (too_late(ex))
    return;
  if (ex->state != EXCHANGE_WORKING)
    return; /* the backend failed meanwhile */
  exchange_unwatch(ex);
  if (!admitted)
    refuse_denied(ex);
  else
    ex->go_on(ex);
}

void exchange_set_key(struct exchange *ex, const char *key) {
  free(ex->key);
  ex->key = strdup(key);
  assert(ex->key != NULL);
  ex->request.key = ex->key;
}

void exchange_check_key(struct exchange *ex, const char *key,
                        void (*then)(struct exchange *)) {
  exchange_set_key(ex, key);
  ex->go_on = then;
  exchange_watch(ex);
  request_admit(&ex->request, REQUEST_ON_KEY, on_key_checked, ex);
}

static void on_change_told(void *arg, bool admitted) {
  struct exchange *ex = arg;
  (void)admitted;
  if (too_late(ex))
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

bool exchange_charge(struct exchange *ex, size_t bytes) {
  if (budget_take(ex->worker->memory, bytes)) {
    ex->cost += bytes;
    return true;
  }
  reply_error(ex, 503, "overloaded",
              "The gateway has too many requests in flight; try again");
  return false;
}

bool exchange_base_url(struct exchange *ex, struct buf *out) {
  const char *fixed = ex->worker->settings->server.public_url;
  if (fixed[0] != '\0')
    return buf_adds(out, fixed);
  if (ex->head.host == NULL || ex->head.host[0] == '\0')
    return true;
  return buf_addf(out, "%s://%s", ingress_is_tls(ex->conn) ? "https" : "http",
                  ex->head.host);
}

bool exchange_own_prefix(struct exchange *ex, char out[KEY_MAX + 1]) {
  const char *identity = sluice_request_identity(&ex->request);
  const char *why = key_user(out, ex->worker->settings->uploads.prefix,
                             identity == NULL ? "anonymous" : identity);
  if (why != NULL)
    reply_error(ex, 403, "forbidden", "%s; name a prefix", why);
  return why == NULL;
}

static void use_hooks(struct exchange *ex) {
  struct worker *worker = ex->worker;
  ex->request.hooks = worker->hooks;
  ex->request.chain = worker->common_hooks;
  ex->request.chain_count = worker->settings->common_hooks;
  if (ex->route != NULL && !operations[ex->route->operation].open) {
    ex->request.chain = ex->route->hooks;
    ex->request.chain_count = ex->route->hook_count;
  }
}

static void start(struct exchange *ex, const struct head_refusal *refusal) {
  const char *path = ex->head.path;
  enum route_result found = ROUTE_UNKNOWN;
  if (refusal == NULL)
    found = route_find(ex->worker->routes, ex->head.method, path, &ex->route);
  use_hooks(ex);
  if (refusal != NULL) {
    reply_error(ex, refusal->status, code_of_refusal(refusal->status), "%s",
                refusal->what);
  } else if (found == ROUTE_UNKNOWN) {
    reply_error(ex, 404, "not_found", "There is nothing at this path");
  } else if (cors_is_preflight(ex)) {
    cors_preflight(ex);
  } else if (found == ROUTE_METHOD) {
    char allow[64];
    route_allow(ex->worker->routes, path, allow);
    reply_header(ex, "Allow", allow);
    reply_error(ex, 405, "method_not_allowed", "This path allows %s", allow);
  } else if (operations[ex->route->operation].open) {
    ex->state = EXCHANGE_WORKING;
    operations[ex->route->operation].start(ex);
  } else if (ex->worker->draining && !ingress_was_sent(ex->conn)) {
    reply_error(ex, 503, "draining", "The gateway is stopping; try again");
  } else if (request_guarded(&ex->request) && cors_is_foreign(ex)) {
    reply_error(ex, 403, "forbidden",
                "A page of another site sent this; its origin isn't one of "
                "those in cors");
  } else if (exchange_charge(ex, COST_PLAIN)) {
    ex->request.is_signed = ex->route->operation == ROUTE_SIGNED;
    ex->request.operation = route_name(ex->route->operation);
    exchange_watch(ex);
    request_admit(&ex->request, REQUEST_ON_REQUEST, on_admitted, ex);
  }
}

void exchange_begin(struct worker *worker, struct ingress_conn *conn,
                    struct evhttp_request *http, struct head *head,
                    const struct head_refusal *refusal) {
  static const struct ingress_events events = {
      .body = on_body, .finished = on_finished, .gone = on_gone};
  struct exchange *ex = pool_take(&worker->spent, worker->loop, sizeof *ex);
  assert(ex != NULL); /* a few KiB, for at most limits.connections */
  ex->worker = worker;
  ex->conn = conn;
  ex->http = http;
  ex->head = *head; /* its text is taken */
  head->text = NULL;
  worker->exchanges++;
  ingress_own(conn, &events, ex);
  request_init(&ex->request, worker->loop, &ex->head, ingress_peer(conn));
  forwarded_client(ex->request.client, ex->request.peer,
                   worker->settings->server.trusted,
                   worker->settings->server.trusted_count, &ex->head);
  ex->request.cors = cors_is_on(worker->settings);
  start(ex, refusal);
}
