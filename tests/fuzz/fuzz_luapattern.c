/* SPDX-License-Identifier: MIT
 *
 * Any pattern over any text, with a NUL between them: a match lies in the
 * text, and so do its captures.
 */
#include "luapattern.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define STEPS 20000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of just that size and a NUL behind it, as Lua's own are. */
static char *copied(const uint8_t *data, size_t size) {
  char *text = malloc(size + 1);
  assert(text);
  if (size > 0)
    memcpy(text, data, size);
  text[size] = '\0';
  return text;
}

static void check(const struct luapattern *match, const char *at,
                  const char *to) {
  assert(to >= at && to <= match->text_end);
  for (size_t i = 0; i < match->captures; i++) {
    const struct luapattern_capture *capture = &match->capture[i];
    assert(capture->length >= 0 || capture->length == LUAPATTERN_POSITION);
    ptrdiff_t length = capture->length > 0 ? capture->length : 0;
    assert(capture->at >= at && capture->at + length <= to);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const uint8_t *cut = size == 0 ? NULL : memchr(data, '\0', size);
  size_t first = cut == NULL ? size : (size_t)(cut - data);
  size_t rest = cut == NULL ? 0 : size - first - 1;
  char *pattern = copied(data, first);
  char *text = copied(cut == NULL ? data : cut + 1, rest);
  struct luapattern match = {.text = text,
                             .text_end = text + rest,
                             .pattern = pattern,
                             .pattern_end = pattern + first,
                             .left = STEPS};
  for (const char *at = text; at <= match.text_end; at++) {
    const char *to = luapattern_match(&match, at);
    if (to != NULL)
      check(&match, at, to);
    assert(to == NULL || (match.fault == NULL && !match.spent));
    assert(match.left <= STEPS);
    if (match.fault != NULL || match.spent)
      break;
  }
  free(pattern);
  free(text);
  return 0;
}
