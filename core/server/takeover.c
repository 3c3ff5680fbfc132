/* SPDX-License-Identifier: MIT
 *
 * The new gateway's side.
 */
#include "takeover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "address.h"
#include "baton.h"
#include "gateway.h"
#include "log.h"
#include "must.h"
#include "notify.h"

/* ---- asked -------------------------------------------------------------- */

/* Whoever could put a socket there would else be handed the clients. */
static bool is_trusted(int socket, const char *admin, struct errmsg *errmsg) {
  struct ucred peer = {.uid = (uid_t)-1};
  socklen_t len = sizeof peer;
  return (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
          (peer.uid == geteuid() || peer.uid == 0)) ||
         errmsg_set(errmsg,
                    "who listens at %s isn't of this gateway's user; start "
                    "this one as the user of the one that runs",
                    admin);
}

/* Somebody listens at that path, which is no longer than one may be. */
static bool reach_socket(struct takeover *takeover, const char *path) {
  const struct timeval patience = {.tv_sec = TAKEOVER_PATIENCE_S};
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  must(strlen(path) < sizeof to.sun_path);
  memcpy(to.sun_path, path, strlen(path) + 1);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return false;
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (connect(fd, (const struct sockaddr *)&to, sizeof to) == 0) {
    takeover->socket = fd;
    return true;
  }
  int error = errno;
  close(fd);
  errno = error;
  return false;
}

/* The first socket that somebody listens at: others are new here. */
static bool dial(struct takeover *takeover, const char *const *admin,
                 struct errmsg *errmsg) {
  bool any = false;
  for (; *admin != NULL; admin++) {
    const char *path = address_unix_path(*admin);
    if (path == NULL)
      continue;
    if (reach_socket(takeover, path))
      return is_trusted(takeover->socket, *admin, errmsg);
    if (!any)
      errmsg_set(errmsg,
                 "no gateway to take over from is at %s: %s; start this one "
                 "without --takeover",
                 *admin, strerror(errno));
    any = true;
  }
  if (!any)
    errmsg_set(errmsg, "--takeover asks the gateway that runs, at "
                       "server.admin, which has to be a UNIX socket, or have "
                       "one in its list, as in unix:/run/sluice/admin");
  return false;
}

static bool take_sockets(struct gateway *gateway, struct baton *baton,
                         struct errmsg *errmsg) {
  enum inherit_from from = baton->kind == BATON_MANAGED ? INHERIT_FROM_MANAGER
                                                        : INHERIT_FROM_GATEWAY;
  const char *key =
      baton->kind == BATON_ADMIN ? "server.admin" : "server.listen";
  bool ok = true;
  for (size_t i = 0; i < baton->count; i++)
    if (!inherits_listens(baton->fds[i]))
      return errmsg_set(errmsg,
                        "what the gateway that runs gave for %s isn't a "
                        "socket that listens",
                        baton->text);
  for (size_t i = 0; i < baton->count; i++)
    ok = inherits_add(&gateway->inherits, baton->fds[i], from, key,
                      baton->text) &&
         ok;
  baton->count = 0;
  return ok || errmsg_set(errmsg, "out of memory");
}

static bool take_backend(struct takeover *takeover, struct baton *baton,
                         struct errmsg *errmsg) {
  struct takeover_backend *list = realloc(
      takeover->backends, (takeover->count + 1) * sizeof(*takeover->backends));
  char *name = strdup(baton->text);
  if (list != NULL)
    takeover->backends = list;
  if (list == NULL || name == NULL || baton->count > SLUICE_HANDOVER_FDS) {
    free(name);
    baton_close_fds(baton);
    return errmsg_set(errmsg, "out of memory");
  }
  struct takeover_backend *backend = &list[takeover->count++];
  *backend = (struct takeover_backend){.name = name};
  backend->handed.count = baton->count;
  memcpy(backend->handed.fds, baton->fds, baton->count * sizeof(int));
  baton->count = 0;
  return true;
}

static bool take(struct gateway *gateway, struct baton *baton,
                 struct errmsg *errmsg) {
  switch (baton->kind) {
  case BATON_LISTEN:
  case BATON_MANAGED:
  case BATON_ADMIN:
    return take_sockets(gateway, baton, errmsg);
  case BATON_BACKEND:
    return take_backend(&gateway->takeover, baton, errmsg);
  case BATON_REFUSED:
    return errmsg_set(errmsg, "the gateway that runs doesn't hand over: %s",
                      baton->text);
  case BATON_END:
    return true;
  case BATON_READY:
  case BATON_YOURS:
    break;
  }
  return errmsg_set(errmsg, "the gateway that runs says what has no meaning");
}

