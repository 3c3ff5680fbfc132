/* SPDX-License-Identifier: MIT
 *
 * The states of a connection and those of its request's body, and which
 * follows which: two tables, without any code, so that they can be read, drawn
 * and walked through (docs/ingress.md).
 */
#ifndef HTTP1_INGRESS_TABLE_H
#define HTTP1_INGRESS_TABLE_H

#include <stdbool.h>

/* It may be closed in each of them. */
enum ingress_state {
  INGRESS_HEAD,       /* waits for a head, or its rest: the head's time runs */
  INGRESS_IDLE,       /* was answered, and nothing has come since */
  INGRESS_WHOLE,      /* its head is here, or refused; nobody has it yet */
  INGRESS_BUSY,       /* its request has an owner, and no answer */
  INGRESS_ANSWERING,  /* the answer is on its way */
  INGRESS_SKIPPING,   /* was answered; the body's rest is passed over */
  INGRESS_LINGERING,  /* closed for writing; what comes is dropped for a while
                       */
  INGRESS_DISCARDING, /* about to be closed; what comes is dropped */
  INGRESS_STATES
};

/* A head sets the first one: EXPECTED, UNREAD, ENDED or REFUSED. */
enum ingress_body_state {
  INGRESS_BODY_EXPECTED, /* its client waits for 100 Continue */
  INGRESS_BODY_UNREAD, /* its owner hasn't asked for it, or is done with it */
  INGRESS_BODY_AHEAD,  /* read ahead of its owner, who has work */
  INGRESS_BODY_WANTED, /* its owner waits for more than is there */
  INGRESS_BODY_FULL,   /* the window is full: the client is held back */
  INGRESS_BODY_ENDED,
  INGRESS_BODY_BAD,     /* its chunks are malformed */
  INGRESS_BODY_REFUSED, /* its head was: nothing that follows is read */
  INGRESS_BODY_STATES
};

bool ingress_may_become(enum ingress_state from, enum ingress_state to);
bool ingress_body_may_become(enum ingress_body_state from,
                             enum ingress_body_state to);

/* Is it read for its owner? */
static inline bool ingress_body_is_read(enum ingress_body_state state) {
  return state >= INGRESS_BODY_AHEAD && state <= INGRESS_BODY_FULL;
}

#endif
