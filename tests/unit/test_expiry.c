/* SPDX-License-Identifier: MIT
 *
 * Moments, and the keys of notes.
 */
#include "expiry.h"
#include "unit.h"

#include <string.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, row, __FILE__, "", CU_FALSE)
#define HASH "2c26b46b68ffc68ff99b453c1d304134" /* of foo */

static void test_numbers_of_seconds(void) {
  static const struct {
    const char *text;
    int64_t seconds; /* 0: it is none */
  } rows[] = {{"1", 1},
              {"0001", 1},
              {"253402300799", EXPIRY_MAX_S},
              {"253402300800", 0},
              {"99999999999999999999999999", 0},
              {"0", 0},
              {"", 0},
              {"-1", 0},
              {"+1", 0},
              {" 1", 0},
              {"1 ", 0},
              {"1.5", 0},
              {"1s", 0}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    int64_t seconds = 0;
    bool ok = expiry_parse(rows[i].text, &seconds);
    ROW(rows[i].text,
        ok == (rows[i].seconds > 0) && (!ok || seconds == rows[i].seconds));
  }
}

static void test_a_life_is_never_shorter_than_was_told(void) {
  CU_ASSERT_EQUAL(expiry_moment(5000, 10), 15);
  CU_ASSERT_EQUAL(expiry_moment(5001, 10), 16);
  CU_ASSERT_EQUAL(expiry_moment(5999, 10), 16);
  CU_ASSERT_EQUAL(expiry_moment(5000, EXPIRY_MAX_S - 5), EXPIRY_MAX_S);
  CU_ASSERT_EQUAL(expiry_moment(5000, EXPIRY_MAX_S), EXPIRY_MAX_S);
}

static void test_it_is_over_from_its_moment_on(void) {
  CU_ASSERT_FALSE(expiry_is_over(15, 14999));
  CU_ASSERT_TRUE(expiry_is_over(15, 15000));
}

static void test_a_clock_that_was_set_is_noticed(void) {
  CU_ASSERT_TRUE(expiry_clocks_agree(30000, 30000));
  CU_ASSERT_TRUE(expiry_clocks_agree(35000, 30000));
  CU_ASSERT_FALSE(expiry_clocks_agree(35001, 30000));
  CU_ASSERT_TRUE(expiry_clocks_agree(25000, 30000));
  CU_ASSERT_FALSE(expiry_clocks_agree(24999, 30000));
  CU_ASSERT_FALSE(expiry_clocks_agree(-86400000, 4000));
}

static void test_an_empty_folder_is_looked_at_less_and_less(void) {
  static const int64_t seconds[] = {30, 60, 120, 240, 480, 480, 480};
  int64_t ms = 0;
  for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++) {
    ms = expiry_idle_ms(ms);
    CU_ASSERT_EQUAL(ms, seconds[i] * 1000);
  }
}

#define TEXTS(literal) literal, sizeof literal - 1

static void test_metadata_tell_of_it(void) {
  static const struct {
    const char *texts;
    size_t len;
    int64_t moment;
  } rows[] = {{TEXTS(""), 0},
              {TEXTS("sluice-expires\0007\0"), 7},
              {TEXTS("md5\0x\0sluice-expires\0008\0a\0b\0"), 8},
              {TEXTS("sluice-expires\0x\0"), 0},
              {TEXTS("sluice-expires\0"), 0},
              {TEXTS("sluice-expires"), 0},
              {TEXTS("sluice-expires\0009"), 0}, /* it isn't whole */
              {TEXTS("md5\0sluice-expires\0x\0007\0"), 0},
              {TEXTS("sluice-expires2\0007\0"), 0}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    ROW(rows[i].texts,
        expiry_in_texts(rows[i].texts, rows[i].len) == rows[i].moment);
  CU_ASSERT_EQUAL(expiry_in_texts(NULL, 0), 0);
}

static void test_a_note_has_its_moment_and_is_of_one_key(void) {
  char key[EXPIRY_KEY_SIZE];
  int64_t moment = 0;
  expiry_note_key(key, 1700000000, "foo");
  CU_ASSERT_STRING_EQUAL(key, EXPIRY_FOLDER "006553f100-" HASH);
  CU_ASSERT_TRUE(expiry_note_moment(key, &moment));
  CU_ASSERT_EQUAL(moment, 1700000000);
  CU_ASSERT_TRUE(expiry_note_is_of(key, "foo"));
  CU_ASSERT_FALSE(expiry_note_is_of(key, "bar"));
}

static void test_other_keys_are_no_notes(void) {
  static const char *const rows[] = {"",
                                     EXPIRY_FOLDER,
                                     "x/expiry/006553f100-" HASH,
                                     EXPIRY_FOLDER "006553f100",
                                     EXPIRY_FOLDER "006553f100-",
                                     EXPIRY_FOLDER "06553f100-" HASH,
                                     EXPIRY_FOLDER "0006553f100-" HASH,
                                     EXPIRY_FOLDER "006553F100-" HASH,
                                     EXPIRY_FOLDER "006553f100-" HASH "0",
                                     EXPIRY_FOLDER "006553f100-" HASH "x",
                                     EXPIRY_FOLDER "006553f100-0" HASH};
  int64_t moment;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    ROW(rows[i], !expiry_note_moment(rows[i], &moment) &&
                     !expiry_note_is_of(rows[i], "foo"));
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_numbers_of_seconds),
      UNIT(test_a_life_is_never_shorter_than_was_told),
      UNIT(test_it_is_over_from_its_moment_on),
      UNIT(test_a_clock_that_was_set_is_noticed),
      UNIT(test_an_empty_folder_is_looked_at_less_and_less),
      UNIT(test_metadata_tell_of_it),
      UNIT(test_a_note_has_its_moment_and_is_of_one_key),
      UNIT(test_other_keys_are_no_notes),
      {NULL, NULL}};
  return unit_main("expiry", tests);
}
