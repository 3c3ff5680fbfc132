/* SPDX-License-Identifier: MIT
 *
 * The sums by which a client may have the content of a request checked.
 */
#ifndef BASE_CHECKSUM_H
#define BASE_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHECKSUM_MAX 32
#define CHECKSUM_WORDS "sha1,sha256,md5,crc32"

enum checksum_kind {
  CHECKSUM_SHA1,
  CHECKSUM_SHA256,
  CHECKSUM_MD5,
  CHECKSUM_CRC32 /* four bytes, the most significant one first */
};

struct digest;

struct checksum { /* a running one */
  enum checksum_kind kind;
  struct digest *digest; /* of all but CRC-32 */
  uint32_t crc;
};

/* By its name, in lower case. */
bool checksum_find(enum checksum_kind *, const char *name, size_t len);
size_t checksum_size(enum checksum_kind);

bool checksum_init(struct checksum *, enum checksum_kind); /* false: memory */
void checksum_add(struct checksum *, const void *data, size_t len);
/* Ends it, and says whether it is this one. */
bool checksum_is(struct checksum *, const unsigned char *wanted);
void checksum_fini(struct checksum *); /* also one that is all zeros */

#endif
