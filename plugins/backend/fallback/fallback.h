/* SPDX-License-Identifier: MIT
 *
 * Shared by the files of the layer `fallback`: its handle, and the entry of
 * lists.
 */
#ifndef FALLBACK_FALLBACK_H
#define FALLBACK_FALLBACK_H

#include <sluice/plugin.h>

#define FALLBACK_MAX 16 /* backends below */

struct fallback_handle { /* of one loop */
  struct sluice_host *host;
  struct sluice_store *stores[FALLBACK_MAX];
  size_t count;
  struct backfill *backfill; /* NULL: it isn't wanted */
};

/* The state of each operation begins with it: of one that was canceled nobody
 * else is asked. */
struct fallback_op {
  bool canceled;
};
#define FALLBACK_STATE 256 /* bytes of it */

/* fallback_put.c */
void fallback_put(void *handle, struct sluice_op *, const struct sluice_put *);
void fallback_commit(void *handle, struct sluice_op *,
                     const struct sluice_object *);

/* fallback_list.c */
void fallback_list(void *handle, struct sluice_op *,
                   const struct sluice_list *);

#endif
