/* SPDX-License-Identifier: MIT
 *
 * Each function takes the text at a place, and gives the place behind what it
 * read, or NULL (RFC 9651, section 4.2).
 */
#include "structured.h"

#include <string.h>

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define BASE64 UPPER LOWER DIGITS "+/"

#define INTEGER_DIGITS 15
#define DECIMAL_DIGITS 12 /* before the point */
#define FRACTION_DIGITS 3

static bool is_one_of(char letter, const char *letters) {
  return letter != '\0' && strchr(letters, letter) != NULL;
}

static const char *structured_skip_spaces(const char *at) {
  return at + strspn(at, " ");
}

static const char *skip_key(const char *at) {
  if (!is_one_of(*at, LOWER "*"))
    return NULL;
  return at + strspn(at, LOWER DIGITS "_-.*");
}

/* ---- bare items --------------------------------------------------------- */

static const char *structured_read_number(struct structured *item,
                                          const char *at) {
  bool negative = *at == '-';
  at += negative;
  size_t len = strspn(at, DIGITS);
  bool decimal = at[len] == '.';
  if (len == 0 || len > (decimal ? DECIMAL_DIGITS : INTEGER_DIGITS))
    return NULL;
  item->kind = decimal ? STRUCTURED_DECIMAL : STRUCTURED_INTEGER;
  item->integer = 0;
  for (size_t i = 0; i < len; i++)
    item->integer = item->integer * 10 + (at[i] - '0');
  if (negative)
    item->integer = -item->integer;
  at += len;
  if (!decimal)
    return at;
  len = strspn(at + 1, DIGITS);
  return len == 0 || len > FRACTION_DIGITS ? NULL : at + 1 + len;
}

/* As far as the quote that isn't escaped. */
static const char *read_string(struct structured *item, const char *at) {
  item->kind = STRUCTURED_STRING;
  item->text = ++at;
  for (; *at != '"'; at++) {
    if (*at == '\\' && !is_one_of(*++at, "\"\\"))
      return NULL;
    if (*at < ' ' || *at > '~')
      return NULL;
  }
  item->len = (size_t)(at - item->text);
  return at + 1;
}

/* Of UTF-8, its bytes are escaped as %c3; nobody asks which they are. */
static const char *read_display(struct structured *item, const char *at) {
  if (at[1] != '"')
    return NULL;
  at += 2;
  item->kind = STRUCTURED_DISPLAY;
  item->text = at;
  for (; *at != '"'; at++) {
    if (*at == '%' && (!is_one_of(at[1], DIGITS "abcdef") ||
                       !is_one_of(at[2], DIGITS "abcdef")))
      return NULL;
    if (*at < ' ' || *at > '~')
      return NULL;
  }
  item->len = (size_t)(at - item->text);
  return at + 1;
}

static const char *read_bytes(struct structured *item, const char *at) {
  item->kind = STRUCTURED_BYTES;
  item->text = ++at;
  item->len = strspn(at, BASE64 "=");
  return at[item->len] == ':' ? at + item->len + 1 : NULL;
}

static const char *read_boolean(struct structured *item, const char *at) {
  item->kind = STRUCTURED_BOOLEAN;
  item->boolean = at[1] == '1';
  return is_one_of(at[1], "01") ? at + 2 : NULL;
}

static const char *read_date(struct structured *item, const char *at) {
  at = structured_read_number(item, at + 1);
  if (at == NULL || item->kind != STRUCTURED_INTEGER)
    return NULL;
  item->kind = STRUCTURED_DATE;
  return at;
}

static const char *read_token(struct structured *item, const char *at) {
  item->kind = STRUCTURED_TOKEN;
  item->text = at;
  item->len = strspn(at, UPPER LOWER DIGITS "!#$%&'*+-.^_`|~:/");
  return at + item->len;
}

