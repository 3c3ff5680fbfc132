/* SPDX-License-Identifier: MIT
 *
 * Hashes of passwords, as crypt(5) writes them: which are good enough, and not
 * so dear that one of them would hold a thread for long.
 */
#ifndef AUTH_BASIC_HASH_H
#define AUTH_BASIC_HASH_H

#include <stdbool.h>

#define HASH_MAX 192            /* bytes */
#define HASH_BCRYPT_COST_MAX 15 /* two seconds or so */
#define HASH_SHA_ROUNDS_MAX 1000000

/* Why it is refused, and what to do: a constant; NULL: it is fine. */
const char *hash_fault(const char *hash);

/* Is it this password's?  Takes as long as the hash demands: for the pool. */
bool hash_matches(const char *hash, const char *password);

#endif
