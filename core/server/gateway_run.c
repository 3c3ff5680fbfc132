/* SPDX-License-Identifier: MIT
 *
 * The gateway's run: storage started, sockets bound, loops running, signals
 * obeyed, everything ended in the reverse order.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "crash.h"
#include "gateway.h"
#include "log.h"
#include "notify.h"
#include "secrecy.h"
#include "uploads.h"
#include "work.h"

#define GRACE_MS 5000 /* for backends, after requests were broken off */

/* ---- parts -------------------------------------------------------------- */

/* Sockets that are there already are the service manager's, or those of the
 * gateway that this one takes over from. */
static bool inherit(struct gateway *gateway, struct errmsg *errmsg) {
  return inherits_take_environment(&gateway->inherits, errmsg) &&
         (!gateway->takeover.wanted || takeover_begin(gateway, errmsg));
}

static void tell_left(const char *address) {
  log_line(SLUICE_LOG_WARN, NULL,
           "nobody listens on %s any more: the configuration doesn't name it",
           address);
}

static void gateway_run_own(struct gateway *gateway) {
  for (size_t i = 0; i < gateway->listen_count; i++)
    listen_own(&gateway->listens[i]);
  for (size_t i = 0; i < gateway->admin_count; i++)
    admin_own(gateway->admins[i]);
  inherits_fini(&gateway->inherits, tell_left);
}

static bool bind_all(struct gateway *gateway, struct errmsg *errmsg) {
  const struct settings_server *server = &gateway->fixed->server;
  size_t count = 0;
  while (server->listen[count] != NULL)
    count++;
  gateway->listens = calloc(count + 1, sizeof(*gateway->listens));
  if (gateway->listens == NULL)
    return errmsg_set(errmsg, "out of memory");
  const struct listen_settings settings = {.key = "server.listen",
                                           .loops = server->workers,
                                           .tls = gateway->certificate.tls !=
                                                  NULL,
                                           .mode = server->socket_mode,
                                           .inherits = &gateway->inherits};
  for (size_t i = 0; i < count; i++, gateway->listen_count++)
    if (!listen_bind(&gateway->listens[i], server->listen[i], &settings,
                     errmsg))
      return false;
  return true;
}

/* ---- the end ------------------------------------------------------------ */

static void break_off(struct gateway *gateway) {
  static const struct timeval grace = {.tv_sec = GRACE_MS / 1000};
  gateway->forced = true;
  gateway_post(gateway, offsetof(struct worker, end));
  event_add(gateway->deadline, &grace);
}

static size_t pending(const struct gateway *gateway,
                      const struct instance *backend) {
  const struct presence *presence;
  size_t count = 0;
  for (size_t i = 0; i < gateway->worker_count; i++) {
    presence = LIST_FIRST(&gateway->workers[i].presences);
    for (; presence != NULL; presence = LIST_NEXT(presence, in_list))
      if (presence->of == backend)
        count += presence->backend.pending;
  }
  return count;
}

static void name_debtors_of(const struct gateway *gateway,
                            const struct generation *generation) {
  for (size_t b = 0; b < generation->settings->backend_count; b++) {
    const struct instance *backend = generation->backends[b];
    size_t count = pending(gateway, backend);
    if (count > 0)
      log_line(SLUICE_LOG_ERROR, backend->host.name,
               "plugin '%s' hasn't ended %zu operations that were canceled",
               backend->plugin.name, count);
  }
}

static void name_debtors(const struct gateway *gateway) {
  const struct generation *generation;
  name_debtors_of(gateway, gateway->now);
  for (generation = LIST_FIRST(&gateway->earlier); generation != NULL;
       generation = LIST_NEXT(generation, in_list))
    name_debtors_of(gateway, generation);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg) {
  struct gateway *gateway = arg;
  (void)fd, (void)what;
  if (!gateway->forced) {
    break_off(gateway);
    return;
  }
  name_debtors(gateway);
  /* Threads that still use what would be freed: there is no clean way. */
  log_line(SLUICE_LOG_ERROR, NULL,
           "a plugin doesn't end its operations; the process ends without "
           "it");
  log_settle(LOG_PATIENCE_MS);
  _exit(1);
}

