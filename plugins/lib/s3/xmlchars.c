/* SPDX-License-Identifier: MIT
 *
 * Looks at what begins with "&#" or with EF BF; the rest passes as it is.
 */
#include "xmlchars.h"

#include <stdint.h>
#include <string.h>

#define FIRST_OF_THREE '\xEF' /* of U+F000 to U+FFFF in UTF-8 */

/* XML 1.0, section 2.2, Char; expat looks after what isn't UTF-8. */
static bool is_char(uint32_t code) {
  return code >= 0x20 ? code != 0xFFFE && code != 0xFFFF
                      : code == '\t' || code == '\n' || code == '\r';
}

enum look {
  LOOK_ALLOWED,
  LOOK_FORBIDDEN,
  LOOK_UNFINISHED /* as far as it is there */
};

/* 16 for what is no digit. */
static uint32_t digit_of(char c) {
  if (c >= '0' && c <= '9')
    return (uint32_t)(c - '0');
  char small = (char)(c | 0x20);
  return small >= 'a' && small <= 'f' ? (uint32_t)(small - 'a') + 10 : 16;
}

/* "&#31;" or "&#x1F;"; one that is too long is left to expat, and so is NUL,
 * which no key has. */
static enum look look_at_reference(const char *at, size_t len, size_t *size) {
  size_t i = 2;
  uint32_t base = 10, code = 0;
  if (len >= 2 && at[1] != '#')
    return LOOK_ALLOWED;
  if (len > 2 && at[2] == 'x') {
    base = 16;
    i++;
  }
  for (; i < len && i < XMLCHARS_HELD; i++) {
    uint32_t digit = digit_of(at[i]);
    *size = i + 1;
    if (at[i] == ';')
      return code == 0 || is_char(code) ? LOOK_ALLOWED : LOOK_FORBIDDEN;
    if (digit >= base)
      return LOOK_ALLOWED;
    code = code > 0x10FFFF ? code : code * base + digit;
  }
  return i < XMLCHARS_HELD ? LOOK_UNFINISHED : LOOK_ALLOWED;
}

/* At a byte that is_suspect(); `size` is the forbidden character's. */
static enum look look_at(const char *at, size_t len, size_t *size) {
  if (*at == '&')
    return look_at_reference(at, len, size);
  *size = 3;
  if (len > 1 && at[1] != '\xBF')
    return LOOK_ALLOWED;
  if (len < 3)
    return LOOK_UNFINISHED;
  return at[2] == '\xBE' || at[2] == '\xBF' ? LOOK_FORBIDDEN : LOOK_ALLOWED;
}

static bool is_suspect(char c) {
  return c == '&' || c == FIRST_OF_THREE;
}

/* As much as can be told of; the rest is one character's beginning. */
static size_t pass_all(const char *data, size_t len,
                       bool (*pass)(void *arg, const char *data, size_t len),
                       void *arg, bool *good) {
  size_t from = 0, at = 0;
  *good = true;
  while (at < len && *good) {
    size_t size = 1;
    if (!is_suspect(data[at])) {
      at++;
      continue;
    }
    switch (look_at(data + at, len - at, &size)) {
    case LOOK_ALLOWED:
      at++;
      continue;
    case LOOK_UNFINISHED:
      *good = at == from || pass(arg, data + from, at - from);
      return at;
    case LOOK_FORBIDDEN:
      *good = (at == from || pass(arg, data + from, at - from)) &&
              pass(arg, XMLCHARS_MARK, sizeof XMLCHARS_MARK - 1);
      from = at += size;
    }
  }
  *good = *good && (at == from || pass(arg, data + from, at - from));
  return len;
}

bool xmlchars_feed(struct xmlchars *chars, const char *data, size_t len,
                   bool (*pass)(void *arg, const char *data, size_t len),
                   void *arg) {
  bool good = true;
  /* A byte at a time, until what is kept is told of. */
  while (chars->len > 0 && len > 0 && good) {
    chars->held[chars->len++] = *data++;
    len--;
    size_t passed = pass_all(chars->held, chars->len, pass, arg, &good);
    chars->len -= passed;
    memmove(chars->held, chars->held + passed, chars->len);
  }
  if (!good || len == 0)
    return good;
  size_t passed = pass_all(data, len, pass, arg, &good);
  if (good) {
    chars->len = len - passed;
    memcpy(chars->held, data + passed, chars->len);
  }
  return good;
}

bool xmlchars_end(struct xmlchars *chars,
                  bool (*pass)(void *arg, const char *data, size_t len),
                  void *arg) {
  size_t len = chars->len;
  chars->len = 0;
  return len == 0 || pass(arg, chars->held, len);
}
