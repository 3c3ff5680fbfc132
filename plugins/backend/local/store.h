/* SPDX-License-Identifier: MIT
 *
 * The blobs: files of bytes, each named by its number, 256 to a folder.  A
 * blob is written without a name, and gets one when it is complete.  All
 * calls block and may come from any thread of the pool.
 */
#ifndef LOCAL_STORE_H
#define LOCAL_STORE_H

#include "errmsg.h"

#include <sluice/plugin.h>
#include <stdatomic.h>
#include <sys/stat.h>

#define STORE_RING 16u

struct store {
  int blobs, tmp; /* folders; -1: closed */
  bool sync;
  bool named; /* no O_TMPFILE here: unfinished blobs have names in tmp */
  bool modes; /* a file can be kept from being written to: store_commit() */
  _Atomic uint64_t names; /* so far */
  /* Folders known to be durable, as number >> 8, plus 1. */
  _Atomic uint64_t made[STORE_RING];
  /* Those where a blob was unlinked and which weren't synced since, so too;
   * 0: none. */
  _Atomic uint64_t emptied[STORE_RING];
  atomic_bool emptied_more; /* and others that found no place there */
};

#define STORE_CLOSED \
  { .blobs = -1, .tmp = -1 }

/* A file on its way to be a blob. */
struct store_file {
  int fd;        /* -1: none */
  uint64_t name; /* in tmp; 0: none */
};

/* Removes what a crash left in tmp; not where others have files there, as this
 * one has joined them. */
bool store_open(struct store *, int dir, bool sync, bool joined,
                struct errmsg *);
void store_close(struct store *);
/* It is sure that no blob and no folder of blobs is there. */
bool store_empty(const struct store *);

/* These return false or -1 with errno set. */
bool store_create(struct store *, struct store_file *);
/* A blob that isn't committed, to go on with. */
bool store_reopen(const struct store *, struct store_file *, uint64_t number);
bool store_write(const struct store_file *, const void *data, size_t len,
                 uint64_t offset);
/* Has the disk write bytes [from, to), which were written, so that the
 * fsync of a large file has little left to wait for. */
bool store_write_along(const struct store *, const struct store_file *,
                       uint64_t from, uint64_t to);
/* The file becomes the blob of that number, durably.  EEXIST: the number is
 * taken by a file, another one may do; any other failure may leave a blob. */
bool store_link(struct store *, struct store_file *, uint64_t number);
/* Takes the right to write to the blob away, after its row was written: by
 * that a start knows that it was acknowledged.  It isn't synced. */
bool store_commit(const struct store *, uint64_t number);
/* Every blob may be one on a file system without modes. */
bool store_is_committed(const struct store *, const struct stat *);
/* Would a blob of that size have room?  0, or an errno. */
int store_try_room(struct store *, uint64_t bytes);
void store_discard(struct store *, struct store_file *);
int store_read(const struct store *, uint64_t number);
/* To a name in another folder, where it replaces nothing. */
bool store_move(const struct store *, uint64_t number, int folder,
                const char *name);
bool store_unlink(struct store *, uint64_t number); /* or isn't there */
/* All that was unlinked by now stays unlinked when the power fails.  One
 * thread at a time, which also has the answer: whoever comes next finds
 * nothing left to do. */
bool store_sync_unlinked(struct store *);
/* So does that blob; from any thread. */
bool store_sync_one(const struct store *, uint64_t number);

enum sluice_status store_fault(int error);

#endif
