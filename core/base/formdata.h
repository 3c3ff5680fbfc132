/* SPDX-License-Identifier: MIT
 *
 * Parses multipart/form-data (RFC 7578, RFC 2046) from input that may be cut
 * anywhere: every cutting gives the same events.  Data is never copied or
 * collected; what a caller can't take yet it just doesn't feed.
 */
#ifndef BASE_FORMDATA_H
#define BASE_FORMDATA_H

#include "boundary.h"
#include "buf.h"

#define FORMDATA_PARTS_MAX 64
#define FORMDATA_HEADERS_MAX 16384 /* bytes of one part's headers */
#define FORMDATA_NAME_MAX 1024     /* of name=, decoded */
/* A filename may fill the headers: whoever stores it cuts it. */
#define FORMDATA_PREAMBLE_MAX 65536

struct formdata_part { /* valid until the next formdata_next() */
  const char *name;
  const char *filename; /* NULL: none.  A good filename* wins over filename;
                           %22 %0D %0A as browsers write them are decoded */
  size_t filename_len;
  const char *type; /* Content-Type as sent; NULL: none */
};

enum formdata_event {
  FORMDATA_MORE, /* all input used */
  FORMDATA_PART, /* a part begins: see `part` */
  FORMDATA_DATA, /* a piece of its bytes: data, len */
  FORMDATA_END,  /* it is complete */
  FORMDATA_DONE, /* the last boundary was seen; what follows is ignored */
  FORMDATA_BAD   /* see `status` and `what`; it stays bad */
};

struct formdata;

/* `boundary` as boundary_read() gives it; NULL when boundary_fault() finds
 * one, or no memory. */
struct formdata *formdata_new(const char *boundary);
void formdata_free(struct formdata *);
/* The next event in in[0..len); *used says how much was consumed.  After an
 * event but MORE call it again with the rest, which may be empty. */
enum formdata_event formdata_next(struct formdata *, const char *in,
                                  size_t len, size_t *used);
const struct formdata_part *formdata_part(const struct formdata *);
/* After FORMDATA_DATA: lies in the input or in the parser, valid until the
 * next call. */
const char *formdata_data(const struct formdata *, size_t *len);
/* After FORMDATA_BAD: a constant for the client. */
const char *formdata_fault(const struct formdata *);

#endif
