/* SPDX-License-Identifier: MIT
 *
 * A URL's query, read one parameter at a time, as HTML forms write it.  Other
 * parameters than the wanted one may hold what they like.
 */
#include "query.h"

#include "codec.h"
#include <string.h>

static bool is_escaped(const char *in, size_t len) {
  return memchr(in, '%', len) || memchr(in, '+', len);
}

/* Names may be escaped as values are, though hardly anyone does it. */
static bool name_is(const char *in, size_t len, const char *name) {
  size_t wanted = strlen(name);
  struct buf plain;
  bool same;

  if (!is_escaped(in, len))
    return len == wanted && memcmp(in, name, len) == 0;
  buf_init(&plain, wanted);
  same =
      codec_unpercent(&plain, in, len, true) && strcmp(plain.data, name) == 0;
  buf_fini(&plain);
  return same;
}

/* Decodes the value of one parameter, in[0..len). */
static enum query_result query_take(struct buf *out, const char *in,
                                    size_t len) {
  if (!codec_unpercent(out, in, len, true) ||
      !codec_utf8_valid(out->data, out->len))
    return QUERY_BAD;
  return QUERY_FOUND;
}

enum query_result query_get(struct buf *out, const char *query,
                            const char *name) {
  enum query_result result = QUERY_NONE;

  buf_clear(out);
  while (query && *query && result != QUERY_BAD) {
    size_t len = strcspn(query, "&");
    const char *equals = memchr(query, '=', len);
    size_t name_len = equals ? (size_t)(equals - query) : len;
    size_t value = equals ? name_len + 1 : len;

    if (len && name_is(query, name_len, name))
      result = result == QUERY_NONE
                   ? query_take(out, query + value, len - value)
                   : QUERY_BAD;
    query += len;
    query += *query == '&';
  }
  return result;
}

enum query_result query_next(struct buf *out, const char **query,
                             const char *name) {
  buf_clear(out);
  while (*query != NULL && **query != '\0') {
    const char *at = *query;
    size_t len = strcspn(at, "&");
    const char *equals = memchr(at, '=', len);
    size_t name_len = equals != NULL ? (size_t)(equals - at) : len;
    size_t value = equals != NULL ? name_len + 1 : len;
    *query += len;
    *query += **query == '&';
    if (len > 0 && name_is(at, name_len, name))
      return query_take(out, at + value, len - value);
  }
  return QUERY_NONE;
}
