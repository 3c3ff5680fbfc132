/* SPDX-License-Identifier: MIT
 *
 * The account of a bound on memory.
 */
#include "budget.h"

bool budget_take(struct budget *budget, size_t bytes) {
  int64_t left = atomic_load(&budget->free);
  do
    if (left < 0 || (uint64_t)left < bytes)
      return false;
  while (!atomic_compare_exchange_weak(&budget->free, &left,
                                       left - (int64_t)bytes));
  return true;
}

void budget_give(struct budget *budget, size_t bytes) {
  atomic_fetch_add(&budget->free, (int64_t)bytes);
}

void budget_resize(struct budget *budget, int64_t bytes) {
  atomic_fetch_add(&budget->free, bytes);
}
