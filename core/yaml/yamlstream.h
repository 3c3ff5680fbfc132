/* SPDX-License-Identifier: MIT
 *
 * A YAML file of one document, read value by value: the one reader of YAML.
 * The configuration makes a tree of it; a file with a fixed schema, whose
 * reader knows what has to come next, needs none.
 */
#ifndef YAML_YAMLSTREAM_H
#define YAML_YAMLSTREAM_H

#include "errmsg.h"
#include "printflike.h"

enum yamlstream_kind {
  YAMLSTREAM_TEXT,
  YAMLSTREAM_LIST,    /* its values follow, then an end */
  YAMLSTREAM_MAPPING, /* keys and values in turn, then an end */
  YAMLSTREAM_END      /* of the list or mapping */
};

struct yamlstream_value {
  enum yamlstream_kind kind;
  unsigned line;    /* from 1 */
  const char *text; /* UTF-8 without NUL, until the next call */
  size_t len;
  bool null; /* a text that is empty, ~ or null, unquoted */
};

struct yamlstream;

/* Messages begin with file:line; `start` says what to write into a file that
 * is empty.  All are lent until the end; NULL: no memory. */
struct yamlstream *yamlstream_new(const char *file, const char *data,
                                  size_t len, const char *start,
                                  struct errmsg *);
void yamlstream_free(struct yamlstream *);
/* The next value.  False and why: it isn't YAML, has an anchor, alias, tag,
 * NUL or a second document, or there is none any more. */
bool yamlstream_next(struct yamlstream *, struct yamlstream_value *);
/* Does the document end here?  After the last value. */
bool yamlstream_ends(struct yamlstream *);
/* "file:line: ..." on one line; false. */
bool yamlstream_fault(struct yamlstream *, unsigned line, const char *fmt, ...)
    PRINTFLIKE(3, 4);

#endif
