/* SPDX-License-Identifier: MIT
 *
 * A bound on memory for the whole process: every request in flight takes what
 * it may use, and gives it back.
 */
#ifndef RUNTIME_BUDGET_H
#define RUNTIME_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct budget {
  atomic_size_t free; /* bytes */
};

/* From any thread.  False, and nothing taken, when less is left. */
bool budget_take(struct budget *, size_t bytes);
void budget_give(struct budget *, size_t bytes);

#endif
