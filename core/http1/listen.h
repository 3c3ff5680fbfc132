/* SPDX-License-Identifier: MIT
 *
 * The sockets that the gateway listens on.
 */
#ifndef HTTP1_LISTEN_H
#define HTTP1_LISTEN_H

#include "inherit.h"

#define LISTEN_URL_MAX 160
#define LISTEN_BACKLOG 1024

#define LISTEN_FDS_MAX 1024

/* One entry of server.listen: a socket for each loop, or more where another
 * gateway with more loops had them, as each has a queue of its own. */
struct listen {
  int *fds;   /* -1 after a loop has taken it */
  int *known; /* the same, also afterwards */
  size_t count;
  char url[LISTEN_URL_MAX]; /* as it is reached: with the real port */
  bool is_unix;
  bool keeps_path; /* of a UNIX socket: it is somebody else's */
  bool managed;    /* by the service manager */
  bool borrowed;   /* of a gateway that goes on if this one can't */
};

struct listen_settings {
  const char *key; /* in the configuration, for messages */
  size_t loops;
  bool tls;
  int mode;                  /* of a UNIX socket; -1: as the umask leaves it */
  struct inherits *inherits; /* are used before one is opened; NULL: none */
};

/* The sockets listen; who connects before a loop accepts waits.  `entry` is
 * "host:port", "[v6]:port" or "unix:/path".  A port that another process
 * listens on is refused, even where SO_REUSEPORT would share it. */
bool listen_bind(struct listen *, const char *entry,
                 const struct listen_settings *, struct errmsg *);
/* Does the entry name an address?  Nothing is bound. */
bool listen_check(const char *key, const char *entry, struct errmsg *);
/* The other gateway has let go: the path is this one's to remove. */
void listen_own(struct listen *);
/* Another gateway has copies, and goes on. */
void listen_lend(struct listen *);
void listen_close(struct listen *); /* what wasn't taken; removes the path */

#endif
