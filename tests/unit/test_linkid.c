/* SPDX-License-Identifier: MIT
 *
 * Names of links: whose they are and when they end, and that nobody makes one.
 */
#include "linkid.h"
#include "unit.h"

#include <string.h>

static struct digest_key *key;

static void test_it_says_when_it_ends_and_whose_it_is(void) {
  static const int64_t ends[] = {0, 1, 1700000000, INT64_C(0xffffffffff)};
  char id[LINKID_SIZE];
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
    int64_t end = -1;
    linkid_make(id, key, "alice", ends[i]);
    CU_ASSERT_EQUAL(strlen(id), LINKID_SIZE - 1);
    CU_ASSERT_TRUE(linkid_read(key, id, &end));
    CU_ASSERT_EQUAL(end, ends[i]);
    CU_ASSERT_TRUE(linkid_is_of(key, id, "alice"));
    CU_ASSERT_FALSE(linkid_is_of(key, id, "alic"));
    CU_ASSERT_FALSE(linkid_is_of(key, id, NULL));
  }
  linkid_make(id, key, NULL, 7);
  CU_ASSERT_TRUE(linkid_is_of(key, id, NULL));
  CU_ASSERT_FALSE(linkid_is_of(key, id, "anonymous"));
}

static void test_no_two_are_alike(void) {
  char one[LINKID_SIZE], two[LINKID_SIZE];
  linkid_make(one, key, "alice", 7);
  linkid_make(two, key, "alice", 7);
  CU_ASSERT_STRING_NOT_EQUAL(one, two);
}

static void test_another_text_is_none(void) {
  char id[LINKID_SIZE], other[LINKID_SIZE + 1];
  int64_t end;
  linkid_make(id, key, "alice", 1700000000);
  for (size_t i = 0; i < LINKID_SIZE - 1; i++) {
    memcpy(other, id, LINKID_SIZE);
    other[i] = other[i] == 'A' ? 'B' : 'A';
    CU_ASSERT_FALSE(linkid_read(key, other, &end));
  }
  memcpy(other, id, LINKID_SIZE);
  other[LINKID_SIZE - 2] = '\0';
  CU_ASSERT_FALSE(linkid_read(key, other, &end));
  memcpy(other, id, LINKID_SIZE);
  memcpy(other + LINKID_SIZE - 1, "A", 2);
  CU_ASSERT_FALSE(linkid_read(key, other, &end));
  CU_ASSERT_FALSE(linkid_read(key, "", &end));
  struct digest_key *others = digest_key_new("other", 5);
  CU_ASSERT_FALSE(linkid_read(others, id, &end));
  digest_key_free(others);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_it_says_when_it_ends_and_whose_it_is),
      UNIT(test_no_two_are_alike),
      UNIT(test_another_text_is_none),
      {NULL, NULL}};
  key = digest_key_new("secret", 6);
  int status = unit_main("linkid", tests);
  digest_key_free(key);
  return status;
}
