/* SPDX-License-Identifier: MIT
 *
 * JSON of somebody who isn't known yet.  The depth is found before the library
 * reads, as it calls itself for each level and has a limit of thousands.
 *
 * The library refuses a whole document for one number that no double holds,
 * or one escape that is no character.  Issuers put such things into claims
 * that nobody asks for, so both are written over, in a copy and in their own
 * length, by something that nobody can mistake for a good value: by a number
 * beyond all that are taken, and by a control character.
 */
#include "jwtjson.h"

#include <stdlib.h>
#include <string.h>

#include "digest.h"

#define EXPONENT_MAX 307 /* 10 to this is below DBL_MAX in any case */
#define EXPONENT_CAP 99999

static bool too_deep(const char *data, size_t len) {
  unsigned depth = 0;
  bool quoted = false;
  for (size_t i = 0; i < len; i++) {
    char c = data[i];
    if (quoted && c == '\\')
      i++;
    else if (c == '"')
      quoted = !quoted;
    else if (!quoted && (c == '{' || c == '[') && ++depth > JWTJSON_DEPTH_MAX)
      return true;
    else if (!quoted && (c == '}' || c == ']') && depth > 0)
      depth--;
  }
  return false;
}

/* ---- numbers ------------------------------------------------------------ */

static size_t digits_of(const char *at, const char *end) {
  size_t n = 0;
  while (at + n < end && at[n] >= '0' && at[n] <= '9')
    n++;
  return n;
}

/* The power of ten that stands after an e; *len: its letters, 0 for none. */
static long exponent_of(const char *at, const char *end, size_t *len) {
  bool sign = end - at > 1 && (at[1] == '-' || at[1] == '+');
  const char *digits = at + 1 + sign;
  long value = 0;
  *len = 0;
  if (at == end || (*at != 'e' && *at != 'E') || digits >= end)
    return 0;
  size_t count = digits_of(digits, end);
  for (size_t i = 0; i < count && value < EXPONENT_CAP; i++)
    value = value * 10 + digits[i] - '0';
  if (count > 0)
    *len = (size_t)(digits - at) + count;
  return sign && at[1] == '-' ? -value : value;
}

static bool has_value(const char *digits, size_t len) {
  for (size_t i = 0; i < len; i++)
    if (digits[i] >= '1' && digits[i] <= '9')
      return true;
  return false;
}

/* Past a number as the grammar has it; what follows is the library's. */
static char *tame_number(char *at, char *end) {
  char *start = at + (*at == '-');
  size_t whole = digits_of(start, end), part = 0, power = 0;
  char *next = start + whole;
  if (next < end && *next == '.')
    part = digits_of(next + 1, end);
  next += part > 0 ? part + 1 : 0;
  bool valid = whole == 1 || (whole > 1 && *start != '0');
  bool value = has_value(start, (size_t)(next - start));
  long exponent = exponent_of(next, end, &power);
  next += power;
  /* The shortest that is too large, 1e308, has room for what replaces it. */
  if (valid && value && (long)whole - 1 + exponent > EXPONENT_MAX) {
    memset(start, ' ', (size_t)(next - start));
    memcpy(start, "1e300", 5);
  }
  return next > at ? next : at + 1;
}

/* ---- escapes ------------------------------------------------------------ */

/* Of "\\u" and four digits; -1: these are no such six letters. */
static long unit_of(const char *at, const char *end) {
  long unit = 0;
  if (end - at < 6 || at[0] != '\\' || at[1] != 'u')
    return -1;
  for (size_t i = 2; i < 6; i++) {
    const char *hex = "00112233445566778899aAbBcCdDeEfF";
    const char *digit = at[i] == '\0' ? NULL : strchr(hex, at[i]);
    if (digit == NULL)
      return -1;
    unit = unit * 16 + (digit - hex) / 2;
  }
  return unit;
}

/* Past an escape: NUL and half a surrogate pair are no characters. */
static char *tame_escape(char *at, char *end) {
  long unit = unit_of(at, end);
  if (unit < 0)
    return at + 2;
  if (unit >= 0xD800 && unit <= 0xDBFF) {
    long low = unit_of(at + 6, end);
    if (low >= 0xDC00 && low <= 0xDFFF)
      return at + 12;
  }
  if (unit == 0 || (unit >= 0xD800 && unit <= 0xDFFF))
    memcpy(at + 2, "0001", 4);
  return at + 6;
}

static void tame(char *data, size_t len) {
  char *end = data + len;
  bool quoted = false;
  for (char *at = data; at < end;) {
    if (quoted && *at == '\\') {
      at = tame_escape(at, end);
      continue;
    }
    if (*at == '"')
      quoted = !quoted;
    bool number = !quoted && (*at == '-' || (*at >= '0' && *at <= '9'));
    at = number ? tame_number(at, end) : at + 1;
  }
}

/* ---- all of it ---------------------------------------------------------- */

json_t *jwtjson_read(const char *data, size_t len) {
  json_error_t error;
  char *copy = too_deep(data, len) ? NULL : malloc(len + 1);
  if (copy == NULL)
    return NULL;
  memcpy(copy, data, len);
  tame(copy, len);
  json_t *document = json_loadb(
      copy, len, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &error);
  digest_wipe(copy, len); /* a set may hold secrets */
  free(copy);
  if (json_is_object(document))
    return document;
  json_decref(document);
  return NULL;
}

const char *jwtjson_text(const json_t *object, const char *name) {
  return json_string_value(json_object_get(object, name));
}
