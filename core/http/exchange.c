/* SPDX-License-Identifier: MIT
 *
 * A request's states, and what is common to all operations.
 */
#include "exchange.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "cors.h"
#include "forwarded.h"
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

/* ---- the beginning ------------------------------------------------------ */

static void on_body(void *arg) {
  struct exchange *ex = arg;
  if (ex->on_body != NULL)
    ex->on_body(ex);
}

static void on_finished(void *arg) {
  exchange_leave(arg);
}

static void on_gone(void *arg) {
  struct exchange *ex = arg;
  if (ex->status == 0)
    ex->status = 499; /* nobody was there to be told; for logs */
  if (ex->state == EXCHANGE_ANSWERING || ex->code == NULL)
    ex->code = "client_gone";
  exchange_leave(ex);
}

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

static void on_admitted(void *arg, bool admitted) {
  struct exchange *ex = arg;
  if (exchange_too_late(ex))
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
  if (exchange_too_late(ex))
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
  assert(ex != NULL); /* a few KiB, for each connection and what was left */
  ex->worker = worker;
  ex->conn = conn;
  ex->http = http;
  ex->since_us = ingress_since(conn);
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
