/* SPDX-License-Identifier: MIT
 *
 * A list of sockets, looked through by address.
 */
#include "inherit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#define FIRST_FD 3 /* of the manager's */
#define ADDRESS_MAX 160

union socket_address {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
  struct sockaddr_un un;
  struct sockaddr_storage storage;
};

/* ---- addresses ---------------------------------------------------------- */

static bool address_of(int fd, union socket_address *address) {
  socklen_t len = sizeof *address;
  memset(address, 0, sizeof *address);
  return getsockname(fd, &address->any, &len) == 0;
}

/* The other one's port 0 is any, where `any_port` says so. */
static bool is_same(const union socket_address *a,
                    const struct sockaddr *other, bool any_port) {
  const union socket_address *b = (const void *)other;
  if (a->any.sa_family != other->sa_family)
    return false;
  switch (other->sa_family) {
  case AF_INET:
    return (a->v4.sin_port == b->v4.sin_port ||
            (any_port && b->v4.sin_port == 0)) &&
           a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
  case AF_INET6:
    return (a->v6.sin6_port == b->v6.sin6_port ||
            (any_port && b->v6.sin6_port == 0)) &&
           a->v6.sin6_scope_id == b->v6.sin6_scope_id &&
           memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr,
                  sizeof a->v6.sin6_addr) == 0;
  case AF_UNIX:
    return a->un.sun_path[0] != '\0' &&
           strncmp(a->un.sun_path, b->un.sun_path, sizeof a->un.sun_path) == 0;
  default:
    return false;
  }
}

static void name_address(int fd, char out[ADDRESS_MAX]) {
  union socket_address address;
  char host[64] = "", port[8] = "";
  if (!address_of(fd, &address)) {
    snprintf(out, ADDRESS_MAX, "descriptor %d", fd);
  } else if (address.any.sa_family == AF_UNIX) {
    snprintf(out, ADDRESS_MAX, "unix:%.107s", address.un.sun_path);
  } else {
    bool v6 = address.any.sa_family == AF_INET6;
    getnameinfo(&address.any, sizeof address, host, sizeof host, port,
                sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(out, ADDRESS_MAX, v6 ? "[%s]:%s" : "%s:%s", host, port);
  }
}

/* ---- the list ----------------------------------------------------------- */

bool inherits_add(struct inherits *inherits, int fd, enum inherit_from from,
                  const char *key, const char *entry) {
  struct inherit *list =
      inherits->count < INHERIT_MAX
          ? realloc(inherits->list, (inherits->count + 1) * sizeof *list)
          : NULL;
  if (list == NULL) {
    close(fd);
    return false;
  }
  inherits->list = list;
  struct inherit *one = &list[inherits->count++];
  *one = (struct inherit){.fd = fd, .from = from, .key = key};
  snprintf(one->entry, sizeof one->entry, "%s", entry);
  return true;
}

bool inherits_listens(int fd) {
  int listening = 0, type = 0;
  socklen_t len = sizeof listening;
  return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
         type == SOCK_STREAM &&
         getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == 0 &&
         listening != 0;
}

static bool read_number(const char *name, long most, long *number) {
  const char *text = getenv(name);
  char *end;
  if (text == NULL || *text < '0' || *text > '9')
    return false;
  errno = 0;
  *number = strtol(text, &end, 10);
  return *end == '\0' && errno == 0 && *number <= most;
}

static bool take_fd(struct inherits *inherits, int fd, struct errmsg *errmsg) {
  if (!inherits_listens(fd))
    return errmsg_set(errmsg,
                      "LISTEN_FDS: descriptor %d isn't a stream socket that "
                      "listens; write ListenStream= and Accept=no in the "
                      "socket unit",
                      fd);
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  return inherits_add(inherits, fd, INHERIT_FROM_MANAGER, "", "") ||
         errmsg_set(errmsg, "out of memory");
}

bool inherits_take_environment(struct inherits *inherits,
                               struct errmsg *errmsg) {
  long pid, count;
  bool mine =
      read_number("LISTEN_PID", INT_MAX, &pid) && pid == (long)getpid();
  bool counted = read_number("LISTEN_FDS", INHERIT_MAX, &count);
  unsetenv("LISTEN_PID");
  unsetenv("LISTEN_FDS");
  unsetenv("LISTEN_FDNAMES");
  if (!mine)
    return true;
  if (!counted)
    return errmsg_set(errmsg,
                      "LISTEN_FDS isn't a number up to %d; start the gateway "
                      "by its socket unit, or without LISTEN_PID",
                      INHERIT_MAX);
  for (int fd = FIRST_FD; fd < FIRST_FD + (int)count; fd++)
    if (!take_fd(inherits, fd, errmsg))
      return false;
  return true;
}

size_t inherits_find(struct inherits *inherits, const char *key,
                     const char *entry, const struct sockaddr *address,
                     int *fds, size_t max, enum inherit_from *from) {
  size_t found = 0;
  for (size_t i = 0; i < inherits->count && found < max; i++) {
    struct inherit *one = &inherits->list[i];
    union socket_address its;
    bool named = strcmp(one->entry, entry) == 0 && strcmp(one->key, key) == 0;
    if (one->fd < 0 || !address_of(one->fd, &its) ||
        !is_same(&its, address, named))
      continue;
    *from = one->from;
    fds[found++] = one->fd;
    one->fd = -1;
  }
  return found;
}

bool inherits_check(const struct inherits *inherits, struct errmsg *errmsg) {
  char address[ADDRESS_MAX];
  for (size_t i = 0; i < inherits->count; i++) {
    const struct inherit *one = &inherits->list[i];
    if (one->fd < 0 || one->from != INHERIT_FROM_MANAGER)
      continue;
    name_address(one->fd, address);
    return errmsg_set(errmsg,
                      "the service manager gave a socket at %s, which "
                      "server.listen doesn't name; add it there, or take it "
                      "out of the socket unit",
                      address);
  }
  return true;
}

void inherits_fini(struct inherits *inherits,
                   void (*tell)(const char *address)) {
  char address[ADDRESS_MAX];
  for (size_t i = 0; i < inherits->count; i++) {
    int fd = inherits->list[i].fd;
    if (fd < 0)
      continue;
    name_address(fd, address);
    close(fd);
    if (tell != NULL)
      tell(address);
  }
  free(inherits->list);
  *inherits = (struct inherits){0};
}
