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
#include <stdint.h>

struct budget {
  _Atomic int64_t free; /* bytes; below 0 once it was made smaller */
};

/* From any thread.  False, and nothing taken, when less is left. */
bool budget_take(struct budget *, size_t bytes);
void budget_give(struct budget *, size_t bytes);
/* It is larger, or smaller, by so much from now on; what is taken stays. */
void budget_resize(struct budget *, int64_t bytes);

#endif
