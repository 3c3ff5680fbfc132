/* SPDX-License-Identifier: MIT
 *
 * A generation on one loop: the gate of its requests, the handles of its
 * plugins, and what is done for its storages without a request.  Requests
 * begin in the loop's newest seat, and one that isn't that any more ends when
 * nothing of it goes on.  The loop's thread makes and ends it.
 */
#ifndef SERVER_SEAT_H
#define SERVER_SEAT_H

#include "gate.h"
#include "presence.h"

struct seat {
  TAILQ_ENTRY(seat) in_list; /* of its loop: the newest is the last */
  struct worker *worker;
  struct generation *generation;
  struct gate gate; /* for requests */
  struct presence **backends, **hooks;
  bool closed;
  struct timeval backend_timeout;
  struct sweeps *sweeps; /* NULL: another loop does it */
  struct loop_task gone; /* for the main thread */
};

TAILQ_HEAD(seats, seat);

/* Opens the handles that aren't open yet.  NULL: worker->failure. */
struct seat *seat_new(struct worker *, struct generation *);
/* It is the loop's newest: begins what goes on without requests. */
void seat_use(struct seat *);
/* It isn't any more. */
void seat_retire(struct seat *);
/* Nothing of it goes on, nor of what it alone has open. */
bool seat_is_idle(const struct seat *);
/* Its handles, and all that is the loop's; twice does nothing. */
void seat_close(struct seat *);
void seat_free(struct seat *); /* it was closed; any thread; NULL: nothing */

#endif
