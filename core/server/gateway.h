/* SPDX-License-Identifier: MIT
 *
 * The whole gateway: configuration, plugins, sockets and loops, from the
 * start to the end of the process.
 */
#ifndef SERVER_GATEWAY_H
#define SERVER_GATEWAY_H

#include "admin.h"
#include "budget.h"
#include "certificate.h"
#include "clients.h"
#include "digest.h"
#include "layer.h"
#include "listen.h"
#include "marks.h"
#include "plugin.h"
#include "signals.h"
#include "worker.h"

struct gateway_plugin { /* a configured backend or hook */
  struct plugin plugin;
  struct sluice_host host;
  void *conf, *instance;
  unsigned abilities;  /* of a backend: enum sluice_ability */
  bool lonely_cursors; /* of a backend: no other gateway takes them */

  /* Of a backend that stands on others (layers.c); NULL: it doesn't. */
  struct layer *layer;
  size_t *below, below_count; /* indices into backends */
  struct sluice_store *stores;
};

/* All that it can be asked for, also what passes to the backend below. */
static inline const struct sluice_backend *
gateway_offers(const struct gateway_plugin *backend) {
  return backend->layer == NULL ? &backend->plugin.backend
                                : &backend->layer->offers;
}

/* Everything that is served; NULL-ended. */
extern const struct endpoint *const gateway_endpoints[];

struct gateway {
  struct settings *settings;
  struct route_table routes;
  struct gateway_plugin *backends, *hooks;
  size_t *order, ordered; /* of the backends: each after those below it */
  struct digest_key **cursor_keys; /* as many as backends */
  bool *keyed;                     /* has a key for links; so many, too */
  struct marks **marks;            /* revoked links; as many as backends */
  struct certificate certificate;
  struct work_pool *pool;
  struct uploads *uploads;
  struct budget memory;
  struct clients clients;
  struct listen *listens; /* as many as the settings' listen */
  size_t listen_count;
  size_t connections_max; /* of a worker */
  struct worker *workers;
  size_t worker_count;

  struct loop *loop;   /* the main thread's: signals, and news of workers */
  struct admin *admin; /* NULL: nobody asks */
  int64_t started_s;   /* since 1970 */
  size_t opened, served, ended; /* workers */
  const char *failure;          /* of a worker */
  bool stopping, forced;        /* requests may finish, or not */
  struct signals signals;
  struct event *deadline; /* of what is under way while stopping */

  /* When every address is being listened on; NULL: nobody waits for it. */
  void (*ready)(struct gateway *);
  void *ready_arg;
};

/* Reads the configuration and loads the plugins; touches no storage and no
 * socket.  NULL and why. */
struct gateway *gateway_new(const char *file, const char *folder,
                            struct errmsg *);
/* Looks for what else would fail at the start: the spool's folder, names
 * to listen on, files of hooks that guard, the certificate's dates.  Touches
 * no storage and no socket. */
bool gateway_check(struct gateway *, struct errmsg *);
/* A line of the log for each file with secrets that any user of the machine
 * can read. */
void gateway_tell_exposed(const struct gateway *);
bool gateway_check_spool(const struct gateway *, struct errmsg *);
/* For commands that serve nothing: so many threads of the pool, and a backend
 * of it, which has to have those below it. */
unsigned gateway_threads(const struct settings *);
bool gateway_start_backend(struct gateway *, size_t index, struct errmsg *);
/* Serves until it is told to end.  False and why, when it can't start. */
bool gateway_run(struct gateway *, struct errmsg *);
void gateway_free(struct gateway *);

#endif
