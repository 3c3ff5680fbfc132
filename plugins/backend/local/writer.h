/* SPDX-License-Identifier: MIT
 *
 * The one who writes to the index.  Commits and removes that wait together
 * are one transaction, so they share its fsync.  It also does the ledger's
 * bookkeeping, on the back of transactions that happen anyway.
 */
#ifndef LOCAL_WRITER_H
#define LOCAL_WRITER_H

#include "errmsg.h"
#include "seats.h"
#include "stage.h"

#include <sluice/plugin.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdint.h>

struct local;
struct task;

struct writer_freed { /* a blob of the garbage */
  struct writer_freed *next;
  uint64_t blob;
};

struct writer {
  sqlite3 *db;
  struct sluice_lane *lane;
  sqlite3_stmt *begin, *commit, *rollback;
  sqlite3_stmt *find, *put, *erase;
  sqlite3_stmt *put_small, *erase_small;
  sqlite3_stmt *put_garbage, *erase_garbage, *next_garbage;
  sqlite3_stmt *put_recent, *erase_recent;
  sqlite3_stmt *put_reserved, *put_low, *pages, *reserved;
  _Atomic(struct writer_freed *) freed; /* pushed by any thread */
  /* Taken from it, the lane's, once the folders were synced: the index may
   * forget what no power cut brings back. */
  struct writer_freed *freed_pending;
  /* Blobs of the garbage that wait until nobody copies the store. */
  _Atomic(struct writer_freed *) postponed; /* pushed by any thread */
  /* The garbage of processes that have gone is looked for in the index, from
   * that number on; 0: it isn't. */
  _Atomic uint64_t inherited;
  int wal_pages, wal_limit;
  uint64_t page_size;
  struct stage_sql stage;
  struct seats seats; /* the lane's */
  bool away;          /* the store isn't where it was */
};

/* Makes its statements and its lane; the database is open. */
bool writer_open(struct local *, struct errmsg *);
/* Says in the index that nothing is left to sweep, if so, and closes it. */
void writer_close(struct local *);

/* datadir_take_room() */
void writer_take_room(struct local *);

/* Writes the task's row, or removes its key, and ends the operation.  What
 * became superfluous on disk is gone then. */
void writer_submit(struct task *);
/* Has numbers and room reserved, and returns the task through then(); its
 * status is SLUICE_ENOSPC while there is room for removes only. */
void writer_reserve(struct task *, void (*then)(void *task));
/* Ends the operation with the status that it has, undoing its blob. */
void writer_undo(struct task *);

#endif
