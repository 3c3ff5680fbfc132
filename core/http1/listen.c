/* SPDX-License-Identifier: MIT
 *
 * Binding: each loop has a socket of its own, between which the kernel
 * spreads connections; of a UNIX socket, and of one that was inherited, they
 * have copies.
 */
#include "listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct address {
  struct sockaddr_storage storage;
  socklen_t len;
};

/* The mode of the socket is its file's, less the umask, from the moment that
 * there is one: so there is none in which more may come in. */
static int open_socket(const struct address *address, bool share, int mode) {
  int on = 1;
  int family = address->storage.ss_family;
  int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0)
    return -1;
  if (family != AF_UNIX)
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (family == AF_UNIX && mode >= 0)
    fchmod(fd, (mode_t)mode);
  if (share)
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (family == AF_INET6)
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  /* Listening at once, as a socket that is only bound keeps nobody out. */
  if (bind(fd, (const struct sockaddr *)&address->storage, address->len) ==
          0 &&
      listen(fd, LISTEN_BACKLOG) == 0)
    return fd;
  int error = errno;
  close(fd);
  errno = error;
  return -1;
}

static bool bind_fault(struct errmsg *errmsg, const char *key,
                       const char *entry) {
  int error = errno;
  if (error == EADDRINUSE)
    return errmsg_set(
        errmsg,
        "cannot listen on %s: it is taken; stop what uses it, or "
        "change %s",
        entry, key);
  if (error == EACCES)
    return errmsg_set(errmsg,
                      "cannot listen on %s: not permitted; choose a port "
                      "above 1023 in %s, or grant CAP_NET_BIND_SERVICE",
                      entry, key);
  if (error == EADDRNOTAVAIL)
    return errmsg_set(errmsg,
                      "cannot listen on %s: this machine has no such "
                      "address; change %s",
                      entry, key);
  return errmsg_set(errmsg, "cannot listen on %s: %s; change %s", entry,
                    strerror(error), key);
}

/* "host:port" or "[v6]:port", in one piece each. */
static bool split(const char *entry, char host[256], char port[8]) {
  const char *colon = strrchr(entry, ':');
  if (colon == NULL || strlen(colon + 1) >= 8)
    return false;
  const char *from = entry;
  size_t len = (size_t)(colon - entry);
  if (len >= 2 && entry[0] == '[' && colon[-1] == ']') {
    from++;
    len -= 2;
  }
  if (len >= 256)
    return false;
  memcpy(host, from, len);
  host[len] = '\0';
  memcpy(port, colon + 1, strlen(colon + 1) + 1); /* 8, as checked */
  return true;
}

static bool resolve(struct address *address, const char *key,
                    const char *entry, struct errmsg *errmsg) {
  char host[256], port[8];
  struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
                           .ai_socktype = SOCK_STREAM};
  struct addrinfo *found;
  if (!split(entry, host, port))
    return errmsg_set(errmsg, "%s: '%s' isn't host:port", key, entry);
  int error = getaddrinfo(host[0] ? host : NULL, port, &hints, &found);
  if (error != 0)
    return errmsg_set(errmsg, "cannot listen on %s: %s; change %s", entry,
                      gai_strerror(error), key);
  memcpy(&address->storage, found->ai_addr, found->ai_addrlen);
  address->len = found->ai_addrlen;
  freeaddrinfo(found);
  return true;
}

/* The port that port 0 became, for the other loops and the log. */
static void learn_port(struct address *address, int fd) {
  address->len = sizeof address->storage;
  getsockname(fd, (struct sockaddr *)&address->storage, &address->len);
}