bool takeover_begin(struct gateway *gateway, struct errmsg *errmsg) {
  struct takeover *takeover = &gateway->takeover;
  struct baton baton = {.kind = BATON_BACKEND};
  if (!dial(takeover, gateway->fixed->server.admin, errmsg))
    return false;
  size_t len = strlen(BATON_REQUEST);
  if (send(takeover->socket, BATON_REQUEST, len, MSG_NOSIGNAL) != (ssize_t)len)
    return errmsg_set(errmsg, "the gateway that runs can't be asked: %s",
                      strerror(errno));
  while (baton.kind != BATON_END) {
    if (!baton_receive(takeover->socket, &baton, errmsg))
      return false;
    bool ok = take(gateway, &baton, errmsg);
    baton_close_fds(&baton);
    if (!ok)
      return false;
  }
  return true;
}

struct sluice_handed *takeover_handed(struct gateway *gateway,
                                      const char *name) {
  struct takeover *takeover = &gateway->takeover;
  for (size_t i = 0; i < takeover->count; i++)
    if (strcmp(takeover->backends[i].name, name) == 0)
      return &takeover->backends[i].handed;
  return NULL;
}

static void close_handed(struct sluice_handed *handed) {
  for (size_t i = 0; i < handed->count; i++)
    if (handed->fds[i] >= 0)
      close(handed->fds[i]);
}

/* Descriptors that nobody has taken would keep files of others open. */
void takeover_started(struct gateway *gateway) {
  struct takeover *takeover = &gateway->takeover;
  for (size_t i = 0; i < takeover->count; i++) {
    close_handed(&takeover->backends[i].handed);
    free(takeover->backends[i].name);
  }
  free(takeover->backends);
  takeover->backends = NULL;
  takeover->count = 0;
}

/* ---- served ------------------------------------------------------------- */

static void takeover_hang_up(struct takeover *takeover) {
  if (takeover->heard != NULL)
    event_free(takeover->heard);
  takeover->heard = NULL;
  if (takeover->socket >= 0)
    close(takeover->socket);
  takeover->socket = -1;
}

static void takeover_own(struct gateway *gateway, const char *how) {
  takeover_hang_up(&gateway->takeover);
  gateway->own(gateway);
  log_line(SLUICE_LOG_INFO, NULL, "%s", how);
  notify_say("READY=1");
  watchdog_say(&gateway->watchdog); /* the last one was the other one's */
}

/* An end without a word is the other one's death: this one is the gateway. */
static void on_word(evutil_socket_t fd, short what, void *arg) {
  struct gateway *gateway = arg;
  struct baton baton = {.kind = BATON_YOURS};
  struct errmsg why;
  (void)what;
  bool heard = baton_receive((int)fd, &baton, &why);
  if (!heard && baton.over) {
    takeover_own(gateway, "the gateway before has died; this one goes on");
    return;
  }
  baton_close_fds(&baton);
  if (heard && baton.kind == BATON_YOURS) {
    takeover_own(gateway, "took over from the gateway before");
    return;
  }
  log_line(SLUICE_LOG_ERROR, NULL,
           "the gateway that runs doesn't hand over: %s; this one ends",
           heard ? baton.text : why.text);
  takeover_hang_up(&gateway->takeover);
  gateway->failure = "it was not to take over";
  gateway->stop(gateway);
}

/* Where nobody listens any more, there may still be a word why. */
void takeover_ready(struct gateway *gateway) {
  struct takeover *takeover = &gateway->takeover;
  takeover->heard = event_new(loop_base(gateway->loop), takeover->socket,
                              EV_READ, on_word, gateway);
  baton_send(takeover->socket, BATON_READY, "", NULL, 0);
  if (takeover->heard == NULL || event_add(takeover->heard, NULL) < 0)
    on_word(takeover->socket, EV_READ, gateway);
}

void takeover_end(struct gateway *gateway) {
  struct takeover *takeover = &gateway->takeover;
  takeover_hang_up(takeover);
  inherits_fini(&gateway->inherits, NULL);
  takeover_started(gateway);
  *takeover = (struct takeover){.socket = -1};
}
