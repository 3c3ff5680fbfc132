/* SPDX-License-Identifier: MIT
 *
 * A pattern is a row of items, and each tries the rest of the row behind it.
 * An item that stands for one character repeats in a loop, so calls nest as
 * deep as the pattern is long, not the text.
 */
#include "luapattern.h"

#include <ctype.h>
#include <string.h>

static const char *row(struct luapattern *, const char *at, const char *item);

static const char *fault(struct luapattern *match, const char *what) {
  match->fault = what;
  return NULL;
}

static bool step(struct luapattern *match) {
  if (match->left == 0)
    match->spent = true;
  else
    match->left--;
  return !match->spent;
}

/* Before so many bytes are looked at in one go. */
static void charge_scan(struct luapattern *match, size_t bytes) {
  match->left -= match->left < bytes ? match->left : bytes;
}

static bool is_over(const struct luapattern *match) {
  return match->spent || match->fault != NULL;
}

/* ---- a single character ------------------------------------------------- */

static bool in_class(unsigned char c, unsigned char class) {
  int (*is)(int) = NULL;
  switch (tolower(class)) {
  case 'a':
    is = isalpha;
    break;
  case 'c':
    is = iscntrl;
    break;
  case 'd':
    is = isdigit;
    break;
  case 'g':
    is = isgraph;
    break;
  case 'l':
    is = islower;
    break;
  case 'p':
    is = ispunct;
    break;
  case 's':
    is = isspace;
    break;
  case 'u':
    is = isupper;
    break;
  case 'w':
    is = isalnum;
    break;
  case 'x':
    is = isxdigit;
    break;
  default:
    return class == c;
  }
  return (is(c) != 0) != (isupper(class) != 0);
}

/* Behind its bracket; NULL: it has no end. */
static const char *set_end(const char *at, const char *end) {
  if (at < end && *at == '^')
    at++;
  for (bool first = true; at < end; first = false) {
    if (*at == ']' && !first)
      return at + 1;
    at += *at == '%' ? 2 : 1;
  }
  return NULL;
}

/* Between its brackets. */
static bool set_has(unsigned char c, const char *at, const char *end) {
  bool inverted = *at == '^', has = false;
  for (at += inverted; at < end;) {
    if (*at == '%') {
      has |= in_class(c, (unsigned char)at[1]);
      at += 2;
    } else if (end - at > 2 && at[1] == '-') {
      has |= (unsigned char)at[0] <= c && c <= (unsigned char)at[2];
      at += 3;
    } else {
      has |= (unsigned char)*at++ == c;
    }
  }
  return has != inverted;
}

static const char *item_end(struct luapattern *match, const char *item) {
  const char *end = match->pattern_end, *to = item + 1;
  if (*item == '%') {
    if (to == end)
      return fault(match, "the pattern ends with '%'");
    return to + 1;
  }
  if (*item != '[')
    return to;
  to = set_end(to, end);
  if (to == NULL)
    return fault(match, "the pattern lacks a ']'");
  charge_scan(match, (size_t)(to - item));
  return to;
}

static bool single(struct luapattern *match, const char *at, const char *item,
                   const char *end) {
  if (!step(match) || at == match->text_end)
    return false;
  unsigned char c = (unsigned char)*at;
  switch (*item) {
  case '.':
    return true;
  case '%':
    return in_class(c, (unsigned char)item[1]);
  case '[':
    charge_scan(match, (size_t)(end - item));
    return set_has(c, item + 1, end - 1);
  default:
    return c == (unsigned char)*item;
  }
}

/* ---- repetitions -------------------------------------------------------- */

static const char *longest(struct luapattern *match, const char *at,
                           const char *item, const char *end) {
  size_t count = 0;
  while (single(match, at + count, item, end))
    count++;
  for (;; count--) {
    const char *found = row(match, at + count, end + 1);
    if (found != NULL || is_over(match) || count == 0)
      return found;
  }
}

static const char *shortest(struct luapattern *match, const char *at,
                            const char *item, const char *end) {
  for (;; at++) {
    const char *found = row(match, at, end + 1);
    if (found != NULL || is_over(match))
      return found;
    if (!single(match, at, item, end))
      return NULL;
  }
}

/* ---- captures ----------------------------------------------------------- */

static const char *open_capture(struct luapattern *match, const char *at,
                                const char *item) {
  if (match->captures == LUAPATTERN_CAPTURES_MAX)
    return fault(match, "the pattern has too many captures");
  bool position = item < match->pattern_end && *item == ')';
  match->capture[match->captures++] = (struct luapattern_capture){
      at, position ? LUAPATTERN_POSITION : LUAPATTERN_OPEN};
  const char *found = row(match, at, item + position);
  if (found == NULL)
    match->captures--;
  return found;
}

static const char *close_capture(struct luapattern *match, const char *at,
                                 const char *item) {
  size_t i = match->captures;
  while (i > 0 && match->capture[i - 1].length != LUAPATTERN_OPEN)
    i--;
  if (i == 0)
    return fault(match, "the pattern has a ')' too many");
  struct luapattern_capture *capture = &match->capture[i - 1];
  capture->length = at - capture->at;
  const char *found = row(match, at, item);
  if (found == NULL)
    capture->length = LUAPATTERN_OPEN;
  return found;
}

