/* SPDX-License-Identifier: MIT
 *
 * An operation of the simulation's storage: each step of it is taken later.
 */
#ifndef TESTS_SIM_SIMSTORE_H
#define TESTS_SIM_SIMSTORE_H

#include <event2/event.h>
#include <sluice/plugin.h>
#include <sys/queue.h>

#include "shelf.h"

struct handle;

enum wish { WISH_PUT, WISH_REMOVE, WISH_COPY };

struct call {
  struct sluice_op *op;
  struct handle *handle;
  struct event *timer;
  void (*act)(struct call *);
  enum wish wish;
  bool waits, canceled, done_it;
  struct shelf_object *object; /* that is read, or comes in */
  char *piece;                 /* that is lent to the gateway */
  size_t piece_len;
  struct sluice_chunk lent; /* by the gateway */
  uint64_t at, end;
  char key[SHELF_KEY_MAX + 1], to[SHELF_KEY_MAX + 1], match[64];
  bool exclusive, matches;
  enum sluice_before before;
  enum sluice_status status;
  struct shelf_page page;
};

struct late { /* what is done after its caller was told that it failed */
  TAILQ_ENTRY(late) link;
  struct handle *handle;
  struct event *timer;
  struct call call;
};

TAILQ_HEAD(lates, late);

struct handle {
  struct sluice_host *host;
  struct lates lates;
};

extern struct shelf simstore_shelf; /* outlives the gateway, as storages do */

struct call *simstore_call(struct sluice_op *);
struct call *simstore_begin(void *handle, struct sluice_op *, const char *key);
/* A step, by a timer or a thread of the pool. */
void simstore_later(struct call *, void (*act)(struct call *));
void simstore_finish(struct call *);
/* True: it ends here, and nothing was done. */
bool simstore_refuses(struct call *);
struct timeval simstore_time(uint64_t us);
/* All of `to` that fits. */
void simstore_copy(char *to, size_t room, const char *text);

/* ---- changes: simstore_change.c ----------------------------------------- */

void simstore_put(void *, struct sluice_op *, const struct sluice_put *);
void simstore_data(void *, struct sluice_op *, const struct sluice_chunk *);
void simstore_commit(void *, struct sluice_op *, const struct sluice_object *);
void simstore_remove(void *, struct sluice_op *, const char *key);
void simstore_remove_if(void *, struct sluice_op *,
                        const struct sluice_removal *);
void simstore_copy_object(void *, struct sluice_op *,
                          const struct sluice_copy *);
/* All that is still to come is done now. */
void simstore_end_lates(struct handle *);

#endif
