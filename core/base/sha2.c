/* SPDX-License-Identifier: MIT
 *
 * By OpenSSL's functions of one algorithm, whose state is a struct that can be
 * read.  They have been deprecated since 3.0 in favour of EVP, which runs the
 * same code and gives its state to nobody (decision 0036).
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "sha2.h"

#include <endian.h>
#include <openssl/sha.h>
#include <string.h>

#include "must.h"

_Static_assert(SHA256_CBLOCK == 64 && SHA512_CBLOCK == SHA2_BLOCK_MAX,
               "blocks are as long as FIPS 180-4 has them");

static size_t block_size(enum sha2_kind kind) {
  return kind == SHA2_256 ? SHA256_CBLOCK : SHA512_CBLOCK;
}

size_t sha2_size(enum sha2_kind kind) {
  return kind == SHA2_256 ? SHA256_DIGEST_LENGTH : SHA512_DIGEST_LENGTH;
}

void sha2_init(struct sha2 *sha2, enum sha2_kind kind) {
  SHA256_CTX small;
  SHA512_CTX large;
  *sha2 = (struct sha2){.kind = kind};
  must(SHA256_Init(&small) == 1 && SHA512_Init(&large) == 1);
  for (size_t i = 0; i < 8; i++)
    sha2->state[i] = kind == SHA2_256 ? small.h[i] : large.h[i];
}

/* ---- to OpenSSL's structs, and back ------------------------------------- */

static void lend_256(const struct sha2 *sha2, SHA256_CTX *context) {
  uint64_t bits = sha2->length << 3;
  must(SHA256_Init(context) == 1);
  for (size_t i = 0; i < 8; i++)
    context->h[i] = (SHA_LONG)sha2->state[i];
  context->Nl = (SHA_LONG)bits;
  context->Nh = (SHA_LONG)(bits >> 32);
  context->num = (unsigned)(sha2->length % SHA256_CBLOCK);
  memcpy(context->data, sha2->rest, context->num);
}

static void lend_512(const struct sha2 *sha2, SHA512_CTX *context) {
  must(SHA512_Init(context) == 1);
  for (size_t i = 0; i < 8; i++)
    context->h[i] = sha2->state[i];
  context->Nl = sha2->length << 3;
  context->Nh = sha2->length >> 61;
  context->num = (unsigned)(sha2->length % SHA512_CBLOCK);
  memcpy(context->u.p, sha2->rest, context->num);
}

static void add_256(struct sha2 *sha2, const void *data, size_t len) {
  SHA256_CTX context;
  lend_256(sha2, &context);
  must(SHA256_Update(&context, data, len) == 1);
  for (size_t i = 0; i < 8; i++)
    sha2->state[i] = context.h[i];
  memcpy(sha2->rest, context.data, context.num);
}

static void add_512(struct sha2 *sha2, const void *data, size_t len) {
  SHA512_CTX context;
  lend_512(sha2, &context);
  must(SHA512_Update(&context, data, len) == 1);
  for (size_t i = 0; i < 8; i++)
    sha2->state[i] = context.h[i];
  memcpy(sha2->rest, context.u.p, context.num);
}

void sha2_add(struct sha2 *sha2, const void *data, size_t len) {
  if (sha2->kind == SHA2_256)
    add_256(sha2, data, len);
  else
    add_512(sha2, data, len);
  sha2->length += len;
}

void sha2_sum(const struct sha2 *sha2, unsigned char *out) {
  SHA256_CTX small;
  SHA512_CTX large;
  if (sha2->kind == SHA2_256) {
    lend_256(sha2, &small);
    must(SHA256_Final(out, &small) == 1);
  } else {
    lend_512(sha2, &large);
    must(SHA512_Final(out, &large) == 1);
  }
}

/* ---- saving ------------------------------------------------------------- */

size_t sha2_saved(enum sha2_kind kind) {
  return kind == SHA2_256 ? SHA2_256_SAVED : SHA2_512_SAVED;
}

void sha2_save(const struct sha2 *sha2, unsigned char *out) {
  uint64_t length = htobe64(sha2->length);
  memcpy(out, &length, sizeof length);
  out += sizeof length;
  for (size_t i = 0; i < 8; i++) {
    uint64_t large = htobe64(sha2->state[i]);
    uint32_t small = htobe32((uint32_t)sha2->state[i]);
    size_t size = sha2->kind == SHA2_256 ? sizeof small : sizeof large;
    if (sha2->kind == SHA2_256)
      memcpy(out, &small, size);
    else
      memcpy(out, &large, size);
    out += size;
  }
  memset(out, 0, block_size(sha2->kind));
  memcpy(out, sha2->rest, sha2->length % block_size(sha2->kind));
}

void sha2_load(struct sha2 *sha2, enum sha2_kind kind,
               const unsigned char *in) {
  *sha2 = (struct sha2){.kind = kind};
  memcpy(&sha2->length, in, sizeof sha2->length);
  sha2->length = be64toh(sha2->length);
  in += sizeof sha2->length;
  for (size_t i = 0; i < 8; i++) {
    uint64_t large;
    uint32_t small;
    if (kind == SHA2_256) {
      memcpy(&small, in, sizeof small);
      sha2->state[i] = be32toh(small);
      in += sizeof small;
    } else {
      memcpy(&large, in, sizeof large);
      sha2->state[i] = be64toh(large);
      in += sizeof large;
    }
  }
  memcpy(sha2->rest, in, sha2->length % block_size(kind));
}
