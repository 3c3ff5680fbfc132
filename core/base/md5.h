/* SPDX-License-Identifier: MIT
 *
 * MD5 (RFC 1321) of several streams at once, which costs a fraction of one
 * after the other.  What has one stream only uses digest.h.
 */
#ifndef BASE_MD5_H
#define BASE_MD5_H

#include <stdint.h>

#include "md5_lanes.h"

#define MD5_LEN 16

struct md5 { /* a running one */
  struct md5_state state;
  uint64_t length; /* bytes so far */
  unsigned char rest[MD5_BLOCK];
};

struct md5_piece {
  struct md5 *md5;
  const void *data;
  size_t len; /* bytes */
};

void md5_init(struct md5 *);
/* Adds each piece to its MD5; no two of them have the same.  The pieces are
 * used up. */
void md5_add(struct md5_piece *, size_t count);
/* The same by these lanes, which must work on this processor. */
void md5_add_by(const struct md5_lanes *, struct md5_piece *, size_t count);
/* Writes the digest's bytes; afterwards only md5_init(). */
void md5_final(struct md5 *, unsigned char out[MD5_LEN]);

/* A running one as bytes, to go on with in any process. */
#define MD5_SAVED (MD5_LEN + 8 + MD5_BLOCK)
void md5_save(const struct md5 *, unsigned char out[MD5_SAVED]);
void md5_load(struct md5 *, const unsigned char in[MD5_SAVED]);

#endif
