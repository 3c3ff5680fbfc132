/* SPDX-License-Identifier: MIT
 *
 * First in, first out, so that what was used just now rests longest.
 */
#include "pool.h"

#include <stddef.h>
#include <string.h>

struct pool_item {
  struct pool_item *next;
  max_align_t memory[];
};

void *pool_take(struct pool *pool, struct loop *loop, size_t size) {
  struct pool_item *item = pool->first;
  if (pool->count <= POOL_REST) {
    item = loop_own(loop, sizeof *item + size);
    return item == NULL ? NULL : item->memory;
  }
  pool->first = item->next;
  pool->count--;
  return memset(item->memory, 0, size);
}

void pool_give(struct pool *pool, void *memory) {
  struct pool_item *item =
      (void *)((char *)memory - offsetof(struct pool_item, memory));
  item->next = NULL;
  if (pool->first == NULL)
    pool->end = &pool->first;
  *pool->end = item;
  pool->end = &item->next;
  pool->count++;
}
