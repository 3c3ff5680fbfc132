/* SPDX-License-Identifier: MIT
 *
 * A journal's inside, for its two halves: journal.c is the loops', and
 * journal_write.c the lane's.
 */
#ifndef LOGS_JOURNAL_PRIVATE_H
#define LOGS_JOURNAL_PRIVATE_H

#include <sluice/plugin.h>
#include <stdatomic.h>

#include "journal.h"

#define BLOCK_BYTES 65536

struct block {
  struct block *next;
  size_t len, done; /* done: written */
  char data[BLOCK_BYTES - 3 * sizeof(size_t)];
};

struct journal {
  const struct journal_conf *conf;
  struct sluice_host *host;
  struct sluice_lane *lane;
  struct sink *sink;
  journal_note *note;

  /* Of all threads. */
  _Atomic uint64_t room;          /* bytes that further blocks may take */
  _Atomic(struct block *) handed; /* to the lane, the newest first */
  _Atomic uint64_t dropped;       /* lines */
  _Atomic uint64_t unnoted;       /* of those, not said in the log */
  atomic_bool reopen;
  atomic_bool stuck; /* the sink doesn't take what it was given */

  /* The lane's; at the end, stop()'s. */
  struct block *first, **end; /* not written yet, the oldest first */
  uint64_t told;              /* dropped lines that were reported */
  int64_t told_ms;
  int error; /* that was reported; 0: it works */
};

struct block *journal_block(struct journal *); /* NULL: there is no room */
void journal_unblock(struct journal *, struct block *);
void journal_hand(struct journal *, struct block *);
/* The lane's run(); no job has anything to say. */
void journal_run(void *journal, void **jobs, size_t count);
/* At the end, on whatever thread. */
void journal_finish(struct journal *);

#endif
