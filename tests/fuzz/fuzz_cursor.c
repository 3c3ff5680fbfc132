/* SPDX-License-Identifier: MIT
 *
 * Cursors as clients send them: lines of prefix, delimiter and text.  The text
 * is opened as it is, and whatever opens is exactly what sealing its token
 * with the same key gives; then it is sealed as a token, and must open again
 * for its own list and for no other.
 */
#include "cursor.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct digest_key *key;

static void open_as_it_is(const char *prefix, const char *delimiter,
                          const char *text) {
  struct buf token, cursor;

  buf_init(&token, CURSOR_TOKEN_MAX);
  buf_init(&cursor, CURSOR_MAX);
  if (cursor_open(&token, key, text, prefix, delimiter)) {
    assert(strlen(token.data) == token.len);
    assert(cursor_seal(&cursor, key, prefix, delimiter, token.data));
    assert(strcmp(cursor.data, text) == 0);
  }
  buf_fini(&token);
  buf_fini(&cursor);
}

static void seal_and_open(const char *prefix, const char *delimiter,
                          const char *text) {
  struct buf token, cursor;
  bool sealed;

  buf_init(&token, CURSOR_TOKEN_MAX);
  buf_init(&cursor, CURSOR_MAX);
  sealed = cursor_seal(&cursor, key, prefix, delimiter, text);
  assert(sealed == (strlen(text) <= CURSOR_TOKEN_MAX));
  if (sealed) {
    assert(cursor_open(&token, key, cursor.data, prefix, delimiter));
    assert(strcmp(token.data, text) == 0);
    assert(!cursor_open(&token, key, cursor.data, prefix,
                        delimiter ? NULL : prefix));
    assert(
        !cursor_open(&token, key, cursor.data, *prefix ? "" : "x", delimiter));
  }
  buf_fini(&token);
  buf_fini(&cursor);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *copy = strndup((const char *)data, size), *at = copy;
  const char *prefix = strsep(&at, "\n");
  const char *delimiter = at ? strsep(&at, "\n") : "";
  const char *text = at ? at : "";

  if (!key)
    key = digest_key_new("key", 3);
  if (!copy)
    return 0;
  if (!*delimiter)
    delimiter = NULL;
  open_as_it_is(prefix, delimiter, text);
  seal_and_open(prefix, delimiter, text);
  free(copy);
  return 0;
}
