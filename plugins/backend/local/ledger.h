/* SPDX-License-Identifier: MIT
 *
 * The numbers of blobs.  Each is handed out once in the life of a directory.
 * The index keeps two of them, so that a start after a crash looks only where
 * something can lie about: no number from `reserved` on was ever used, and
 * each below `low` is settled, that is in a row, or garbage, or gone.
 */
#ifndef LOCAL_LEDGER_H
#define LOCAL_LEDGER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define LEDGER_EPOCH_BITS 16
#define LEDGER_BLOCK (1u << LEDGER_EPOCH_BITS) /* reserved at once */
#define LEDGER_RING 16u
/* Numbers that stay for a process whose directory was handed over: more than
 * it can use until it ends.  There are enough for a million of them. */
#define LEDGER_SPAN ((uint64_t)1 << 40)

struct ledger {
  _Atomic uint64_t next;
  _Atomic uint64_t reserved;
  /* Commits under way, by the epoch (number >> 16) in which they began.  Two
   * epochs that share a slot hold `low` back for each other: late, not
   * wrong. */
  _Atomic uint32_t pins[LEDGER_RING];
  uint64_t low; /* the writer's */
};

void ledger_init(struct ledger *, uint64_t next, uint64_t reserved);

/* Takes part in the current epoch, from any thread; until ledger_unpin() the
 * numbers that are taken afterwards aren't settled. */
unsigned ledger_pin(struct ledger *);
void ledger_unpin(struct ledger *, unsigned pin);
/* False: the number may not be used, as it isn't reserved yet. */
bool ledger_take(struct ledger *, uint64_t *number);

/* The writer asks what the index should say now. */
uint64_t ledger_want_reserved(struct ledger *);
uint64_t ledger_want_low(struct ledger *);
bool ledger_idle(struct ledger *); /* no pin */

#endif
