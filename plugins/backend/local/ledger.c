/* SPDX-License-Identifier: MIT
 *
 * The numbers of blobs, without a lock: all atomics are sequentially
 * consistent, which ledger_pin() relies on.
 */
#include "ledger.h"

#include "must.h"

void ledger_init(struct ledger *ledger, uint64_t next, uint64_t reserved) {
  must(next > 0 && next <= reserved);
  atomic_store(&ledger->next, next);
  atomic_store(&ledger->reserved, reserved);
  ledger->low = next;
}

static uint64_t epoch(struct ledger *ledger) {
  return atomic_load(&ledger->next) >> LEDGER_EPOCH_BITS;
}

/* A pin counts only when its epoch is still the current one after it was set:
 * then a writer that sees a later epoch sees the pin, too. */
unsigned ledger_pin(struct ledger *ledger) {
  for (;;) {
    uint64_t now = epoch(ledger);
    unsigned pin = (unsigned)(now % LEDGER_RING);
    atomic_fetch_add(&ledger->pins[pin], 1);
    if (epoch(ledger) == now)
      return pin;
    atomic_fetch_sub(&ledger->pins[pin], 1);
  }
}

void ledger_unpin(struct ledger *ledger, unsigned pin) {
  uint32_t before = atomic_fetch_sub(&ledger->pins[pin], 1);
  must(before > 0);
  (void)before;
}

bool ledger_take(struct ledger *ledger, uint64_t *number) {
  *number = atomic_fetch_add(&ledger->next, 1);
  return *number < atomic_load(&ledger->reserved);
}

uint64_t ledger_want_reserved(struct ledger *ledger) {
  uint64_t next = atomic_load(&ledger->next);
  uint64_t reserved = atomic_load(&ledger->reserved);
  return next + LEDGER_BLOCK / 2 > reserved ? next + LEDGER_BLOCK : reserved;
}

uint64_t ledger_want_low(struct ledger *ledger) {
  uint64_t last = epoch(ledger);
  uint64_t at = ledger->low >> LEDGER_EPOCH_BITS;
  while (at < last && atomic_load(&ledger->pins[at % LEDGER_RING]) == 0)
    at++;
  uint64_t low = at << LEDGER_EPOCH_BITS;
  return low > ledger->low ? low : ledger->low;
}

bool ledger_idle(struct ledger *ledger) {
  for (unsigned i = 0; i < LEDGER_RING; i++)
    if (atomic_load(&ledger->pins[i]) != 0)
      return false;
  return true;
}
