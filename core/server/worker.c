/* SPDX-License-Identifier: MIT
 *
 * A loop's thread: handles opened, connections accepted within the limits,
 * drained, closed.
 */
#include "worker.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "violation.h"
#include "crash.h"
#include "exchange.h"
#include "gateway.h"
#include "layers.h"
#include "linksecret.h"
#include "linksweep.h"
#include "linkuses.h"
#include "log.h"
#include "readiness.h"
#include "oncesweep.h"
#include "revocations.h"
#include "stagesweep.h"

#define PAUSE_MS 100

/* ---- accepting ---------------------------------------------------------- */

static void listeners_enable(struct worker *worker, bool on) {
  for (size_t i = 0; i < worker->gateway->listen_count; i++) {
    if (worker->bound[i] == NULL)
      continue;
    struct evconnlistener *listener =
        evhttp_bound_socket_get_listener(worker->bound[i]);
    if (on)
      evconnlistener_enable(listener);
    else
      evconnlistener_disable(listener);
  }
}

static void pause_accepting(struct worker *worker, const char *why) {
  static const struct timeval pause = {.tv_usec = PAUSE_MS * 1000};
  if (worker->paused || worker->gate.draining)
    return;
  metrics_refuse(&worker->metrics, METRICS_CONNECTIONS);
  repeat_line(&worker->repeats, worker->loop, SLUICE_LOG_WARN, NULL, "accept",
              "no connections are accepted: %s", why);
  worker->paused = true;
  listeners_enable(worker, false);
  event_add(worker->resume, &pause);
}

static bool is_full(const struct worker *worker) {
  return worker->connections >= worker->connections_max;
}

static void on_resume(evutil_socket_t fd, short what, void *arg) {
  static const struct timeval pause = {.tv_usec = PAUSE_MS * 1000};
  struct worker *worker = arg;
  (void)fd, (void)what;
  if (worker->gate.draining)
    return;
  if (is_full(worker)) { /* who does nothing makes room */
    ingress_evict(worker->plain, worker->connections_max / 16 + 1);
    if (worker->tls != NULL)
      ingress_evict(worker->tls, worker->connections_max / 16 + 1);
  }
  if (is_full(worker)) {
    event_add(worker->resume, &pause);
    return;
  }
  worker->paused = false;
  listeners_enable(worker, true);
}

static void on_accept_error(struct evconnlistener *listener, void *arg) {
  int error = EVUTIL_SOCKET_ERROR();
  (void)listener;
  pause_accepting(arg, error == EMFILE || error == ENFILE
                           ? "too many open files; raise the limit of open "
                             "files, or lower limits.connections"
                           : strerror(error));
}

/* A loop that drains may have nothing left to do. */
static void check_end(void *arg) {
  struct worker *worker = arg;
  if (!worker->gate.draining || worker->over || worker->gate.exchanges > 0 ||
      worker->connections > 0)
    return;
  worker->over = true;
  loop_stop(worker->loop);
}

static void on_count(void *arg, int change) {
  struct worker *worker = arg;
  if (change > 0)
    worker->connections++;
  else
    worker->connections--;
  metrics_set(&worker->metrics, METRICS_OPEN_CONNECTIONS, worker->connections);
  if (change > 0 && is_full(worker))
    pause_accepting(worker, "limits.connections is reached");
  check_end(worker);
}

static bool on_admit(void *arg, const char *peer,
                     struct tally_ticket *ticket) {
  struct worker *worker = arg;
  if (clients_connect(&worker->gateway->clients, peer, ticket))
    return true;
  metrics_refuse(&worker->metrics, METRICS_CLIENT_CONNECTIONS);
  repeat_line(&worker->gate.refusals, worker->loop, SLUICE_LOG_WARN, NULL,
              "connections",
              "%s is refused: it has %lld connections, as many as "
              "limits.per_client.connections allows",
              peer, (long long)worker->settings->limits.client_connections);
  return false;
}

static void on_slow(void *arg, const char *peer, const char *what) {
  struct worker *worker = arg;
  metrics_refuse(&worker->metrics, METRICS_MIN_RATE);
  repeat_line(&worker->gate.refusals, worker->loop, SLUICE_LOG_WARN, NULL,
              what, "%s is refused: it %s at less than limits.min_rate", peer,
              what);
}