/* Another process has copies of the sockets. */
static void lend(struct gateway *gateway) {
  for (size_t i = 0; i < gateway->listen_count; i++)
    listen_lend(&gateway->listens[i]);
  for (size_t i = 0; i < gateway->admin_count; i++)
    admin_retire(gateway->admins[i]);
}

static void stop(struct gateway *gateway) {
  const struct settings_limits *limits = &gateway->now->settings->limits;
  int64_t ms = gateway->handover.done ? limits->handover_timeout_ms
                                      : limits->drain_timeout_ms;
  struct timeval limit = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
  if (gateway->stopping) {
    if (!gateway->forced)
      break_off(gateway);
    return;
  }
  gateway->stopping = true;
  gateway->handover.lent =
      gateway->handover.done || handover_goes_on(&gateway->handover);
  if (gateway->handover.done)
    lend(gateway);
  else
    notify_say("STOPPING=1");
  handover_end(gateway, "the gateway stops");
  event_add(gateway->deadline, &limit);
  gateway_post(gateway, offsetof(struct worker, drain));
}

static void on_certificate(void *arg, SSL_CTX *tls) {
  struct gateway *gateway = arg;
  for (size_t i = 0; i < gateway->worker_count; i++)
    worker_renew_tls(&gateway->workers[i], tls);
}

static void gateway_run_on_signal(void *arg, const char *name,
                                  enum signal_meaning meaning) {
  struct gateway *gateway = arg;
  switch (meaning) {
  case SIGNAL_STOP:
    log_line(SLUICE_LOG_INFO, NULL, "%s: %s", name,
             gateway->stopping ? "ending now"
                               : "no new connections, requests may finish");
    stop(gateway);
    break;
  case SIGNAL_RELOAD:
    reload(gateway, name);
    break;
  case SIGNAL_NONE:
    log_line(SLUICE_LOG_INFO, NULL, "%s is ignored; SIGTERM ends the gateway",
             name);
    break;
  }
}

/* ---- news of the workers ------------------------------------------------ */

static bool note_failure(struct worker *worker) {
  if (worker->failure[0] != '\0' && worker->gateway->failure == NULL)
    worker->gateway->failure = worker->failure;
  return worker->gateway->failure != NULL;
}

static void on_opened(struct loop_task *task) {
  struct worker *worker =
      (void *)((char *)task - offsetof(struct worker, opened));
  struct gateway *gateway = worker->gateway;
  if (gateway->served == gateway->worker_count) {
    reload_opened(worker);
    return;
  }
  bool failed = note_failure(worker);
  if (++gateway->opened < gateway->worker_count || gateway->stopping)
    return;
  if (failed)
    stop(gateway);
  else
    gateway_post(gateway, offsetof(struct worker, serve));
}

/* Said once, as whoever asks can name any host. */
static void warn_of_hosts(const struct settings *settings) {
  const struct settings_server *server = &settings->server;
  const char *const *listen = server->listen;
  while (*listen != NULL && address_is_local(*listen))
    listen++;
  if (*listen == NULL || server->public_url[0] != '\0' ||
      server->hosts[0] != NULL)
    return;
  log_line(SLUICE_LOG_WARN, NULL,
           "links begin with the Host that a request names, whatever it is: "
           "set server.public_url, or server.hosts to the names of this "
           "gateway");
}

/* Links of a storage's own are a sign that others may use it, too. */
static void warn_of_cursors(const struct gateway *gateway) {
  const struct generation *now = gateway->now;
  for (size_t i = 0; i < now->settings->backend_count; i++) {
    const struct instance *backend = now->backends[i];
    if (now->lonely_cursors[i] && instance_offers(backend)->verify == NULL)
      log_line(SLUICE_LOG_INFO, backend->host.name,
               "cursors of lists are good on this machine alone: set "
               "links.secret where gateways of several share the storage");
  }
}

