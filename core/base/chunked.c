/* SPDX-License-Identifier: MIT
 *
 * Decodes a chunked body, a byte at a time but for the data.  Called for each
 * piece that a connection received; `used` never passes the body's last byte,
 * so that what follows it stays the next request.
 */
#include "chunked.h"

#include "must.h"
#include "token.h"

enum state {
  SIZE_FIRST, /* where a chunk, and all, begins */
  SIZE,
  EXT_NEXT, /* white space before a semicolon */
  EXT_NAME_FIRST,
  EXT_NAME,
  EXT_EQUALS, /* white space after a name */
  EXT_VALUE_FIRST,
  EXT_VALUE,
  EXT_QUOTED,
  EXT_ESCAPED,
  EXT_CLOSED, /* after a closing quote */
  SIZE_LF,
  DATA,
  DATA_CR,
  DATA_LF,
  TRAILER_FIRST,
  TRAILER_NAME,
  TRAILER_VALUE,
  TRAILER_LF,
  LAST_LF,
  DONE,
  BAD
};

static bool chunked_blank(unsigned char c) {
  return c == ' ' || c == '\t';
}

/* May a field value or a quoted string hold it? */
static bool text(unsigned char c) {
  return c == '\t' || (c >= ' ' && c != 0x7f);
}

static int digit(unsigned char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  c |= 0x20;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Sizes stay below 2^63: no counter of bodies can be made to wrap by one. */
static enum state add_digit(struct chunked *c, unsigned char ch) {
  if (c->left >> 59)
    return BAD;
  c->left = c->left << 4 | (uint64_t)digit(ch);
  return SIZE;
}

/* May it follow a size or a whole extension? */
static enum state ext_end(unsigned char ch) {
  if (ch == ';')
    return EXT_NAME_FIRST;
  if (ch == '\r')
    return SIZE_LF;
  return chunked_blank(ch) ? EXT_NEXT : BAD;
}

static enum state ext_name(enum state state, unsigned char ch) {
  if (state != EXT_EQUALS && token_char(ch))
    return EXT_NAME;
  if (state == EXT_NAME_FIRST)
    return chunked_blank(ch) ? EXT_NAME_FIRST : BAD;
  if (ch == '=')
    return EXT_VALUE_FIRST;
  if (chunked_blank(ch))
    return EXT_EQUALS;
  return ext_end(ch);
}

static enum state ext_value(enum state state, unsigned char ch) {
  if (token_char(ch))
    return EXT_VALUE;
  if (state == EXT_VALUE)
    return ext_end(ch);
  if (ch == '"')
    return EXT_QUOTED;
  return chunked_blank(ch) ? EXT_VALUE_FIRST : BAD;
}

static enum state ext_quoted(unsigned char ch) {
  if (ch == '"')
    return EXT_CLOSED;
  if (ch == '\\')
    return EXT_ESCAPED;
  return text(ch) ? EXT_QUOTED : BAD;
}

static enum state size_byte(struct chunked *c, unsigned char ch) {
  enum state state = (enum state)c->state;
  if (++c->line > CHUNKED_LINE_MAX && ch != '\r')
    return BAD;
  if (state <= SIZE && digit(ch) >= 0)
    return add_digit(c, ch);
  if (state == SIZE_FIRST)
    return BAD;
  if ((state == EXT_NEXT || state == EXT_EQUALS) && ch == '\r')
    return BAD; /* white space only goes before a sign */
  if (state == EXT_NAME_FIRST || state == EXT_NAME || state == EXT_EQUALS)
    return ext_name(state, ch);
  if (state == EXT_VALUE_FIRST || state == EXT_VALUE)
    return ext_value(state, ch);
  if (state == EXT_QUOTED)
    return ext_quoted(ch);
  if (state == EXT_ESCAPED)
    return text(ch) ? EXT_QUOTED : BAD;
  return ext_end(ch);
}

static enum state size_end(struct chunked *c, unsigned char ch) {
  c->line = 0;
  if (ch != '\n')
    return BAD;
  return c->left ? DATA : TRAILER_FIRST;
}

static enum state trailer_byte(struct chunked *c, unsigned char ch) {
  enum state state = (enum state)c->state;
  if (state == TRAILER_FIRST && ch == '\r')
    return LAST_LF;
  if (++c->trailers > CHUNKED_TRAILERS_MAX)
    return BAD;
  if (state == TRAILER_LF)
    return ch == '\n' ? TRAILER_FIRST : BAD;
  if (state == TRAILER_VALUE) {
    if (ch == '\r')
      return TRAILER_LF;
    return text(ch) ? TRAILER_VALUE : BAD;
  }
  if (token_char(ch))
    return TRAILER_NAME;
  return state == TRAILER_NAME && ch == ':' ? TRAILER_VALUE : BAD;
}

static enum state chunked_step(struct chunked *c, unsigned char ch) {
  enum state state = (enum state)c->state;
  if (state < SIZE_LF)
    return size_byte(c, ch);
  if (state == SIZE_LF)
    return size_end(c, ch);
  if (state == DATA_CR)
    return ch == '\r' ? DATA_LF : BAD;
  if (state == DATA_LF)
    return ch == '\n' ? SIZE_FIRST : BAD;
  if (state == LAST_LF)
    return ch == '\n' ? DONE : BAD;
  return trailer_byte(c, ch);
}

static enum chunked_result give(struct chunked *c, const char *in, size_t len,
                                size_t *used, const char **data,
                                size_t *data_len) {
  *data = in;
  *data_len = c->left < len ? (size_t)c->left : len;
  *used += *data_len;
  c->left -= *data_len;
  if (!c->left)
    c->state = DATA_CR;
  return CHUNKED_DATA;
}

enum chunked_result chunked_next(struct chunked *c, const char *in, size_t len,
                                 size_t *used, const char **data,
                                 size_t *data_len) {
  must(c->state >= SIZE_FIRST && c->state <= BAD);
  size_t at = 0;
  *used = 0;
  while (c->state < DONE && at < len) {
    *used = at;
    if (c->state == DATA)
      return give(c, in + at, len - at, used, data, data_len);
    c->state = (int)chunked_step(c, (unsigned char)in[at++]);
  }
  *used = at;
  if (c->state == BAD)
    return CHUNKED_BAD;
  return c->state == DONE ? CHUNKED_DONE : CHUNKED_MORE;
}
