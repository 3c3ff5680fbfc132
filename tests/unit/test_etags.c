/* SPDX-License-Identifier: MIT
 *
 * Lists of entity-tags: which are ones, and what is in them.
 */
#include "etags.h"
#include "unit.h"

#include <string.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

static void test_a_list_is_a_star_or_tags(void) {
  static const struct {
    const char *list;
    bool valid;
  } rows[] = {{"*", true},
              {" * ", true},
              {"\"a\"", true},
              {"\"\"", true},
              {"\"*\"", true},
              {"W/\"a\"", true},
              {"\"a\", \"b\"", true},
              {"\"a,b\",\"c\"", true},
              {", \"a\",, \"b\" ,", true},
              {"\"\xc3\xa9!#~\"", true},
              {"\"a b\"", false},
              {"\"a\tb\"", false},
              {"\"a\x7f\"", false},
              {"\"a\", \"b \"", false},
              {"", false},
              {" ", false},
              {",", false},
              {"a", false},
              {"'a'", false},
              {"w/\"a\"", false},
              {"W/ \"a\"", false},
              {"\"a", false},
              {"*, \"a\"", false},
              {"\"a\", *", false},
              {"\"a\" \"b\"", false},
              {"\"a\"b", false},
              {"\"a\", b", false}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    ROW(rows[i].list, etags_valid(rows[i].list) == rows[i].valid);
}

static void test_a_tag_is_found_byte_for_byte(void) {
  static const struct {
    const char *list;
    bool strong, weak;
  } rows[] = {{"*", true, true},
              {"\"tag\"", true, true},
              {"W/\"tag\"", false, true},
              {"\"a\", \"tag\"", true, true},
              {"\"a\", W/\"tag\"", false, true},
              {"\"tag,\", \"xtag\", \"tagx\", \"ta\", \"TAG\"", false, false},
              {"\"a,tag,b\"", false, false},
              {"\"\"", false, false},
              {"\"*\"", false, false},
              {"tag", false, false}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    ROW(rows[i].list, etags_has(rows[i].list, "tag", false) == rows[i].strong);
    ROW(rows[i].list, etags_has(rows[i].list, "tag", true) == rows[i].weak);
    ROW(rows[i].list, etags_has(rows[i].list, NULL, true) == (i == 0));
  }
}

static void test_one_tag_is_compared_strongly(void) {
  CU_ASSERT_TRUE(etags_is("\"tag\"", "tag"));
  CU_ASSERT_TRUE(etags_is(" \"tag\" ", "tag"));
  CU_ASSERT_FALSE(etags_is("W/\"tag\"", "tag"));
  CU_ASSERT_FALSE(etags_is("\"tag\", \"b\"", "tag"));
  CU_ASSERT_FALSE(etags_is("*", "tag"));
  CU_ASSERT_FALSE(etags_is("\"tag\"", NULL));
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_a_list_is_a_star_or_tags),
      UNIT(test_a_tag_is_found_byte_for_byte),
      UNIT(test_one_tag_is_compared_strongly),
      {NULL, NULL}};
  return unit_main("etags", tests);
}
