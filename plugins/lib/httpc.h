/* SPDX-License-Identifier: MIT
 *
 * An HTTP client on a plugin's own loop: libcurl's multi interface, with
 * back-pressure both ways, connections that are kept, and limits.
 *
 * Bodies can't be asked for twice: where a kept connection turns out to be
 * dead, curl sends again only what has no body yet and may be sent twice (GET,
 * HEAD, DELETE, or a body of which nothing was read).  Everything else ends in
 * HTTPC_BROKEN, and whoever called decides.
 */
#ifndef LIB_HTTPC_H
#define LIB_HTTPC_H

#include <sluice/plugin.h>

#define HTTPC_HEAD_MAX 65536 /* bytes of an answer's head */
#define HTTPC_HEADERS_MAX 128
#define HTTPC_URL_MAX 2048 /* of a configured one */
/* Bytes of memory that curl takes for one transfer: a GET, whose body it keeps
 * twice while that is stopped, one with a body, and any other. */
#define HTTPC_COST_DOWN (136 * 1024)
#define HTTPC_COST_UP (152 * 1024)
#define HTTPC_COST_SMALL (24 * 1024)
#define HTTPC_READ_FAILED SIZE_MAX /* of read(): ends it as HTTPC_LOCAL */

struct httpc;      /* of a loop */
struct httpc_call; /* one request and its answer */

struct httpc_settings {
  struct sluice_host *host; /* of whose memory transfers take theirs; NULL:
                               they are few */
  int64_t connect_timeout_ms;
  int64_t idle_timeout_ms;  /* no byte either way, while not paused; waiting
                               for a connection counts; 0: none */
  int64_t total_timeout_ms; /* 0: none */
  uint32_t connections;     /* open at once; calls above that wait */
  const char *proxy;        /* "": none, not even the environment's */
  const char *ca_file;      /* "": the system's */
  bool verify;              /* the server's certificate */
};

struct httpc_request { /* all copied */
  const char *method;  /* GET HEAD PUT POST DELETE */
  const char *url;     /* complete; sent as it is: no dots are squashed */
  const char *const *headers; /* "Name: value", NULL at the end; no Expect and
                                 no other header is added but Host, where it
                                 isn't given, and Content-Length */
  int64_t length;             /* of the body; -1: none */
  bool new_connection;        /* don't reuse one */
};

enum httpc_result {
  HTTPC_OK,      /* an answer came, whole: any status */
  HTTPC_CONNECT, /* no connection, none in time, or TLS refused: nothing was
                    sent */
  HTTPC_BROKEN,  /* reset, cut, or no HTTP */
  HTTPC_TIMEOUT,
  HTTPC_LOCAL,    /* our own fault: memory, descriptors */
  HTTPC_NO_MEMORY /* limits.memory is used up: nothing was sent */
};

struct httpc_events {
  /* Up to `room` bytes of the body into `to`; 0: not yet, until
   * httpc_continue().  Asked until `length` were given.  NULL without body. */
  size_t (*read)(void *arg, void *to, size_t room);
  /* The head of the final answer is there: httpc_status(), httpc_header().
   * May be NULL. */
  void (*head)(void *arg);
  /* A piece of the body; false: not yet, it comes again after
   * httpc_continue(). */
  bool (*data)(void *arg, const char *data, size_t len);
  /* The last event: the call is gone after it.  `why` is for the log. */
  void (*done)(void *arg, enum httpc_result, const char *why);
};

/* Once in the process, on the main thread, before any loop runs: what a
 * plugin's start() does.  More than once is fine.  The process has to ignore
 * SIGPIPE. */
void httpc_init(void);

/* NULL: out of memory or descriptors. */
struct httpc *httpc_new(struct event_base *, const struct httpc_settings *);
/* No call is left; not from inside an event. */
void httpc_free(struct httpc *);

/* No event comes before it returns.  NULL: out of memory. */
struct httpc_call *httpc_start(struct httpc *, const struct httpc_request *,
                               const struct httpc_events *, void *arg);
/* Goes on after a read() or data() that said "not yet".  From any event of the
 * loop, also from inside one of the call's own. */
void httpc_continue(struct httpc_call *);
/* Ends it: no event follows.  Not from inside one of its own events but
 * head(), data() and read(), where it takes effect after they return. */
void httpc_cancel(struct httpc_call *);

int httpc_status(const struct httpc_call *);
/* Of the final answer, without case; NULL: it isn't there. */
const char *httpc_header(const struct httpc_call *, const char *name);
/* The one with so many of that name before it: 0 is the first. */
const char *httpc_header_at(const struct httpc_call *, const char *name,
                            size_t before);
/* Each of them, in their order; false: there are fewer. */
bool httpc_header_each(const struct httpc_call *, size_t index,
                       const char **name, const char **value);

/* Why this can't be the URL of a service, or NULL: it isn't http or https,
 * has no host, has a user name or a fragment, has letters that no URL has, or
 * is longer than HTTPC_URL_MAX. */
const char *httpc_url_fault(const char *url);

#endif
