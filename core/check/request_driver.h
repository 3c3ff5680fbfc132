/* SPDX-License-Identifier: MIT
 *
 * Drives one request through the phases of the hook, as the gateway would.  A
 * verdict that is none, or no answer at all, fails the check.
 */
#ifndef CHECK_REQUEST_DRIVER_H
#define CHECK_REQUEST_DRIVER_H

#include <sluice/plugin.h>

#include "fields.h"
#include "fixture.h"

/* A request as a client sends it. */
struct client_request {
  const char *method, *target;
  const char *headers;   /* whole lines, each with CRLF, or NULL */
  const char *operation; /* NULL: of none, then no verdict is asked for */
  const char *key;       /* NULL: it has none yet when it is refused */
  const char *peer;      /* NULL: 192.0.2.1 */
  bool old;              /* HTTP/1.0, without a Host */
  bool refused;          /* the head couldn't be read */
  bool gone;             /* the client leaves while the hook waits */
};

struct request_driver {
  struct fixture *fixture;
  const struct client_request *sent;
  struct head head;
  struct sluice_request request;
  struct sluice_hook plugin; /* notes what the hook says */
  struct request_hook hook, *all[1];
  size_t chain[1];
  struct intent intent;
  struct buf answer;
  char what[160];
  bool over;                   /* the phase */
  bool admitted;               /* in the last phase that ran */
  bool waited;                 /* in some phase */
  enum sluice_verdict verdict; /* the last one */
  unsigned asked;
};

/* The whole life of one: asked, answered, logged.  It is on the heap, as a
 * hook may still know it when it waited for somebody; request_driver_free()
 * runs the loop until the hook has let it go. */
struct request_driver *request_driver_new(struct fixture *,
                                          const struct client_request *);
/* Begins with the first phase; `over` is set when that has its answer. */
void request_driver_begin(struct request_driver *);
/* The rest: key and change where it was admitted, answer and log. */
void request_driver_finish(struct request_driver *);
void request_driver_free(struct request_driver *);
/* All of it; true: it was admitted by every phase. */
bool request_driver_run(struct fixture *, const struct client_request *);

#endif
