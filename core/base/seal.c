/* SPDX-License-Identifier: MIT
 *
 * Sealed texts: 16 random bytes, the cipher text, 16 bytes of a tag.
 */
#include "seal.h"

#include <limits.h>
#include <openssl/evp.h>
#include <string.h>

#include "codec.h"
#include "must.h"

#define SALT_LEN 16
#define TAG_LEN 16
#define SEAL_MAX (1 << 16)

/* The key is good for one text, so the nonce may be any. */
static EVP_CIPHER_CTX *seal_begin(const struct digest_key *key,
                                  const void *salt, bool encrypt) {
  static const unsigned char nonce[12];
  unsigned char own[DIGEST_SHA256_LEN], label[4 + SALT_LEN] = "seal";
  EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
  memcpy(label + 4, salt, SALT_LEN);
  digest_key_sum(key, own, label, sizeof label);
  must_have(context != NULL &&
            EVP_CipherInit_ex(context, EVP_aes_256_gcm(), NULL, own, nonce,
                              encrypt) == 1);
  digest_wipe(own, sizeof own);
  return context;
}

bool seal_close(struct buf *out, const struct digest_key *key,
                const void *plain, size_t len) {
  unsigned char sealed[SEAL_MAX];
  int got = 0, more = 0;
  if (len > SEAL_MAX - SALT_LEN - TAG_LEN)
    return false;
  digest_random(sealed, SALT_LEN);
  EVP_CIPHER_CTX *context = seal_begin(key, sealed, true);
  must_have(
      EVP_EncryptUpdate(context, sealed + SALT_LEN, &got, plain, (int)len) ==
          1 &&
      EVP_EncryptFinal_ex(context, sealed + SALT_LEN + got, &more) == 1 &&
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, TAG_LEN,
                          sealed + SALT_LEN + len) == 1);
  EVP_CIPHER_CTX_free(context);
  return codec_base64url(out, sealed, SALT_LEN + len + TAG_LEN);
}

static bool unseal(struct buf *plain, const struct digest_key *key,
                   char *sealed, size_t len) {
  unsigned char opened[SEAL_MAX];
  char *tag = sealed + len - TAG_LEN;
  size_t inner = len - SALT_LEN - TAG_LEN;
  int got = 0, more = 0;
  EVP_CIPHER_CTX *context = seal_begin(key, sealed, false);
  bool ok =
      EVP_DecryptUpdate(context, opened, &got,
                        (unsigned char *)sealed + SALT_LEN, (int)inner) == 1 &&
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, TAG_LEN, tag) == 1 &&
      EVP_DecryptFinal_ex(context, opened + got, &more) == 1 &&
      buf_add(plain, opened, inner);
  EVP_CIPHER_CTX_free(context);
  digest_wipe(opened, inner);
  return ok;
}

bool seal_open(struct buf *plain, const struct digest_key *key,
               const char *text, size_t len) {
  struct buf sealed;
  buf_clear(plain);
  buf_init(&sealed, SEAL_MAX);
  bool ok = codec_unbase64url(&sealed, text, len) &&
            sealed.len >= SALT_LEN + TAG_LEN &&
            unseal(plain, key, sealed.data, sealed.len);
  buf_fini(&sealed);
  return ok;
}
