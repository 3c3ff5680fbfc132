/* SPDX-License-Identifier: MIT
 *
 * Listening sockets that somebody else has opened: the service manager, as in
 * sd_listen_fds(3), or the gateway that this one takes over from.  Each is
 * used where an entry of the configuration names its address, with whoever
 * waits in its queue.
 */
#ifndef HTTP1_INHERIT_H
#define HTTP1_INHERIT_H

#include <stddef.h>
#include <sys/socket.h>

#include "errmsg.h"

#define INHERIT_ENTRY_MAX 256
#define INHERIT_MAX 4096 /* sockets */

enum inherit_from {
  INHERIT_FROM_GATEWAY, /* which named the entry that it is of */
  INHERIT_FROM_MANAGER  /* whose paths stay when the gateway ends */
};

struct inherit {
  int fd; /* -1: somebody has taken it */
  enum inherit_from from;
  const char *key;               /* in the configuration; "": any */
  char entry[INHERIT_ENTRY_MAX]; /* there; "": only its address is known */
};

struct inherits {
  struct inherit *list;
  size_t count;
};

/* The descriptor is taken, also on failure: false, no memory or too many. */
bool inherits_add(struct inherits *, int fd, enum inherit_from,
                  const char *key, const char *entry);
/* Those of $LISTEN_FDS, where $LISTEN_PID is this process; both are unset, as
 * they are nobody else's.  False and why. */
bool inherits_take_environment(struct inherits *, struct errmsg *);

/* Is it a stream socket that listens? */
bool inherits_listens(int fd);
/* Gives those of the address to the caller: their number, at most `max`.  Port
 * 0 is that of sockets of the same entry below the same key. */
size_t inherits_find(struct inherits *, const char *key, const char *entry,
                     const struct sockaddr *, int *fds, size_t max,
                     enum inherit_from *);
/* The manager's that no entry names are a mistake: false and why. */
bool inherits_check(const struct inherits *, struct errmsg *);
/* Closes what nobody took; tell(), where it isn't NULL, hears of each, by its
 * address. */
void inherits_fini(struct inherits *, void (*tell)(const char *address));

#endif
