/* SPDX-License-Identifier: MIT
 *
 * Each object has a key of its own, so the index of a piece is a nonce that
 * never comes twice.  That index and the mark of the last piece are what keeps
 * pieces in their places and the end at the end.
 */
#include "cryptform.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "digest.h"
#include "must.h"

#define MAGIC "SLUICEE1"
#define MAGIC_LEN 8
#define NONCE 12
#define AT_NONCE (MAGIC_LEN + CRYPT_ID_LEN)
#define AT_KEY (AT_NONCE + NONCE)
#define AT_TAG (AT_KEY + CRYPT_KEY_LEN)

_Static_assert(AT_TAG + CRYPT_TAG == CRYPT_HEAD, "nothing else is in it");

struct crypt {
  EVP_CIPHER_CTX *seal, *open; /* each has the data key */
  unsigned char key[CRYPT_KEY_LEN];
};

void crypt_name(struct crypt_key *key) {
  static const char label[] = "sluice-encrypt key id";
  unsigned char text[sizeof label + CRYPT_KEY_LEN], sum[DIGEST_SHA256_LEN];
  memcpy(text, label, sizeof label);
  memcpy(text + sizeof label, key->key, sizeof key->key);
  digest_sha256(sum, text, sizeof text);
  memcpy(key->id, sum, sizeof key->id);
  digest_wipe(text, sizeof text);
}

/* ---- sizes -------------------------------------------------------------- */

bool crypt_sealed_length(uint64_t plain, uint64_t *sealed) {
  uint64_t pieces = plain / CRYPT_PIECE + (plain % CRYPT_PIECE != 0);
  if (plain > INT64_MAX - CRYPT_HEAD - CRYPT_TAG - plain / 4096)
    return false;
  *sealed = CRYPT_HEAD + plain + CRYPT_TAG * (pieces == 0 ? 1 : pieces);
  return true;
}

bool crypt_plain_length(uint64_t sealed, uint64_t *plain) {
  if (sealed < CRYPT_HEAD + CRYPT_TAG || sealed > INT64_MAX)
    return false;
  uint64_t body = sealed - CRYPT_HEAD;
  uint64_t rest = body % CRYPT_SEALED;
  uint64_t pieces = body / CRYPT_SEALED + (rest != 0);
  if (rest != 0 && (rest < CRYPT_TAG || (rest == CRYPT_TAG && pieces > 1)))
    return false;
  *plain = body - CRYPT_TAG * pieces;
  return true;
}

/* ---- AES-256-GCM -------------------------------------------------------- */

static EVP_CIPHER_CTX *context(bool seals, const unsigned char *key) {
  EVP_CIPHER_CTX *made = EVP_CIPHER_CTX_new();
  if (made != NULL && EVP_CipherInit_ex(made, EVP_aes_256_gcm(), NULL, key,
                                        NULL, seals ? 1 : 0) == 1)
    return made;
  EVP_CIPHER_CTX_free(made);
  return NULL;
}

static void gcm_seal(EVP_CIPHER_CTX *context, const unsigned char *nonce,
                     const void *about, size_t about_len, const void *plain,
                     size_t len, unsigned char *out) {
  int done = 0;
  must_have(EVP_EncryptInit_ex(context, NULL, NULL, NULL, nonce) == 1);
  must_have(EVP_EncryptUpdate(context, NULL, &done, about, (int)about_len) ==
            1);
  if (len > 0)
    must_have(EVP_EncryptUpdate(context, out, &done, plain, (int)len) == 1);
  must_have(EVP_EncryptFinal_ex(context, out + len, &done) == 1);
  must_have(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, CRYPT_TAG,
                                out + len) == 1);
}

static bool gcm_open(EVP_CIPHER_CTX *context, const unsigned char *nonce,
                     const void *about, size_t about_len,
                     const unsigned char *sealed, size_t len,
                     unsigned char *plain) {
  unsigned char tag[CRYPT_TAG], none[CRYPT_TAG];
  int done = 0;
  size_t rest = len - CRYPT_TAG;
  memcpy(tag, sealed + rest, sizeof tag);
  must_have(EVP_DecryptInit_ex(context, NULL, NULL, NULL, nonce) == 1);
  must_have(EVP_DecryptUpdate(context, NULL, &done, about, (int)about_len) ==
            1);
  if (rest > 0)
    must_have(EVP_DecryptUpdate(context, plain, &done, sealed, (int)rest) ==
              1);
  must_have(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, sizeof tag,
                                tag) == 1);
  return EVP_DecryptFinal_ex(context, none, &done) == 1;
}

