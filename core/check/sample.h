/* SPDX-License-Identifier: MIT
 *
 * The bytes of objects that checks write: each seed has its own, different
 * from any other seed's at every place, and none has to be kept.
 */
#ifndef CHECK_SAMPLE_H
#define CHECK_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sample {
  uint32_t seed;
  uint64_t length;
};

/* The bytes from `offset` on. */
void sample_bytes(const struct sample *, uint64_t offset, void *out,
                  size_t len);
bool sample_is(const struct sample *, uint64_t offset, const void *data,
               size_t len);

#endif
