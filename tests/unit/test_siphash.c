/* SPDX-License-Identifier: MIT
 *
 * SipHash-2-4 against values of its authors' reference code, whose key is 00
 * to 0f and whose input of n bytes is 00 to n-1.
 */
#include "siphash.h"
#include "unit.h"

static void test_known_inputs_have_their_hash(void) {
  static const struct {
    size_t len;
    uint64_t want;
  } rows[] = {
      {0, UINT64_C(0x726fdb47dd0e0e31)},  {1, UINT64_C(0x74f839c593dc67fd)},
      {7, UINT64_C(0xab0200f58b01d137)},  {8, UINT64_C(0x93f5f5799a932462)},
      {15, UINT64_C(0xa129ca6149be45e5)},
  };
  unsigned char key[SIPHASH_KEY_LEN], data[16];
  for (unsigned char i = 0; i < 16; i++)
    key[i] = data[i] = i;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    CU_ASSERT_EQUAL(siphash(key, data, rows[i].len), rows[i].want);
}

static void test_another_key_is_another_hash(void) {
  unsigned char one[SIPHASH_KEY_LEN] = {1}, two[SIPHASH_KEY_LEN] = {2};
  CU_ASSERT_NOT_EQUAL(siphash(one, "abc", 3), siphash(two, "abc", 3));
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_known_inputs_have_their_hash),
      UNIT(test_another_key_is_another_hash),
      {0}};
  return unit_main("siphash", tests);
}
