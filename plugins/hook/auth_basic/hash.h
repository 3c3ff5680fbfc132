/* SPDX-License-Identifier: MIT
 *
 * Hashes of passwords, as crypt(5) writes them: which are good enough, and not
 * so dear that one of them would hold a thread for long.
 */
#ifndef AUTH_BASIC_HASH_H
#define AUTH_BASIC_HASH_H

#define HASH_MAX 192            /* bytes */
#define HASH_BCRYPT_COST_MAX 15 /* two seconds or so */
#define HASH_SHA_ROUNDS_MAX 1000000

/* Why it is refused, and what to do: a constant; NULL: it is fine. */
const char *hash_fault(const char *hash);

enum hash_result {
  HASH_RIGHT,
  HASH_WRONG,
  HASH_FAILED /* no memory to find out, or hash_fault() tells why */
};

/* Is it this password's?  Takes as long as the hash demands: for the pool. */
enum hash_result hash_check(const char *hash, const char *password);

#endif
