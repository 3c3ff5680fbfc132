/* SPDX-License-Identifier: MIT
 *
 * Headers that answers have in common, put together once.  evhttp makes three
 * copies of a header, prints it and frees it again, some 3500 instructions; so
 * it is given one whose value goes on over the lines of all others.
 */
#ifndef GATE_HEADERLINES_H
#define GATE_HEADERLINES_H

#include <stdbool.h>

#include "settings.h"

struct evkeyval;
struct evkeyvalq;

struct headerlines {
  char *every;   /* behind one header of each answer: "\r\nName: value" ... */
  char *by_link; /* the same, of answers where links are served */
  char *json;    /* behind the Content-Type of JSON */
};

/* False: no memory; fini is needed all the same. */
bool headerlines_init(struct headerlines *, const struct settings *);
void headerlines_fini(struct headerlines *);

/* Adds a header, and `lines` behind it.  The value is a sane one. */
void headerlines_add(struct evkeyvalq *, const char *name, const char *value,
                     const char *lines);
/* Is it a header of that name, or is one of its lines? */
bool headerlines_has(const struct evkeyval *, const char *name);

#endif
