/* SPDX-License-Identifier: MIT
 *
 * Files that no spool uses any more, kept for the next ones: to overwrite the
 * pages of a file costs a fraction of getting fresh ones.  All loops of a
 * backend share a cache.
 *
 * An invariant: settings->used counts the size of every file, of those
 * in use and of those that are kept, and no add fails for want of room that a
 * kept file has.
 *
 * Plugins have no locks: who changes a slot from EMPTY or KEPT to CLAIMED owns
 * it until it says otherwise.
 */
#ifndef LIB_SPOOL_CACHE_H
#define LIB_SPOOL_CACHE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define SPOOL_CACHE_FILES 32
#define SPOOL_CACHE_FILE_MAX (UINT64_C(64) << 20) /* what is kept of each */
#define SPOOL_CACHE_IDLE_NS INT64_C(10000000000)
#define SPOOL_SHARE 4 /* one part in so many, of what the disk has left */

struct spool_settings;

struct spool_file {
  int fd;        /* -1: none */
  uint64_t size; /* as charged to settings->used */
};

struct spool_slot {
  atomic_int state;           /* enum slot_state, 0: empty */
  atomic_int_least64_t since; /* CLOCK_MONOTONIC, ns: when it was put here */
  struct spool_file file;     /* of who claimed the slot */
};

struct spool_cache { /* empty when it is all zeros */
  struct spool_slot slots[SPOOL_CACHE_FILES];
  atomic_uint_least64_t bytes; /* of the files in it */
  atomic_uint claims;          /* so far: whether it changed in between */
  atomic_bool aging;           /* a job is under way */
};

/* The rest but spool_cache_now() may block: on a thread of the pool. */

/* The file that was put back last, with its old bytes; false: there is none.
 * Where there is a bound, or it is many times longer, it is shortened to
 * `most`, as what its spool will never use may be what another one lacks. */
bool spool_cache_take(struct spool_settings *, struct spool_file *,
                      uint64_t most);
/* Keeps it, or closes it where there is no place, or little room on disk. */
void spool_cache_give(struct spool_settings *, struct spool_file *);
void spool_cache_close(struct spool_settings *, struct spool_file *);

/* Room for the file to grow to that size, for which kept ones are closed;
 * false: it would pass the bound even so. */
bool spool_cache_charge(struct spool_settings *, struct spool_file *,
                        uint64_t size);
/* Shortens it; false and errno. */
bool spool_cache_cut(struct spool_settings *, struct spool_file *,
                     uint64_t size);

/* Closes what has been kept since then or longer; false: there was none. */
bool spool_cache_clear(struct spool_settings *, int64_t since);
int64_t spool_cache_now(void);

#endif