static void on_mistaken(void *arg, const char *peer,
                        enum ingress_mistake mistake, const char *why) {
  static const char *const kinds[INGRESS_MISTAKES] = {
      [INGRESS_HTTP_ON_TLS] = "HTTP on TLS",
      [INGRESS_TLS_ON_HTTP] = "TLS on HTTP",
      [INGRESS_NO_HANDSHAKE] = "handshake"};
  static const char *const texts[INGRESS_MISTAKES] = {
      [INGRESS_HTTP_ON_TLS] = "it speaks plain HTTP where TLS is spoken: its "
                              "URL has to begin with https://",
      [INGRESS_TLS_ON_HTTP] = "it speaks TLS where plain HTTP is spoken: its "
                              "URL has to begin with http://, or server.tls "
                              "is missing",
      [INGRESS_NO_HANDSHAKE] = "the handshake of TLS failed: "};
  struct worker *worker = arg;
  repeat_line(&worker->gate.refusals, worker->loop, SLUICE_LOG_INFO, NULL,
              kinds[mistake], "%s is refused: %s%s", peer, texts[mistake],
              why);
}

static void on_request(void *arg, struct ingress_conn *conn,
                       struct evhttp_request *http, struct head *head,
                       const struct head_refusal *refusal) {
  struct worker *worker = arg;
  exchange_begin(&worker->gate, conn, http, head, refusal);
}

/* ---- calls of the main thread ------------------------------------------- */

size_t worker_pending(const struct worker *worker, size_t backend) {
  return worker->gate.backends[backend].pending;
}

#define WORKER_OF(task, member) \
  ((struct worker *)(void *)((char *)(task)-offsetof(struct worker, member)))

static bool open_hook(struct worker *worker, size_t i) {
  const struct gateway_plugin *from = &worker->gateway->hooks[i];
  struct request_hook *hook = &worker->gate.hooks[i];
  hook->plugin = &from->plugin.hook;
  hook->host = from->host;
  hook->host.loop = worker->loop;
  hook->handle = hook->plugin->open(from->instance, &hook->host);
  if (hook->handle == NULL)
    snprintf(worker->failure, sizeof worker->failure, "hook '%s': %.900s",
             hook->host.name, hook->host.failure);
  return hook->handle != NULL;
}

static bool open_backend(struct worker *worker, size_t i) {
  const struct gateway_plugin *from = &worker->gateway->backends[i];
  struct op_backend *backend = &worker->gate.backends[i];
  const struct sluice_backend *own = &from->plugin.backend;
  backend->plugin = gateway_offers(from);
  backend->host = from->host;
  backend->host.loop = worker->loop;
  backend->abilities = from->abilities;
  backend->metrics = &worker->metrics;
  backend->index = i;
  if (layers_open(worker->gateway, i, worker->gate.backends))
    backend->handle = own->open(from->instance, &backend->host);
  else
    sluice_fail(&backend->host, "out of memory");
  if (backend->handle == NULL)
    snprintf(worker->failure, sizeof worker->failure, "backend '%s': %.900s",
             backend->host.name, backend->host.failure);
  return backend->handle != NULL;
}

static void on_open(struct loop_task *task) {
  struct worker *worker = WORKER_OF(task, open);
  const struct settings *settings = worker->settings;
  bool ok = true;
  for (size_t i = 0; ok && i < settings->backend_count; i++)
    ok = open_backend(worker, worker->gateway->order[i]);
  for (size_t i = 0; ok && i < settings->hook_count; i++)
    ok = open_hook(worker, i);
  loop_post(worker->gateway->loop, &worker->opened);
}

static void close_handles(struct worker *worker) {
  const struct settings *settings = worker->settings;
  for (size_t i = 0; i < settings->hook_count; i++) {
    struct request_hook *hook = &worker->gate.hooks[i];
    if (hook->handle == NULL)
      continue;
    hook->plugin->close(hook->handle);
    if (hook->host.taken > 0)
      violation_note(&hook->misused, &hook->host, hook->plugin->name, "close",
                     VIOLATION_KEEPS);
    repeat_end(&hook->repeats);
    violation_sum(hook->host.name, hook->plugin->name, hook->misused,
                  hook->silent);
  }
  for (size_t i = settings->backend_count; i-- > 0;) {
    size_t at = worker->gateway->order[i];
    struct op_backend *backend = &worker->gate.backends[at];
    if (backend->handle == NULL)
      continue;
    worker->gateway->backends[at].plugin.backend.close(backend->handle);
    if (backend->host.taken > 0)
      violation_note(&backend->misused, &backend->host, backend->plugin->name,
                     "close", VIOLATION_KEEPS);
    repeat_end(&backend->repeats);
    violation_sum(backend->host.name, backend->plugin->name, backend->misused,
                  backend->silent);
  }
}

static bool serve_one(struct worker *worker, size_t i) {
  struct listen *listen = &worker->gateway->listens[i];
  int fd = listen->fds[worker->index];
  struct ingress *ingress =
      worker->tls != NULL && !listen->is_unix ? worker->tls : worker->plain;
  struct evconnlistener *listener = evconnlistener_new(
      loop_base(worker->loop), NULL, NULL,
      LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, LISTEN_BACKLOG, fd);
  if (listener == NULL)
    return false;
  listen->fds[worker->index] = -1;
  evconnlistener_set_error_cb(listener, on_accept_error);
  worker->bound[i] = evhttp_bind_listener(ingress_http(ingress), listener);
  if (worker->bound[i] == NULL) {
    evconnlistener_free(listener);
    return false;
  }
  return true;
}

