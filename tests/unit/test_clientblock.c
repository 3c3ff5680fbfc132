/* SPDX-License-Identifier: MIT
 *
 * Addresses that are one client; names and clients never share a number.
 */
#include "clientblock.h"
#include "unit.h"

#include <stdbool.h>
#include <string.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

static void test_a_block_is_one_client(void) {
  static const struct {
    const char *one, *other;
    bool same;
  } rows[] = {{"192.0.2.1", "192.0.2.1", true},
              {"192.0.2.1", "::ffff:192.0.2.1", true},
              {"192.0.2.1", "192.0.2.2", false},
              {"2001:db8::1", "2001:db8::ffff:0:0:2", true},
              {"2001:db8:0:1::1", "2001:db8:0:2::1", false},
              {"unix:", "unix:", true},
              {"unix:", "::", false},
              {"unix:", "0.0.0.0", false}};
  struct clientblock block;
  clientblock_init(&block, CLIENTBLOCK_V4_BITS, CLIENTBLOCK_V6_BITS);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    ROW(rows[i].other,
        (clientblock_hash(&block, rows[i].one) ==
         clientblock_hash(&block, rows[i].other)) == rows[i].same);
}

static void test_bits_widen_a_block(void) {
  struct clientblock block;
  clientblock_init(&block, 24, 48);
  CU_ASSERT_EQUAL(clientblock_hash(&block, "192.0.2.1"),
                  clientblock_hash(&block, "192.0.2.255"));
  CU_ASSERT_EQUAL(clientblock_hash(&block, "2001:db8:0:1::1"),
                  clientblock_hash(&block, "2001:db8:0:ffff::1"));
  CU_ASSERT_NOT_EQUAL(clientblock_hash(&block, "192.0.3.1"),
                      clientblock_hash(&block, "192.0.2.1"));
}

static void test_names_are_no_clients(void) {
  struct clientblock block;
  clientblock_init(&block, CLIENTBLOCK_V4_BITS, CLIENTBLOCK_V6_BITS);
  uint64_t client = clientblock_hash(&block, "192.0.2.1");
  CU_ASSERT_NOT_EQUAL(clientblock_name(&block, "192.0.2.1"), client);
  CU_ASSERT_NOT_EQUAL(clientblock_pair(&block, "192.0.2.1", ""), client);
  CU_ASSERT_EQUAL(clientblock_pair(&block, "192.0.2.1", "bob"),
                  clientblock_pair(&block, "192.0.2.1", "bob"));
  CU_ASSERT_NOT_EQUAL(clientblock_pair(&block, "192.0.2.1", "bob"),
                      clientblock_pair(&block, "192.0.2.2", "bob"));
  CU_ASSERT_NOT_EQUAL(clientblock_pair(&block, "192.0.2.1", "bob"),
                      clientblock_pair(&block, "192.0.2.1", "eve"));
}

static void test_names_count_to_their_limit(void) {
  char longest[258], longer[259];
  struct clientblock block;
  clientblock_init(&block, CLIENTBLOCK_V4_BITS, CLIENTBLOCK_V6_BITS);
  memset(longest, 'x', sizeof longest);
  memset(longer, 'x', sizeof longer);
  longest[256] = longer[257] = '\0';
  CU_ASSERT_EQUAL(clientblock_name(&block, longest),
                  clientblock_name(&block, longer));
  longest[255] = 'y';
  CU_ASSERT_NOT_EQUAL(clientblock_name(&block, longest),
                      clientblock_name(&block, longer));
}

static void test_each_key_has_other_numbers(void) {
  struct clientblock one, other;
  clientblock_init(&one, CLIENTBLOCK_V4_BITS, CLIENTBLOCK_V6_BITS);
  clientblock_init(&other, CLIENTBLOCK_V4_BITS, CLIENTBLOCK_V6_BITS);
  CU_ASSERT_NOT_EQUAL(clientblock_hash(&one, "192.0.2.1"),
                      clientblock_hash(&other, "192.0.2.1"));
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_a_block_is_one_client),
      UNIT(test_bits_widen_a_block),
      UNIT(test_names_are_no_clients),
      UNIT(test_names_count_to_their_limit),
      UNIT(test_each_key_has_other_numbers),
      {0}};
  return unit_main("clientblock", tests);
}
