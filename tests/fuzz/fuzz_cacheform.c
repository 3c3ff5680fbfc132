/* SPDX-License-Identifier: MIT
 *
 * Any bytes as the head of a cache's entry, as they are and with their sum put
 * right: one that is read comes back from its own form.
 */
#include "cacheform.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const unsigned char *head, size_t size) {
  static unsigned char again[CACHEFORM_HEAD_MAX];
  struct cacheform form, back;

  if (!cacheform_read(&form, head, size))
    return;
  size_t length = cacheform_write(again, form.key, &form.meta);
  assert(length == form.head);
  assert(cacheform_read(&back, again, length));
  assert(cacheform_same(&form.meta, &back.meta));
  assert(strcmp(form.key, back.key) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  unsigned char *copy = malloc(size + 1);

  if (copy == NULL)
    return 0;
  memcpy(copy, data, size);
  check(copy, size);
  size_t length = size < CACHEFORM_HEAD_MIN ? 0 : cacheform_length(copy);
  if (length > 0 && length <= size) {
    digest_sha256(copy + length - DIGEST_SHA256_LEN, copy,
                  length - DIGEST_SHA256_LEN);
    check(copy, size);
  }
  free(copy);
  return 0;
}
