/* SPDX-License-Identifier: MIT
 *
 * The secret of each backend: it signs the gateway's own links to a storage
 * that makes none itself, and seals the addresses of uploads.  All gateways of
 * a storage have the same: of links.secret; without one it is made once, and
 * kept in the storage below .sluice/, where no request reaches.
 */
#ifndef ENDPOINTS_LINKSECRET_H
#define ENDPOINTS_LINKSECRET_H

#include <stddef.h>

#include "digest.h"
#include "op.h"

struct gate;
struct linksecrets;

/* Of the gate's loop and backends, which outlive it.  NULL: no memory. */
struct linksecrets *linksecrets_new(struct gate *);
void linksecrets_free(struct linksecrets *); /* nobody waits any more */

struct linksecret_keys { /* of one secret, which live as long as it */
  struct digest_key *links, *uploads;
};

struct linksecret_waiter {
  struct linksecret_waiter *next;
  /* The keys are there, or NULL, the status, and why. */
  void (*told)(void *arg, const struct linksecret_keys *, enum sluice_status,
               const char *why);
  void *arg;
  bool only_reads; /* where there is none it is told SLUICE_ENOENT: who checks
                      what others have makes nothing in a storage */
};

/* The keys; NULL: they have to be asked for. */
const struct linksecret_keys *linksecret_known(struct linksecrets *,
                                               size_t backend);
/* Tells the waiter at once, or when it is known. */
void linksecret_ask(struct linksecrets *, size_t backend,
                    struct linksecret_waiter *);
/* It isn't told any more; does nothing when it doesn't wait. */
void linksecret_leave(struct linksecrets *, size_t backend,
                      struct linksecret_waiter *);

#endif
