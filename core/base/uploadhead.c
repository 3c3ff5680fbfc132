/* SPDX-License-Identifier: MIT
 *
 * Parsers of single fields; all of them take a whole value or none of it.
 */
#include "uploadhead.h"

#include <string.h>

#include "codec.h"
#include "structured.h"

#define DIGITS_MAX 15
#define KEYS_MAX 100
#define DIGITS "0123456789"

/* ---- structured fields -------------------------------------------------- */

bool uploadhead_boolean(const char *text, bool *value) {
  struct structured item;
  bool is = structured_item(&item, text) && item.kind == STRUCTURED_BOOLEAN;
  if (is)
    *value = item.boolean;
  return is;
}

bool uploadhead_integer(const char *text, int64_t *value) {
  struct structured item;
  bool is = structured_item(&item, text) && item.kind == STRUCTURED_INTEGER &&
            item.integer >= 0;
  if (is)
    *value = item.integer;
  return is;
}

/* ---- tus ---------------------------------------------------------------- */

static const char *uploadhead_skip_spaces(const char *at) {
  return at + strspn(at, " ");
}

static int64_t read_digits(const char *text, size_t len) {
  int64_t value = 0;
  for (size_t i = 0; i < len; i++)
    value = value * 10 + (text[i] - '0');
  return value;
}

bool uploadhead_number(const char *text, int64_t *value) {
  if (text == NULL || *text == '\0' || text[strspn(text, DIGITS)] != '\0')
    return false;
  text += strspn(text, "0");
  size_t len = strlen(text);
  *value = len <= DIGITS_MAX ? read_digits(text, len) : INT64_MAX;
  return len <= 19; /* more is no number of bytes */
}

/* Base64 of RFC 4648, section 4, with its padding. */
static bool unbase64(struct buf *out, const char *text, size_t len) {
  struct buf url;
  size_t pad = 0;
  if (len % 4 != 0)
    return false;
  while (pad < 2 && pad < len && text[len - pad - 1] == '=')
    pad++;
  buf_init(&url, len + 1);
  for (size_t i = 0; i < len - pad; i++)
    buf_addc(&url, text[i] == '+'                     ? '-'
                   : text[i] == '/'                   ? '_'
                   : text[i] == '-' || text[i] == '_' ? '='
                                                      : text[i]);
  bool ok = !url.overflown && codec_unbase64url(out, url.data, url.len);
  buf_fini(&url);
  return ok;
}

struct metadata_pair {
  const char *key, *value;
  size_t key_len, value_len;
};

/* Cuts the pair at the front of a list. */
static bool metadata_next(const char **at, struct metadata_pair *pair) {
  const char *text = uploadhead_skip_spaces(*at);
  size_t len = strcspn(text, ",");
  *at = text + len + (text[len] == ',');
  pair->key = text;
  pair->key_len = 0;
  while (pair->key_len < len && text[pair->key_len] != ' ')
    pair->key_len++;
  pair->value = uploadhead_skip_spaces(text + pair->key_len);
  size_t used = (size_t)(pair->value - text);
  pair->value_len = used < len ? len - used : 0;
  while (pair->value_len > 0 && pair->value[pair->value_len - 1] == ' ')
    pair->value_len--;
  return pair->key_len > 0 &&
         memchr(pair->value, ' ', pair->value_len) == NULL;
}

static bool is_twice(const struct metadata_pair *pairs, size_t count) {
  const struct metadata_pair *last = &pairs[count - 1];
  for (size_t i = 0; i + 1 < count; i++)
    if (pairs[i].key_len == last->key_len &&
        memcmp(pairs[i].key, last->key, last->key_len) == 0)
      return true;
  return false;
}

enum uploadhead_found uploadhead_metadata(struct buf *out, const char *text,
                                          const char *key) {
  struct metadata_pair pairs[KEYS_MAX];
  enum uploadhead_found found = UPLOADHEAD_NONE;
  struct buf other;
  buf_clear(out);
  size_t size = text == NULL ? 0 : strlen(text);
  buf_init(&other, size + 1);
  for (size_t n = 1; size > 0 && found != UPLOADHEAD_BAD; n++) {
    struct metadata_pair *pair = &pairs[n - 1];
    bool ended = strchr(text, ',') == NULL;
    bool sane = metadata_next(&text, pair) && !is_twice(pairs, n);
    bool wanted = sane && pair->key_len == strlen(key) &&
                  memcmp(pair->key, key, pair->key_len) == 0;
    struct buf *to = wanted ? out : &other;
    buf_clear(&other);
    if (!sane || (!ended && n == KEYS_MAX) ||
        !unbase64(to, pair->value, pair->value_len))
      found = UPLOADHEAD_BAD;
    else if (wanted)
      found = UPLOADHEAD_FOUND;
    if (ended)
      break;
  }
  buf_fini(&other);
  return found;
}

const char *uploadhead_checksum(struct uploadhead_checksum *checksum,
                                const char *text) {
  size_t len = strcspn(text, " ");
  if (!checksum_find(&checksum->kind, text, len))
    return "'Upload-Checksum' names an algorithm that isn't offered; use "
           "sha1, sha256, md5 or crc32";
  struct buf sum;
  buf_init(&sum, CHECKSUM_MAX);
  const char *value = text + len + (text[len] == ' ');
  bool ok = unbase64(&sum, value, strlen(value)) &&
            sum.len == checksum_size(checksum->kind);
  if (ok)
    memcpy(checksum->sum, sum.data, sum.len);
  buf_fini(&sum);
  return ok ? NULL
            : "'Upload-Checksum' isn't the base64 of a sum of its algorithm";
}

enum uploadhead_concat uploadhead_concat(const char *text,
                                         const char **parts) {
  if (strcmp(text, "partial") == 0)
    return UPLOADHEAD_PARTIAL;
  if (strncmp(text, "final;", 6) != 0)
    return UPLOADHEAD_ODD;
  *parts = uploadhead_skip_spaces(text + 6);
  return **parts == '\0' ? UPLOADHEAD_ODD : UPLOADHEAD_FINAL;
}

const char *uploadhead_part(const char **at, size_t *len) {
  const char *part = uploadhead_skip_spaces(*at);
  *len = strcspn(part, " ");
  *at = part + *len;
  return *len > 0 ? part : NULL;
}
