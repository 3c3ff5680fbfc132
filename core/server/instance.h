/* SPDX-License-Identifier: MIT
 *
 * A backend or hook of the configuration: its plugin, its options, and what
 * start() made of them.  One whose options a new configuration leaves as they
 * are is that one's, too.  All calls are the main thread's.
 */
#ifndef SERVER_INSTANCE_H
#define SERVER_INSTANCE_H

#include "layer.h"
#include "marks.h"
#include "meter.h"
#include "metrics.h"
#include "op.h"
#include "plugin.h"
#include "settings.h"

struct gateway;

struct instance {
  size_t users; /* generations */
  struct plugin plugin;
  struct sluice_host host;
  void *conf, *started;      /* `started` is NULL before start() */
  struct settings *settings; /* whose texts the options are; kept */
  const struct config_node *node;
  unsigned abilities;    /* of a backend: enum sluice_ability */
  struct marks *marks;   /* of a backend: links that were taken back */
  struct metrics *calls; /* of a backend, one a loop */
  size_t loops;
  struct meter *meter; /* of what it counts itself; NULL before start() */

  /* Of a backend that stands on others (layers.c); NULL: it doesn't. */
  struct layer *layer;
  size_t *below, below_count; /* in the generation that it was made for */
  struct sluice_store *stores;
};

/* All that it can be asked for, also what passes to the backend below. */
static inline const struct sluice_backend *
instance_offers(const struct instance *backend) {
  return backend->layer == NULL ? &backend->plugin.backend
                                : &backend->layer->offers;
}

/* Loads the plugin and reads its options: one user.  NULL and why. */
struct instance *instance_new(struct gateway *, struct settings *,
                              const struct settings_plugin *, enum plugin_kind,
                              struct errmsg *);
/* Would they be the same, but for what a layer stands on? */
bool instance_same(const struct instance *, const struct instance *);
/* `below`: of a layer on one backend, what that can.  False and why. */
bool instance_start(struct instance *, struct gateway *, unsigned below,
                    size_t plugins, struct errmsg *);
/* It may be started again.  No loop has it open. */
void instance_stop(struct instance *);
/* One user fewer; the last one stops it: no loop has it open.  NULL: nothing.
 */
void instance_leave(struct instance *);

#endif
