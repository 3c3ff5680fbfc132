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
#include "confine.h"
#include "generation.h"
#include "handover.h"
#include "inflight.h"
#include "listen.h"
#include "meters.h"
#include "readyask.h"
#include "reload.h"
#include "signals.h"
#include "starter.h"
#include "takeover.h"
#include "watchdog.h"
#include "worker.h"

/* Everything that is served; NULL-ended. */
extern const struct endpoint *const gateway_endpoints[];

struct gateway {
  const char *file, *folder; /* the configuration; installed plugins */
  char spare_id[65];         /* random, of this process */
  bool once;                 /* the file goes when the gateway ends */
  struct generation *now;
  LIST_HEAD(generations, generation) earlier; /* whose requests go on */
  size_t earlier_count;
  /* Of the first generation, kept: what can't change while it runs. */
  struct settings *fixed;
  struct metrics retired; /* what ended generations have counted, as `now` */
  struct meters meters;   /* of all plugins, of all generations */
  struct reload reload;
  const char *program;      /* this one, to be started anew; NULL: unknown */
  struct inherits inherits; /* sockets that are there before the start */
  struct takeover takeover; /* from another one */
  struct handover handover; /* to another one */
  struct starter starter;   /* who starts it */
  struct confine confine;
  struct watchdog watchdog;
  struct inflight inflight;
  struct readyask readyask;
  struct certificate certificate;
  struct work_pool *pool;
  struct uploads *uploads;
  struct budget memory;
  struct clients clients;
  struct listen *listens; /* as many as the settings' listen */
  size_t listen_count;
  struct worker *workers;
  size_t worker_count;

  struct loop *loop; /* the main thread's: signals, and news of workers */
  struct admin *admins[SETTINGS_ADMIN_MAX]; /* as the list server.admin */
  size_t admin_count;
  int64_t started_s;            /* since 1970 */
  size_t opened, served, ended; /* workers */
  const char *failure;          /* of a worker */
  bool stopping, forced;        /* requests may finish, or not */
  struct signals signals;
  struct event *deadline; /* of what is under way while stopping */

  /* When every address is being listened on; NULL: nobody waits for it. */
  void (*ready)(struct gateway *);
  void *ready_arg;
  /* Requests may finish; the second time they may not. */
  void (*stop)(struct gateway *);
  /* Its sockets are nobody else's any more. */
  void (*own)(struct gateway *);
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
void gateway_tell_exposed(const struct settings *);
bool gateway_check_spool(const struct gateway *, struct errmsg *);
/* Of the pool, and connections of each loop, as the settings want them. */
unsigned gateway_threads(const struct settings *);
size_t gateway_connections(const struct settings *, unsigned loops);
/* Posts that task of each worker. */
void gateway_post(struct gateway *, size_t member);
/* Serves until it is told to end.  False and why, when it can't start. */
bool gateway_run(struct gateway *, struct errmsg *);
void gateway_free(struct gateway *);

#endif
