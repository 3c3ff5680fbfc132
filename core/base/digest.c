/* SPDX-License-Identifier: MIT
 *
 * Digests by OpenSSL, random bytes by the kernel.  The MD5 of every upload
 * runs through here: nothing is copied on the way.  A failure that no caller
 * could answer sensibly ends the process: a wrong digest would be stored, a
 * predictable random number would be guessed.
 */
#include "digest.h"

#include <errno.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "must.h"

struct digest {
  EVP_MD_CTX *context;
};

static const EVP_MD *method(enum digest_kind kind) {
  switch (kind) {
  case DIGEST_MD5:
    return EVP_md5();
  case DIGEST_SHA1:
    return EVP_sha1();
  case DIGEST_SHA256:
    return EVP_sha256();
  }
  abort();
}

struct digest *digest_new(enum digest_kind kind) {
  struct digest *digest = calloc(1, sizeof *digest);

  if (!digest)
    return NULL;
  digest->context = EVP_MD_CTX_new();
  if (digest->context &&
      EVP_DigestInit_ex(digest->context, method(kind), NULL) == 1)
    return digest;
  digest_free(digest);
  return NULL;
}

void digest_update(struct digest *digest, const void *data, size_t len) {
  must_have(EVP_DigestUpdate(digest->context, data, len) == 1);
}

void digest_final(struct digest *digest, unsigned char *out) {
  must_have(EVP_DigestFinal_ex(digest->context, out, NULL) == 1);
}

void digest_free(struct digest *digest) {
  if (!digest)
    return;
  EVP_MD_CTX_free(digest->context);
  free(digest);
}

void digest_sha256(unsigned char out[DIGEST_SHA256_LEN], const void *data,
                   size_t len) {
  must_have(EVP_Digest(data, len, out, NULL, EVP_sha256(), NULL) == 1);
}

void digest_md5(unsigned char out[DIGEST_MD5_LEN], const void *data,
                size_t len) {
  must_have(EVP_Digest(data, len, out, NULL, EVP_md5(), NULL) == 1);
}

void digest_hmac_sha256(unsigned char out[DIGEST_SHA256_LEN], const void *key,
                        size_t key_len, const void *data, size_t len) {
  must(key_len <= INT_MAX);
  must_have(HMAC(EVP_sha256(), key_len ? key : "", (int)key_len, data, len,
                 out, NULL) != NULL);
}

/* ---- other -------------------------------------------------------------- */

bool digest_equal(const void *a, const void *b, size_t len) {
  return CRYPTO_memcmp(a, b, len) == 0;
}

void digest_random(void *out, size_t len) {
  unsigned char *at = out;

  while (len) {
    ssize_t got = getrandom(at, len, 0);
    must(got > 0 || (got < 0 && errno == EINTR));
    if (got > 0) {
      at += got;
      len -= (size_t)got;
    }
  }
}

void digest_wipe(void *secret, size_t len) {
  explicit_bzero(secret, len);
}
