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

#include "crash.h"
#include "exchange.h"
#include "gateway.h"
#include "listeners.h"
#include "log.h"

/* ---- connections -------------------------------------------------------- */

static size_t exchanges(const struct worker *worker) {
  size_t count = 0;
  struct seat *seat;
  for (seat = TAILQ_FIRST(&worker->seats); seat != NULL;
       seat = TAILQ_NEXT(seat, in_list))
    count += seat->gate.exchanges;
  return count;
}

/* A loop that drains may have nothing left to do. */
static void check_end(struct worker *worker) {
  if (!worker->draining || worker->over || worker->connections > 0 ||
      exchanges(worker) > 0)
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
  if (change > 0 && worker->connections >= worker->connections_max)
    listeners_pause(worker, "limits.connections is reached");
  check_end(worker);
}

static bool on_admit(void *arg, const char *peer,
                     struct tally_ticket *ticket) {
  struct worker *worker = arg;
  const struct settings *settings = worker->seat->gate.settings;
  if (clients_connect(&worker->gateway->clients, settings, peer, ticket))
    return true;
  metrics_refuse(&worker->metrics, METRICS_CLIENT_CONNECTIONS);
  repeat_line(&worker->refusals, worker->loop, SLUICE_LOG_WARN, NULL,
              "connections",
              "%s is refused: it has %lld connections, as many as "
              "limits.per_client.connections allows",
              peer, (long long)settings->limits.client_connections);
  return false;
}

static void on_slow(void *arg, const char *peer, const char *what) {
  struct worker *worker = arg;
  metrics_refuse(&worker->metrics, METRICS_MIN_RATE);
  repeat_line(&worker->refusals, worker->loop, SLUICE_LOG_WARN, NULL, what,
              "%s is refused: it %s at less than limits.min_rate", peer, what);
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
  repeat_line(&worker->refusals, worker->loop, SLUICE_LOG_INFO, NULL,
              kinds[mistake], "%s is refused: %s%s", peer, texts[mistake],
              why);
}

static void on_request(void *arg, struct ingress_conn *conn, struct head *head,
                       const struct head_refusal *refusal) {
  struct worker *worker = arg;
  exchange_begin(&worker->seat->gate, conn, head, refusal);
}

/* ---- calls of the main thread ------------------------------------------- */

#define WORKER_OF(task, member) \
  ((struct worker *)(void *)((char *)(task)-offsetof(struct worker, member)))

static void on_open(struct loop_task *task) {
  struct worker *worker = WORKER_OF(task, open);
  worker->failure[0] = '\0';
  worker->next = seat_new(worker, worker->fresh);
  loop_post(worker->gateway->loop, &worker->opened);
}

/* Another loop couldn't open its own. */
static void on_drop(struct loop_task *task) {
  struct worker *worker = WORKER_OF(task, drop);
  if (worker->next != NULL)
    seat_close(worker->next);
  seat_free(worker->next);
  worker->next = NULL;
  loop_post(worker->gateway->loop, &worker->dropped);
}

/* ---- seats that aren't the newest --------------------------------------- */

static void end_seats(struct worker *worker) {
  struct seat *seat = TAILQ_FIRST(&worker->seats), *next;
  for (; seat != NULL && seat != worker->seat; seat = next) {
    next = TAILQ_NEXT(seat, in_list);
    if (!seat_is_idle(seat))
      continue;
    TAILQ_REMOVE(&worker->seats, seat, in_list);
    seat_close(seat);
    loop_post(worker->gateway->loop, &seat->gone);
  }
}

static void on_look(struct loop_task *task) {
  struct worker *worker = WORKER_OF(task, look);
  worker->looking = false;
  if (!worker->over)
    end_seats(worker);
}

static void note_end(void *arg) {
  struct worker *worker = arg;
  if (worker->over)
    return;
  check_end(worker);
  if (worker->over || worker->looking ||
      TAILQ_FIRST(&worker->seats) == worker->seat)
    return;
  worker->looking = true;
  loop_defer(worker->loop, &worker->look);
}

