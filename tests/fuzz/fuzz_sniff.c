/* SPDX-License-Identifier: MIT
 *
 * Any bytes as an answer of a helper, in any pieces: a text that is taken is
 * visible, and a type that is taken agrees with itself and is one that its own
 * pattern means.  What is behind a NUL is a pattern, or what was said.
 */
#include "mediatype.h"
#include "sniffwire.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_type(const char *type) {
  char again[MEDIATYPE_MAX];
  const char *const own[] = {type, NULL}, *const all[] = {"*/*", NULL};
  assert(strlen(type) < MEDIATYPE_MAX && strchr(type, '/') != NULL);
  assert(mediatype_read(type, strlen(type), again));
  assert(strcmp(type, again) == 0);
  assert(mediatype_agrees(type, type));
  assert(mediatype_listed(own, type) && mediatype_listed(all, type));
}

/* As it comes, a byte more at a time: never another answer than the whole. */
static void check_answer(const uint8_t *data, size_t size) {
  struct sniffwire_answer answer;
  enum sniffwire_state last = SNIFFWIRE_PART;
  char type[MEDIATYPE_MAX];
  for (size_t len = 0; len <= size && len <= SNIFFWIRE_MAX + 1; len++) {
    enum sniffwire_state now = sniffwire_read(data, len, &answer);
    assert(last == SNIFFWIRE_PART || now == SNIFFWIRE_NONSENSE);
    assert(now != SNIFFWIRE_PART || len < SNIFFWIRE_MAX);
    last = now;
    if (now != SNIFFWIRE_WHOLE)
      continue;
    for (const char *at = answer.text; *at != '\0'; at++)
      assert(*at >= ' ' && *at <= '~');
    if (mediatype_read(answer.text, strlen(answer.text), type))
      check_type(type);
  }
}

static void check_pattern(const char *pattern) {
  struct errmsg err;
  char type[MEDIATYPE_MAX];
  const char *const list[] = {pattern, NULL};
  mediatype_listed(list, "image/png");
  if (mediatype_read(pattern, strlen(pattern), type)) {
    check_type(type);
    mediatype_agrees(type, "text/html");
    mediatype_agrees("application/zip", type);
  } else if (mediatype_check("allow", pattern, &err)) {
    assert(strchr(pattern, '*') != NULL);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *text = malloc(size + 1);
  assert(text);
  if (size > 0)
    memcpy(text, data, size);
  text[size] = '\0';
  check_answer(data, size);
  check_pattern(text);
  free(text);
  return 0;
}
