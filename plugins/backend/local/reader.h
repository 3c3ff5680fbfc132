/* SPDX-License-Identifier: MIT
 *
 * head, get and ping: look-ups of one key.  Those of a loop that wait together
 * share a read transaction, begun after they were asked for, so each sees
 * every commit that was acknowledged before.
 */
#ifndef LOCAL_READER_H
#define LOCAL_READER_H

#include "errmsg.h"

#include <sluice/plugin.h>
#include <sqlite3.h>

struct local_handle;
struct task;

struct reader {
  sqlite3 *db;
  struct sluice_lane *lane;
  sqlite3_stmt *begin, *end, *find, *bytes, *ping;
};

bool reader_open(struct local_handle *, struct errmsg *);
void reader_close(struct local_handle *);

/* Loads row and bytes of the task's key, which is its own, past the cache, or
 * opens the blob as its file; then then(), with a status of its own. */
void reader_load(struct task *, void (*then)(void *task));

/* Entries of struct sluice_backend. */
void reader_head(void *handle, struct sluice_op *, const char *key);
void reader_get(void *handle, struct sluice_op *, const struct sluice_get *);
void reader_read(void *handle, struct sluice_op *, uint64_t first,
                 uint64_t count);
void reader_more(void *handle, struct sluice_op *);
void reader_ping(void *handle, struct sluice_op *);

#endif
