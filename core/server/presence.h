/* SPDX-License-Identifier: MIT
 *
 * A backend or hook that is open on one loop: its handle, which the seats of
 * that loop share.  What has ended is used again for another one, and never
 * freed before the loop: a plugin that breaks the contract may still point to
 * operations and requests that lead here.
 */
#ifndef SERVER_PRESENCE_H
#define SERVER_PRESENCE_H

#include <sys/queue.h>

#include "op.h"
#include "request.h"

struct generation;
struct instance;
struct worker;

struct presence {
  LIST_ENTRY(presence) in_list;
  const struct instance *of; /* NULL: it has ended */
  size_t seats;
  bool is_open;
  struct op_layer *spare;    /* of an earlier one that was a layer */
  struct op_backend backend; /* one of these, by the plugin's kind */
  struct request_hook hook;
};

LIST_HEAD(presences, presence);

/* One more seat has it; NULL: no memory. */
struct presence *presence_take(struct worker *, const struct instance *);
/* Opens it where it isn't yet; false: `failure` of its host says why. */
bool presence_open_backend(struct presence *, const struct generation *,
                           size_t index, struct op_backend *const *backends);
bool presence_open_hook(struct presence *);
const struct sluice_host *presence_host(const struct presence *);
/* Nothing that it has begun goes on. */
bool presence_is_idle(const struct presence *);
/* One seat fewer; the last one closes it, which nothing goes on of. */
void presence_leave(struct presence *);
void presences_free(struct worker *); /* at the end of the loop */

#endif
