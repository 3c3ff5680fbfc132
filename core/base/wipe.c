/* SPDX-License-Identifier: MIT
 *
 * Blocks of malloc(), whose size it knows.
 */
#include "wipe.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

static size_t to_wipe(void *block) {
  size_t size = malloc_usable_size(block);
  return size < WIPE_MAX ? size : WIPE_MAX;
}

void wipe_free(void *block) {
  if (block == NULL)
    return;
  explicit_bzero(block, to_wipe(block));
  free(block);
}

void *wipe_realloc(void *block, size_t size) {
  if (block == NULL)
    return malloc(size);
  size_t had = malloc_usable_size(block);
  void *more = malloc(size);
  if (more == NULL)
    return NULL;
  memcpy(more, block, had < size ? had : size);
  wipe_free(block);
  return more;
}
