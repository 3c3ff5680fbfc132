/* SPDX-License-Identifier: MIT
 *
 * Many keys removed by one operation.  A transaction of the writer's lane
 * takes as many of them as it may; what is left waits for the lane's next
 * turn, behind those who came meanwhile.
 */
#ifndef LOCAL_MANY_H
#define LOCAL_MANY_H

#include "errmsg.h"

#include <sluice/plugin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct task;

/* Keys that one transaction removes, of all the operations in it. */
#define MANY_KEYS_MAX 1000
/* Threads that unlink blobs for one operation. */
#define MANY_DROPS 8

struct many_drop { /* for one of them */
  struct task *task;
  const uint64_t *blobs;
  size_t count;
};

struct many {
  const char *const *keys; /* lent */
  size_t count, next;      /* of those before `next` it is known */
  size_t taken;            /* from there: those of the last transaction */
  size_t step;             /* it takes that many at most */
  uint64_t *blobs;         /* that they had, and the index has as garbage */
  size_t blob_count;
  struct many_drop drops[MANY_DROPS];
  size_t dropping; /* of those */
  bool canceled;
  struct errmsg why; /* of the first that couldn't be removed */
};

/* An entry of struct sluice_backend. */
void many_remove(void *handle, struct sluice_op *, const char *const *keys,
                 size_t count);

/* ---- for who has the task ---- */

/* A transaction begins, which may still take `*room` keys. */
void many_take(struct many *, size_t *room);
/* It failed, and nothing of it was written; the next one takes one key.
 * False: this was one. */
bool many_take_less(struct many *);
/* No other transaction will do better: what is left shares its status. */
void many_give_up(struct many *);
/* Notes a blob that a key had; 0: none. */
void many_note_blob(struct many *, uint64_t blob);
/* The task ends; NULL: nothing. */
void many_free(struct many *);

#endif
