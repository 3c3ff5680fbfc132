/* SPDX-License-Identifier: MIT
 *
 * The keys that an operator writes down: public ones in PEM, and secrets.
 */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "jwks_private.h"

/* A block of this kind is for somebody else, who may want it back. */
static bool has_private(const char *data, size_t len) {
  return memmem(data, len, "PRIVATE KEY-----", 16) != NULL;
}

static bool add_pem(struct jwks *set, EVP_PKEY *key, struct errmsg *errmsg) {
  if (set->count == JWKS_TRIES_MAX) {
    EVP_PKEY_free(key);
    return errmsg_set(errmsg,
                      "there are more than %d keys; keep those that "
                      "are in use, or use 'jwks'",
                      JWKS_TRIES_MAX);
  }
  const char *fault = jwk_take(&set->keys[set->count], key);
  if (fault != NULL)
    return errmsg_set(errmsg, "key %zu can't be used: %s", set->count + 1,
                      fault);
  set->count++;
  return true;
}

static size_t count_blocks(const char *data, size_t len) {
  static const char begin[] = "-----BEGIN ";
  const char *at = data, *end = data + len;
  size_t count = 0;
  while ((at = memmem(at, (size_t)(end - at), begin, sizeof begin - 1)) !=
         NULL) {
    at += sizeof begin - 1;
    count++;
  }
  return count;
}

static bool add_pems(struct jwks *set, const char *data, size_t len,
                     struct errmsg *errmsg) {
  BIO *bio = BIO_new_mem_buf(data, (int)len);
  EVP_PKEY *key;
  bool good = bio != NULL;
  while (good && (key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL)) != NULL)
    good = add_pem(set, key, errmsg);
  BIO_free(bio);
  ERR_clear_error();
  if (!good)
    return false;
  if (set->count > 0 && set->count == count_blocks(data, len))
    return true;
  return errmsg_set(errmsg, "it isn't made of public keys in PEM; each begins "
                            "with '-----BEGIN PUBLIC KEY-----', as openssl "
                            "pkey -pubout writes it");
}

struct jwks *jwks_pem(const char *data, size_t len, struct errmsg *errmsg) {
  if (len > JWKS_TEXT_MAX) {
    errmsg_set(errmsg, "it is longer than %d bytes", JWKS_TEXT_MAX);
    return NULL;
  }
  if (has_private(data, len)) {
    errmsg_set(errmsg, "it holds a private key, which is the issuer's alone; "
                       "write the public one that openssl pkey -pubout "
                       "makes of it");
    return NULL;
  }
  struct jwks *set = jwks_new(data, len, errmsg);
  if (set != NULL && add_pems(set, data, len, errmsg))
    return set;
  jwks_free(set);
  return NULL;
}

/* Traces of an editor, of which another program takes no notice. */
static const char *secret_fault(const char *data, size_t len) {
  if (len >= 3 && memcmp(data, "\xEF\xBB\xBF", 3) == 0)
    return "it begins with a byte order mark; save it without one";
  if (len >= 2 && memcmp(data + len - 2, "\r\n", 2) == 0)
    return "it ends in CR LF; save it with LF alone, or without";
  return NULL;
}

struct jwks *jwks_secret(const char *data, size_t len, struct errmsg *errmsg) {
  const char *trace = secret_fault(data, len);
  if (trace != NULL) {
    errmsg_set(errmsg, "%s", trace);
    return NULL;
  }
  if (len > 0 && data[len - 1] == '\n')
    len--;
  struct jwks *set = jwks_new(data, len, errmsg);
  if (set == NULL)
    return NULL;
  const char *fault = jwk_secret(&set->keys[0], data, len);
  if (fault == NULL) {
    set->count = 1;
    return set;
  }
  errmsg_set(errmsg, "%s; openssl rand -hex 32 makes a good one", fault);
  jwks_free(set);
  return NULL;
}
