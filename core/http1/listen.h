/* SPDX-License-Identifier: MIT
 *
 * The sockets that the gateway listens on.
 */
#ifndef HTTP1_LISTEN_H
#define HTTP1_LISTEN_H

#include "errmsg.h"

#define LISTEN_URL_MAX 160
#define LISTEN_BACKLOG 1024

/* One entry of server.listen, bound once for each loop. */
struct listen {
  int *fds; /* -1 after a loop has taken it */
  size_t count;
  char url[LISTEN_URL_MAX]; /* as it is reached: with the real port */
  bool is_unix;
};

struct listen_settings {
  const char *key; /* in the configuration, for messages */
  size_t loops;
  bool tls;
  int mode; /* of a UNIX socket; -1: as the umask leaves it */
};

/* The sockets listen; who connects before a loop accepts waits.  `entry` is
 * "host:port", "[v6]:port" or "unix:/path".  A port that another process
 * listens on is refused, even where SO_REUSEPORT would share it. */
bool listen_bind(struct listen *, const char *entry,
                 const struct listen_settings *, struct errmsg *);
/* Does the entry name an address?  Nothing is bound. */
bool listen_check(const char *key, const char *entry, struct errmsg *);
void listen_close(struct listen *); /* what wasn't taken; removes the path */

#endif
