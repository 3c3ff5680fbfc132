/* SPDX-License-Identifier: MIT
 *
 * Records of uploads that are made once.
 */
#include "oncerecord.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

static const struct oncerecord sample = {
    .state = ONCERECORD_COMMITTING,
    .at_ms = 1700000000000,
    .until_ms = 1700000015000,
    .owner = "0123456789abcdef0123456789abcdef",
    .key = "up/2026/01/02/0123abcd-a b.txt",
    .prefix = "up",
    .filename = "a b.txt",
    .type = "text/plain; charset=utf-8",
    .size = 5,
    .md5 = "5d41402abc4b2a76b9719d911017c592",
    .sha256 =
        "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
    .keeps = 1};

static bool is_sample(const struct oncerecord *record) {
  return record->state == sample.state && record->at_ms == sample.at_ms &&
         record->until_ms == sample.until_ms &&
         strcmp(record->owner, sample.owner) == 0 &&
         strcmp(record->key, sample.key) == 0 &&
         strcmp(record->prefix, sample.prefix) == 0 &&
         strcmp(record->filename, sample.filename) == 0 &&
         strcmp(record->type, sample.type) == 0 &&
         record->size == sample.size && strcmp(record->md5, sample.md5) == 0 &&
         strcmp(record->sha256, sample.sha256) == 0 &&
         record->keeps == sample.keeps;
}

static void test_what_is_written_is_read(void) {
  struct oncerecord record;
  struct buf text;
  buf_init(&text, ONCERECORD_MAX);
  CU_ASSERT(oncerecord_write(&text, &sample));
  CU_ASSERT(oncerecord_read(&record, text.data, text.len));
  CU_ASSERT(is_sample(&record));
  buf_fini(&text);
}

static void test_an_empty_one_is_read(void) {
  const struct oncerecord empty = {.state = ONCERECORD_CLAIMED};
  struct oncerecord record;
  struct buf text;
  buf_init(&text, ONCERECORD_MAX);
  CU_ASSERT(oncerecord_write(&text, &empty));
  CU_ASSERT(oncerecord_read(&record, text.data, text.len));
  CU_ASSERT(record.state == ONCERECORD_CLAIMED && record.key[0] == '\0');
  buf_fini(&text);
}

/* Each shorter or changed text is refused, or says something else. */
static void test_what_is_cut_or_changed_is_not_the_same(void) {
  struct oncerecord record;
  struct buf text;
  buf_init(&text, ONCERECORD_MAX);
  CU_ASSERT(oncerecord_write(&text, &sample));
  for (size_t len = 0; len < text.len; len++)
    CU_ASSERT_FALSE(oncerecord_read(&record, text.data, len));
  for (size_t i = 0; i < text.len; i++) {
    text.data[i] ^= 0x10;
    CU_ASSERT(!oncerecord_read(&record, text.data, text.len) ||
              !is_sample(&record));
    text.data[i] ^= 0x10;
  }
  buf_addc(&text, 'x');
  CU_ASSERT_FALSE(oncerecord_read(&record, text.data, text.len));
  buf_fini(&text);
}

static void test_the_longest_one_fits(void) {
  static struct oncerecord longest, record;
  struct buf text;
  longest = sample;
  memset(longest.key, 'k', KEY_MAX);
  memset(longest.prefix, 'p', KEY_MAX);
  memset(longest.filename, 'f', KEY_NAME_MAX);
  memset(longest.type, 't', MIME_MAX);
  longest.size = longest.at_ms = longest.until_ms = 999999999999999;
  buf_init(&text, ONCERECORD_MAX);
  CU_ASSERT(oncerecord_write(&text, &longest));
  CU_ASSERT(oncerecord_read(&record, text.data, text.len));
  CU_ASSERT_EQUAL(strlen(record.key), KEY_MAX);
  CU_ASSERT_EQUAL(record.size, longest.size);
  buf_fini(&text);
}

static void test_a_line_break_is_not_written(void) {
  struct oncerecord record = sample;
  struct buf text;
  memcpy(record.filename, "a\nb", sizeof "a\nb");
  buf_init(&text, ONCERECORD_MAX);
  CU_ASSERT_FALSE(oncerecord_write(&text, &record));
  buf_fini(&text);
}

static void test_keys_differ_by_each_of_three(void) {
  static const char *const rows[][3] = {
      {"a", "/files", "k"}, {"b", "/files", "k"}, {"a", "/other", "k"},
      {"a", "/files", "l"}, {"a/files", "", "k"}, {"", "a/files", "k"},
      {"a", "/filesk", ""}};
  char keys[sizeof rows / sizeof *rows][ONCERECORD_KEY_SIZE];
  size_t count = sizeof rows / sizeof *rows;
  for (size_t i = 0; i < count; i++) {
    oncerecord_key(keys[i], rows[i][0], rows[i][1], rows[i][2]);
    CU_ASSERT_EQUAL(strlen(keys[i]), ONCERECORD_KEY_SIZE - 1);
    CU_ASSERT(key_reserved(keys[i], strlen(keys[i])));
    for (size_t n = 0; n < i; n++)
      CU_ASSERT_STRING_NOT_EQUAL(keys[i], keys[n]);
  }
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_what_is_written_is_read),
      UNIT(test_an_empty_one_is_read),
      UNIT(test_what_is_cut_or_changed_is_not_the_same),
      UNIT(test_the_longest_one_fits),
      UNIT(test_a_line_break_is_not_written),
      UNIT(test_keys_differ_by_each_of_three),
      {NULL, NULL}};
  return unit_main("oncerecord", tests);
}