/* ---- items of more than one character ----------------------------------- */

static const char *back_reference(struct luapattern *match, const char *at,
                                  char digit) {
  size_t i = (size_t)(digit - '1');
  if (digit == '0' || i >= match->captures || match->capture[i].length < 0)
    return fault(match, "the pattern refers to a capture that isn't there");
  size_t length = (size_t)match->capture[i].length;
  if ((size_t)(match->text_end - at) < length)
    return NULL;
  charge_scan(match, length);
  return memcmp(at, match->capture[i].at, length) == 0 ? at + length : NULL;
}

static const char *balanced(struct luapattern *match, const char *at,
                            const char *pair) {
  if (match->pattern_end - pair < 2)
    return fault(match, "the pattern lacks characters behind '%b'");
  if (at == match->text_end || *at != pair[0])
    return NULL;
  for (size_t open = 1; ++at < match->text_end && step(match);) {
    if (*at == pair[1]) {
      if (--open == 0)
        return at + 1;
    } else if (*at == pair[0]) {
      open++;
    }
  }
  return NULL;
}

/* Beyond both ends of the text is a NUL. */
static const char *frontier(struct luapattern *match, const char *at,
                            const char *set, const char **behind) {
  *behind = set;
  if (set == match->pattern_end || *set != '[')
    return fault(match, "the pattern lacks a '[' behind '%f'");
  const char *end = item_end(match, set);
  if (end == NULL)
    return NULL;
  *behind = end;
  charge_scan(match, 2 * (size_t)(end - set));
  unsigned char before = at == match->text ? 0 : (unsigned char)at[-1];
  unsigned char after = at == match->text_end ? 0 : (unsigned char)*at;
  return !set_has(before, set + 1, end - 1) && set_has(after, set + 1, end - 1)
             ? at
             : NULL;
}

/* *item is moved behind it; NULL: it doesn't match. */
static const char *special(struct luapattern *match, const char *at,
                           const char **item) {
  const char *name = *item + 1;
  if (*name == 'f')
    return frontier(match, at, name + 1, item);
  *item = name + (*name == 'b' ? 3 : 1);
  return *name == 'b' ? balanced(match, at, name + 1)
                      : back_reference(match, at, *name);
}

static bool is_special(const struct luapattern *match, const char *item) {
  return *item == '%' && match->pattern_end - item > 1 &&
         (item[1] == 'b' || item[1] == 'f' || isdigit((unsigned char)item[1]));
}

/* ---- the row ------------------------------------------------------------ */

/* One that is repeated, with all behind it. */
static const char *repeated(struct luapattern *match, const char *at,
                            const char *item, const char *end) {
  switch (*end) {
  case '+':
    return single(match, at, item, end) ? longest(match, at + 1, item, end)
                                        : NULL;
  case '*':
    return longest(match, at, item, end);
  case '-':
    return shortest(match, at, item, end);
  default: {
    const char *found = NULL;
    if (single(match, at, item, end))
      found = row(match, at + 1, end + 1);
    return found != NULL || is_over(match) ? found : row(match, at, end + 1);
  }
  }
}

static bool is_repeated(const struct luapattern *match, const char *end) {
  return end < match->pattern_end && *end != '\0' &&
         strchr("*+-?", *end) != NULL;
}

static const char *items(struct luapattern *match, const char *at,
                         const char *item) {
  while (at != NULL && item < match->pattern_end) {
    if (!step(match))
      return NULL;
    if (*item == '(')
      return open_capture(match, at, item + 1);
    if (*item == ')')
      return close_capture(match, at, item + 1);
    if (*item == '$' && item + 1 == match->pattern_end)
      return at == match->text_end ? at : NULL;
    if (is_special(match, item)) {
      at = special(match, at, &item);
      continue;
    }
    const char *end = item_end(match, item);
    if (end == NULL)
      return NULL;
    if (is_repeated(match, end))
      return repeated(match, at, item, end);
    at = single(match, at, item, end) ? at + 1 : NULL;
    item = end;
  }
  return at;
}

static const char *row(struct luapattern *match, const char *at,
                       const char *item) {
  if (match->depth == LUAPATTERN_DEPTH_MAX)
    return fault(match, "the pattern is too complex");
  match->depth++;
  const char *found = items(match, at, item);
  match->depth--;
  return found;
}

const char *luapattern_match(struct luapattern *match, const char *at) {
  match->captures = 0;
  match->depth = 0;
  match->fault = NULL;
  match->spent = false;
  const char *found = step(match) ? row(match, at, match->pattern) : NULL;
  for (size_t i = 0; found != NULL && i < match->captures; i++)
    if (match->capture[i].length == LUAPATTERN_OPEN)
      return fault(match, "the pattern has a '(' too many");
  return is_over(match) ? NULL : found;
}
