/* SPDX-License-Identifier: MIT
 *
 * Numbers of a store, for its metrics: sizes, room, and how much there is.
 * Objects are counted a slice at a time, by a timer that takes a hundredth of
 * one thread, so that numbers of a large store are some minutes old; and anew
 * after a change.
 */
#ifndef LOCAL_CENSUS_H
#define LOCAL_CENSUS_H

#include "errmsg.h"

#include <sluice/plugin.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdint.h>

struct local;

enum census_metric {
  CENSUS_OBJECTS,
  CENSUS_BYTES,
  CENSUS_INDEX,
  CENSUS_WAL,
  CENSUS_FREE,
  CENSUS_SIZE,
  CENSUS_READ_ONLY,
  CENSUS_COMMITS,
  CENSUS_COMMITTED,
  CENSUS_SYNCS,
  CENSUS_DAMAGED
};
enum census_sync { CENSUS_SYNC_INDEX, CENSUS_SYNC_BLOB };

extern const struct sluice_metric census_metrics[];

struct census {
  struct sluice_timer *timer; /* NULL: nobody asks */
  sqlite3 *db;
  sqlite3_stmt *slice;
  char *last; /* owned: the key where the next slice begins */
  size_t last_len;
  int64_t objects, bytes; /* so far */
  unsigned rested;        /* ticks since the last count has ended */
  atomic_bool changed;    /* something was committed since */
};

bool census_open(struct local *, struct errmsg *);
void census_close(struct local *);

/* From any thread: a transaction was made durable, with so many changes; a
 * blob was; both since then, by clock_us(). */
void census_note_commit(struct local *, size_t changes, uint64_t since_us);
void census_note_blob(struct local *, uint64_t since_us);
/* An object is damaged: how many were so far. */
uint64_t census_note_damage(struct local *);

#endif
