/* SPDX-License-Identifier: MIT
 *
 * Processes that serve one directory have this in common, while a gateway
 * takes over from another one.  The first of them makes it, and passes it on
 * as descriptors:
 *
 *   lock     the file of datadir.h, whose lock all of them hold
 *   guard    index.db, with a lock that keeps other programs out of it
 *   memory   no file of any disk: the index of the WAL (shm.h), the locks of
 *            SQLite, and the board below
 *   place    the memory, opened anew for the one who comes: its lock says, to
 *            the end of its process, that it is there
 *
 * The board: for each process a number that it still has business with, from
 * which on its blobs may lack a row; and the stages that it has open.  What a
 * process leaves there when it dies stays, so that nobody calls the directory
 * clean.
 */
#ifndef LOCAL_SHARE_H
#define LOCAL_SHARE_H

#include "errmsg.h"
#include "index.h"
#include "shm.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define SHARE_PLACES 64u   /* processes at once */
#define SHARE_STAGES 8192u /* open at once in one of them */
#define SHARE_FDS 4u       /* that are passed on */
/* With each change of the memory it is another number. */
#define SHARE_LAYOUT UINT64_C(0x736c7569636500f1)

struct share_stage {
  _Atomic int64_t id;
  _Atomic uint32_t open;
};

struct share_board {
  uint64_t layout; /* SHARE_LAYOUT, and the size: the same in all of them */
  uint64_t size;
  _Atomic uint64_t floors[SHARE_PLACES]; /* 0: no business with any number */
  struct share_stage stages[SHARE_PLACES][SHARE_STAGES];
};

struct share {
  int lock;  /* of the directory; a copy */
  int guard; /* -1, as all below: the directory is this process's alone */
  int memory;
  int place; /* of this process */
  unsigned at;
  struct share_board *board;
  int64_t wait_ms; /* for a turn, at most */
  bool turn;       /* it has one */
  /* How often others may have come, and at which of these they had gone: they
   * may be there where the numbers differ. */
  _Atomic uint64_t passed, left;
  _Atomic int64_t looked_ms;
  void (*alone)(void *arg); /* from any thread, before it counts as alone */
  void *arg;
  struct shm shm;
};

#define SHARE_ALONE                                     \
  {                                                     \
    .lock = -1, .guard = -1, .memory = -1, .place = -1, \
    .wait_ms = INDEX_WAIT_MS, .shm = SHM_NONE           \
  }

/* For the first one: `lock` is lent.  Where the machine can't share, nothing
 * is made; false and why: another program uses the index.  It is SHARE_ALONE
 * before, but for what is called when it is alone. */
bool share_make(struct share *, int dir, int lock, struct errmsg *);
/* For one who comes: takes those of share_pass(), whatever happens. */
bool share_join(struct share *, const int fds[SHARE_FDS], struct errmsg *);
/* For the next one, who need not come: their number, 0: it can't be.  They
 * are the caller's. */
size_t share_pass(struct share *, int fds[SHARE_FDS]);
void share_close(struct share *);

/* Are there others?  Soon after the last one has gone it says so.  From any
 * thread. */
bool share_among(struct share *);
/* Nobody is there, nor died with business. */
bool share_is_last(struct share *);
/* This one has business with numbers from there on; 0: with none. */
void share_note(struct share *, uint64_t number);
/* The lowest of all; `mine` where there is no other. */
uint64_t share_floor(const struct share *, uint64_t mine);

/* Around a transaction that writes, and around a checkpoint: each gets its
 * turn.  Between processes only; bounded, and false where it didn't get one.
 * For a transaction SQLite has locks of its own; a checkpoint must not be done
 * then: SQLite may lose a transaction that another process commits while one
 * begins (its "WAL-reset bug"). */
bool share_enter(struct share *);
void share_leave(struct share *);

/* On the lane, in a transaction; false: there are too many.  `out` is NULL
 * where nobody else can come. */
bool share_open_stage(struct share *, int64_t id, struct share_stage **out);
void share_close_stage(struct share_stage *); /* from any thread; or NULL */
/* Does another process have it open? */
bool share_has_stage(struct share *, int64_t id);

#endif
