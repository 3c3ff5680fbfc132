/* SPDX-License-Identifier: MIT
 *
 * The old gateway's side.  Nothing here waits: what is sent fits into the
 * socket's buffer, and a peer that doesn't read isn't one.
 */
#include "handover.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "baton.h"
#include "gateway.h"
#include "log.h"
#include "notify.h"

static void handover_tell(struct gateway *gateway, bool ok, const char *what) {
  struct handover_waiter *waiter = gateway->handover.waiter;
  gateway->handover.waiter = NULL;
  if (waiter != NULL)
    waiter->told(waiter->arg, ok, what);
}

static void handover_hang_up(struct handover *handover) {
  if (handover->heard == NULL)
    return;
  event_free(handover->heard);
  close(handover->socket);
  handover->heard = NULL;
}

static void handover_fail(struct gateway *gateway, const char *why) {
  log_line(SLUICE_LOG_ERROR, NULL,
           "process %ld doesn't take over: %s; this one goes on",
           (long)gateway->handover.peer, why);
  /* An end without a word would make the other one the gateway, too. */
  baton_send(gateway->handover.socket, BATON_REFUSED, why, NULL, 0);
  handover_hang_up(&gateway->handover);
  handover_tell(gateway, false, why);
  reload_go_on(gateway);
}

/* ---- what it gets ------------------------------------------------------- */

static bool give_list(int socket, enum baton_kind kind, const char *text,
                      const int *fds, size_t count) {
  for (size_t at = 0; at < count; at += BATON_FDS_MAX) {
    size_t some = count - at < BATON_FDS_MAX ? count - at : BATON_FDS_MAX;
    if (!baton_send(socket, kind, text, fds + at, some))
      return false;
  }
  return true;
}

static bool give_backend(int socket, const struct instance *backend) {
  int fds[SLUICE_HANDOVER_FDS];
  const struct sluice_backend *plugin = &backend->plugin.backend;
  if (plugin->hand_over == NULL)
    return true;
  size_t count = plugin->hand_over(backend->started, fds);
  bool ok = count == 0 ||
            baton_send(socket, BATON_BACKEND, backend->host.name, fds, count);
  for (size_t i = 0; i < count; i++)
    close(fds[i]);
  return ok;
}

static bool give(const struct gateway *gateway, int socket) {
  const struct generation *now = gateway->now;
  for (size_t i = 0; i < gateway->listen_count; i++) {
    const struct listen *listen = &gateway->listens[i];
    enum baton_kind kind = listen->managed ? BATON_MANAGED : BATON_LISTEN;
    if (!give_list(socket, kind, gateway->fixed->server.listen[i],
                   listen->known, listen->count))
      return false;
  }
  const char *const *admin = gateway->fixed->server.admin;
  for (size_t i = 0; admin[i] != NULL; i++)
    if (!baton_send(socket, BATON_ADMIN, admin[i],
                    &gateway->handover.admins[i], 1))
      return false;
  for (size_t i = 0; i < now->settings->backend_count; i++)
    if (!give_backend(socket, now->backends[i]))
      return false;
  return baton_send(socket, BATON_END, "", NULL, 0);
}

/* ---- it is ready, or gone ----------------------------------------------- */

static void say_main(pid_t pid) {
  char text[48];
  snprintf(text, sizeof text, "MAINPID=%ld", (long)pid);
  notify_say(text);
}

static void yield(struct gateway *gateway) {
  struct handover *handover = &gateway->handover;
  say_main(handover->peer); /* before the other one speaks for itself */
  if (!baton_send(handover->socket, BATON_YOURS, "", NULL, 0)) {
    say_main(getpid());
    handover_fail(gateway, "it went when it was ready");
    return;
  }
  log_line(SLUICE_LOG_INFO, NULL,
           "process %ld has taken over; requests may finish here",
           (long)handover->peer);
  if (gateway->reload.again)
    log_line(SLUICE_LOG_WARN, NULL,
             "process %ld may have read %s before it was changed: have it "
             "reload",
             (long)handover->peer, gateway->file);
  handover->done = true;
  handover_hang_up(handover);
  handover_tell(gateway, true,
                "the new process serves, and the old one ends when its "
                "requests have");
  gateway->stop(gateway);
}

static void on_heard(evutil_socket_t fd, short what, void *arg) {
  struct gateway *gateway = arg;
  struct baton baton;
  struct errmsg why;
  if ((what & EV_TIMEOUT) != 0) {
    handover_fail(gateway, "it wasn't ready in time");
  } else if (!baton_receive((int)fd, &baton, &why)) {
    handover_fail(gateway, why.text);
  } else {
    baton_close_fds(&baton); /* there are none */
    if (baton.kind == BATON_READY)
      yield(gateway);
    else
      handover_fail(gateway, "it says what has no meaning here");
  }
}

/* ---- somebody asks ------------------------------------------------------ */

static const char *refusal(const struct gateway *gateway,
                           const struct ucred *peer) {
  if (peer->uid != geteuid() && peer->uid != 0)
    return "it isn't of this gateway's user";
  if (gateway->stopping)
    return "the gateway stops, or another one has taken over already";
  if (gateway->served < gateway->worker_count)
    return "the gateway is still starting";
  if (gateway->reload.next != NULL)
    return "the gateway is reading a new configuration; try again";
  if (gateway->handover.heard != NULL)
    return "another process is taking over";
  return NULL;
}

