/* SPDX-License-Identifier: MIT
 *
 * The requests of one loop that began under one configuration share this: the
 * handles of backends and hooks, the limits, and those requests that outlive
 * their connection.  The server makes one for each loop and configuration;
 * nothing in it is shared between loops but `memory`, `clients`, `marks` and
 * `uploads`, and handles, `refusals` and `spent` between those of a loop.
 */
#ifndef GATE_GATE_H
#define GATE_GATE_H

#include <sys/queue.h>

#include "budget.h"
#include "clients.h"
#include "headerlines.h"
#include "metrics.h"
#include "op.h"
#include "quarantine.h"
#include "repeat.h"
#include "request.h"
#include "route.h"
#include "settings.h"

struct digest_key;
struct linksecrets;
struct linkuses;
struct marks;
struct readiness;
struct revocations;
struct uploads;

struct gate {
  const struct settings *settings;
  const struct route_table *routes;
  struct loop *loop;
  const bool *keyed; /* backends whose own options have a key for links */
  struct op_backend **backends;          /* as many as the settings' */
  struct digest_key *const *cursor_keys; /* of lists, and of uploads'
                                            addresses: one a backend */
  struct request_hook **hooks;           /* as many as the settings' */
  size_t *common_hooks; /* indices, for requests of no route */
  struct budget *memory;
  struct metrics *metrics;         /* of this loop */
  struct clients *clients;         /* what each of them has, on all loops */
  struct repeats *refusals;        /* lines of the log about clients */
  struct readiness *readiness;     /* of the backends */
  struct linksecrets *links;       /* the secrets of the gateway's own */
  struct linkuses *linkuses;       /* counts theirs */
  struct marks *const *marks;      /* their revocations: one a backend */
  struct revocations *revocations; /* reads those */
  struct uploads *uploads;         /* what uploads of all loops share */
  struct headerlines lines;        /* of answers */
  const struct timeval *backend_timeout;
  struct quarantine *spent;             /* exchanges: hooks point to them */
  struct exchange *pending;             /* ended; a hook has yet to resume */
  TAILQ_HEAD(gate_left, exchange) left; /* by their clients, amid a change */
  TAILQ_HEAD(gate_all, exchange) all;   /* in flight, in their order */
  size_t leaving;           /* uploads that are saved for clients that left */
  size_t exchanges;         /* requests in flight */
  struct loop_debt debt;    /* what is to be ended for nobody's request */
  bool draining;            /* takes no new requests */
  void (*ended)(void *arg); /* a request has */
  void *arg;
};

/* Somebody goes on after the request, or without one: the gate stays. */
static inline void gate_hold(struct gate *gate) {
  loop_owe(gate->loop, &gate->debt);
}

static inline void gate_release(struct gate *gate) {
  loop_pay(gate->loop, &gate->debt);
}

#endif