static struct ingress_settings limits_of(const struct worker *worker,
                                         const struct settings *settings) {
  const struct settings_limits *limits = &settings->limits;
  return (struct ingress_settings){.head_timeout_ms = limits->head_timeout_ms,
                                   .body_timeout_ms = limits->body_timeout_ms,
                                   .idle_timeout_ms = limits->idle_timeout_ms,
                                   .write_timeout_ms =
                                       limits->write_timeout_ms,
                                   .min_rate = limits->min_rate,
                                   .memory = &worker->gateway->memory};
}

static void use_next(struct worker *worker) {
  struct seat *before = worker->seat, *seat = worker->next;
  struct ingress_settings limits = limits_of(worker, seat->gate.settings);
  TAILQ_INSERT_TAIL(&worker->seats, seat, in_list);
  worker->seat = seat;
  worker->next = NULL;
  worker->connections_max = seat->generation->connections_max;
  ingress_limit(worker->plain, &limits);
  if (worker->tls != NULL)
    ingress_limit(worker->tls, &limits);
  seat->gate.draining = worker->draining;
  if (before != NULL)
    seat_retire(before);
  if (!worker->draining)
    seat_use(seat);
}

static void reload_hooks(const struct worker *worker) {
  const struct gate *gate = &worker->seat->gate;
  for (size_t i = 0; i < gate->settings->hook_count; i++)
    if (gate->hooks[i]->plugin->reload != NULL)
      gate->hooks[i]->plugin->reload(gate->hooks[i]->handle);
}

static void on_use(struct loop_task *task) {
  struct worker *worker = WORKER_OF(task, use);
  use_next(worker);
  reload_hooks(worker);
  note_end(worker);
}

/* At the end of the loop, which nothing is outstanding on. */
static void close_handles(struct worker *worker) {
  struct seat *seat;
  if (worker->next != NULL)
    seat_close(worker->next);
  for (seat = TAILQ_FIRST(&worker->seats); seat != NULL;
       seat = TAILQ_NEXT(seat, in_list))
    seat_close(seat);
}

static void on_serve(struct loop_task *task) {
  struct worker *worker = WORKER_OF(task, serve);
  use_next(worker);
  for (size_t i = 0; i < worker->gateway->listen_count; i++)
    if (!listeners_serve(worker, &worker->gateway->listens[i]))
      snprintf(worker->failure, sizeof worker->failure,
               "cannot listen on %s: %s", worker->gateway->listens[i].url,
               strerror(errno));
  loop_post(worker->gateway->loop, &worker->served);
}

static void on_reload(struct loop_task *task) {
  struct worker *worker = WORKER_OF(task, reload);
  atomic_store(&worker->reloading, false);
  reload_hooks(worker);
}

static void on_renew(struct loop_task *task) {
  struct worker *worker = WORKER_OF(task, renew);
  SSL_CTX *tls = atomic_exchange(&worker->renewed, NULL);
  ingress_renew_tls(worker->tls, tls);
  SSL_CTX_free(tls);
}

/* Another process accepts.  Who is connected here may ask once more, and goes
 * there then. */
static void retire(struct worker *worker) {
  ingress_retire(worker->plain);
  if (worker->tls != NULL)
    ingress_retire(worker->tls);
}

static void drain(struct worker *worker) {
  struct seat *seat;
  for (seat = TAILQ_FIRST(&worker->seats); seat != NULL;
       seat = TAILQ_NEXT(seat, in_list))
    seat->gate.draining = true;
  ingress_drain(worker->plain);
  if (worker->tls != NULL)
    ingress_drain(worker->tls);
}

