/* SPDX-License-Identifier: MIT
 *
 * HMAC-SHA-256 (RFC 2104) under a key that is used again and again: kept are
 * the digests that have read the key's two blocks, and a sum goes on with
 * copies of them.  EVP does the same, and needs as long to copy its contexts
 * as to digest a short text; so these are OpenSSL's functions of the one
 * algorithm (decision 0036).
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "digest.h"

#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "must.h"

#define INNER 0x36 /* ipad, */
#define OUTER 0x5c /* and opad of RFC 2104 */

struct digest_key {
  SHA256_CTX inner, outer;
};

static void read_block(SHA256_CTX *context, const unsigned char *block,
                       unsigned char pad) {
  unsigned char padded[SHA256_CBLOCK];
  for (size_t i = 0; i < sizeof padded; i++)
    padded[i] = block[i] ^ pad;
  must(SHA256_Init(context) == 1 &&
       SHA256_Update(context, padded, sizeof padded) == 1);
  digest_wipe(padded, sizeof padded);
}

struct digest_key *digest_key_new(const void *key, size_t len) {
  struct digest_key *made = calloc(1, sizeof *made);
  unsigned char block[SHA256_CBLOCK] = {0};
  must_have(made);
  if (len > sizeof block)
    digest_sha256(block, key, len);
  else if (len > 0)
    memcpy(block, key, len);
  read_block(&made->inner, block, INNER);
  read_block(&made->outer, block, OUTER);
  digest_wipe(block, sizeof block);
  return made;
}

struct digest_key *digest_key_random(void) {
  unsigned char bytes[DIGEST_SHA256_LEN];
  digest_random(bytes, sizeof bytes);
  struct digest_key *made = digest_key_new(bytes, sizeof bytes);
  digest_wipe(bytes, sizeof bytes);
  return made;
}

void digest_key_sum(const struct digest_key *key,
                    unsigned char out[DIGEST_SHA256_LEN], const void *data,
                    size_t len) {
  unsigned char sum[DIGEST_SHA256_LEN];
  SHA256_CTX context = key->inner;
  must(SHA256_Update(&context, data, len) == 1 &&
       SHA256_Final(sum, &context) == 1);
  context = key->outer;
  must(SHA256_Update(&context, sum, sizeof sum) == 1 &&
       SHA256_Final(out, &context) == 1);
  digest_wipe(&context, sizeof context);
  digest_wipe(sum, sizeof sum);
}

void digest_key_free(struct digest_key *key) {
  if (key == NULL)
    return;
  digest_wipe(key, sizeof *key);
  free(key);
}
