/* SPDX-License-Identifier: MIT
 *
 * Asks a provider once: files are read on a thread of the pool, services are
 * asked over HTTP.  fetch.c drives it, a provider is a struct of what differs.
 */
#ifndef S3_CREDENTIALS_FETCH_H
#define S3_CREDENTIALS_FETCH_H

#include <event2/event.h>
#include <sluice/plugin.h>

#include "buf.h"
#include "credentials.h"

#define CREDENTIALS_WEB_TOKEN_MAX 20000 /* as STS has it */
#define CREDENTIALS_ANSWER_MAX 32768

struct credentials_result { /* lent during done() */
  struct credentials *got;  /* to take; NULL: none */
  bool again;               /* to ask again soon may help */
  const char *why;          /* without secrets */
};

struct credentials_fetch { /* owns what it has; the buffers hold secrets */
  const struct credentials_source *source;
  struct sluice_host *host;
  struct httpc *http;
  void (*done)(void *arg, const struct credentials_result *);
  void *arg;

  const struct credentials_provider *provider;
  struct event *begin;
  struct httpc_call *call;
  unsigned step; /* requests made before this one */
  bool working;  /* a thread reads: it comes back to us */
  bool over, readable;

  const char *method; /* of the request */
  struct buf url, headers, body;
  size_t sent;
  bool has_body;

  struct buf answer;
  struct buf token; /* read from a file, or of the metadata service */
  char role[65];    /* by the metadata service */
  struct credentials got;
  struct errmsg why;
  bool again;
};

enum credentials_step {
  CREDENTIALS_MORE, /* another request */
  CREDENTIALS_DONE, /* `got` is set */
  CREDENTIALS_FAILED
};

struct credentials_provider {
  /* Reads files; runs on a thread, and touches the fetch only.  NULL: there
   * are none. */
  bool (*read)(struct credentials_fetch *);
  /* Writes the request; NULL: there is none, `got` is set. */
  void (*ask)(struct credentials_fetch *);
  /* The answer, of any status, is in `answer`. */
  enum credentials_step (*hear)(struct credentials_fetch *);
  bool optional; /* at the start: where nobody listens, there is none */
};

extern const struct credentials_provider credentials_file, credentials_web,
    credentials_container, credentials_imds;

/* done() is called once, not from inside this.  NULL: no memory.  `http` is
 * the source's own: credentials_http(). */
struct credentials_fetch *credentials_fetch_start(
    const struct credentials_source *, struct sluice_host *,
    struct event_base *, struct httpc *http,
    void (*done)(void *arg, const struct credentials_result *), void *arg);
void credentials_fetch_cancel(struct credentials_fetch *); /* no done() */
struct httpc *credentials_http(const struct credentials_source *,
                               struct event_base *);

/* ---- for the providers -------------------------------------------------- */

void credentials_header(struct credentials_fetch *, const char *name,
                        const char *value);
/* Up to the buffer's limit, without white space around it; no control
 * characters. */
bool credentials_read(struct buf *, const char *file, struct errmsg *);
/* The JSON of container and metadata service. */
enum credentials_step credentials_json(struct credentials_fetch *);
/* "2026-06-14T12:34:56Z"; it must be to come. */
bool credentials_expire(struct credentials_fetch *, const char *when);
/* The answer's status isn't 2xx; `code` is the service's word, or "". */
enum credentials_step credentials_refused(struct credentials_fetch *,
                                          const char *code);

#endif
