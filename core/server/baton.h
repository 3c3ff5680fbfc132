/* SPDX-License-Identifier: MIT
 *
 * Messages between two gateways of which one takes over from the other, with
 * descriptors: on a stream socket, each a record of one size.
 *
 *   new                              old
 *   POST /takeover, as HTTP   --->
 *                             <---   LISTEN, ADMIN, BACKEND ..., END
 *   it starts, and serves
 *   READY                     --->
 *                             <---   YOURS: it accepts no more
 *
 * REFUSED comes in place of anything that the old one says, and before it
 * hangs up while it goes on.  Until YOURS the end of the connection without it
 * means to each that the other is gone, and that it is the gateway.
 */
#ifndef SERVER_BATON_H
#define SERVER_BATON_H

#include <stddef.h>

#include "errmsg.h"

#define BATON_FDS_MAX 64 /* in one message; lists go in several */
#define BATON_TEXT_MAX 512
#define BATON_REQUEST "POST /takeover HTTP/1.1\r\nHost: sluice\r\n\r\n"

enum baton_kind {
  BATON_LISTEN = 1, /* text: the entry of server.listen */
  BATON_MANAGED,    /* so; the service manager opened them */
  BATON_ADMIN,      /* text: the entry of server.admin */
  BATON_BACKEND,    /* text: its name */
  BATON_END,
  BATON_REFUSED, /* text: why */
  BATON_READY,
  BATON_YOURS
};

struct baton {
  enum baton_kind kind;
  char text[BATON_TEXT_MAX];
  int fds[BATON_FDS_MAX];
  size_t count;
  bool over; /* nothing was received, as the connection has ended */
};

/* A short message; false: it couldn't go at once, or was cut. */
bool baton_send(int socket, enum baton_kind, const char *text, const int *fds,
                size_t count);
/* Waits as long as the socket does.  The descriptors are the caller's; false
 * and why, and there are none. */
bool baton_receive(int socket, struct baton *, struct errmsg *);
void baton_close_fds(struct baton *);

#endif
