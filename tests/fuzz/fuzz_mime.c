/* SPDX-License-Identifier: MIT
 *
 * Media types and boundaries as clients send them.  Whatever a type is cleaned
 * to is valid, has no tab, and stays as it is when it is cleaned again; a type
 * that is valid keeps all but its tabs.  A boundary that is read is one that a
 * form can have.
 */
#include "boundary.h"
#include "codec.h"
#include "mime.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void clean_twice(const char *type) {
  struct buf once, twice;

  buf_init(&once, MIME_MAX);
  buf_init(&twice, MIME_MAX);
  if (mime_clean(&once, type)) {
    assert(mime_valid(once.data) && !strchr(once.data, '\t'));
    assert(mime_clean(&twice, once.data));
    assert(strcmp(once.data, twice.data) == 0);
    assert(!mime_valid(type) || once.len == strlen(type));
  } else
    assert(!mime_valid(type));
  buf_fini(&once);
  buf_fini(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *text = strndup((const char *)data, size);
  char boundary[BOUNDARY_MAX + 1];

  if (!text)
    return 0;
  clean_twice(text);
  if (!boundary_read(boundary, text))
    assert(!boundary_fault(boundary));
  free(text);
  return 0;
}
