/* SPDX-License-Identifier: MIT
 *
 * The list of operations: each has a name of its own and an effect, and no
 * other text is one.
 */
#include "operation.h"
#include "unit.h"

#include <string.h>

#include "words.h"

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

static void test_each_name_finds_its_operation(void) {
  for (unsigned i = 0; i < OPERATION_NONE; i++) {
    const char *name = operation_name((enum operation)i);
    CU_ASSERT_PTR_NOT_NULL_FATAL(name);
    ROW(name, operation_find(name) == (enum operation)i);
  }
}

static void test_other_texts_are_no_operation(void) {
  static const char *const rows[] = {NULL,      "",      "*",       "Upload",
                                     "uploads", " list", "healthz", "move"};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    ROW(rows[i] == NULL ? "NULL" : rows[i],
        operation_find(rows[i]) == OPERATION_NONE);
}

static void test_effects_are_those_of_the_contract(void) {
  static const struct {
    const char *name;
    unsigned effects;
  } rows[] = {{"upload", OPERATION_ADDS},
              {"presign", OPERATION_LINKS},
              {"download", OPERATION_READS},
              {"list", OPERATION_LISTS},
              {"delete", OPERATION_REMOVES},
              {"replace", OPERATION_ADDS | OPERATION_REPLACES},
              {"copy", OPERATION_READS | OPERATION_ADDS | OPERATION_REPLACES |
                           OPERATION_REMOVES},
              {"revoke", OPERATION_LINKS},
              {"signed", OPERATION_READS},
              {"move", 0},
              {NULL, 0}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    ROW(rows[i].name == NULL ? "NULL" : rows[i].name,
        operation_effects(operation_find(rows[i].name)) == rows[i].effects);
}

static void test_links_reads_and_lists_change_nothing(void) {
  for (unsigned i = 0; i <= OPERATION_NONE; i++) {
    enum operation operation = (enum operation)i;
    bool changes =
        operation == OPERATION_UPLOAD || operation == OPERATION_REPLACE ||
        operation == OPERATION_COPY || operation == OPERATION_DELETE;
    CU_ASSERT_EQUAL(operation_does(operation, OPERATION_CHANGES), changes);
  }
}

static void test_words_leave_out_what_nobody_may_name(void) {
  const char *words[OPERATION_WORDS];
  char text[128];
  operation_words(words, NULL);
  words_join(text, sizeof text, words);
  CU_ASSERT_STRING_EQUAL(
      text, "upload, presign, download, list, delete, replace, copy, "
            "revoke");
  operation_words(words, "*");
  words_join(text, sizeof text, words);
  CU_ASSERT_STRING_EQUAL(
      text, "upload, presign, download, list, delete, replace, copy, "
            "revoke, *");
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_each_name_finds_its_operation),
      UNIT(test_other_texts_are_no_operation),
      UNIT(test_effects_are_those_of_the_contract),
      UNIT(test_links_reads_and_lists_change_nothing),
      UNIT(test_words_leave_out_what_nobody_may_name),
      {0}};
  return unit_main("operation", tests);
}
