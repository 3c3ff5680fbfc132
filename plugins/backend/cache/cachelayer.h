/* SPDX-License-Identifier: MIT
 *
 * Shared by the files of the layer `cache`: its options, its instance, its
 * handle, and the entries of downloads.
 */
#ifndef CACHE_CACHELAYER_H
#define CACHE_CACHELAYER_H

#include <sluice/plugin.h>
#include <sys/queue.h>

#include "cacheindex.h"

#define CACHELAYER_KEY 1024 /* bytes of a key */
#define CACHELAYER_WHY 160

struct cache_conf {
  const char *over, *directory;
  uint64_t max_size, max_object, ahead;
  int64_t objects, ttl_ms, wait_ms, linger_ms;
};

struct cache_layer { /* of all loops */
  const struct cache_conf *conf;
  struct sluice_host *host;
  struct cachedir dir;
  struct cacheindex *index;
  unsigned abilities;
};

struct cachefill;
struct cacheget;
TAILQ_HEAD(cachefill_list, cachefill);
TAILQ_HEAD(cacheget_list, cacheget);

struct cache_handle { /* of one loop */
  struct sluice_host *host;
  struct sluice_store *store;
  struct cache_layer *layer;
  struct event *timer;
  struct cachefill_list fills;  /* that this loop has begun */
  struct cacheget_list waiting; /* for bytes, perhaps of another loop's */
};

/* ---- cachefill.c -------------------------------------------------------- */

/* Both take a pin of the body, and end by themselves; false: there is no
 * memory, and the pin is the caller's. */
bool cachefill_fetch(struct cache_handle *, struct cachebody *,
                     const char *key);
bool cachefill_check(struct cache_handle *, struct cachebody *);
/* Looks whether anybody still reads. */
void cachefill_tick(struct cache_handle *, uint64_t now_ms);

/* ---- cacheget.c --------------------------------------------------------- */

enum cacheget_phase {
  CACHEGET_LOOKING,   /* the index is asked */
  CACHEGET_JUDGING,   /* the storage is, whether this is its version */
  CACHEGET_WAITING,   /* for the body to be described */
  CACHEGET_DESCRIBED, /* for read() */
  CACHEGET_READING,   /* for bytes */
  CACHEGET_LENT,      /* the gateway has some */
  CACHEGET_LEAVING,   /* the index is told */
  CACHEGET_ASKING,    /* the storage, past the cache */
  CACHEGET_PASSING    /* and what it says is handed on */
};

struct cacheget { /* a part of its operation's state */
  struct sluice_op *op;
  struct cache_handle *handle;
  TAILQ_ENTRY(cacheget) link; /* while it waits */
  enum cacheget_phase phase;
  struct cacheindex_job job;
  struct cachebody *body; /* pinned, or NULL */
  struct sluice_ask *ask;
  uint64_t first, count; /* of the get, as a hint */
  uint64_t at, left;     /* of what read() asked for */
  uint64_t began_ms, asked_ms;
  uint64_t moved_ms; /* when it went on last */
  unsigned life;     /* of the body, then */
  unsigned rounds;
  bool sure; /* it is the storage's version */
  bool canceled, described, same, direct;
  uint64_t length; /* of the version that was described */
  int64_t mtime_ms;
  char *etag;
  enum sluice_status status;
  char why[CACHELAYER_WHY];
  char key[CACHELAYER_KEY + 1];
};

void cacheget_begin(struct cacheget *, const struct sluice_get *);
void cacheget_read(struct cacheget *, uint64_t first, uint64_t count);
void cacheget_more(struct cacheget *);
void cacheget_cancel(struct cacheget *);
void cacheget_tick(struct cache_handle *, uint64_t now_ms);

/* ---- cache.c ------------------------------------------------------------ */

/* The clock runs while anything goes on. */
void cache_stir(struct cache_handle *);
/* Something came: who waits on this loop looks at once. */
void cache_wake(struct cache_handle *);

#endif
