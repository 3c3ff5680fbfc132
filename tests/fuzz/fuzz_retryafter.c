/* SPDX-License-Identifier: MIT
 *
 * Any text as a Retry-After: the pause is never negative, nor over a day.
 */
#include "backoff.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const int64_t clocks[] = {0, 784111777000, 4102444800000};
  char *text = malloc(size + 1);
  assert(text);
  if (size > 0)
    memcpy(text, data, size);
  text[size] = '\0';
  for (size_t i = 0; i < sizeof clocks / sizeof *clocks; i++) {
    int64_t ms = backoff_after_ms(text, clocks[i]);
    assert(ms >= 0 && ms <= BACKOFF_AFTER_MAX_MS);
  }
  free(text);
  return 0;
}