static void on_serve(struct loop_task *task) {
  struct worker *worker = WORKER_OF(task, serve);
  for (size_t i = 0; i < worker->gateway->listen_count; i++)
    if (!serve_one(worker, i))
      snprintf(worker->failure, sizeof worker->failure,
               "cannot listen on %s: %s", worker->gateway->listens[i].url,
               strerror(errno));
  if (worker->index == 0) {
    worker->sweep = stagesweep_new(&worker->gate);
    worker->oncesweep = oncesweep_new(&worker->gate);
    worker->linksweep = linksweep_new(&worker->gate);
  }
  loop_post(worker->gateway->loop, &worker->served);
}

static void on_reload(struct loop_task *task) {
  struct worker *worker = WORKER_OF(task, reload);
  atomic_store(&worker->reloading, false);
  for (size_t i = 0; i < worker->settings->hook_count; i++)
    if (worker->gate.hooks[i].plugin->reload != NULL)
      worker->gate.hooks[i].plugin->reload(worker->gate.hooks[i].handle);
}

static void on_renew(struct loop_task *task) {
  struct worker *worker = WORKER_OF(task, renew);
  SSL_CTX *tls = atomic_exchange(&worker->renewed, NULL);
  ingress_renew_tls(worker->tls, tls);
  SSL_CTX_free(tls);
}

static void on_closing(evutil_socket_t fd, short what, void *arg) {
  struct worker *worker = arg;
  (void)fd, (void)what;
  worker->gate.draining = true;
  stagesweep_stop(worker->sweep);
  oncesweep_stop(worker->oncesweep);
  linksweep_stop(worker->linksweep);
  event_del(worker->resume);
  for (size_t i = 0; i < worker->gateway->listen_count; i++) {
    if (worker->bound[i] == NULL)
      continue;
    struct ingress *ingress =
        worker->tls != NULL && !worker->gateway->listens[i].is_unix
            ? worker->tls
            : worker->plain;
    evhttp_del_accept_socket(ingress_http(ingress), worker->bound[i]);
    worker->bound[i] = NULL;
  }
  ingress_drain(worker->plain);
  if (worker->tls != NULL)
    ingress_drain(worker->tls);
  check_end(worker);
}

/* With a listening socket the connections go that wait to be accepted, and
 * what they have sent: so they get one more turn of the loop, in which timers
 * come last. */
static void on_drain(struct loop_task *task) {
  static const struct timeval now = {0};
  event_add(WORKER_OF(task, drain)->closing, &now);
}

static void on_end(struct loop_task *task) {
  struct worker *worker = WORKER_OF(task, end);
  if (worker->gate.exchanges > 0)
    log_line(SLUICE_LOG_WARN, NULL, "%zu requests are broken off",
             worker->gate.exchanges);
  ingress_close(worker->plain);
  if (worker->tls != NULL)
    ingress_close(worker->tls);
  exchange_break_off(&worker->gate); /* now all of them were left */
}

/* ---- life --------------------------------------------------------------- */

static void *worker_thread(void *arg) {
  struct worker *worker = arg;
  crash_thread();
  loop_post(worker->loop, &worker->open);
  loop_run(worker->loop);
  close_handles(worker);
  repeat_end(&worker->repeats);
  repeat_end(&worker->gate.refusals);
  loop_post(worker->gateway->loop, &worker->ended);
  return NULL;
}

static bool init_ingress(struct worker *worker) {
  const struct settings_limits *limits = &worker->settings->limits;
  struct ingress_settings settings = {
      .head_timeout_ms = limits->head_timeout_ms,
      .body_timeout_ms = limits->body_timeout_ms,
      .idle_timeout_ms = limits->idle_timeout_ms,
      .write_timeout_ms = limits->write_timeout_ms,
      .min_rate = limits->min_rate,
      .memory = worker->gate.memory};
  struct ingress_owner owner = {.request = on_request,
                                .count = on_count,
                                .arg = worker,
                                .admit = on_admit,
                                .slow = on_slow,
                                .mistaken = on_mistaken};
  worker->plain = ingress_new(worker->loop, NULL, &settings, &owner);
  if (worker->plain == NULL)
    return false;
  SSL_CTX *tls = worker->gateway->certificate.tls;
  if (tls == NULL)
    return true;
  worker->tls = ingress_new(worker->loop, tls, &settings, &owner);
  return worker->tls != NULL;
}

