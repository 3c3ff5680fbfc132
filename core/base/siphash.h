/* SPDX-License-Identifier: MIT
 *
 * SipHash-2-4 (Aumasson and Bernstein, 2012): a short hash with a key, for
 * tables whose places nobody outside may predict.
 */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

#define SIPHASH_KEY_LEN 16

uint64_t siphash(const unsigned char key[SIPHASH_KEY_LEN], const void *data,
                 size_t len);

#endif
