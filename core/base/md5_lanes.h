/* SPDX-License-Identifier: MIT
 *
 * MD5's blocks, of one stream or of several at once: what md5.c is made of.
 */
#ifndef BASE_MD5_LANES_H
#define BASE_MD5_LANES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MD5_LANES 16 /* streams at once */
#define MD5_BLOCK 64 /* bytes */

/* a, b, c, d of RFC 1321; of each lane, where there are lanes. */
struct md5_state {
  uint32_t word[4];
};
struct md5_states {
  uint32_t word[4][MD5_LANES];
};

/* One way to run the lanes.  Each lane's data is advanced by so many
 * blocks. */
struct md5_lanes {
  const char *name;
  bool (*works)(void); /* on this processor */
  void (*run)(struct md5_states *, const unsigned char *data[MD5_LANES],
              size_t blocks);
  unsigned least; /* so many lanes beat one after the other */
};

/* The fastest first; the last one works everywhere. */
extern const struct md5_lanes md5_lanes[];
extern const size_t md5_lanes_count;

void md5_blocks(struct md5_state *, const unsigned char *data, size_t blocks);

#endif