/* ---- the header --------------------------------------------------------- */

static struct crypt *crypt_of(const unsigned char key[CRYPT_KEY_LEN]) {
  struct crypt *crypt = calloc(1, sizeof *crypt);
  if (crypt == NULL)
    return NULL;
  memcpy(crypt->key, key, sizeof crypt->key);
  crypt->seal = context(true, key);
  crypt->open = context(false, key);
  if (crypt->seal != NULL && crypt->open != NULL)
    return crypt;
  crypt_free(crypt);
  return NULL;
}

struct crypt *crypt_new(const struct crypt_keys *keys,
                        unsigned char head[CRYPT_HEAD]) {
  unsigned char key[CRYPT_KEY_LEN];
  EVP_CIPHER_CTX *wrap = context(true, keys->keys[0].key);
  digest_random(key, sizeof key);
  struct crypt *crypt = wrap == NULL ? NULL : crypt_of(key);
  if (crypt != NULL) {
    memcpy(head, MAGIC, MAGIC_LEN);
    memcpy(head + MAGIC_LEN, keys->keys[0].id, CRYPT_ID_LEN);
    digest_random(head + AT_NONCE, NONCE);
    gcm_seal(wrap, head + AT_NONCE, head, AT_NONCE, key, sizeof key,
             head + AT_KEY);
  }
  EVP_CIPHER_CTX_free(wrap);
  digest_wipe(key, sizeof key);
  return crypt;
}

static const struct crypt_key *key_of(const struct crypt_keys *keys,
                                      const unsigned char *id) {
  for (size_t i = 0; i < keys->count; i++)
    if (memcmp(keys->keys[i].id, id, CRYPT_ID_LEN) == 0)
      return &keys->keys[i];
  return NULL;
}

struct crypt *crypt_open(const struct crypt_keys *keys,
                         const unsigned char head[CRYPT_HEAD],
                         const char **why) {
  unsigned char key[CRYPT_KEY_LEN];
  struct crypt *crypt = NULL;
  *why = "the object isn't one that was encrypted";
  if (memcmp(head, MAGIC, MAGIC_LEN) != 0)
    return NULL;
  *why = "the object was encrypted by a key that key_file doesn't have";
  const struct crypt_key *by = key_of(keys, head + MAGIC_LEN);
  if (by == NULL)
    return NULL;
  EVP_CIPHER_CTX *unwrap = context(false, by->key);
  *why = "the object's header was altered";
  if (unwrap != NULL &&
      gcm_open(unwrap, head + AT_NONCE, head, AT_NONCE, head + AT_KEY,
               CRYPT_KEY_LEN + CRYPT_TAG, key)) {
    *why = "no memory is left";
    crypt = crypt_of(key);
  }
  EVP_CIPHER_CTX_free(unwrap);
  digest_wipe(key, sizeof key);
  return crypt;
}

void crypt_free(struct crypt *crypt) {
  if (crypt == NULL)
    return;
  EVP_CIPHER_CTX_free(crypt->seal);
  EVP_CIPHER_CTX_free(crypt->open);
  digest_wipe(crypt->key, sizeof crypt->key);
  free(crypt);
}

/* ---- pieces ------------------------------------------------------------- */

/* 3 bytes of 0, the index with its highest byte first, and 1 for the last. */
static void nonce_of(unsigned char nonce[NONCE], uint64_t index, bool last) {
  memset(nonce, 0, NONCE);
  for (int i = 0; i < 8; i++)
    nonce[10 - i] = (unsigned char)(index >> (8 * i));
  nonce[11] = last;
}

void crypt_seal(struct crypt *crypt, uint64_t index, bool last,
                const void *plain, size_t len, unsigned char *out) {
  unsigned char nonce[NONCE];
  nonce_of(nonce, index, last);
  gcm_seal(crypt->seal, nonce, MAGIC, MAGIC_LEN, plain, len, out);
}

bool crypt_unseal(struct crypt *crypt, uint64_t index, bool last,
                  const unsigned char *sealed, size_t len,
                  unsigned char *plain) {
  unsigned char nonce[NONCE];
  nonce_of(nonce, index, last);
  return len >= CRYPT_TAG &&
         gcm_open(crypt->open, nonce, MAGIC, MAGIC_LEN, sealed, len, plain);
}
