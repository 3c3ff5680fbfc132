/* SPDX-License-Identifier: MIT
 *
 * Object keys.  Called with what clients send: whatever comes out is UTF-8
 * without control characters, and no path segment that climbs.
 */
#include "key.h"

#include "codec.h"
#include "date.h"
#include <stdio.h>
#include <string.h>

#define UNNAMED "unnamed"

static bool is_dots(const char *segment, size_t len) {
  return (len == 1 || len == 2) && segment[0] == '.' &&
         segment[len - 1] == '.';
}

static size_t segment_len(const char *in, size_t len) {
  const char *slash = memchr(in, '/', len);

  return slash ? (size_t)(slash - in) : len;
}

/* Control characters, and what XML 1.0, section 2.2, has no place for. */
static bool is_unfit(uint32_t code) {
  return codec_control(code) || code == 0xFFFE || code == 0xFFFF;
}

static bool has_unfit(const char *in, size_t len) {
  const char *end = in + len;

  while (in < end)
    if (is_unfit(codec_utf8_next(&in)))
      return true;
  return false;
}

bool key_climbs(const char *key, size_t len) {
  for (size_t at = 0, size; at < len; at += size + 1) {
    size = segment_len(key + at, len - at);
    if (is_dots(key + at, size))
      return true;
  }
  return false;
}

bool key_reserved(const char *key, size_t len) {
  static const char own[] = KEY_OWN;
  size_t size = sizeof own - 1;

  for (; len > 0 && *key == '/'; key++)
    len--;
  return len >= size && memcmp(key, own, size) == 0 &&
         (len == size || key[size] == '/');
}

const char *key_removed_fault(const char *key, size_t len) {
  if (key_reserved(key, len))
    return "What begins with \".sluice/\" is the gateway's own";
  if (len > KEY_MAX)
    return "A key or prefix is longer than 1024 bytes";
  if (!codec_utf8_valid(key, len))
    return "A key or prefix isn't valid UTF-8";
  return memchr(key, '\0', len) ? "A key or prefix has a NUL" : NULL;
}

const char *key_found_fault(const char *key, size_t len) {
  const char *fault = key_removed_fault(key, len);

  if (!fault && key_climbs(key, len))
    return "A key or prefix has a segment \".\" or \"..\"";
  return fault;
}

const char *key_fault(const char *key, size_t len) {
  const char *fault = key_found_fault(key, len);

  if (!fault && has_unfit(key, len))
    return "A key or prefix has a control character, U+FFFE or U+FFFF";
  return fault;
}

const char *key_made_fault(const char *key, size_t len) {
  const char *fault = key_fault(key, len);

  if (!fault && (!len || key[0] == '/' || key[len - 1] == '/' ||
                 memmem(key, len, "//", 2)))
    return "A key has an empty segment";
  return fault;
}

static void strip_slashes(const char **in, size_t *len) {
  for (; *len && **in == '/'; (*in)++)
    (*len)--;
  while (*len && (*in)[*len - 1] == '/')
    (*len)--;
}

const char *key_prefix(char out[KEY_MAX + 1], const char *in, size_t len,
                       const char *fallback) {
  const char *fault;

  strip_slashes(&in, &len);
  if (!len) {
    in = fallback;
    len = strlen(fallback);
    strip_slashes(&in, &len);
  }
  fault = key_fault(in, len);
  if (fault)
    return fault;
  memcpy(out, in, len);
  out[len] = '\0';
  return strstr(out, "//") ? "A prefix has an empty segment" : NULL;
}

const char *key_user_fault(const char *prefix) {
  const char *at = strstr(prefix, KEY_USER);

  return at && strstr(at + 1, KEY_USER) ? "it has {user} more than once"
                                        : NULL;
}

const char *key_user(char out[KEY_MAX + 1], const char *prefix,
                     const char *identity) {
  const char *at = strstr(prefix, KEY_USER);
  size_t len = strlen(identity);
  int size;

  if (!at) {
    memcpy(out, prefix, strlen(prefix) + 1);
    return NULL;
  }
  if (!len || is_dots(identity, len) || strchr(identity, '/') ||
      key_fault(identity, len))
    return "Your identity can't be part of a key";
  size = snprintf(out, KEY_MAX + 1, "%.*s%s%s", (int)(at - prefix), prefix,
                  identity, at + strlen(KEY_USER));
  return size < 0 || size > KEY_MAX ? "Your identity is too long for a key"
                                    : NULL;
}

/* The length of what follows the last / or \, and where that is. */
static size_t last_segment(const char **in, size_t len) {
  size_t from = len;

  while (from && (*in)[from - 1] != '/' && (*in)[from - 1] != '\\')
    from--;
  *in += from;
  return len - from;
}

void key_filename(char out[KEY_NAME_MAX + 1], const char *in, size_t len) {
  size_t kept = 0, left = last_segment(&in, len);

  while (left) {
    size_t size = codec_utf8_len(in, left);
    const char *next = in;
    bool keep = size && !is_unfit(codec_utf8_next(&next));

    if (keep && size > KEY_NAME_MAX - kept)
      break;
    if (keep) {
      memcpy(out + kept, in, size);
      kept += size;
    }
    size += !size; /* a byte that isn't UTF-8 */
    in += size;
    left -= size;
  }
  out[kept] = '\0';
  if (!kept || is_dots(out, kept))
    memcpy(out, UNNAMED, sizeof UNNAMED);
}

bool key_make(char out[KEY_MAX + 1], const char *prefix, int64_t seconds,
              uint32_t random, const char *filename) {
  char day[DATE_DAY_SIZE];
  int len;

  date_day(day, seconds);
  len = snprintf(out, KEY_MAX + 1, "%s%s%s/%08x-%s", prefix,
                 *prefix ? "/" : "", day, (unsigned)random, filename);
  if (len < 0 || len > KEY_MAX)
    return false;
  for (char *at = out + len - strlen(filename); *at; at++)
    if (*at == ' ')
      *at = '_';
  return true;
}

/* Each '0' of the form is a digit, each 'x' one of hexadecimal in lower case.
 */
static bool has_form(const char *text, const char *form) {
  for (; *form; form++, text++) {
    bool digit = *text >= '0' && *text <= '9';
    bool hex = digit || (*text >= 'a' && *text <= 'f');
    if (*form == '0' ? !digit : *form == 'x' ? !hex : *text != *form)
      return false;
  }
  return true;
}

bool key_is_made(const char *key) {
  static const char form[] = "0000/00/00/xxxxxxxx-";
  const char *name = strrchr(key, '/');
  size_t before = sizeof "0000/00/00" - 1;

  if (!name || (size_t)(name - key) < before)
    return false;
  name -= before;
  return (name == key || name[-1] == '/') && has_form(name, form) &&
         name[sizeof form - 1];
}

void key_name(char out[KEY_MAX + 1], const char *key) {
  size_t len = strnlen(key, KEY_MAX), from;

  while (len && key[len - 1] == '/')
    len--;
  for (from = len; from && key[from - 1] != '/';)
    from--;
  snprintf(out, KEY_MAX + 1, "%.*s", (int)(len - from), key + from);
  if (!*out)
    memcpy(out, UNNAMED, sizeof UNNAMED);
}
