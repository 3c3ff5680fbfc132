/* SPDX-License-Identifier: MIT
 *
 * Texts by name that the hooks of a request share (<sluice/request.h>).
 * Called with what hooks say: names and values are checked, and so is how much
 * there is of them.
 */
#ifndef GATE_ATTRIBUTES_H
#define GATE_ATTRIBUTES_H

#include <stdbool.h>
#include <stddef.h>

struct attribute;

struct attributes { /* zeroed: there are none */
  struct attribute *first;
  size_t count, size;
};

/* NULL takes it away.  False: it can't be, and nothing has changed. */
bool attributes_set(struct attributes *, const char *name, const char *value);
/* NULL: there is none of the name. */
const char *attributes_get(const struct attributes *, const char *name);
void attributes_fini(struct attributes *);

#endif
