/* SPDX-License-Identifier: MIT
 *
 * A bound on memory for the whole process that loops share without meeting:
 * each leases a stock, and gives back what it doesn't need.
 */
#ifndef RUNTIME_BUDGET_H
#define RUNTIME_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#define BUDGET_STEP (1u << 20)

struct budget { /* of the process */
  atomic_size_t free;
};

struct budget_lease { /* of a loop */
  struct budget *budget;
  size_t free; /* leased, not used */
};

/* False when the process hasn't so much left. */
bool budget_take(struct budget_lease *, size_t bytes);
void budget_give(struct budget_lease *, size_t bytes);

#endif
