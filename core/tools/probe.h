/* SPDX-License-Identifier: MIT
 *
 * A plain client for `sluice doctor`, one layer after the other, so that it is
 * known which one fails: a name, a connection, TLS, one request.  It blocks,
 * in a process that does nothing else, and each step has a time.
 */
#ifndef TOOLS_PROBE_H
#define TOOLS_PROBE_H

#include <netdb.h>
#include <openssl/ssl.h>

#include "errmsg.h"

#define PROBE_ANSWER_MAX (256u << 10) /* bytes of a head and a body */
#define PROBE_SECONDS 10

struct probe {
  char host[256], port[8];
  const char *target; /* of the URL, with its query; points into that */
  bool tls;
  struct addrinfo *found;
  char address[64]; /* that the connection has */
  int fd;
  SSL_CTX *context;
  SSL *ssl;
};

struct probe_answer {
  int status;
  char *text; /* head and body, which end in NUL */
  size_t len;
  const char *body;
  size_t body_len;
};

/* http://host[:port]/... or https://; false: it is none. */
bool probe_init(struct probe *, const char *url);
void probe_fini(struct probe *);
bool probe_resolve(struct probe *, struct errmsg *);
bool probe_connect(struct probe *, struct errmsg *);
/* `ca` is a file or "": the system's; `verify` as of the backend. */
bool probe_handshake(struct probe *, const char *ca, bool verify,
                     struct errmsg *);
/* One request without a body, after which the connection is over. */
bool probe_ask(struct probe *, const char *method, struct probe_answer *,
               struct errmsg *);
void probe_answer_fini(struct probe_answer *);
/* The value of a header is copied to `out`; false: it isn't there. */
bool probe_header(const struct probe_answer *, const char *name, char *out,
                  size_t size);

#endif
