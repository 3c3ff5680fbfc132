/* SPDX-License-Identifier: MIT
 *
 * The accounts of a bound on memory.
 */
#include "budget.h"

static size_t lease(struct budget *budget, size_t least, size_t wish) {
  size_t left = atomic_load(&budget->free);
  for (;;) {
    size_t got = left < wish ? left : wish;
    if (got < least)
      return 0;
    if (atomic_compare_exchange_weak(&budget->free, &left, left - got))
      return got;
  }
}

bool budget_take(struct budget_lease *account, size_t bytes) {
  if (account->free < bytes) {
    size_t least = bytes - account->free;
    size_t wish = least > BUDGET_STEP ? least : BUDGET_STEP;
    size_t got = lease(account->budget, least, wish);
    if (got == 0)
      return false;
    account->free += got;
  }
  account->free -= bytes;
  return true;
}

void budget_give(struct budget_lease *account, size_t bytes) {
  account->free += bytes;
  if (account->free > 2 * (size_t)BUDGET_STEP) {
    atomic_fetch_add(&account->budget->free, account->free - BUDGET_STEP);
    account->free = BUDGET_STEP;
  }
}
