/* SPDX-License-Identifier: MIT
 *
 * All numbers of 32 bits in an order that only who has the key can tell, and
 * none twice.
 */
#ifndef BASE_SHUFFLE_H
#define BASE_SHUFFLE_H

#include <stdint.h>

#include "siphash.h"

/* The n-th; of different n different ones. */
uint32_t shuffle(const unsigned char key[SIPHASH_KEY_LEN], uint32_t n);

#endif
