/* SPDX-License-Identifier: MIT
 *
 * A byte is a hash of its place, plus the seed: so two seeds differ in every
 * byte unless they are equal modulo 256.
 */
#include "sample.h"

#include <string.h>

static uint64_t sample_mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

void sample_bytes(const struct sample *sample, uint64_t offset, void *out,
                  size_t len) {
  unsigned char *to = out;
  uint64_t word = 0;
  for (size_t i = 0; i < len; i++) {
    uint64_t at = offset + i;
    if (i == 0 || at % 8 == 0)
      word = sample_mix(at / 8 + 1);
    to[i] = (unsigned char)((word >> (at % 8 * 8)) + sample->seed);
  }
}

bool sample_is(const struct sample *sample, uint64_t offset, const void *data,
               size_t len) {
  unsigned char piece[4096];
  const unsigned char *from = data;
  while (len > 0) {
    size_t part = len < sizeof piece ? len : sizeof piece;
    sample_bytes(sample, offset, piece, part);
    if (memcmp(piece, from, part) != 0)
      return false;
    from += part;
    offset += part;
    len -= part;
  }
  return true;
}