static void on_served(struct loop_task *task) {
  struct worker *worker =
      (void *)((char *)task - offsetof(struct worker, served));
  struct gateway *gateway = worker->gateway;
  bool failed = note_failure(worker);
  if (++gateway->served < gateway->worker_count || gateway->stopping)
    return;
  if (failed) {
    stop(gateway);
    return;
  }
  for (size_t i = 0; i < gateway->listen_count; i++)
    log_line(SLUICE_LOG_INFO, NULL, "listening on %s",
             gateway->listens[i].url);
  for (size_t i = 0; i < gateway->admin_count; i++)
    log_line(SLUICE_LOG_INFO, NULL, "metrics are at %s/metrics",
             admin_url(gateway->admins[i]));
  certificate_watch(&gateway->certificate);
  warn_of_hosts(gateway->fixed);
  warn_of_cursors(gateway);
  size_t most = gateway->now->connections_max * gateway->worker_count;
  if (most + gateway->worker_count <
      (size_t)gateway->fixed->limits.connections)
    log_line(SLUICE_LOG_INFO, NULL,
             "limits.connections is lowered to %zu by the limit of open files",
             most);
  log_line(SLUICE_LOG_INFO, NULL, "ready");
  if (gateway->ready != NULL)
    gateway->ready(gateway);
  if (!watchdog_start(&gateway->watchdog, gateway))
    log_line(SLUICE_LOG_ERROR, NULL, "no memory is left for the watchdog");
  if (gateway->takeover.wanted)
    takeover_ready(gateway);
  else
    notify_say("READY=1");
}

static void gateway_run_on_ended(struct loop_task *task) {
  struct worker *worker =
      (void *)((char *)task - offsetof(struct worker, ended));
  struct gateway *gateway = worker->gateway;
  pthread_join(worker->thread, NULL);
  worker->has_ended = true;
  inflight_forget(gateway, (size_t)(worker - gateway->workers));
  readyask_forget(gateway, (size_t)(worker - gateway->workers));
  if (++gateway->ended == gateway->worker_count)
    loop_stop(gateway->loop);
}

/* ---- the run ------------------------------------------------------------ */

static bool make_admins(struct gateway *gateway, struct errmsg *errmsg) {
  const char *const *entry = gateway->fixed->server.admin;
  for (; *entry != NULL; entry++) {
    struct admin *admin = admin_new(gateway, *entry, errmsg);
    if (admin == NULL)
      return false;
    gateway->handover.admins[gateway->admin_count] = admin_socket(admin);
    gateway->admins[gateway->admin_count++] = admin;
  }
  return true;
}

static bool make_loops(struct gateway *gateway, struct errmsg *errmsg) {
  size_t count = gateway->fixed->server.workers;
  gateway->loop = loop_new();
  gateway->workers = calloc(count + 1, sizeof(*gateway->workers));
  if (gateway->loop == NULL || gateway->workers == NULL ||
      !clients_init(&gateway->clients, gateway->now->connections_max * count))
    return errmsg_set(errmsg, "out of memory");
  struct event_base *base = loop_base(gateway->loop);
  gateway->deadline = evtimer_new(base, on_deadline, gateway);
  if (gateway->deadline == NULL ||
      !signals_watch(&gateway->signals, base, gateway_run_on_signal, gateway))
    return errmsg_set(errmsg, "signals can't be watched");
  if (!certificate_start(&gateway->certificate, gateway->loop,
                         work_own(gateway->pool), on_certificate, gateway))
    return errmsg_set(errmsg, "out of memory");
  if (!make_admins(gateway, errmsg) ||
      !inherits_check(&gateway->inherits, errmsg))
    return false;
  for (; gateway->worker_count < count; gateway->worker_count++) {
    struct worker *worker = &gateway->workers[gateway->worker_count];
    if (!worker_init(worker, gateway, gateway->worker_count, errmsg)) {
      worker_fini(worker);
      return false;
    }
    worker->opened.run = on_opened;
    worker->dropped.run = reload_on_dropped;
    worker->gone = reload_on_gone;
    worker->served.run = on_served;
    worker->ended.run = gateway_run_on_ended;
  }
  readyask_init(gateway);
  return inflight_init(gateway) || errmsg_set(errmsg, "out of memory");
}

