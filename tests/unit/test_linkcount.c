/* SPDX-License-Identifier: MIT
 *
 * Counts of uses as they are kept.
 */
#include "linkcount.h"
#include "unit.h"

#include <string.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, row, __FILE__, "", CU_FALSE)
#define NONCE "0123456789abcdef"

static void test_what_was_printed_is_parsed(void) {
  static const struct linkcount rows[] = {
      {0, 0, 0}, {7, UINT64_MAX, 1700000000123}, {OWNLINK_USES_MAX, 1, 5}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char text[LINKCOUNT_TEXT_SIZE];
    struct linkcount read;
    linkcount_print(text, &rows[i]);
    ROW(text, linkcount_parse(&read, text) && read.used == rows[i].used &&
                  read.last_ms == rows[i].last_ms &&
                  read.nonce == rows[i].nonce);
  }
}

static void test_other_texts_are_none(void) {
  static const char *const rows[] = {
      "",
      "\n",
      "1 2\n",
      "1 2 " NONCE,
      "1 2 " NONCE "\nx",
      "1  " NONCE "\n",
      "-1 2 " NONCE "\n",
      "1 -2 " NONCE "\n",
      "1000001 2 " NONCE "\n",
      "1 2 " NONCE "0\n",
      "x 2 " NONCE "\n",
      "1 2 3 " NONCE "\n",
      "1 99999999999999999999999999999999999 " NONCE "0000000000\n"};
  struct linkcount read;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    ROW(rows[i], !linkcount_parse(&read, rows[i]));
}

static void test_its_key_begins_with_the_end(void) {
  struct ownlink link = {.expires_s = 1700000000, .id = "abc"};
  char key[LINKCOUNT_KEY_SIZE];
  linkcount_key(key, &link);
  CU_ASSERT_STRING_EQUAL(key, LINKCOUNT_FOLDER "006553f100-abc");
  CU_ASSERT_FALSE(linkcount_is_over(key, 1700003600));
  CU_ASSERT_TRUE(linkcount_is_over(key, 1700003601));
}

static void test_it_stays_for_an_hour_and_others_stay(void) {
  static const struct {
    const char *key;
    bool over;
  } rows[] = {{LINKCOUNT_FOLDER "006553f100-abc", true},
              {LINKCOUNT_FOLDER "00ffffffff-abc", false},
              {LINKCOUNT_FOLDER "006553f10-abc", false},
              {LINKCOUNT_FOLDER "006553f1000-abc", false},
              {LINKCOUNT_FOLDER "006553F100-abc", false},
              {LINKCOUNT_FOLDER, false},
              {"uses/006553f100-abc", false}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    ROW(rows[i].key,
        linkcount_is_over(rows[i].key, 1700003601) == rows[i].over);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_what_was_printed_is_parsed),
      UNIT(test_other_texts_are_none),
      UNIT(test_its_key_begins_with_the_end),
      UNIT(test_it_stays_for_an_hour_and_others_stay),
      {NULL, NULL}};
  return unit_main("linkcount", tests);
}
