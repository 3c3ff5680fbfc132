/* SPDX-License-Identifier: MIT
 *
 * A request's beginning: its route is found, and what the head alone decides
 * is answered; the others are for hooks, and then for their endpoint.  And
 * what endpoints ask of the request that depends on the configuration.
 */
#include "exchange.h"

#include <string.h>

#include "clientcert.h"
#include "cors.h"
#include "crash.h"
#include "forwarded.h"
#include "must.h"
#include "ownurl.h"
#include "reply.h"

static void on_body(void *arg) {
  struct exchange *ex = arg;
  struct about *before = crash_about(&ex->request.about);
  if (ex->on_body != NULL)
    ex->on_body(ex);
  crash_about(before);
}

static void on_finished(void *arg) {
  exchange_leave(arg);
}

static void on_gone(void *arg) {
  struct exchange *ex = arg;
  if (ex->status == 0)
    ex->status = EXCHANGE_CLIENT_GONE;
  reply_gone(ex, ingress_end(ex->conn));
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

static void note_memory(struct exchange *ex) {
  metrics_refuse(ex->gate->metrics, METRICS_MEMORY);
  ex->refused_by = "limits.memory";
  repeat_line(ex->gate->refusals, ex->gate->loop, SLUICE_LOG_WARN, NULL,
              "memory",
              "%s is refused: requests in flight use all of limits.memory",
              ex->request.client);
}

bool exchange_is_personal(const struct exchange *ex) {
  return request_guarded(&ex->request) ||
         ingress_certificate(ex->conn) != NULL;
}

bool exchange_charge(struct exchange *ex, size_t bytes) {
  if (budget_take(ex->gate->memory, bytes)) {
    ex->cost += bytes;
    return true;
  }
  note_memory(ex);
  reply_error(ex, 503, "overloaded",
              "The gateway has too many requests in flight; try again");
  return false;
}

/* False, and answered: its client has as many in flight as it may. */
static bool count_client(struct exchange *ex) {
  struct gate *gate = ex->gate;
  long long most = gate->settings->limits.client_requests;
  if (clients_request(gate->clients, gate->settings, ex->request.client,
                      &ex->counted))
    return true;
  metrics_refuse(gate->metrics, METRICS_CLIENT_REQUESTS);
  ex->refused_by = "limits.per_client.requests";
  repeat_line(gate->refusals, gate->loop, SLUICE_LOG_WARN, NULL, "requests",
              "%s is refused: it has %lld requests in flight, as many as "
              "limits.per_client.requests allows",
              ex->request.client, most);
  reply_error(ex, 429, "too_many_requests",
              "This client has %lld requests in flight, which is the limit; "
              "wait for one to end",
              most);
  return false;
}

bool exchange_own_prefix(struct exchange *ex, char out[KEY_MAX + 1]) {
  const char *identity = sluice_request_identity(&ex->request);
  const char *why = key_user(out, ex->gate->settings->uploads.prefix,
                             identity == NULL ? "anonymous" : identity);
  if (why != NULL)
    reply_error(ex, 403, "forbidden", "%s; name a prefix", why);
  return why == NULL;
}

static bool asks_no_hook(const struct exchange *ex) {
  return ex->route->endpoint->operation == OPERATION_NONE;
}

static void use_backend(struct exchange *ex) {
  ex->request.backends = ex->gate->backends;
  ex->request.backend_count = ex->gate->settings->backend_count;
  ex->request.backend = ex->route == NULL ? 0 : ex->route->backend;
  ex->request.backend_kept = ex->request.backend;
}

static void use_hooks(struct exchange *ex) {
  struct gate *gate = ex->gate;
  ex->request.hooks = gate->hooks;
  ex->request.chain = gate->common_hooks;
  ex->request.chain_count = gate->settings->common_hooks;
  if (ex->route != NULL && !asks_no_hook(ex)) {
    ex->request.chain = ex->route->hooks;
    ex->request.chain_count = ex->route->hook_count;
  }
}

static void refuse_method(struct exchange *ex) {
  char allow[64];
  route_allow(ex->gate->routes, ex->head.path, allow);
  reply_header(ex, "Allow", allow);
  reply_error(ex, 405, "method_not_allowed", "This path allows %s", allow);
}

static void answer_preflight(struct exchange *ex) {
  char allow[64];
  const struct route *route = ex->route;
  const char *method = head_get(&ex->head, "Access-Control-Request-Method");
  if (route == NULL) /* the one that will be asked for */
    route_find(ex->gate->routes, method, ex->head.path, &route);
  route_allow(ex->gate->routes, ex->head.path, allow);
  cors_preflight(&ex->gate->settings->cors, &ex->head, allow,
                 route == NULL ? NULL : route->endpoint->cors_headers,
                 reply_headers(ex));
  reply_empty(ex, 204);
}

/* A link is its own authority, and not of whoever follows it. */
static bool may_be_foreign(const struct exchange *ex) {
  return ex->route->endpoint->operation == OPERATION_SIGNED ||
         !exchange_is_personal(ex);
}

static bool is_own_page(struct exchange *ex) {
  const char *origin = head_get(&ex->head, "Origin");
  return origin != NULL && ownurl_is(ex, origin);
}

static enum operation asked(const struct exchange *ex) {
  const struct endpoint *endpoint = ex->route->endpoint;
  return endpoint->asked == NULL ? endpoint->operation
                                 : endpoint->asked(&ex->head);
}

/* An operation's request: what keeps it from being admitted at all, else
 * hooks decide. */
static void admit(struct exchange *ex) {
  const struct endpoint *endpoint = ex->route->endpoint;
  if (ex->gate->draining && !ingress_was_sent(ex->conn)) {
    reply_error(ex, 503, "draining", "The gateway is stopping; try again");
  } else if (!may_be_foreign(ex) &&
             cors_is_foreign(&ex->gate->settings->cors, &ex->head,
                             is_own_page(ex))) {
    reply_error(ex, 403, "forbidden",
                "A page of another origin sent this; its origin isn't one of "
                "those in cors, nor the gateway's own (server.public_url)");
  } else if (count_client(ex) && exchange_charge(ex, endpoint->cost)) {
    ex->request.is_signed = endpoint->operation == OPERATION_SIGNED;
    ex->asked = asked(ex);
    ex->request.operation = operation_name(ex->asked);
    exchange_admit(ex);
  }
}

/* Of tus 1.0.0: clients that can't send PATCH and DELETE.  It is that method
 * for hooks, too, and only where there is no POST. */
static void override_method(struct exchange *ex) {
  static const char *const methods[] = {"PATCH", "DELETE"};
  const struct route *route;
  const char *said = head_get(&ex->head, "X-HTTP-Method-Override");
  if (said == NULL || strcmp(ex->head.method, "POST") != 0 ||
      head_get(&ex->head, "Tus-Resumable") == NULL)
    return;
  for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
    if (strcmp(said, methods[i]) == 0 &&
        route_find(ex->gate->routes, "POST", ex->head.path, &route) ==
            ROUTE_METHOD &&
        route_find(ex->gate->routes, said, ex->head.path, &route) ==
            ROUTE_FOUND &&
        route->endpoint->overridden)
      ex->head.method = methods[i];
}

static void begin(struct exchange *ex, const struct head_refusal *refusal) {
  enum route_result found = ROUTE_UNKNOWN;
  if (refusal == NULL)
    override_method(ex);
  if (refusal == NULL)
    found = route_find(ex->gate->routes, ex->head.method, ex->head.path,
                       &ex->route);
  use_backend(ex);
  use_hooks(ex);
  if (refusal != NULL && refusal->status == 503)
    note_memory(ex);
  if (refusal != NULL)
    reply_error(ex, refusal->status, code_of_refusal(refusal->status), "%s",
                refusal->what);
  else if (found == ROUTE_UNKNOWN)
    reply_error(ex, 404, "not_found", "There is nothing at this path");
  else if (ex->request.cors && cors_is_preflight(&ex->head))
    answer_preflight(ex);
  else if (found == ROUTE_METHOD)
    refuse_method(ex);
  else if (asks_no_hook(ex))
    exchange_start(ex);
  else
    admit(ex);
}

static void certify(struct exchange *ex) {
  const X509 *certificate = ingress_certificate(ex->conn);
  struct clientcert client;
  if (certificate != NULL && clientcert_read(certificate, &client))
    request_certify(&ex->request, client.name, client.subject);
}

void exchange_begin(struct gate *gate, struct ingress_conn *conn,
                    struct head *head, const struct head_refusal *refusal) {
  static const struct ingress_events events = {
      .body = on_body, .finished = on_finished, .gone = on_gone};
  struct exchange *ex = quarantine_take(gate->spent, gate->loop, sizeof *ex);
  must_have(ex); /* a few KiB, for each connection and what was left */
  ex->gate = gate;
  ex->conn = conn;
  ex->since_us = ingress_since(conn);
  ex->asked = OPERATION_NONE;
  ex->head = *head; /* its text is taken */
  head->text = NULL;
  event_assign(&ex->timer, loop_base(gate->loop), -1, 0, exchange_on_silence,
               ex);
  TAILQ_INSERT_TAIL(&gate->all, ex, in_gate);
  metrics_set(gate->metrics, METRICS_OPEN_REQUESTS, ++gate->exchanges);
  ingress_own(conn, &events, ex);
  request_init(&ex->request, gate->loop, &ex->head, ingress_peer(conn));
  forwarded_client(ex->request.client, ex->request.peer,
                   gate->settings->server.trusted,
                   gate->settings->server.trusted_count, &ex->head);
  certify(ex);
  ex->request.alive = exchange_alive;
  ex->request.cors = cors_is_on(&gate->settings->cors);
  struct about *before = crash_about(&ex->request.about);
  begin(ex, refusal);
  crash_about(before);
}
