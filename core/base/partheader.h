/* SPDX-License-Identifier: MIT
 *
 * The headers of one part of a form: what it is called, which file it was,
 * of which type (RFC 7578, section 4).  For formdata only.
 */
#ifndef BASE_PARTHEADER_H
#define BASE_PARTHEADER_H

#include "buf.h"
#include "formdata.h"

struct partheader {
  struct buf name, filename, extended, decoded;
};

void partheader_init(struct partheader *);
void partheader_fini(struct partheader *);
/* `text` is whole lines in which CRLF, and no other CR or LF, is the end; NULs
 * are put into it.
 * NULL, and the part filled with what points into `text` and the partheader;
 * or why it is refused: a constant for the client. */
const char *partheader_parse(struct partheader *, char *text, size_t len,
                             struct formdata_part *);

#endif
