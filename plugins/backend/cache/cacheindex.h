/* SPDX-License-Identifier: MIT
 *
 * The entries of the cache, in the order of their use.  All of it happens on
 * one lane: loops hand in jobs, and so each sees all others' changes in one
 * order without a lock.  Memory: CACHEINDEX_ENTRY bytes for each of at most
 * `objects` entries, and a body for each that is read or fetched.
 *
 * An older version isn't told, as a change ends by FORGET, and is acknowledged
 * after that.  FORGET takes the entry away, and what is being
 * fetched, so that whoever looks afterwards asks the storage; who looked
 * before had not heard of the change.
 */
#ifndef CACHE_CACHEINDEX_H
#define CACHE_CACHEINDEX_H

#include "cachebody.h"
#include "cachedir.h"

#define CACHEINDEX_ENTRY 128 /* bytes, and a pointer to find it by */
#define CACHEINDEX_PAUSE                                                   \
  5000                        /* ms without fetches after a disk's failure \
                               */
#define CACHEINDEX_PASS 60000 /* ms for which a large one is remembered */

struct cacheindex_limits {
  uint64_t size; /* bytes of disk */
  size_t objects;
  int64_t ttl_ms;
};

enum cacheindex_kind {
  CACHEINDEX_LOOK,    /* is it there?  A body is pinned, and read */
  CACHEINDEX_AGAIN,   /* LEAVE, with `gone`, then LOOK */
  CACHEINDEX_BELIEVE, /* it was asked for, and is the storage's version */
  CACHEINDEX_LEAVE,   /* a reader leaves */
  CACHEINDEX_MAKE,    /* room for a body that is described now */
  CACHEINDEX_KEEP,    /* it is all there: it becomes an entry */
  CACHEINDEX_DROP,    /* it doesn't */
  CACHEINDEX_CHECKED, /* it was read, and `good` or not */
  CACHEINDEX_FORGET   /* these keys were changed */
};

enum cacheindex_found {
  CACHEINDEX_BODY,  /* it is there, or is being fetched */
  CACHEINDEX_FETCH, /* the caller fetches it: two pins, one for that */
  CACHEINDEX_CHECK, /* the caller checks it: so, too */
  CACHEINDEX_NOTHING
};

struct cacheindex_job {
  enum cacheindex_kind kind;
  const char *key;         /* LOOK, AGAIN: until it is done */
  const char *const *keys; /* FORGET */
  size_t count;
  uint64_t since_ms;      /* LOOK: what was asked later needs no question */
  bool no_fetch;          /* LOOK */
  bool gone;              /* LEAVE: the body is no good any more */
  bool passes;            /* DROP, and of MAKE: it isn't one for the cache */
  bool good;              /* CHECKED; of MAKE and KEEP the result */
  struct cachebody *body; /* LOOK: the result */
  enum cacheindex_found found;
  bool fresh; /* LOOK: it need not be asked for */
};

enum cacheindex_count { /* in the order of the table of metrics */
                        CACHEINDEX_HITS,
                        CACHEINDEX_MISSES,
                        CACHEINDEX_JOINS,
                        CACHEINDEX_ASKED,
                        CACHEINDEX_PASSED,
                        CACHEINDEX_EVICTED,
                        CACHEINDEX_FETCHED,
                        CACHEINDEX_BYTES, /* the last two are gauges */
                        CACHEINDEX_OBJECTS
};

struct cacheindex_counts {
  struct sluice_host *host;
  _Atomic uint64_t of[CACHEINDEX_BYTES]; /* since this start */
};

/* From any thread. */
static inline void cacheindex_add(struct cacheindex_counts *counts,
                                  enum cacheindex_count what) {
  atomic_fetch_add(&counts->of[what], 1);
  sluice_count(counts->host, what, 1);
}

struct cacheindex;

/* Reads the directory, and removes what is too much.  NULL: `err`. */
struct cacheindex *cacheindex_new(struct sluice_host *, struct cachedir *,
                                  const struct cacheindex_limits *,
                                  struct errmsg *err);
void cacheindex_free(struct cacheindex *); /* nothing is pinned */

/* then(job) comes on the loop of the host. */
void cacheindex_do(struct cacheindex *, struct sluice_host *,
                   struct cacheindex_job *, void (*then)(void *job));

struct cacheindex_counts *cacheindex_counts(struct cacheindex *);

/* The disk failed, or does again what it should; any thread. */
void cacheindex_trouble(struct cacheindex *, const char *what, int error);
void cacheindex_well(struct cacheindex *);

#endif
