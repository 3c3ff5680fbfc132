/* SPDX-License-Identifier: MIT
 *
 * SipHash-2-4, by the paper's section 2.
 */
#include "siphash.h"

static uint64_t rotate(uint64_t x, unsigned by) {
  return x << by | x >> (64 - by);
}

/* `count` bytes, at most 8, the first the least. */
static uint64_t siphash_read_word(const unsigned char *at, size_t count) {
  uint64_t word = 0;
  while (count-- > 0)
    word = word << 8 | at[count];
  return word;
}

static void mix(uint64_t v[4], unsigned rounds) {
  while (rounds-- > 0) {
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
  }
}

static void siphash_take(uint64_t v[4], uint64_t word) {
  v[3] ^= word;
  mix(v, 2);
  v[0] ^= word;
}

uint64_t siphash(const unsigned char key[SIPHASH_KEY_LEN], const void *data,
                 size_t len) {
  const unsigned char *at = data;
  uint64_t k0 = siphash_read_word(key, 8), k1 = siphash_read_word(key + 8, 8);
  uint64_t v[4] = {
      k0 ^ UINT64_C(0x736f6d6570736575), k1 ^ UINT64_C(0x646f72616e646f6d),
      k0 ^ UINT64_C(0x6c7967656e657261), k1 ^ UINT64_C(0x7465646279746573)};
  size_t whole = len / 8 * 8;
  for (size_t i = 0; i < whole; i += 8)
    siphash_take(v, siphash_read_word(at + i, 8));
  siphash_take(v, siphash_read_word(at + whole, len - whole) | (uint64_t)len
                                                                   << 56);
  v[2] ^= 0xff;
  mix(v, 4);
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}
