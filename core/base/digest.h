/* SPDX-License-Identifier: MIT
 *
 * Digests by OpenSSL, random bytes by the kernel, and comparisons whose time
 * tells nothing.
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIGEST_MD5_LEN 16
#define DIGEST_SHA256_LEN 32

enum digest_kind { DIGEST_MD5, DIGEST_SHA1, DIGEST_SHA256 };

struct digest; /* a running one */

struct digest *digest_new(enum digest_kind); /* NULL: no memory */
void digest_update(struct digest *, const void *data, size_t len);
/* Writes the digest's bytes; afterwards only digest_free(). */
void digest_final(struct digest *, unsigned char *out);
void digest_free(struct digest *); /* NULL: nothing */

void digest_sha256(unsigned char out[DIGEST_SHA256_LEN], const void *data,
                   size_t len);
void digest_md5(unsigned char out[DIGEST_MD5_LEN], const void *data,
                size_t len);
void digest_hmac_sha256(unsigned char out[DIGEST_SHA256_LEN], const void *key,
                        size_t key_len, const void *data, size_t len);

/* A key of many HMAC-SHA-256, which is set up once (digest_key.c).  Threads
 * may share it. */
struct digest_key;

struct digest_key *digest_key_new(const void *key, size_t len);
struct digest_key *digest_key_random(void); /* that nobody knows */
void digest_key_sum(const struct digest_key *,
                    unsigned char out[DIGEST_SHA256_LEN], const void *data,
                    size_t len);
void digest_key_free(struct digest_key *); /* wipes it; NULL: nothing */

/* Constant time for equal lengths. */
bool digest_equal(const void *a, const void *b, size_t len);
/* From getrandom(2); never fails. */
void digest_random(void *out, size_t len);
/* Overwrites a secret; never optimised away. */
void digest_wipe(void *, size_t len);

#endif
