/* SPDX-License-Identifier: MIT
 *
 * First in, first out, so that what was used just now rests longest.
 */
#include "quarantine.h"

#include <stddef.h>
#include <string.h>

struct quarantine_item {
  struct quarantine_item *next;
  max_align_t memory[];
};

void *quarantine_take(struct quarantine *pool, struct loop *loop,
                      size_t size) {
  struct quarantine_item *item = pool->first;
  if (pool->count <= QUARANTINE_REST) {
    item = loop_own(loop, sizeof *item + size);
    return item == NULL ? NULL : item->memory;
  }
  pool->first = item->next;
  pool->count--;
  return memset(item->memory, 0, size);
}

void quarantine_give(struct quarantine *pool, void *memory) {
  struct quarantine_item *item =
      (void *)((char *)memory - offsetof(struct quarantine_item, memory));
  item->next = NULL;
  if (pool->first == NULL)
    pool->end = &pool->first;
  *pool->end = item;
  pool->end = &item->next;
  pool->count++;
}
