/* SPDX-License-Identifier: MIT
 *
 * Keeps an upload until its name and length are known: in memory while
 * it is small and there is memory, then in an unlinked temporary file.  All
 * spools of a backend share a bound.
 */
#ifndef LIB_SPOOL_H
#define LIB_SPOOL_H

#include <sluice/plugin.h>
#include <stdatomic.h>

#include "digest.h"
#include "spool_cache.h"

struct spool;

struct spool_settings { /* of a backend, for all loops */
  const char *directory;
  size_t memory; /* bytes of a spool that stay in memory */
  uint64_t max;  /* of all files, kept ones too; 0: a share of the disk */
  uint64_t keep; /* of files that no spool uses; 0: none is kept */
  atomic_uint_least64_t used;
  atomic_uint_least64_t files; /* that are open */
  struct spool_cache cache;
};

/* Closes, on a thread of the pool, files that nothing has used for a while:
 * to be called every second or so, on any loop. */
void spool_age(struct sluice_host *, struct spool_settings *);
/* All files may have so much at the moment: `max`, or a share of what they and
 * nobody have of the folder's disk.  May block: on a thread of the pool. */
uint64_t spool_bound(const struct spool_settings *);
/* Closes all that are kept, at the end. */
void spool_close_kept(struct spool_settings *);

struct spool *spool_new(struct sluice_host *, struct spool_settings *);
/* Frees it, and gives its file away, to be used again or closed: also while a
 * job of its own runs, which it waits for in the background; then
 * released(arg), NULL: nothing.  No other event comes; what was lent, and
 * sums, must stay until released(), which is never called from inside this. */
void spool_free(struct spool *, void (*released)(void *arg), void *arg);

/* Appends; the bytes are lent until added(), which is never called from inside
 * this.  One at a time, and none while a sum is made.  SLUICE_ENOSPC: disk or
 * bound full; SLUICE_EIO.  What failed isn't there, and `why`
 * is lent until added() returns. */
void spool_add(struct spool *, const void *data, size_t len,
               void (*added)(void *arg, enum sluice_status, const char *why),
               void *arg);
/* At most so much comes: more than stays in memory goes to the file at once.
 */
void spool_expect(struct spool *, uint64_t length);
/* So many bytes of it stay in memory, where there is some, in place of the
 * settings' number; before the first. */
void spool_keep_memory(struct spool *, size_t most);
uint64_t spool_length(const struct spool *);
/* Bytes that are added from now on go into the digest too, where it costs the
 * loop nothing; NULL: no more.  Not while an add is under way. */
void spool_digest(struct spool *, struct digest *);

/* Copies from memory, or from the file where the page cache has it: never
 * waits for a disk.  -1: it would; then ready(arg) comes when it needn't, and
 * the same read is made again.  -2: the file can't be read.  0: at the end.
 * Several may wait at once, each with an `arg` of its own. */
int64_t spool_read(struct spool *, uint64_t offset, void *to, size_t room,
                   void (*ready)(void *arg), void *arg);
/* The caller that waits with this `arg` isn't told any more. */
void spool_unread(struct spool *, const void *arg);

/* Digests of a range, made by a thread of the pool: MD5 and, when asked for,
 * SHA-256.  One at a time for each `sum`. */
struct spool_sum {
  uint64_t first, count;
  bool want_sha256;
  unsigned char md5[16], sha256[32];
  bool failed;
  struct spool *spool; /* private */
  void (*summed)(void *arg);
  void *arg;
};
void spool_sum(struct spool *, struct spool_sum *, void (*summed)(void *arg),
               void *arg);

#endif
