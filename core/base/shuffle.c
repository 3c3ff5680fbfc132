/* SPDX-License-Identifier: MIT
 *
 * A Feistel network of eight rounds, whose function is a keyed hash (Luby and
 * Rackoff, 1988): each round can be undone, so no two numbers become one.
 */
#include "shuffle.h"

uint32_t shuffle(const unsigned char key[SIPHASH_KEY_LEN], uint32_t n) {
  uint16_t left = (uint16_t)(n >> 16), right = (uint16_t)n;
  for (unsigned char round = 0; round < 8; round++) {
    const unsigned char in[] = {round, (unsigned char)(right >> 8),
                                (unsigned char)right};
    uint16_t mixed = left ^ (uint16_t)siphash(key, in, sizeof in);
    left = right;
    right = mixed;
  }
  return (uint32_t)left << 16 | right;
}
