/* SPDX-License-Identifier: MIT
 *
 * A client of a simulation: one request at a time, by a connection that it may
 * keep, with bytes that come in pieces, silences and early ends.  What becomes
 * of a request is told as it can be known by who sent it.
 */
#ifndef TESTS_SIM_CLIENT_H
#define TESTS_SIM_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

#define CLIENT_SOCKET "/proc/self/cwd/s" /* the same name in each run */

struct client {
  char name[16];
  int fd; /* -1: none */
  struct buf got;
};

struct request {
  const char *method;
  char target[512], fields[1024]; /* lines that end in CRLF */
  const char *body;               /* NULL: none */
  size_t len;
  bool chunked;
};

struct answer {
  int status;       /* 0: no whole answer came */
  bool sent;        /* all of the request went out */
  const char *head; /* in the client's memory, until the next request */
  const char *body;
  size_t len;
};

void client_init(struct client *, const char *name);
void client_fini(struct client *);
void client_hang_up(struct client *);
void client_ask(struct client *, const struct request *, struct answer *);
/* The value of a field up to the line's end; its length, 0: it isn't there. */
size_t client_field(const struct answer *, const char *name,
                    const char **value);

#endif
