/* SPDX-License-Identifier: MIT
 *
 * To copy the store while a gateway uses it, index.db and the blobs have to
 * stay as they are for a while.  That is agreed on by flock(2) of the file
 * `hold`: the gateway has it shared for as long as it copies the log of the
 * index back or removes a blob, and does so later where it doesn't get it;
 * who copies has it alone.  Locks end with their processes, so none is left
 * behind.  Decision 0038.
 */
#ifndef LOCAL_HOLD_H
#define LOCAL_HOLD_H

#include <stdbool.h>

#define HOLD_NONE (-1)

enum hold_kind {
  HOLD_CHANGE, /* the gateway's: HOLD_NONE and EWOULDBLOCK while one copies */
  HOLD_START,  /* the gateway's, at a start: waits for that */
  HOLD_COPY    /* waits for the gateway, and for others that copy */
};

/* A descriptor, or HOLD_NONE and errno.  `dir` is the store's folder. */
int hold_take(int dir, enum hold_kind);
/* After hold_take(): somebody copies, or nobody knows.  A folder in which no
 * file can be made is no reason: nobody can copy it so, either. */
bool hold_forbids(int hold);
void hold_end(int hold); /* HOLD_NONE: nothing */

#endif
