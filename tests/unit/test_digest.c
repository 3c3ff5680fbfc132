/* SPDX-License-Identifier: MIT
 *
 * Digests by the examples of their standards, and what comparisons and random
 * bytes promise.
 */
#include "digest.h"
#include "codec.h"
#include "unit.h"

#include <string.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

static const char *hex(const unsigned char *digest, size_t len) {
  static char text[2 * DIGEST_SHA256_LEN + 1];

  codec_hex(text, digest, len);
  return text;
}

/* RFC 1321 and FIPS 180-4. */
static const struct {
  const char *in, *md5, *sha256;
} known[] = {
    {"", "d41d8cd98f00b204e9800998ecf8427e",
     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "900150983cd24fb0d6963f7d28e17f72",
     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "8215ef0796a20bcaaae116d3876c664a",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

static void test_digest_of_known_texts(void) {
  unsigned char md5[DIGEST_MD5_LEN], sha256[DIGEST_SHA256_LEN];

  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    digest_md5(md5, known[i].in, strlen(known[i].in));
    ROW(known[i].in, strcmp(hex(md5, sizeof md5), known[i].md5) == 0);
    digest_sha256(sha256, known[i].in, strlen(known[i].in));
    ROW(known[i].in, strcmp(hex(sha256, sizeof sha256), known[i].sha256) == 0);
  }
}

static void test_digest_in_pieces_is_that_of_the_whole(void) {
  const char *text = known[2].in;
  size_t len = strlen(text);

  for (size_t cut = 0; cut <= len; cut++) {
    unsigned char out[DIGEST_SHA256_LEN];
    struct digest *md5 = digest_new(DIGEST_MD5);
    struct digest *sha256 = digest_new(DIGEST_SHA256);
    digest_update(md5, text, cut);
    digest_update(md5, text + cut, len - cut);
    digest_update(sha256, text, cut);
    digest_update(sha256, text + cut, len - cut);
    digest_final(md5, out);
    CU_ASSERT_STRING_EQUAL(hex(out, DIGEST_MD5_LEN), known[2].md5);
    digest_final(sha256, out);
    CU_ASSERT_STRING_EQUAL(hex(out, DIGEST_SHA256_LEN), known[2].sha256);
    digest_free(md5);
    digest_free(sha256);
  }
}

static void test_digest_can_be_freed_unfinished(void) {
  struct digest *digest = digest_new(DIGEST_MD5);

  digest_update(digest, "abc", 3);
  digest_free(digest);
  digest_free(NULL);
  CU_ASSERT_PTR_NOT_NULL(digest);
}

/* RFC 4231, cases 2 and 6; and a key that is empty. */
static void test_digest_hmac_of_known_texts(void) {
  static const char text[] =
      "Test Using Larger Than Block-Size Key - Hash Key First";
  unsigned char out[DIGEST_SHA256_LEN], key[131];

  digest_hmac_sha256(out, "Jefe", 4, "what do ya want for nothing?", 28);
  CU_ASSERT_STRING_EQUAL(
      hex(out, sizeof out),
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  memset(key, 0xAA, sizeof key);
  digest_hmac_sha256(out, key, sizeof key, text, sizeof text - 1);
  CU_ASSERT_STRING_EQUAL(
      hex(out, sizeof out),
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  digest_hmac_sha256(out, NULL, 0, "", 0);
  CU_ASSERT_STRING_EQUAL(
      hex(out, sizeof out),
      "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

/* A key sums again and again, as the one-shot function does. */
static void test_digest_key_sums_as_without_one(void) {
  static const size_t lengths[] = {0, 1, 4, 63, 64, 65, 131, 1028};
  unsigned char key[1028], data[300], want[DIGEST_SHA256_LEN],
      got[DIGEST_SHA256_LEN];

  for (size_t i = 0; i < sizeof key; i++)
    key[i] = (unsigned char)(i * 7);
  memset(data, 'd', sizeof data);
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    struct digest_key *made = digest_key_new(key, lengths[i]);
    for (size_t len = 0; len <= sizeof data; len++) {
      digest_hmac_sha256(want, key, lengths[i], data, len);
      digest_key_sum(made, got, data, len);
      CU_ASSERT(memcmp(got, want, sizeof got) == 0);
    }
    digest_key_free(made);
  }
  digest_key_free(NULL);
}

static void test_digest_equal_looks_at_every_byte(void) {
  char a[32] = {0}, b[32] = {0};

  CU_ASSERT(digest_equal(a, b, 32));
  for (size_t i = 0; i < 32; i++) {
    b[i] = 1;
    CU_ASSERT(!digest_equal(a, b, 32));
    CU_ASSERT(digest_equal(a, b, i));
    b[i] = 0;
  }
}

static void test_digest_random_fills_all_and_never_repeats(void) {
  unsigned char a[1000] = {0}, b[1000] = {0};
  const unsigned char none[16] = {0};

  digest_random(a, sizeof a);
  digest_random(b, sizeof b);
  CU_ASSERT(memcmp(a, b, sizeof a) != 0);
  CU_ASSERT(memcmp(a, none, sizeof none) != 0);
  CU_ASSERT(memcmp(a + sizeof a - 16, none, sizeof none) != 0);
  digest_random(a, 0);
}

static void test_digest_wipe_leaves_zeros(void) {
  char secret[] = "secret";

  digest_wipe(secret, 5);
  CU_ASSERT(memcmp(secret, "\0\0\0\0\0t", 7) == 0);
}

static const struct unit_test tests[] = {
    UNIT(test_digest_of_known_texts),
    UNIT(test_digest_in_pieces_is_that_of_the_whole),
    UNIT(test_digest_can_be_freed_unfinished),
    UNIT(test_digest_hmac_of_known_texts),
    UNIT(test_digest_key_sums_as_without_one),
    UNIT(test_digest_equal_looks_at_every_byte),
    UNIT(test_digest_random_fills_all_and_never_repeats),
    UNIT(test_digest_wipe_leaves_zeros),
    {NULL, NULL},
};

int main(void) {
  return unit_main("digest", tests);
}
