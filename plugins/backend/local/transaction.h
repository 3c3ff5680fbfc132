/* SPDX-License-Identifier: MIT
 *
 * Transactions of the writer, on the thread that has its lane.
 */
#ifndef LOCAL_TRANSACTION_H
#define LOCAL_TRANSACTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct local;
struct task;
struct writer;

/* Writes what the tasks want, all or nothing, and gives each its status.
 * False: nothing was written.  `unknown`: but a crash may bring it back. */
bool transaction_run(struct local *, struct task **tasks, size_t count,
                     bool *unknown);

struct upkeep { /* what the ledger wants to have in the index */
  uint64_t reserved, low;
  uint64_t next;    /* that is written: `reserved`, but for another process */
  uint64_t settled; /* of this process: `low` is that of all */
};

/* Writes that, inside a transaction, and that freed blobs are no garbage. */
bool transaction_keep_up(struct local *, struct upkeep *);
/* The first number that nobody has reserved, inside a transaction. */
bool transaction_reserved(struct writer *, uint64_t *number);
/* Drops the list of freed blobs that were written. */
void transaction_forget(struct writer *);

#endif