static bool prepare(struct gateway *gateway, struct errmsg *errmsg) {
  signals_hold(); /* one that comes during the start waits */
  struct errmsg old;
  gateway_tell_exposed(gateway->fixed);
  if (!certificate_check(gateway->certificate.tls, &gateway->fixed->server.tls,
                         &old)) /* a proxy may not mind */
    log_line(SLUICE_LOG_ERROR, NULL, "%s", old.text);
  gateway->now->connections_max =
      gateway_connections(gateway->fixed, gateway->fixed->server.workers);
  if (!gateway_check_spool(gateway, errmsg) || !inherit(gateway, errmsg) ||
      !bind_all(gateway, errmsg))
    return false;
  gateway->pool = work_pool_new(gateway_threads(gateway->fixed));
  if (gateway->pool == NULL)
    return errmsg_set(errmsg, "threads can't be started; lower "
                              "limits.threads or server.workers");
  gateway->uploads = uploads_new(work_own(gateway->pool));
  if (gateway->uploads == NULL)
    return errmsg_set(errmsg, "out of memory");
  if (!metrics_init(&gateway->retired, gateway->fixed->route_count + 1,
                    gateway->fixed->backend_count) ||
      !generation_start(gateway->now, gateway, errmsg))
    return false;
  takeover_started(gateway);
  return make_loops(gateway, errmsg) &&
         confine_finish(&gateway->confine, gateway->fixed,
                        gateway->once ? NULL : gateway->file, errmsg);
}

/* Where the program is started anew by an order, over a socket of this user.
 */
static bool needs_starter(const struct gateway *gateway) {
  const char *const *admin = gateway->fixed->server.admin;
  while (*admin != NULL && address_unix_path(*admin) == NULL)
    admin++;
  return gateway->program != NULL && confine_wanted(gateway->fixed) &&
         *admin != NULL;
}

/* Before there is any thread, as each confines itself alone. */
static bool confine(struct gateway *gateway, struct errmsg *errmsg) {
  struct errmsg why;
  if (needs_starter(gateway) &&
      !starter_begin(&gateway->starter, gateway->program, gateway->file,
                     &why)) {
    if (gateway->fixed->server.confine.required)
      return errmsg_set(errmsg, "server.confine: %s", why.text);
    log_line(SLUICE_LOG_WARN, NULL,
             "%s: for an upgrade, restart the gateway, or set "
             "server.confine: off",
             why.text);
  }
  return confine_begin(&gateway->confine, gateway->now, gateway->file, errmsg);
}

static bool serve(struct gateway *gateway, struct errmsg *errmsg) {
  size_t started = 0;
  while (started < gateway->worker_count &&
         worker_start(&gateway->workers[started]))
    started++;
  if (started < gateway->worker_count) {
    gateway->failure = "threads can't be started; lower server.workers";
    gateway->ended = gateway->worker_count - started;
    gateway->opened = gateway->ended;
    stop(gateway);
  }
  signals_release();
  if (started > 0)
    loop_run(gateway->loop);
  signals_hold(); /* the end is near anyway */
  return gateway->failure == NULL ||
         errmsg_set(errmsg, "%s", gateway->failure);
}

static void clean(struct gateway *gateway) {
  handover_end(gateway, "the gateway ends");
  takeover_end(gateway);
  for (size_t i = 0; i < gateway->worker_count; i++)
    worker_fini(&gateway->workers[i]);
  watchdog_fini(&gateway->watchdog);
  reload_end(gateway);
  generation_free(gateway->now);
  gateway->now = NULL;
  uploads_free(gateway->uploads);
  work_pool_free(gateway->pool);
  for (size_t i = 0; i < gateway->listen_count; i++)
    listen_close(&gateway->listens[i]);
  for (size_t i = 0; i < gateway->admin_count; i++)
    admin_free(gateway->admins[i]);
  inflight_fini(gateway);
  readyask_fini(gateway);
  certificate_stop(&gateway->certificate);
  signals_unwatch(&gateway->signals);
  if (gateway->deadline != NULL)
    event_free(gateway->deadline);
  loop_free(gateway->loop);
  free(gateway->listens);
  free(gateway->workers);
}

bool gateway_run(struct gateway *gateway, struct errmsg *errmsg) {
  secrecy_begin(gateway->fixed);
  if (!confine(gateway, errmsg))
    return false;
  if (!log_start())
    return errmsg_set(errmsg, "out of memory");
  gateway->started_s = time(NULL);
  gateway->stop = stop;
  gateway->own = gateway_run_own;
  crash_watch();
  bool ok = prepare(gateway, errmsg) && serve(gateway, errmsg);
  clean(gateway);
  log_stop();
  return ok;
}
