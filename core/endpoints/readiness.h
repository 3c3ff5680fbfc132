/* SPDX-License-Identifier: MIT
 *
 * Whether the backends answer, as one loop knows it: asked once for all
 * requests that want to know, and at most once a second.
 */
#ifndef ENDPOINTS_READINESS_H
#define ENDPOINTS_READINESS_H

#include <jansson.h>
#include <stdbool.h>

struct gate;
struct readiness;

#define READINESS_KEPT_MS 1000  /* an answer is good for so long */
#define READINESS_PROBE_MS 2000 /* a backend has so long to answer */

/* Of the gate's loop and backends, which outlive it.  NULL: no memory. */
struct readiness *readiness_new(struct gate *);
void readiness_free(struct readiness *); /* nobody waits any more */

struct readiness_waiter {
  struct readiness_waiter *next;
  void (*told)(void *arg);
  void *arg;
};

/* True: what is known is young enough.  False: the waiter, which is zeroed but
 * for told and arg, is called when it is; not from inside this call. */
bool readiness_ask(struct readiness *, struct readiness_waiter *);
void readiness_leave(struct readiness *, struct readiness_waiter *);

/* Do as many answer as server.ready wants? */
bool readiness_is_ready(const struct readiness *);
/* {"main": "ready", "archive": "full"} */
json_t *readiness_json(const struct readiness *);
/* For operators: {"ready": true, "backends": [{"name": "main", "needed": true,
 * "state": "full", "why": "..."}]}; NULL in place of a text: it is ready. */
json_t *readiness_report(const struct readiness *);

#endif
