/* SPDX-License-Identifier: MIT
 *
 * Decodes a chunked body (RFC 9112, section 7.1), strictly, from input that
 * may be cut anywhere.  Extensions and trailers are checked, bounded and
 * dropped.
 */
#ifndef BASE_CHUNKED_H
#define BASE_CHUNKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHUNKED_LINE_MAX 1024     /* of a size line with its extensions */
#define CHUNKED_TRAILERS_MAX 8192 /* all of them */

enum chunked_result {
  CHUNKED_MORE, /* all input used, not at the end */
  CHUNKED_DATA, /* data and len are a piece of the body, inside the input */
  CHUNKED_DONE, /* the body is over; the rest of the input isn't part of it */
  CHUNKED_BAD
};

struct chunked {
  uint64_t left; /* bytes of the current chunk */
  size_t line;   /* bytes of the current line */
  size_t trailers;
  int state; /* private; all zero is the start */
};

/* Reads from in[0..len), says in *used how much of it is consumed. */
enum chunked_result chunked_next(struct chunked *, const char *in, size_t len,
                                 size_t *used, const char **data,
                                 size_t *data_len);

#endif