static void tell_url(struct listen *listen, const struct address *address,
                     bool tls) {
  char host[64] = "", port[8] = "";
  getnameinfo((const struct sockaddr *)&address->storage, address->len, host,
              sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
  bool v6 = address->storage.ss_family == AF_INET6;
  snprintf(listen->url, sizeof listen->url, v6 ? "%s://[%s]:%s" : "%s://%s:%s",
           tls ? "https" : "http", host, port);
}

/* ---- inherited ---------------------------------------------------------- */

static bool copy_sockets(struct listen *listen, size_t from) {
  for (size_t i = from; i < listen->count; i++) {
    listen->fds[i] = fcntl(listen->fds[i % from], F_DUPFD_CLOEXEC, 0);
    if (listen->fds[i] < 0)
      return false;
  }
  return true;
}

/* The sockets of the entry that are there already, all of them: a queue that
 * nobody has open is lost.  0: none is. */
static size_t adopt(struct listen *listen, const char *entry,
                    const struct address *address,
                    const struct listen_settings *settings) {
  enum inherit_from from = INHERIT_FROM_GATEWAY;
  if (settings->inherits == NULL)
    return 0;
  size_t found = inherits_find(settings->inherits, settings->key, entry,
                               (const struct sockaddr *)&address->storage,
                               listen->fds, LISTEN_FDS_MAX, &from);
  if (found > listen->count)
    listen->count = found;
  listen->keeps_path = found > 0;
  listen->managed = found > 0 && from == INHERIT_FROM_MANAGER;
  listen->borrowed = found > 0 && from == INHERIT_FROM_GATEWAY;
  return found;
}

/* ---- bound -------------------------------------------------------------- */

static bool bind_tcp(struct listen *listen, const char *entry,
                     const struct listen_settings *settings,
                     struct errmsg *errmsg) {
  struct address address = {0};
  if (!resolve(&address, settings->key, entry, errmsg))
    return false;
  size_t found = adopt(listen, entry, &address, settings);
  if (found > 0) {
    learn_port(&address, listen->fds[0]);
    tell_url(listen, &address, settings->tls);
    return copy_sockets(listen, found) ||
           bind_fault(errmsg, settings->key, entry);
  }
  /* Sockets that share a port would let a second gateway in unnoticed. */
  int probe = open_socket(&address, false, -1);
  if (probe < 0)
    return bind_fault(errmsg, settings->key, entry);
  close(probe);
  for (size_t i = 0; i < listen->count; i++) {
    listen->fds[i] = open_socket(&address, true, -1);
    if (listen->fds[i] < 0)
      return bind_fault(errmsg, settings->key, entry);
    learn_port(&address, listen->fds[i]);
  }
  tell_url(listen, &address, settings->tls);
  return true;
}

/* A socket that nobody listens on is what a killed gateway left; any other
 * file is somebody's. */
static bool remove_stale(const struct address *address, const char *path) {
  struct stat file;
  if (lstat(path, &file) < 0 || !S_ISSOCK(file.st_mode))
    return false;
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  bool stale = fd >= 0 &&
               connect(fd, (const struct sockaddr *)&address->storage,
                       address->len) < 0 &&
               errno == ECONNREFUSED;
  if (fd >= 0)
    close(fd);
  return stale && unlink(path) == 0;
}

static bool bind_unix(struct listen *listen, const char *entry,
                      const struct listen_settings *settings,
                      struct errmsg *errmsg) {
  struct address address = {.len = sizeof(struct sockaddr_un)};
  struct sockaddr_un *un = (struct sockaddr_un *)&address.storage;
  const char *path = entry + strlen("unix:");
  if (strlen(path) >= sizeof un->sun_path)
    return errmsg_set(errmsg, "%s: '%s' is longer than %zu bytes",
                      settings->key, path, sizeof un->sun_path - 1);
  un->sun_family = AF_UNIX;
  memcpy(un->sun_path, path, strlen(path) + 1); /* it fits, as checked */
  listen->is_unix = true;
  snprintf(listen->url, sizeof listen->url, "%s", entry);
  size_t found = adopt(listen, entry, &address, settings);
  if (found > 0)
    return copy_sockets(listen, found) ||
           bind_fault(errmsg, settings->key, entry);
  listen->keeps_path = true; /* until it is its own */
  int fd = open_socket(&address, false, settings->mode);
  if (fd < 0 && errno == EADDRINUSE && remove_stale(&address, path))
    fd = open_socket(&address, false, settings->mode);
  if (fd < 0)
    return bind_fault(errmsg, settings->key, entry);
  listen->keeps_path = false;
  listen->fds[0] = fd;
  if (settings->mode >= 0 && chmod(path, (mode_t)settings->mode) < 0)
    return errmsg_set(
        errmsg,
        "server.socket_mode: the settings->mode of %s can't be set: %s; "
        "leave it out",
        path, strerror(errno));
  return copy_sockets(listen, 1) || bind_fault(errmsg, settings->key, entry);
}

bool listen_check(const char *key, const char *entry, struct errmsg *errmsg) {
  struct address address;
  return strncmp(entry, "unix:", strlen("unix:")) == 0 ||
         resolve(&address, key, entry, errmsg);
}

bool listen_bind(struct listen *listen, const char *entry,
                 const struct listen_settings *settings,
                 struct errmsg *errmsg) {
  size_t loops = settings->loops;
  size_t room = loops > LISTEN_FDS_MAX ? loops : LISTEN_FDS_MAX;
  *listen = (struct listen){.fds = malloc(room * sizeof(int)),
                            .known = malloc(room * sizeof(int)),
                            .count = loops};
  if (listen->fds == NULL || listen->known == NULL) {
    listen_close(listen);
    return errmsg_set(errmsg, "out of memory");
  }
  for (size_t i = 0; i < room; i++)
    listen->fds[i] = -1;
  bool ok = strncmp(entry, "unix:", 5) == 0
                ? bind_unix(listen, entry, settings, errmsg)
                : bind_tcp(listen, entry, settings, errmsg);
  memcpy(listen->known, listen->fds, room * sizeof(int));
  if (!ok)
    listen_close(listen);
  return ok;
}

void listen_own(struct listen *listen) {
  if (listen->borrowed)
    listen->borrowed = listen->keeps_path = false;
}

void listen_lend(struct listen *listen) {
  listen->keeps_path = true;
}

void listen_close(struct listen *listen) {
  for (size_t i = 0; listen->fds != NULL && i < listen->count; i++)
    if (listen->fds[i] >= 0)
      close(listen->fds[i]);
  if (listen->is_unix && !listen->keeps_path)
    unlink(listen->url + strlen("unix:"));
  free(listen->fds);
  free(listen->known);
  *listen = (struct listen){0};
}
