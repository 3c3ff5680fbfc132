/* SPDX-License-Identifier: MIT
 *
 * A growing byte buffer with a hard maximum from birth.  Its bytes are always
 * followed by a NUL that doesn't count.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "printflike.h"

struct buf {
  char *data; /* "" while empty */
  size_t len, max;
  size_t room;    /* allocated, 0: none */
  bool overflown; /* an add was refused: too long */
};

void buf_init(struct buf *, size_t max);
void buf_fini(struct buf *);
void buf_clear(struct buf *); /* keeps the memory, forgets the overflow */
/* Room for `more` bytes, so that adding them doesn't move it; false as below.
 */
bool buf_reserve(struct buf *, size_t more);
/* False, and nothing added, when it would grow beyond max.  Adds after a
 * refused one are refused too, so one check of `overflown` at the end does. */
bool buf_add(struct buf *, const void *data, size_t len);
bool buf_adds(struct buf *, const char *text);
bool buf_addc(struct buf *, char);
bool buf_addf(struct buf *, const char *fmt, ...) PRINTFLIKE(2, 3);
/* Caller owns the NUL-ended bytes; the buffer is empty afterwards.  NULL when
 * it is overflown. */
char *buf_take(struct buf *);

#endif
