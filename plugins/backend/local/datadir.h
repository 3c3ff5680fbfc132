/* SPDX-License-Identifier: MIT
 *
 * The directory that a local backend lives in: made when it isn't there, and
 * locked while a gateway uses it.
 *
 * It also keeps room on its disk, so that removes work when that is full, by
 * blocks that are allocated beyond the ends of three files:
 *   index.db      what the next checkpoint copies into it, so that the WAL
 *                 can always start over; from each commit that isn't a remove
 *   index.db-wal  a transaction's worth, or else the index, which never
 *                 shrinks, could take the last block and refuse all that
 *                 comes after it
 *   reserve       given up when a remove finds no room, and for the time of a
 *                 start, which makes files; without it nothing but removes is
 *                 let in
 */
#ifndef LOCAL_DATADIR_H
#define LOCAL_DATADIR_H

#include "errmsg.h"

#include <stdatomic.h>
#include <stdint.h>

/* A batch of 256 removes writes two or three pages each to the WAL, and the
 * threads of the pool, in the middle of uploads, may get hold of a chunk each
 * of what is given up.  When even that doesn't do, removes go one by one. */
#define DATADIR_SPARE_MAX (4u << 20)
/* A small disk gives just this part of itself. */
#define DATADIR_SPARE_PART 16u

struct datadir {
  char *path; /* absolute */
  int dir;    /* -1: closed, as all below */
  int lock;
  int index, wal, reserve; /* their blocks are looked after */
  uint64_t spare;          /* bytes of the reserve, and of the WAL at least */
  _Atomic bool full;       /* the reserve is given up */
};

#define DATADIR_CLOSED \
  { .dir = -1, .lock = -1, .index = -1, .wal = -1, .reserve = -1 }

/* False and why; datadir_close() is needed in any case.  Without `create`
 * there has to be an index.  `handed` is a lock that another process has: it
 * is used where it is this directory's, and is -1 where it isn't; NULL: there
 * is none. */
bool datadir_open(struct datadir *, const char *directory, bool create,
                  int *handed, struct errmsg *);
void datadir_close(struct datadir *);
/* Is called before SQLite opens the index: makes its files private, and
 * gives up the reserve for the time of the start; not where another process
 * has it (`joined`). */
bool datadir_open_room(struct datadir *, bool joined, struct errmsg *);
/* Makes room, before a commit, for the first `bytes` of index.db; false,
 * errno. */
bool datadir_grow_index(const struct datadir *, uint64_t bytes);
void datadir_give_room(struct datadir *);
/* Allocates the room again, once there is a WAL; `full` stays while that
 * fails.  0, or an errno. */
int datadir_take_room(struct datadir *);

#endif
