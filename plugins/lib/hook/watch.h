/* SPDX-License-Identifier: MIT
 *
 * A small file that is read again when it changes: by a thread of the pool,
 * now and then, and when it is told to.  What is wrong with a new version is
 * logged, once, and the last good one stays.
 */
#ifndef HOOK_WATCH_H
#define HOOK_WATCH_H

#include <sluice/plugin.h>
#include <stdatomic.h>

#include "errmsg.h"

#define WATCH_INTERVAL_MIN_MS 10
#define WATCH_TOLD_MAX 64

struct watch;

/* The watches of all loops note here what they said of late, in any order: a
 * loop that is late doesn't say again what others left behind; nor is it said
 * when a link turns back to a file that was said before.  Zeroes at first. */
struct watch_told {
  atomic_uint_least64_t numbers[WATCH_TOLD_MAX];
};

struct watch_file {
  const char *path;
  size_t max;          /* bytes */
  int64_t interval_ms; /* between two looks; 0: only watch_now() */
  /* On a thread of the pool, or in watch_read(): what the text means; NULL and
   * why.  `data` ends in NUL and is wiped afterwards.  `arg` must not change
   * meanwhile. */
  void *(*parse)(const char *data, size_t len, void *arg, struct errmsg *);
  void (*free)(void *parsed);
  void *arg;
  /* Shared by the watches of all loops, so that a change is logged by one of
   * them; NULL: each logs it. */
  struct watch_told *told;
};

/* Reads it at once; NULL and why.  May block: for start(). */
void *watch_read(const struct watch_file *, struct errmsg *);

/* Watches on the loop of a handle, beginning with `parsed`, which is taken in
 * any case; NULL: no memory.  `file` is copied, what it points to isn't. */
struct watch *watch_new(struct sluice_host *, const struct watch_file *file,
                        void *parsed);
/* In close(); a reader may still be running: it has `arg` until it ended. */
void watch_free(struct watch *);
/* The newest good version, until the loop's next event. */
const void *watch_get(const struct watch *);
/* Reads it again in any case, for reload(). */
void watch_now(struct watch *);

#endif
