/* SPDX-License-Identifier: MIT
 *
 * Types that the parts of the backend share: the instance, its handle on a
 * loop, and one operation.
 *
 *   instance   datadir, store, ledger; health: may it be written to?
 *              the writer: one lane, one transaction for all commits and
 *              removes that wait together
 *   handle     the reader (head, get, ping) and the lister, one lane each
 *   task       one operation; the loop has it, or a lane or a thread of the
 *              pool, as its `place` says
 */
#ifndef LOCAL_LOCAL_H
#define LOCAL_LOCAL_H

#include <sluice/plugin.h>

#include "buf.h"
#include "cache.h"
#include "census.h"
#include "errmsg.h"
#include "health.h"
#include "datadir.h"
#include "identity.h"
#include "ledger.h"
#include "lister.h"
#include "many.h"
#include "reader.h"
#include "row.h"
#include "share.h"
#include "stage.h"
#include "store.h"
#include "writer.h"

#define LOCAL_INLINE_MAX (1u << 20)

struct local_conf {
  const char *directory;
  const char *signing_key; /* "": the directory's own */
  uint64_t inline_max, cache;
  bool sync, create, verify;
};

struct local {
  struct sluice_host *host; /* until stop() */
  uint64_t inline_max, cache_max;
  bool sync, verify;
  struct health health;
  struct datadir datadir;
  struct identity identity;
  struct share share;
  bool joined; /* a gateway that runs has handed the directory over */
  struct store store;
  uint64_t low;    /* as the index has it */
  uint64_t next;   /* so; another process may have written another one */
  uint64_t marked; /* blobs from this number on have a description */
  struct ledger ledger;
  struct writer writer;
  struct cache_epochs epochs;
  struct census census;
  _Atomic uint64_t damaged; /* objects that were found so, one by one */
};

struct local_handle {
  struct local *local;
  struct sluice_host *host;
  struct cache *cache;
  struct reader reader;
  struct lister lister;
};

enum task_kind {
  TASK_HEAD,
  TASK_GET,
  TASK_PING,
  TASK_LIST,
  TASK_PUT,
  TASK_COPY,
  TASK_REMOVE,
  TASK_REMOVE_MANY,
  TASK_STAGE,
  TASK_STAGE_GET,
  TASK_STAGE_REMOVE,
  TASK_STAGE_SWEEP
};

enum task_place {
  TASK_HERE,         /* with the loop */
  TASK_AWAY,         /* a lane or a thread has it */
  TASK_AWAY_CANCELED /* it ends when it comes back */
};

enum task_condition {
  TASK_ALWAYS,
  TASK_IF_THERE, /* an object of that key, of any ETag */
  TASK_IF_MATCH  /* one of that ETag */
};

struct task {
  struct sluice_op *op;
  struct local_handle *handle;
  enum task_kind kind;
  enum task_place place;
  enum sluice_status status;
  struct errmsg why; /* "": the status says enough */
  char *key;         /* owned */
  struct row row;
  struct buf bytes;       /* of a small object */
  struct store_file file; /* get: being read; put: being written */

  uint64_t first, count;      /* get: what will probably be read */
  struct cache_ticket ticket; /* head, get: under which it is read */
  struct cache_entry *entry;  /* head, get: lent, in place of row and bytes */
  struct stage *stage;        /* the last four: owned */
  struct listing *listing;    /* list: owned */
  struct many *many;          /* of many keys: owned */
  char *target;               /* copy: owned, until it is the key */
  uint64_t written;           /* put, copy: bytes so far */
  struct sluice_chunk chunk;  /* put: lent */
  uint64_t blob;              /* put: linked, but in no row yet */
  uint64_t old;               /* the blob that the row had before */
  int source;                 /* copy: the blob; -1: none */
  unsigned pin;
  enum task_condition condition;
  bool if_ended;                      /* a removal: of nothing else */
  char match[2 * DIGEST_MD5_LEN + 1]; /* that ETag */
  bool exclusive;
  bool stale;     /* get: the blob went while it was looked up */
  bool large;     /* put: bytes go to the file */
  bool was_there; /* put, copy: an object of the key */
  bool reserve;   /* no row to write, just numbers to reserve */
  bool pinned;    /* put: `pin` counts in the ledger */
  bool unknown;   /* put: the row may come back after a crash */
};

/* The operation's task, made at the first call. */
struct task *task_start(struct local_handle *, struct sluice_op *,
                        enum task_kind);
struct task *task_of(struct sluice_op *);
/* Gives the task to a thread, then to then(). */
void task_work(struct task *, void (*work)(void *task),
               void (*then)(void *task));
void task_lane(struct task *, struct sluice_lane *, void (*then)(void *task));
/* These are for the one who has it: they note what failed, and end it. */
void task_fail(struct task *, enum sluice_status, const char *fmt, ...)
    SLUICE_PRINTF(3, 4);
void task_fail_errno(struct task *, const char *what, int error);
/* The same for what was to be written: it is the disk's fault, unless the
 * store isn't at its place. */
void task_fail_write(struct task *, const char *what, int error);
void task_fail_index(struct task *, sqlite3 *); /* its last error */
/* The object of that key isn't what was stored. */
void task_fail_damaged(struct task *, const char *what, const char *key,
                       size_t len);
/* False, and failed with 503, where the store is read-only. */
bool task_may_write(struct task *);
/* The ETag that what is there must have, or NULL. */
void task_match(struct task *, const char *etag);
bool task_matches(const struct task *, const unsigned char *md5);
void task_end(struct task *);
/* A thread or a lane gives it back: false when it has failed or was canceled
 * meanwhile. */
bool task_is_back(struct task *);
/* The same, and it has ended then. */
bool task_goes_on(struct task *);
/* Does the writer do it, even on a full disk? */
static inline bool task_needs_no_room(const struct task *task) {
  if (task->stage)
    return stage_needs_no_room(task);
  return task->kind == TASK_REMOVE || task->kind == TASK_REMOVE_MANY;
}

#endif
