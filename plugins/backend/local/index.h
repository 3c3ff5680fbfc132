/* SPDX-License-Identifier: MIT
 *
 * The index: one SQLite database in WAL mode.  One connection writes, and
 * each loop has two that read.  A connection is used by one lane, so by one
 * thread at a time, and SQLite takes no locks for it.  While they are open no
 * other process can use the database, but for a gateway that takes over
 * (share.h), and nothing of a disk is mapped into memory.
 *
 *   object   what is stored: one row a key, in byte order.  The bytes are in
 *            `small`, or in a blob, or there are none (both NULL).
 *   small    bytes of small objects, apart, so that a list reads none of them
 *   garbage  blobs without a row, to be unlinked
 *   recent   blobs from state.low on that have, or had, a row
 *   stage    uploads that go on: so many durable bytes, in that blob (NULL:
 *            none, or the object has it, as it is complete)
 *   state    next, low (see ledger.h); clean: 1 after a good stop; marked: the
 *            first number whose blobs are as blob.h says; id: see identity.h
 */
#ifndef LOCAL_INDEX_H
#define LOCAL_INDEX_H

#include "errmsg.h"

#include <sluice/plugin.h>
#include <sqlite3.h>

#define INDEX_FILE "index.db"
#define INDEX_WAIT_MS 10000 /* at a start, for another process to end */

/* NULL and why.  `folder` is an absolute path; `vfs` is that of share.h, or
 * NULL: the index is this process's alone. */
sqlite3 *index_open(const char *folder, const char *vfs, bool sync,
                    struct errmsg *);
sqlite3 *index_open_reader(const char *folder, const char *vfs,
                           struct errmsg *);
void index_close(sqlite3 *); /* with its statements; NULL: nothing */
/* Otherwise the WAL stays as it is for the next start, which can then see what
 * a start or a disk that failed left. */
void index_copy_back_at_close(sqlite3 *);
/* Reads the whole index, for a start after a crash. */
bool index_check(sqlite3 *, const char *folder, struct errmsg *);

/* A statement to keep. */
struct index_sql {
  size_t offset; /* of the sqlite3_stmt * in a struct */
  const char *sql;
};
/* Prepares a table of them that ends with a NULL sql. */
bool index_prepare(sqlite3 *, const struct index_sql *, void *statements);

/* Runs what returns no row, and resets it. */
int index_step(sqlite3_stmt *); /* sqlite3_step(), for index_fault() */
bool index_run(sqlite3_stmt *);
bool index_run_number(sqlite3_stmt *, uint64_t); /* bound as ?1 */
bool index_exec(sqlite3 *, const char *sql);
void index_reset(sqlite3_stmt *); /* and forget what was bound */
void index_bind(sqlite3_stmt *, int at, const void *blob, size_t len);
/* The one number that sql returns. */
bool index_number(sqlite3 *, const char *sql, int64_t *number);

/* Gives the meaning of the connection's last error, and a message.  The
 * system's own error is in errno, where index_step() and its callers leave it:
 * SQLite doesn't note it for a COMMIT, and keeps that of an earlier failure.
 */
enum sluice_status index_fault(sqlite3 *, struct errmsg *);
/* Was the last error that the database makes no sense? */
bool index_is_damaged(sqlite3 *);

#endif
