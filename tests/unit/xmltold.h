/* SPDX-License-Identifier: MIT
 *
 * A document through xml, and what it told as one line: "o key etag size ms;",
 * "p prefix;", "u key id ms;", "d key code;", then the result's values with |
 * between them, or "!" and the fault.
 */
#ifndef TESTS_XMLTOLD_H
#define TESTS_XMLTOLD_H

#include "xml.h"

#define XMLTOLD_NS " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\""
#define XMLTOLD_LIST(inside) \
  "<ListBucketResult" XMLTOLD_NS ">" inside "</ListBucketResult>"
#define XMLTOLD_ENTRY(key, etag, size)                               \
  "<Contents><Key>" key "</Key>"                                     \
  "<LastModified>2009-10-12T17:50:30.000Z</LastModified><ETag>" etag \
  "</ETag><Size>" size "</Size></Contents>"

struct xmltold {
  struct buf log; /* the caller ends it with buf_fini() */
  unsigned left;  /* events until one says no */
};

/* In pieces of this size; the `events`th event, from 0, says no.  False: it
 * was refused. */
bool xmltold_read(struct xmltold *, enum xml_kind expected, const char *text,
                  size_t len, size_t piece, unsigned events);

/* Claims of each document, whole and in small pieces, that the log is what is
 * wanted; for "!..." that the fault contains it. */
void xmltold_check(enum xml_kind expected, const char *text, size_t len,
                   const char *want);

struct xmltold_row {
  const char *text, *want;
};

/* Up to a NULL text. */
void xmltold_check_rows(enum xml_kind expected, const struct xmltold_row *);

#endif
