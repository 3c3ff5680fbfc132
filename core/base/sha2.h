/* SPDX-License-Identifier: MIT
 *
 * SHA-256 and SHA-512 that can be saved in the middle, and gone on with in
 * another process.  Bytes that are there at once go to digest.h.
 */
#ifndef BASE_SHA2_H
#define BASE_SHA2_H

#include <stddef.h>
#include <stdint.h>

enum sha2_kind { SHA2_256, SHA2_512, SHA2_KINDS };

#define SHA2_256_LEN 32
#define SHA2_MAX 64        /* bytes of the longest digest */
#define SHA2_BLOCK_MAX 128 /* of the longest block */

struct sha2 { /* a running one */
  enum sha2_kind kind;
  uint64_t length;   /* bytes so far */
  uint64_t state[8]; /* of SHA-256: the low halves */
  unsigned char rest[SHA2_BLOCK_MAX];
};

size_t sha2_size(enum sha2_kind); /* bytes of the digest */

void sha2_init(struct sha2 *, enum sha2_kind);
void sha2_add(struct sha2 *, const void *data, size_t len);
/* Writes sha2_size() bytes.  The running one stays, and may go on. */
void sha2_sum(const struct sha2 *, unsigned char *out);

/* As bytes, the same on any machine. */
#define SHA2_256_SAVED (8 + 8 * 4 + 64)
#define SHA2_512_SAVED (8 + 8 * 8 + 128)
#define SHA2_SAVED_MAX SHA2_512_SAVED
size_t sha2_saved(enum sha2_kind); /* how many */
void sha2_save(const struct sha2 *, unsigned char *out);
void sha2_load(struct sha2 *, enum sha2_kind, const unsigned char *in);

#endif
