/* SPDX-License-Identifier: MIT
 *
 * Any text as a Cache-Control: an answer is never kept longer than was wished
 * for, nor with a no-store.
 */
#include "auth_answer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ASKED_MS 5000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *text = malloc(size + sizeof ", no-store");
  assert(text);
  if (size > 0)
    memcpy(text, data, size);
  text[size] = '\0';
  int64_t time = auth_answer_time(text, ASKED_MS);
  assert(time >= 0 && time <= ASKED_MS);
  assert(strcasecmp(text, "no-store") != 0 || time == 0);
  size_t len = strlen(text);
  memcpy(text + len, ", no-store", sizeof ", no-store");
  assert(auth_answer_time(text, ASKED_MS) == 0);
  free(text);
  return 0;
}