void handover_begin(struct gateway *gateway, int socket) {
  static const struct timeval patience = {.tv_sec = HANDOVER_PATIENCE_S};
  struct handover *handover = &gateway->handover;
  struct ucred peer = {.uid = (uid_t)-1};
  socklen_t len = sizeof peer;
  getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &len);
  const char *why = refusal(gateway, &peer);
  if (why != NULL) {
    log_line(SLUICE_LOG_WARN, NULL, "process %ld can't take over: %s",
             (long)peer.pid, why);
    baton_send(socket, BATON_REFUSED, why, NULL, 0);
    close(socket);
    return;
  }
  handover->peer = peer.pid;
  handover->socket = socket;
  handover->heard = event_new(loop_base(gateway->loop), socket,
                              EV_READ | EV_PERSIST, on_heard, gateway);
  if (handover->heard == NULL) {
    baton_send(socket, BATON_REFUSED, "out of memory", NULL, 0);
    close(socket);
    return;
  }
  event_add(handover->heard, &patience);
  log_line(SLUICE_LOG_INFO, NULL, "process %ld wants to take over",
           (long)peer.pid);
  if (!give(gateway, socket))
    handover_fail(gateway, "it couldn't be told what there is");
}

/* ---- a process for it --------------------------------------------------- */

static const char no_starter[] =
    "this process has confined itself, and who would start another one has "
    "ended, or couldn't be started; restart the gateway";

static void child_ended(struct gateway *gateway) {
  struct handover *handover = &gateway->handover;
  handover->child = 0;
  if (handover->heard == NULL) /* else its end is heard of there */
    handover_tell(gateway, false,
                  "the new process has ended; its lines in the log say "
                  "why");
  reload_go_on(gateway);
}

static void on_child(evutil_socket_t number, short what, void *arg) {
  struct gateway *gateway = arg;
  struct handover *handover = &gateway->handover;
  (void)number, (void)what;
  if (handover->child == 0 ||
      waitpid(handover->child, NULL, WNOHANG) != handover->child)
    return;
  event_del(handover->children);
  child_ended(gateway);
}

/* Where it was started by somebody else, they tell. */
static void on_starter(evutil_socket_t fd, short what, void *arg) {
  struct gateway *gateway = arg;
  struct handover *handover = &gateway->handover;
  enum starter_news news = starter_news(&gateway->starter, handover->child);
  (void)fd, (void)what;
  if (news == STARTER_GONE) {
    event_free(handover->children);
    handover->children = NULL;
    starter_end(&gateway->starter);
    log_line(SLUICE_LOG_WARN, NULL,
             "the process that starts the program anew has ended: for an "
             "upgrade, restart the gateway");
  }
  if (news != STARTER_NOTHING && handover->child != 0)
    child_ended(gateway);
}

static bool watch_children(struct gateway *gateway) {
  struct handover *handover = &gateway->handover;
  struct event_base *base = loop_base(gateway->loop);
  int starter = gateway->starter.socket;
  if (handover->children == NULL)
    handover->children = starter < 0
                             ? evsignal_new(base, SIGCHLD, on_child, gateway)
                             : event_new(base, starter, EV_READ | EV_PERSIST,
                                         on_starter, gateway);
  return handover->children != NULL &&
         event_add(handover->children, NULL) == 0;
}

/* NULL: one can be started. */
static const char *no_start(struct gateway *gateway) {
  const struct handover *handover = &gateway->handover;
  if (gateway->program == NULL || gateway->stopping || handover->child != 0 ||
      handover->heard != NULL)
    return "the gateway stops, or is being taken over already";
  if (gateway->starter.socket < 0 && confine_holds(&gateway->confine))
    return no_starter;
  return watch_children(gateway) ? NULL : "out of memory";
}

void handover_start(struct gateway *gateway, struct handover_waiter *waiter) {
  struct handover *handover = &gateway->handover;
  char text[128];
  const char *why = no_start(gateway);
  if (why != NULL) {
    waiter->told(waiter->arg, false, why);
    return;
  }
  int error =
      gateway->starter.socket >= 0
          ? starter_ask(&gateway->starter, &handover->child)
          : starter_spawn(gateway->program, gateway->file, &handover->child);
  if (error != 0) {
    handover->child = 0;
    snprintf(text, sizeof text, "%.64s can't be started: %s", gateway->program,
             strerror(error));
    waiter->told(waiter->arg, false, error == EPIPE ? no_starter : text);
    return;
  }
  log_line(SLUICE_LOG_INFO, NULL, "%s was started anew as process %ld",
           gateway->program, (long)handover->child);
  handover->waiter = waiter;
}

void handover_leave(struct gateway *gateway, struct handover_waiter *waiter) {
  if (gateway->handover.waiter == waiter)
    gateway->handover.waiter = NULL;
}

void handover_end(struct gateway *gateway, const char *why) {
  struct handover *handover = &gateway->handover;
  if (handover->heard != NULL)
    handover_fail(gateway, why);
  handover_tell(gateway, false, why);
  if (handover->children != NULL)
    event_free(handover->children);
  handover->children = NULL;
}
