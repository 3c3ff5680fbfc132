/* SPDX-License-Identifier: MIT
 *
 * Listeners of libevent, each bound to one of the worker's ingresses.
 */
#include "listeners.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway.h"
#include "log.h"

#define PAUSE_MS 100

static void listeners_enable(struct worker *worker, bool on) {
  for (size_t i = 0; i < worker->socket_count; i++)
    if (on)
      evconnlistener_enable(worker->sockets[i]);
    else
      evconnlistener_disable(worker->sockets[i]);
}

/* ---- without room ------------------------------------------------------- */

void listeners_pause(struct worker *worker, const char *why) {
  static const struct timeval pause = {.tv_usec = PAUSE_MS * 1000};
  if (worker->paused || worker->let_go)
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

void listeners_on_resume(evutil_socket_t fd, short what, void *arg) {
  static const struct timeval pause = {.tv_usec = PAUSE_MS * 1000};
  struct worker *worker = arg;
  (void)fd, (void)what;
  if (worker->let_go)
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

void listeners_on_refused(void *arg, int error) {
  listeners_pause(arg, error == EMFILE || error == ENFILE
                           ? "too many open files; raise the limit of open "
                             "files, or lower limits.connections"
                           : strerror(error));
}

/* ---- served ------------------------------------------------------------- */

static bool serve_socket(struct worker *worker, struct ingress *ingress,
                         int *fd) {
  struct evconnlistener **all = realloc(
      worker->sockets, (worker->socket_count + 1) * sizeof(*worker->sockets));
  if (all == NULL)
    return false;
  worker->sockets = all;
  struct evconnlistener *listener = ingress_listen(ingress, *fd);
  if (listener == NULL)
    return false;
  *fd = -1;
  all[worker->socket_count++] = listener;
  return true;
}

/* Of more sockets than loops each has several. */
bool listeners_serve(struct worker *worker, struct listen *listen) {
  struct ingress *ingress =
      worker->tls != NULL && !listen->is_unix ? worker->tls : worker->plain;
  for (size_t i = worker->index; i < listen->count;
       i += worker->gateway->worker_count)
    if (!serve_socket(worker, ingress, &listen->fds[i]))
      return false;
  return true;
}

/* ---- let go, closed ----------------------------------------------------- */

/* The loop asks the kernel not to watch a descriptor any more only when it
 * waits next, and can't once it is closed.  What another process has open,
 * too, would be watched on then, and this one woken by what comes to that one.
 */
static bool may_be_shared(const struct gateway *gateway) {
  bool managed = false;
  for (size_t i = 0; i < gateway->listen_count; i++)
    managed = managed || gateway->listens[i].managed;
  return managed || gateway->handover.lent;
}

bool listeners_let_go(struct worker *worker) {
  bool ready = worker->let_go || !may_be_shared(worker->gateway);
  if (!worker->let_go) {
    worker->let_go = true;
    event_del(worker->resume);
    listeners_enable(worker, false);
  }
  return ready;
}

void listeners_close(struct worker *worker) {
  for (size_t i = 0; i < worker->socket_count; i++)
    evconnlistener_free(worker->sockets[i]);
  worker->socket_count = 0;
}
