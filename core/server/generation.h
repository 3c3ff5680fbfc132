/* SPDX-License-Identifier: MIT
 *
 * One configuration, and what was made of it: plugins, routes, keys.  Requests
 * end under the one that they began with, so that there are several for a
 * while; a new one shares the plugins that it leaves as they are (decision
 * 0048).  Loops only read it.  All calls are the main thread's.
 */
#ifndef SERVER_GENERATION_H
#define SERVER_GENERATION_H

#include <sys/queue.h>

#include "certificate.h"
#include "digest.h"
#include "instance.h"
#include "route.h"

/* With so many whose requests haven't ended there is no new one. */
#define GENERATIONS_MAX 128

struct generation {
  LIST_ENTRY(generation) in_list;
  uint64_t number; /* from 1 */
  struct settings *settings;
  struct route_table routes;
  struct instance **backends, **hooks; /* as many as the settings' */
  size_t *order, ordered; /* of the backends: each after those below it */
  struct digest_key **cursor_keys; /* as many as backends */
  bool *lonely_cursors;            /* no other gateway takes them; so many */
  bool *keyed;                     /* has a key for links; so many, too */
  struct marks **marks;            /* get; so many, too */
  struct metrics *counts;          /* of requests, one a loop */
  size_t loops;
  struct certificate_fresh certificate; /* until it is in use */
  size_t connections_max;               /* of a loop */
  size_t seats;                         /* loops that have it open */
};

/* Reads the file and loads the plugins; touches no storage and no socket.
 * NULL and why. */
struct generation *generation_new(struct gateway *, struct errmsg *);
/* Takes over what `before` has and this one leaves as it is; NULL: nothing. */
void generation_inherit(struct generation *, const struct generation *before);
/* Starts what is new.  False and why. */
bool generation_start(struct generation *, struct gateway *, struct errmsg *);
/* One backend, whose layers come after those below; for commands that serve
 * nothing, too. */
bool generation_start_backend(struct generation *, struct gateway *,
                              size_t index, struct errmsg *);
/* It can't be told from what runs. */
bool generation_same(const struct generation *, const struct generation *);
/* No loop has it open; NULL: nothing. */
void generation_free(struct generation *);

#endif
