/* SPDX-License-Identifier: MIT
 *
 * Any text as clamd's answer, and as its address.  A name is visible ASCII
 * within its limit, and comes with one answer alone.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "clamd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_answer(const char *reply) {
  char name[CLAMD_NAME_MAX];
  memset(name, 'x', sizeof name);
  name[0] = '\0';
  enum clamd_word word = clamd_read(reply, name);
  if (word == CLAMD_CLEAN)
    assert(strstr(reply, "OK") != NULL);
  if (word != CLAMD_FOUND)
    return;
  assert(strstr(reply, "FOUND") != NULL);
  assert(memchr(name, '\0', sizeof name) != NULL);
  for (const char *at = name; *at != '\0'; at++)
    assert(*at > ' ' && *at < 127);
}

static void check_address(const char *text) {
  struct clamd_address address = {.size = 0};
  struct errmsg err = {""};
  if (clamd_address(&address, text, &err))
    assert(address.size > 0 && address.size <= sizeof address.at);
  else
    assert(err.text[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *text = strndup((const char *)data, size);
  assert(text != NULL);
  if (strlen(text) < CLAMD_REPLY_MAX)
    check_answer(text);
  check_address(text);
  free(text);
  return 0;
}
