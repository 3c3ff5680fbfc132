/* SPDX-License-Identifier: MIT
 *
 * Media types and the parameters of headers.  Called with what clients and
 * storages send; what is written into a header never ends it early.
 */
#include "mime.h"

#include "codec.h"
#include <string.h>

#define SPACE " \t"

/* Of a token: RFC 9110, section 5.6.2. */
static size_t mime_token_len(const char *at) {
  return strspn(at, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                    "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
}

static bool is_escape(const char *at) {
  return at[0] == '\\' && (at[1] == '"' || at[1] == '\\');
}

/* Of a quoted string with its quotes; 0: it isn't one. */
static size_t quoted_len(const char *from) {
  const char *at = from + 1;

  if (*from != '"')
    return 0;
  for (; *at != '"'; at += is_escape(at) ? 2 : 1)
    if (!*at)
      return 0;
  return (size_t)(at + 1 - from);
}

struct parameter {
  const char *name, *value;
  size_t name_len, value_len; /* a quoted value's with its quotes */
};

/* Moves past ";" and the parameter behind it, if any.  MIME_NONE: at the
 * end.  `loose`: a value without quotes may be more than a token. */
static enum mime_parameter mime_next(const char **at, struct parameter *is,
                                     bool loose) {
  do {
    *at += strspn(*at, SPACE);
    if (!**at)
      return MIME_NONE;
    if (*(*at)++ != ';')
      return MIME_BAD;
    *at += strspn(*at, SPACE);
  } while (!**at || **at == ';');
  is->name = *at;
  is->name_len = mime_token_len(*at);
  is->value = is->name + is->name_len + 1;
  if (!is->name_len || is->value[-1] != '=')
    return MIME_BAD;
  is->value_len = *is->value == '"' ? quoted_len(is->value)
                  : loose           ? strcspn(is->value, SPACE ";\"")
                                    : mime_token_len(is->value);
  *at = is->value + is->value_len;
  return is->value_len ? MIME_FOUND : MIME_BAD;
}

/* Of type "/" subtype; 0: it doesn't begin with one. */
static size_t essence_len(const char *type) {
  size_t major = mime_token_len(type);
  size_t minor = type[major] == '/' ? mime_token_len(type + major + 1) : 0;
  size_t len = major + 1 + minor;

  return major && minor && !memchr(type, '*', len) ? len : 0;
}

/* UTF-8 without controls; a tab is white space. */
static bool is_text(const char *text, size_t len) {
  const char *end = text + len;

  if (!codec_utf8_valid(text, len))
    return false;
  while (text < end) {
    bool tab = *text == '\t';

    if (codec_control(codec_utf8_next(&text)) && !tab)
      return false;
  }
  return true;
}

bool mime_valid(const char *type) {
  size_t len = strnlen(type, MIME_MAX + 1), essence = essence_len(type);
  const char *at = type + essence;
  struct parameter parameter;
  enum mime_parameter result;

  if (len > MIME_MAX || !essence || strchr(SPACE, type[len - 1]) ||
      !is_text(type, len))
    return false;
  do
    result = mime_next(&at, &parameter, false);
  while (result == MIME_FOUND);
  return result == MIME_NONE;
}

/* Behind a parameter that is none, whose semicolon is at `at`; an open quote
 * reaches to the end. */
static const char *pass_parameter(const char *at) {
  for (at++; *at && *at != ';';)
    if (*at == '"')
      at += quoted_len(at) ? quoted_len(at) : strlen(at);
    else
      at++;
  return at;
}

static void keep_parameters(struct buf *out, const char *at) {
  struct parameter is;

  for (; *(at += strspn(at, SPACE)) == ';';) {
    const char *from = at;
    enum mime_parameter result = mime_next(&at, &is, false);
    size_t len = is.name_len + 1 + is.value_len;

    if (result == MIME_NONE)
      return;
    if (result == MIME_BAD || !strchr(";", at[strspn(at, SPACE)]))
      at = pass_parameter(from);
    else if (is_text(is.name, len) && len + 2 <= MIME_MAX - out->len)
      buf_addf(out, "; %.*s", (int)len, is.name);
  }
}

bool mime_clean(struct buf *out, const char *type) {
  size_t essence = essence_len(type);
  const char *rest = type + essence;

  buf_clear(out);
  if (mime_valid(type))
    buf_adds(out, type);
  else if (!essence || essence > MIME_MAX ||
           !strchr(";", rest[strspn(rest, SPACE)]))
    return false;
  else {
    buf_add(out, type, essence);
    keep_parameters(out, rest);
  }
  for (size_t i = 0; i < out->len; i++)
    if (out->data[i] == '\t')
      out->data[i] = ' ';
  return !out->overflown;
}

bool mime_is(const char *type, const char *essence) {
  size_t len = strcspn(type, SPACE ";");
  const char *rest = type + len + strspn(type + len, SPACE);

  return codec_same(type, len, essence) && (!*rest || *rest == ';');
}

static bool put_value(struct buf *out, const struct parameter *is) {
  const char *at = is->value, *end = at + is->value_len;

  if (*at != '"')
    return buf_add(out, at, is->value_len);
  for (at++, end--; at < end; at++) {
    at += is_escape(at);
    if (!buf_addc(out, *at))
      return false;
  }
  return true;
}

enum mime_parameter mime_parameter(struct buf *out, const char *header,
                                   const char *name) {
  const char *at = header + strcspn(header, ";");
  enum mime_parameter result, answer = MIME_NONE;
  struct parameter is;

  buf_clear(out);
  while ((result = mime_next(&at, &is, true)) == MIME_FOUND) {
    if (!codec_same(is.name, is.name_len, name))
      continue;
    if (answer == MIME_FOUND || !put_value(out, &is))
      return MIME_BAD;
    answer = MIME_FOUND;
  }
  return result == MIME_BAD ? MIME_BAD : answer;
}

/* Lends the name's next character that may be written and moves past it; its
 * length, 0 at the end. */
static size_t next_character(const char **name, const char **character) {
  while (**name) {
    const char *at = *name;
    size_t size = codec_utf8_len(at, strnlen(at, 4));

    *name += size ? size : 1;
    *character = size ? at : "_";
    if (!size || !codec_control(codec_utf8_next(&at)))
      return size ? size : 1;
  }
  return 0;
}

/* As a quoted string in ASCII; false: the name isn't. */
static bool put_plain(struct buf *out, const char *name) {
  const char *character;
  size_t size;
  bool ascii = true;

  buf_addc(out, '"');
  while ((size = next_character(&name, &character))) {
    if (size == 1 && (*character == '"' || *character == '\\'))
      buf_addc(out, '\\');
    buf_addc(out, size == 1 ? *character : '_');
    ascii = ascii && size == 1;
  }
  buf_addc(out, '"');
  return ascii;
}

bool mime_extended(struct buf *out, const char *in) {
  static const char charset[] = "UTF-8'";
  const char *text = strncasecmp(in, charset, sizeof charset - 1)
                         ? NULL
                         : strchr(in + sizeof charset - 1, '\'');
  buf_clear(out);
  if (text == NULL)
    return false;
  text++;
  for (const char *nul; (nul = strstr(text, "%00")) != NULL; text = nul + 3)
    if (!codec_unpercent(out, text, (size_t)(nul - text), false))
      return false;
  return codec_unpercent(out, text, strlen(text), false) &&
         codec_utf8_valid(out->data, out->len);
}

bool mime_filename(struct buf *out, const char *disposition) {
  struct buf extended;
  buf_init(&extended, out->max);
  bool ok =
      (mime_parameter(&extended, disposition, "filename*") == MIME_FOUND &&
       mime_extended(out, extended.data)) ||
      mime_parameter(out, disposition, "filename") == MIME_FOUND;
  buf_fini(&extended);
  return ok && out->len > 0;
}

/* Some browsers decode %HH and =?...?= in a name without filename*. */
static bool is_decoded(const char *name) {
  static const char hex[] = "0123456789abcdefABCDEF";

  for (const char *at = name; (at = strchr(at, '%')); at++)
    if (at[1] && at[2] && strchr(hex, at[1]) && strchr(hex, at[2]))
      return true;
  return strstr(name, "=?") != NULL;
}

bool mime_disposition(struct buf *out, bool inline_, const char *filename) {
  const char *character;
  size_t size;

  buf_adds(out, inline_ ? "inline; filename=" : "attachment; filename=");
  if (!put_plain(out, filename) || is_decoded(filename)) {
    buf_adds(out, "; filename*=UTF-8''");
    while ((size = next_character(&filename, &character)))
      codec_percent(out, character, size, CODEC_ATTR);
  }
  return !out->overflown;
}
