/* SPDX-License-Identifier: MIT
 *
 * A table of the sums.  CRC-32 is that of ISO 3309, four bits at a time.
 */
#include "checksum.h"

#include <string.h>

#include "digest.h"

static const struct {
  const char *name;
  size_t size;
  enum digest_kind digest;
} table[] = {[CHECKSUM_SHA1] = {"sha1", 20, DIGEST_SHA1},
             [CHECKSUM_SHA256] = {"sha256", 32, DIGEST_SHA256},
             [CHECKSUM_MD5] = {"md5", 16, DIGEST_MD5},
             [CHECKSUM_CRC32] = {"crc32", 4, DIGEST_MD5}};

bool checksum_find(enum checksum_kind *kind, const char *name, size_t len) {
  for (unsigned i = 0; i < sizeof table / sizeof *table; i++)
    if (strlen(table[i].name) == len &&
        memcmp(table[i].name, name, len) == 0) {
      *kind = (enum checksum_kind)i;
      return true;
    }
  return false;
}

size_t checksum_size(enum checksum_kind kind) {
  return table[kind].size;
}

bool checksum_init(struct checksum *sum, enum checksum_kind kind) {
  *sum = (struct checksum){.kind = kind, .crc = UINT32_MAX};
  if (kind != CHECKSUM_CRC32)
    sum->digest = digest_new(table[kind].digest);
  return kind == CHECKSUM_CRC32 || sum->digest != NULL;
}

static uint32_t crc_add(uint32_t crc, const unsigned char *at, size_t len) {
  static const uint32_t steps[16] = {
      0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
      0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
      0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
  for (; len > 0; len--, at++) {
    crc ^= *at;
    crc = crc >> 4 ^ steps[crc & 15];
    crc = crc >> 4 ^ steps[crc & 15];
  }
  return crc;
}

void checksum_add(struct checksum *sum, const void *data, size_t len) {
  if (sum->kind == CHECKSUM_CRC32)
    sum->crc = crc_add(sum->crc, data, len);
  else
    digest_update(sum->digest, data, len);
}

bool checksum_is(struct checksum *sum, const unsigned char *wanted) {
  unsigned char made[CHECKSUM_MAX];
  uint32_t crc = ~sum->crc;
  if (sum->kind != CHECKSUM_CRC32)
    digest_final(sum->digest, made);
  else
    for (int i = 0; i < 4; i++)
      made[i] = (unsigned char)(crc >> (24 - 8 * i));
  return memcmp(made, wanted, checksum_size(sum->kind)) == 0;
}

void checksum_fini(struct checksum *sum) {
  digest_free(sum->digest);
  sum->digest = NULL;
}