static bool init_events(struct worker *worker) {
  int64_t ms = worker->settings->limits.backend_timeout_ms;
  struct timeval patience = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
  worker->gate.backend_timeout =
      event_base_init_common_timeout(loop_base(worker->loop), &patience);
  worker->resume = evtimer_new(loop_base(worker->loop), on_resume, worker);
  worker->closing = evtimer_new(loop_base(worker->loop), on_closing, worker);
  return worker->gate.backend_timeout != NULL && worker->resume != NULL &&
         worker->closing != NULL;
}

bool worker_init(struct worker *worker, struct gateway *gateway, size_t index,
                 struct errmsg *errmsg) {
  const struct settings *settings = gateway->settings;
  *worker = (struct worker){.gateway = gateway,
                            .settings = settings,
                            .index = index,
                            .gate = {.settings = settings,
                                     .routes = &gateway->routes,
                                     .memory = &gateway->memory,
                                     .metrics = &worker->metrics,
                                     .clients = &gateway->clients,
                                     .uploads = gateway->uploads,
                                     .marks = gateway->marks,
                                     .keyed = gateway->keyed,
                                     .cursor_keys = gateway->cursor_keys,
                                     .ended = check_end,
                                     .arg = worker},
                            .open = {.run = on_open},
                            .serve = {.run = on_serve},
                            .reload = {.run = on_reload},
                            .renew = {.run = on_renew},
                            .drain = {.run = on_drain},
                            .end = {.run = on_end}};
  TAILQ_INIT(&worker->gate.left);
  worker->connections_max = gateway->connections_max;
  worker->loop = worker->gate.loop = loop_new();
  worker->bound = calloc(gateway->listen_count, sizeof(*worker->bound));
  worker->gate.backends =
      calloc(settings->backend_count, sizeof(*worker->gate.backends));
  worker->gate.hooks =
      calloc(settings->hook_count + 1, sizeof(*worker->gate.hooks));
  worker->gate.common_hooks =
      calloc(settings->common_hooks + 1, sizeof(*worker->gate.common_hooks));
  if (worker->loop == NULL || worker->bound == NULL ||
      worker->gate.backends == NULL || worker->gate.hooks == NULL ||
      worker->gate.common_hooks == NULL ||
      !headerlines_init(&worker->gate.lines, settings) ||
      !metrics_init(&worker->metrics, settings->route_count + 1,
                    settings->backend_count) ||
      !init_ingress(worker) || !init_events(worker) ||
      (worker->gate.readiness = readiness_new(&worker->gate)) == NULL ||
      (worker->gate.links = linksecrets_new(&worker->gate)) == NULL ||
      (worker->gate.revocations = revocations_new(&worker->gate)) == NULL ||
      (worker->gate.linkuses = linkuses_new(&worker->gate)) == NULL)
    return errmsg_set(errmsg, "a loop can't be made: %s", strerror(errno));
  for (size_t i = 0; i < settings->common_hooks; i++)
    worker->gate.common_hooks[i] = i;
  return true;
}

void worker_fini(struct worker *worker) {
  ingress_free(worker->plain);
  ingress_free(worker->tls);
  SSL_CTX_free(atomic_exchange(&worker->renewed, NULL));
  if (worker->resume != NULL)
    event_free(worker->resume);
  if (worker->closing != NULL)
    event_free(worker->closing);
  readiness_free(worker->gate.readiness);
  linksecrets_free(worker->gate.links);
  revocations_free(worker->gate.revocations);
  linkuses_free(worker->gate.linkuses);
  stagesweep_free(worker->sweep);
  oncesweep_free(worker->oncesweep);
  linksweep_free(worker->linksweep);
  exchange_free_pending(&worker->gate);
  loop_free(worker->loop);
  free(worker->bound);
  for (size_t i = 0;
       worker->gate.backends != NULL && i < worker->settings->backend_count;
       i++)
    layers_close(&worker->gate.backends[i]);
  free(worker->gate.backends);
  free(worker->gate.hooks);
  free(worker->gate.common_hooks);
  headerlines_fini(&worker->gate.lines);
  metrics_fini(&worker->metrics);
}

bool worker_start(struct worker *worker) {
  sigset_t all, before;
  sigfillset(&all); /* signals are for the main thread */
  pthread_sigmask(SIG_SETMASK, &all, &before);
  worker->started =
      pthread_create(&worker->thread, NULL, worker_thread, worker) == 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return worker->started;
}

void worker_reload(struct worker *worker) {
  if (!atomic_exchange(&worker->reloading, true))
    loop_post(worker->loop, &worker->reload);
}

/* Of two that come before the loop has looked, the later one counts. */
void worker_renew_tls(struct worker *worker, SSL_CTX *tls) {
  SSL_CTX_up_ref(tls);
  SSL_CTX *earlier = atomic_exchange(&worker->renewed, tls);
  if (earlier == NULL)
    loop_post(worker->loop, &worker->renew);
  SSL_CTX_free(earlier);
}
