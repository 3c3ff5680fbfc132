/* SPDX-License-Identifier: MIT
 *
 * The format of encrypted objects: lengths at the borders of pieces, and what
 * opens.
 */
#include "cryptform.h"
#include "unit.h"

#include <stdint.h>
#include <string.h>

#define TEST(holds, row) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

static void test_lengths_go_there_and_back(void) {
  static const struct {
    const char *name;
    uint64_t plain, sealed;
  } rows[] = {{"nothing", 0, 92},
              {"a byte", 1, 93},
              {"a piece but one byte", 65535, 65627},
              {"a piece", 65536, 65628},
              {"a byte more", 65537, 65645},
              {"two pieces", 131072, 131180}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    uint64_t sealed = 0, plain = UINT64_MAX;
    TEST(crypt_sealed_length(rows[i].plain, &sealed), rows[i].name);
    TEST(sealed == rows[i].sealed, rows[i].name);
    TEST(crypt_plain_length(sealed, &plain), rows[i].name);
    TEST(plain == rows[i].plain, rows[i].name);
  }
}

static void test_length_of_no_sealed_object_is_refused(void) {
  static const uint64_t lengths[] = {
      0,         75,         76,         91,
      65628 + 1, 65628 + 15, 65628 + 16, (uint64_t)INT64_MAX + 1};
  uint64_t plain;
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
    TEST(!crypt_plain_length(lengths[i], &plain), "a length");
  CU_ASSERT_TRUE(crypt_plain_length(65628 + 17, &plain));
}

static void test_length_that_overflows_is_refused(void) {
  uint64_t sealed;
  CU_ASSERT_FALSE(crypt_sealed_length(UINT64_MAX, &sealed));
  CU_ASSERT_FALSE(crypt_sealed_length(INT64_MAX, &sealed));
  CU_ASSERT_TRUE(crypt_sealed_length(INT64_MAX / 2, &sealed));
}

static struct crypt_keys keys_of(unsigned char first, size_t count) {
  struct crypt_keys keys = {.count = count};
  for (size_t i = 0; i < count; i++) {
    memset(keys.keys[i].key, first + (int)i, CRYPT_KEY_LEN);
    crypt_name(&keys.keys[i]);
  }
  return keys;
}

static void test_piece_opens_in_its_place_alone(void) {
  static const struct {
    const char *name;
    uint64_t index;
    bool last, opens;
  } rows[] = {{"its place", 7, false, true},
              {"another", 8, false, false},
              {"another, far", 7 + ((uint64_t)1 << 32), false, false},
              {"the last", 7, true, false}};
  struct crypt_keys keys = keys_of(1, 1);
  unsigned char head[CRYPT_HEAD], sealed[5 + CRYPT_TAG], plain[5];
  const char *why;
  struct crypt *crypt = crypt_new(&keys, head);
  crypt_seal(crypt, 7, false, "hello", 5, sealed);
  crypt_free(crypt);
  crypt = crypt_open(&keys, head, &why);
  CU_ASSERT_PTR_NOT_NULL_FATAL(crypt);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    TEST(crypt_unseal(crypt, rows[i].index, rows[i].last, sealed,
                      sizeof sealed, plain) == rows[i].opens,
         rows[i].name);
  TEST(crypt_unseal(crypt, 7, false, sealed, sizeof sealed, plain) &&
           memcmp(plain, "hello", 5) == 0,
       "the bytes");
  CU_ASSERT_FALSE(crypt_unseal(crypt, 7, false, sealed, 15, plain));
  for (size_t i = 0; i < sizeof sealed; i++) {
    sealed[i] ^= 1;
    TEST(!crypt_unseal(crypt, 7, false, sealed, sizeof sealed, plain),
         "a byte");
    sealed[i] ^= 1;
  }
  crypt_free(crypt);
}

static void test_header_opens_by_its_key_alone(void) {
  struct crypt_keys keys = keys_of(1, 2), both = keys_of(0, 2);
  struct crypt_keys other = keys_of(3, 2);
  unsigned char head[CRYPT_HEAD];
  const char *why;
  crypt_free(crypt_new(&keys, head));
  struct crypt *crypt = crypt_open(&both, head, &why);
  CU_ASSERT_PTR_NOT_NULL(crypt);
  crypt_free(crypt);
  CU_ASSERT_PTR_NULL(crypt_open(&other, head, &why));
  for (size_t i = 0; i < sizeof head; i++) {
    head[i] ^= 1;
    TEST(crypt_open(&both, head, &why) == NULL, "a byte");
    head[i] ^= 1;
  }
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_lengths_go_there_and_back),
      UNIT(test_length_of_no_sealed_object_is_refused),
      UNIT(test_length_that_overflows_is_refused),
      UNIT(test_piece_opens_in_its_place_alone),
      UNIT(test_header_opens_by_its_key_alone),
      {NULL, NULL}};
  return unit_main("cryptform", tests);
}
