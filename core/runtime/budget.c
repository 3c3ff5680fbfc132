/* SPDX-License-Identifier: MIT
 *
 * The account of a bound on memory.
 */
#include "budget.h"

bool budget_take(struct budget *budget, size_t bytes) {
  size_t left = atomic_load(&budget->free);
  do
    if (left < bytes)
      return false;
  while (!atomic_compare_exchange_weak(&budget->free, &left, left - bytes));
  return true;
}

void budget_give(struct budget *budget, size_t bytes) {
  atomic_fetch_add(&budget->free, bytes);
}
