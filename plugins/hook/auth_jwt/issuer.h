/* SPDX-License-Identifier: MIT
 *
 * The keys of the issuer whose tokens one loop believes: some that stay, a
 * file that is watched, or a key set that is asked for again and again.
 */
#ifndef AUTH_JWT_ISSUER_H
#define AUTH_JWT_ISSUER_H

#include <sluice/plugin.h>
#include <sys/queue.h>

#include "jwks.h"
#include "watch.h"

struct issuer;

struct issuer_settings {
  const struct watch_file *file; /* NULL: no file */
  const char *url;               /* NULL: no URL */
  const char *ca_file, *proxy;
  int64_t timeout_ms;          /* of an answer */
  int64_t refresh_ms;          /* between two questions */
  int64_t pause_ms;            /* the least of it */
  int64_t keep_ms;             /* how long keys last without an answer */
  atomic_uint_least64_t *told; /* shared by all loops, 0 at first */
};

/* Lent: `settings`.  `first` is taken, and is NULL for a URL: it is asked at
 * once.  NULL: no memory. */
struct issuer *issuer_new(struct sluice_host *,
                          const struct issuer_settings *settings,
                          struct jwks *first);
void issuer_free(struct issuer *); /* nobody waits; NULL: nothing */
void issuer_reload(struct issuer *);

/* NULL: there are none, or they are too old.  Until the loop's next event. */
const struct jwks *issuer_keys(struct issuer *);

struct issuer_waiter { /* zeroed at first */
  TAILQ_ENTRY(issuer_waiter) in_line;
  struct issuer *issuer; /* NULL: it doesn't wait */
  void (*wake)(void *arg);
  void *arg;
};

/* For whom the keys of now won't do: true, and wake() comes, within
 * `timeout_ms` or so; false: there won't be others soon. */
bool issuer_wait(struct issuer *, struct issuer_waiter *,
                 void (*wake)(void *arg), void *arg);
void issuer_leave(struct issuer_waiter *); /* wake() doesn't come */

#endif
