/* SPDX-License-Identifier: MIT
 *
 * Lines of header fields.  Called for each answer, so they are put together
 * once and sent as they lie.
 */
#include "fields.h"

#include <string.h>

#include "codec.h"

#define SEPARATOR 2 /* bytes of ": ", and of CRLF */

void fields_init(struct buf *lines) {
  buf_init(lines, FIELDS_MAX);
}

static bool is_line(const char *text, size_t len) {
  return memchr(text, '\r', len) == NULL && memchr(text, '\n', len) == NULL;
}

bool fields_add(struct buf *lines, const char *name, const char *value) {
  size_t name_len = strlen(name), len = strlen(value);
  size_t had = lines->len;
  if (!is_line(name, name_len) || !is_line(value, len) ||
      name_len > FIELDS_MAX || len > FIELDS_MAX ||
      name_len + len + 2 * SEPARATOR > lines->max - had)
    return false;
  if (buf_add(lines, name, name_len) && buf_add(lines, ": ", SEPARATOR) &&
      buf_add(lines, value, len) && buf_add(lines, "\r\n", SEPARATOR))
    return true;
  lines->len = had;
  return false;
}

/* The line's begin; NULL: none. */
static char *find_line(const struct buf *lines, size_t within,
                       const char *name) {
  size_t len = strlen(name);
  char *at = lines->data, *end = lines->data + within;
  while (at < end) {
    char *stop = memchr(at, '\n', (size_t)(end - at));
    if ((size_t)(stop - at) > len && at[len] == ':' &&
        codec_same(at, len, name))
      return at;
    at = stop + 1;
  }
  return NULL;
}

const char *fields_get(const struct buf *lines, size_t within,
                       const char *name) {
  const char *at = find_line(lines, within, name);
  return at == NULL ? NULL : at + strlen(name) + SEPARATOR;
}

size_t fields_remove(struct buf *lines, const char *name) {
  char *at = find_line(lines, lines->len, name);
  if (at == NULL)
    return 0;
  char *end = lines->data + lines->len;
  char *next = (char *)memchr(at, '\n', (size_t)(end - at)) + 1;
  memmove(at, next, (size_t)(end - next) + 1); /* and the NUL */
  lines->len -= (size_t)(next - at);
  return (size_t)(next - at);
}
