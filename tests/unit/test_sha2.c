/* SPDX-License-Identifier: MIT
 *
 * SHA-2 that is saved and gone on with, compared with OpenSSL's own.
 */
#include "sha2.h"
#include "unit.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define BYTES 700 /* more than two blocks of the longest */

static const EVP_MD *method(enum sha2_kind kind) {
  return kind == SHA2_256 ? EVP_sha256() : EVP_sha512();
}

static void fill(unsigned char *data, size_t len) {
  for (size_t i = 0; i < len; i++)
    data[i] = (unsigned char)(i * 31 + i / 251);
}

static bool is_openssls(const struct sha2 *sha2, const unsigned char *data,
                        size_t len) {
  unsigned char made[SHA2_MAX], wanted[SHA2_MAX];
  sha2_sum(sha2, made);
  EVP_Digest(data, len, wanted, NULL, method(sha2->kind), NULL);
  return memcmp(made, wanted, sha2_size(sha2->kind)) == 0;
}

static void test_every_length_is_openssls(void) {
  unsigned char data[BYTES];
  fill(data, sizeof data);
  for (unsigned kind = 0; kind < SHA2_KINDS; kind++)
    for (size_t len = 0; len <= sizeof data; len++) {
      struct sha2 sha2;
      sha2_init(&sha2, kind);
      sha2_add(&sha2, data, len);
      CU_ASSERT(is_openssls(&sha2, data, len));
    }
}

static void test_a_sum_goes_on_after_any_cut(void) {
  unsigned char data[BYTES], saved[SHA2_SAVED_MAX];
  fill(data, sizeof data);
  for (unsigned kind = 0; kind < SHA2_KINDS; kind++)
    for (size_t cut = 0; cut <= sizeof data; cut++) {
      struct sha2 before, after;
      sha2_init(&before, kind);
      sha2_add(&before, data, cut);
      sha2_save(&before, saved);
      memset(&after, 0xff, sizeof after);
      sha2_load(&after, kind, saved);
      sha2_add(&after, data + cut, sizeof data - cut);
      CU_ASSERT(is_openssls(&after, data, sizeof data));
    }
}

static void test_a_sum_may_be_asked_for_in_the_middle(void) {
  unsigned char data[BYTES], sum[SHA2_MAX];
  fill(data, sizeof data);
  for (unsigned kind = 0; kind < SHA2_KINDS; kind++) {
    struct sha2 sha2;
    sha2_init(&sha2, kind);
    sha2_add(&sha2, data, 100);
    sha2_sum(&sha2, sum);
    sha2_add(&sha2, data + 100, sizeof data - 100);
    CU_ASSERT(is_openssls(&sha2, data, sizeof data));
  }
}

/* The count of bits needs more than 32 bits. */
static void test_lengths_beyond_512_mib_count(void) {
  size_t len = (size_t)600 << 20, piece = 1 << 20;
  unsigned char *data = calloc(1, piece);
  unsigned char made[SHA2_MAX], wanted[SHA2_MAX];
  EVP_MD_CTX *evp = EVP_MD_CTX_new();
  struct sha2 sha2;
  CU_ASSERT(data != NULL && evp != NULL);
  sha2_init(&sha2, SHA2_256);
  EVP_DigestInit_ex(evp, EVP_sha256(), NULL);
  for (size_t at = 0; at < len; at += piece) {
    sha2_add(&sha2, data, piece);
    EVP_DigestUpdate(evp, data, piece);
  }
  EVP_DigestFinal_ex(evp, wanted, NULL);
  sha2_sum(&sha2, made);
  CU_ASSERT(memcmp(made, wanted, SHA2_256_LEN) == 0);
  EVP_MD_CTX_free(evp);
  free(data);
}

static void test_saved_bytes_are_as_many_as_said(void) {
  CU_ASSERT_EQUAL(sha2_saved(SHA2_256), SHA2_256_SAVED);
  CU_ASSERT_EQUAL(sha2_saved(SHA2_512), SHA2_512_SAVED);
  for (unsigned kind = 0; kind < SHA2_KINDS; kind++) {
    unsigned char saved[SHA2_SAVED_MAX + 1];
    struct sha2 sha2;
    memset(saved, 0xa5, sizeof saved);
    sha2_init(&sha2, kind);
    sha2_save(&sha2, saved);
    CU_ASSERT_EQUAL(saved[sha2_saved(kind)], 0xa5);
    CU_ASSERT_EQUAL(saved[sha2_saved(kind) - 1], 0);
  }
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_every_length_is_openssls),
      UNIT(test_a_sum_goes_on_after_any_cut),
      UNIT(test_a_sum_may_be_asked_for_in_the_middle),
      UNIT(test_lengths_beyond_512_mib_count),
      UNIT(test_saved_bytes_are_as_many_as_said),
      {NULL, NULL}};
  return unit_main("sha2", tests);
}