static const char *read_bare(struct structured *item, const char *at) {
  static const struct {
    const char *first; /* letters that it begins with */
    const char *(*read)(struct structured *, const char *at);
  } kinds[] = {{DIGITS "-", structured_read_number},
               {"\"", read_string},
               {"%", read_display},
               {":", read_bytes},
               {"?", read_boolean},
               {"@", read_date},
               {UPPER LOWER "*", read_token}};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (is_one_of(*at, kinds[i].first))
      return kinds[i].read(item, at);
  return NULL;
}

/* ---- items -------------------------------------------------------------- */

static const char *skip_parameters(const char *at) {
  struct structured value;
  while (at != NULL && *at == ';') {
    at = skip_key(structured_skip_spaces(at + 1));
    if (at != NULL && *at == '=')
      at = read_bare(&value, at + 1);
  }
  return at;
}

static const char *read_item(struct structured *item, const char *at) {
  at = read_bare(item, at);
  return at == NULL ? NULL : skip_parameters(at);
}

static const char *read_list(struct structured *list, const char *at) {
  struct structured item;
  list->kind = STRUCTURED_LIST;
  for (at = structured_skip_spaces(at + 1); *at != ')';
       at = structured_skip_spaces(at)) {
    at = read_item(&item, at);
    if (at == NULL || !is_one_of(*at, " )"))
      return NULL;
  }
  return skip_parameters(at + 1);
}

bool structured_item(struct structured *item, const char *text) {
  if (text == NULL)
    return false;
  const char *at = read_item(item, structured_skip_spaces(text));
  return at != NULL && *structured_skip_spaces(at) == '\0';
}

/* ---- dictionaries ------------------------------------------------------- */

/* A member without a value is a true one. */
static const char *structured_read_member(struct structured *value,
                                          const char *at) {
  *value = (struct structured){.kind = STRUCTURED_BOOLEAN, .boolean = true};
  if (*at != '=')
    return skip_parameters(at);
  return at[1] == '(' ? read_list(value, at + 1) : read_item(value, at + 1);
}

enum structured_found structured_member(struct structured *found,
                                        const char *text, const char *name) {
  enum structured_found result = STRUCTURED_NONE;
  const char *at = structured_skip_spaces(text);
  while (*at != '\0') {
    struct structured value;
    const char *key = at;
    at = skip_key(key);
    if (at == NULL)
      return STRUCTURED_BAD;
    bool wanted = (size_t)(at - key) == strlen(name) &&
                  memcmp(key, name, strlen(name)) == 0;
    at = structured_read_member(&value, at);
    if (at == NULL)
      return STRUCTURED_BAD;
    if (wanted) {
      *found = value;
      result = STRUCTURED_FOUND;
    }
    at += strspn(at, " \t");
    if (*at == '\0')
      break;
    if (*at != ',')
      return STRUCTURED_BAD;
    at++;
    at += strspn(at, " \t");
    if (*at == '\0')
      return STRUCTURED_BAD;
  }
  return result;
}

/* ---- what they say ------------------------------------------------------ */

bool structured_add_string(struct buf *out, const struct structured *string) {
  for (size_t i = 0; i < string->len; i++) {
    if (string->text[i] == '\\')
      i++;
    buf_addc(out, string->text[i]);
  }
  return !out->overflown;
}

/* Padding is whole or missing, and bits behind the last byte don't count
 * (section 4.2.7). */
bool structured_add_bytes(struct buf *out, const struct structured *bytes) {
  size_t len = bytes->len, pad = 0;
  while (pad < 2 && pad < len && bytes->text[len - pad - 1] == '=')
    pad++;
  len -= pad;
  if (len % 4 == 1 || (pad > 0 && (len + pad) % 4 != 0))
    return false;
  uint32_t bits = 0;
  for (size_t i = 0; i < len; i++) {
    const char *letter = strchr(BASE64, bytes->text[i]);
    if (letter == NULL)
      return false;
    bits = bits << 6 | (uint32_t)(letter - BASE64);
    if (i % 4 > 0)
      buf_addc(out, (char)(unsigned char)(bits >> (6 - 2 * (i % 4))));
  }
  return !out->overflown;
}
