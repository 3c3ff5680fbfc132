/* SPDX-License-Identifier: MIT
 *
 * The seats of stages: who has one open.  A directory has one gateway, so
 * memory does: each opening takes the seat, and who sat there before can't
 * write any more.  The table is the writer lane's; of a seat that somebody
 * has, the word is for any thread.
 */
#ifndef LOCAL_SEATS_H
#define LOCAL_SEATS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define SEATS_ROWS 256u

struct seat {
  struct seat *next;
  int64_t stage;
  atomic_uint holders;
  _Atomic uint64_t word; /* twice the turn; 1 more while it is written to */
};

struct seats {
  struct seat *rows[SEATS_ROWS];
};

/* On the lane.  The seat of a stage, which is held until seat_leave(); NULL:
 * no memory. */
struct seat *seats_find(struct seats *, int64_t stage);
void seats_fini(struct seats *); /* nobody holds one any more */

/* From any thread. */
void seat_leave(struct seat *);
/* On the lane: nobody but who takes it now may write from here on.  False: a
 * write is under way; try again. */
bool seat_take(struct seat *, uint64_t *turn);
/* On the lane: nobody may write any more. */
void seat_clear(struct seat *);
bool seat_is(const struct seat *, uint64_t turn);
/* Around what changes the file; false: somebody else has taken it. */
bool seat_begin(struct seat *, uint64_t turn);
void seat_end(struct seat *);

#endif
