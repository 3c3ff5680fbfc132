/* SPDX-License-Identifier: MIT
 *
 * Memory that plugins have pointers into.  What was given back is used again
 * for the same purpose only, late, and never freed before its loop: a plugin
 * that still speaks of it afterwards finds something of its own, and can be
 * told that it breaks the contract.  One loop's.
 */
#ifndef RUNTIME_QUARANTINE_H
#define RUNTIME_QUARANTINE_H

#include "loop.h"

/* So many are given back after one before it is used again. */
#define QUARANTINE_REST 256

struct quarantine_item;

struct quarantine { /* zeroed: empty */
  struct quarantine_item *first, **end;
  size_t count;
};

/* Zeroed; all of a pool have one size and one loop.  NULL: no memory. */
void *quarantine_take(struct quarantine *, struct loop *, size_t size);
void quarantine_give(struct quarantine *, void *memory);

#endif
