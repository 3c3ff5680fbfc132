/* SPDX-License-Identifier: MIT
 *
 * Memory that plugins have pointers into.  What was given back is used again
 * for the same purpose only, late, and never freed before its loop: a plugin
 * that still speaks of it afterwards finds something of its own, and can be
 * told that it breaks the contract.  One loop's.
 */
#ifndef RUNTIME_POOL_H
#define RUNTIME_POOL_H

#include "loop.h"

/* So many are given back after one before it is used again. */
#define POOL_REST 256

struct pool_item;

struct pool { /* zeroed: empty */
  struct pool_item *first, **end;
  size_t count;
};

/* Zeroed; all of a pool have one size and one loop.  NULL: no memory. */
void *pool_take(struct pool *, struct loop *, size_t size);
void pool_give(struct pool *, void *memory);

#endif
