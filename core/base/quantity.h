/* SPDX-License-Identifier: MIT
 *
 * Sizes and times as people write them.
 */
#ifndef BASE_QUANTITY_H
#define BASE_QUANTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "0", or digits and one of B KiB MiB GiB TiB; the unit is required. */
bool quantity_size(const char *text, uint64_t *bytes);
/* "0", or digits and one of ms s m h d. */
bool quantity_time(const char *text, int64_t *milliseconds);
/* An optional minus and digits, whole and in range. */
bool quantity_int(const char *text, int64_t *);
/* "50 MB" for 50 MiB, as the contract's texts have it; the largest of
 * GB MB KB that divides it, else bytes ("1001 bytes"). */
void quantity_print(char out[32], uint64_t bytes);

#endif