static void on_closing(evutil_socket_t fd, short what, void *arg) {
  static const struct timeval now = {0};
  struct worker *worker = arg;
  (void)fd, (void)what;
  if (!listeners_let_go(worker)) {
    event_add(worker->closing, &now);
    return;
  }
  worker->draining = true;
  if (worker->seat != NULL)
    seat_retire(worker->seat);
  listeners_close(worker);
  if (worker->gateway->handover.done)
    retire(worker);
  else
    drain(worker);
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
  struct seat *seat;
  size_t count = exchanges(worker);
  if (count > 0)
    log_line(SLUICE_LOG_WARN, NULL, "%zu requests are broken off", count);
  ingress_close(worker->plain);
  if (worker->tls != NULL)
    ingress_close(worker->tls);
  for (seat = TAILQ_FIRST(&worker->seats); seat != NULL;
       seat = TAILQ_NEXT(seat, in_list)) /* all of them were left */
    exchange_break_off(&seat->gate);
}

/* ---- life --------------------------------------------------------------- */

static void *worker_thread(void *arg) {
  struct worker *worker = arg;
  crash_thread();
  loop_post(worker->loop, &worker->open);
  loop_run(worker->loop);
  close_handles(worker);
  repeat_end(&worker->repeats);
  repeat_end(&worker->refusals);
  loop_post(worker->gateway->loop, &worker->ended);
  return NULL;
}

static bool init_ingress(struct worker *worker,
                         const struct settings *settings) {
  struct ingress_settings limits = limits_of(worker, settings);
  struct ingress_owner owner = {.request = on_request,
                                .count = on_count,
                                .arg = worker,
                                .admit = on_admit,
                                .slow = on_slow,
                                .mistaken = on_mistaken,
                                .refused = listeners_on_refused};
  worker->plain = ingress_new(worker->loop, NULL, &limits, &owner);
  if (worker->plain == NULL)
    return false;
  SSL_CTX *tls = worker->gateway->certificate.tls;
  if (tls == NULL)
    return true;
  worker->tls = ingress_new(worker->loop, tls, &limits, &owner);
  return worker->tls != NULL;
}

static bool init_events(struct worker *worker) {
  worker->resume =
      evtimer_new(loop_base(worker->loop), listeners_on_resume, worker);
  worker->closing = evtimer_new(loop_base(worker->loop), on_closing, worker);
  return worker->resume != NULL && worker->closing != NULL;
}

bool worker_init(struct worker *worker, struct gateway *gateway, size_t index,
                 struct errmsg *errmsg) {
  *worker = (struct worker){.gateway = gateway,
                            .index = index,
                            .fresh = gateway->now,
                            .noted = note_end,
                            .open = {.run = on_open},
                            .use = {.run = on_use},
                            .drop = {.run = on_drop},
                            .look = {.run = on_look},
                            .serve = {.run = on_serve},
                            .reload = {.run = on_reload},
                            .renew = {.run = on_renew},
                            .drain = {.run = on_drain},
                            .end = {.run = on_end}};
  TAILQ_INIT(&worker->seats);
  LIST_INIT(&worker->presences);
  worker->connections_max = gateway->now->connections_max;
  worker->loop = loop_new();
  if (worker->loop == NULL || !metrics_init(&worker->metrics, 0, 0) ||
      !init_ingress(worker, gateway->now->settings) || !init_events(worker))
    return errmsg_set(errmsg, "a loop can't be made: %s", strerror(errno));
  return true;
}

void worker_fini(struct worker *worker) {
  listeners_close(worker);
  ingress_free(worker->plain);
  ingress_free(worker->tls);
  SSL_CTX_free(atomic_exchange(&worker->renewed, NULL));
  if (worker->resume != NULL)
    event_free(worker->resume);
  if (worker->closing != NULL)
    event_free(worker->closing);
  while (!TAILQ_EMPTY(&worker->seats)) {
    struct seat *seat = TAILQ_FIRST(&worker->seats);
    TAILQ_REMOVE(&worker->seats, seat, in_list);
    seat_free(seat);
  }
  seat_free(worker->next);
  loop_free(worker->loop);
  presences_free(worker);
  free(worker->sockets);
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
