/* SPDX-License-Identifier: MIT
 *
 * Structured fields of HTTP (RFC 8941, and RFC 9651, which adds dates and
 * display strings): dictionaries and items, parsed as strictly as the RFCs
 * have it.  Everything here points into the field's text.
 */
#ifndef BASE_STRUCTURED_H
#define BASE_STRUCTURED_H

#include "buf.h"

enum structured_kind {
  STRUCTURED_INTEGER, /* `integer` */
  STRUCTURED_DECIMAL,
  STRUCTURED_STRING, /* `text`: between its quotes, with its escapes */
  STRUCTURED_TOKEN,  /* `text` */
  STRUCTURED_BYTES,  /* `text`: between its colons */
  STRUCTURED_BOOLEAN,
  STRUCTURED_DATE,    /* `integer` */
  STRUCTURED_DISPLAY, /* `text`: between its quotes, with its escapes */
  STRUCTURED_LIST     /* an inner one, whose items nobody asks for */
};

struct structured {
  enum structured_kind kind;
  int64_t integer;
  bool boolean;
  const char *text;
  size_t len;
};

enum structured_found {
  STRUCTURED_NONE,
  STRUCTURED_FOUND,
  STRUCTURED_BAD /* the text as a whole isn't a dictionary */
};

/* An item alone, with any parameters.  `text` may be NULL, which is none. */
bool structured_item(struct structured *, const char *text);
/* The member of a dictionary; of several of one name the last one counts. */
enum structured_found structured_member(struct structured *, const char *text,
                                        const char *name);

/* Adds what a string says. */
bool structured_add_string(struct buf *, const struct structured *);
/* Adds the bytes of a sequence; false: its letters are no base64, or there is
 * no room.  Padding may be missing. */
bool structured_add_bytes(struct buf *, const struct structured *);

#endif
