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
#include <openssl/params.h>
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
  must(EVP_DigestUpdate(digest->context, data, len) == 1);
}

void digest_final(struct digest *digest, unsigned char *out) {
  must(EVP_DigestFinal_ex(digest->context, out, NULL) == 1);
}

void digest_free(struct digest *digest) {
  if (!digest)
    return;
  EVP_MD_CTX_free(digest->context);
  free(digest);
}

void digest_sha256(unsigned char out[DIGEST_SHA256_LEN], const void *data,
                   size_t len) {
  must(EVP_Digest(data, len, out, NULL, EVP_sha256(), NULL) == 1);
}

void digest_md5(unsigned char out[DIGEST_MD5_LEN], const void *data,
                size_t len) {
  must(EVP_Digest(data, len, out, NULL, EVP_md5(), NULL) == 1);
}

void digest_hmac_sha256(unsigned char out[DIGEST_SHA256_LEN], const void *key,
                        size_t key_len, const void *data, size_t len) {
  must(key_len <= INT_MAX);
  must(HMAC(EVP_sha256(), key_len ? key : "", (int)key_len, data, len, out,
            NULL) != NULL);
}

/* ---- keys --------------------------------------------------------------- */

struct digest_key {
  EVP_MAC_CTX *context; /* keyed, of which each sum takes a copy */
};

struct digest_key *digest_key_new(const void *key, size_t len) {
  struct digest_key *made = calloc(1, sizeof *made);
  EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
  char method[] = "SHA256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string("digest", method, 0),
      OSSL_PARAM_construct_end()};

  must(made && hmac);
  made->context = EVP_MAC_CTX_new(hmac);
  EVP_MAC_free(hmac);
  must(made->context &&
       EVP_MAC_init(made->context, len ? key : "", len, parameters) == 1);
  return made;
}

struct digest_key *digest_key_random(void) {
  unsigned char bytes[DIGEST_SHA256_LEN];
  struct digest_key *made;

  digest_random(bytes, sizeof bytes);
  made = digest_key_new(bytes, sizeof bytes);
  digest_wipe(bytes, sizeof bytes);
  return made;
}

void digest_key_sum(const struct digest_key *key,
                    unsigned char out[DIGEST_SHA256_LEN], const void *data,
                    size_t len) {
  EVP_MAC_CTX *context = EVP_MAC_CTX_dup(key->context);
  size_t got = 0;

  must(context && EVP_MAC_update(context, data, len) == 1 &&
       EVP_MAC_final(context, out, &got, DIGEST_SHA256_LEN) == 1 &&
       got == DIGEST_SHA256_LEN);
  EVP_MAC_CTX_free(context);
}

void digest_key_free(struct digest_key *key) {
  if (!key)
    return;
  EVP_MAC_CTX_free(key->context);
  free(key);
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
