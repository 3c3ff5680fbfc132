/* SPDX-License-Identifier: MIT
 *
 * One attempt at an event's delivery: a POST, and what its answer means.
 */
#ifndef EVENTS_DELIVERY_H
#define EVENTS_DELIVERY_H

#include <sluice/plugin.h>

#include "events.h"
#include "httpc.h"

#define DELIVERY_BODY_MAX 65536 /* of an answer, which is ignored */

enum delivery_state {
  DELIVERY_FREE,
  DELIVERY_CALLING,
  DELIVERY_ENDED,   /* the result isn't noted */
  DELIVERY_SETTLING /* it is being noted */
};

struct delivery {
  enum delivery_state state;
  struct events *events;
  struct sluice_host *host;
  void (*ended)(void *arg);
  void *arg;
  struct queue_event event; /* owned but in DELIVERY_FREE */
  struct queue_result result;
  struct httpc_call *call;
  size_t given, got; /* bytes of the bodies */
  int status;        /* 0: no head came */
  int64_t after_ms;  /* of a Retry-After */
};

/* Takes the event.  ended() comes from a later event of the loop, or, where
 * there is no memory, at once. */
void delivery_start(struct delivery *, struct httpc *, struct queue_event *);
void delivery_clear(struct delivery *); /* to DELIVERY_FREE, from any state */

#endif
