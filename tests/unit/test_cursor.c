/* SPDX-License-Identifier: MIT
 *
 * The cursor of a list opens for the list it was sealed for, and in no other
 * case.
 */
#include "cursor.h"
#include "codec.h"
#include "unit.h"

#include <string.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

static struct digest_key *key;

static bool opens(const char *cursor, const char *prefix,
                  const char *delimiter, const char *want) {
  struct buf token;
  bool opened;

  buf_init(&token, CURSOR_TOKEN_MAX);
  buf_adds(&token, "old");
  opened = cursor_open(&token, key, cursor, prefix, delimiter) &&
           strcmp(token.data, want) == 0;
  buf_fini(&token);
  return opened;
}

static void test_cursor_opens_for_its_own_list(void) {
  static const struct {
    const char *prefix, *delimiter, *token;
  } rows[] = {
      {"uploads/", NULL, "uploads/2026/06/14/a"},
      {"uploads/", "/", "b"},
      {"", NULL, "c"},
      {"", "", "c"},
      {"\xC3\xA9", "/", "\xF0\x9F\x98\x80"},
      {"a", NULL, ""},
  };

  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct buf cursor;
    buf_init(&cursor, CURSOR_MAX);
    ROW(rows[i].prefix, cursor_seal(&cursor, key, rows[i].prefix,
                                    rows[i].delimiter, rows[i].token));
    ROW(rows[i].prefix,
        opens(cursor.data, rows[i].prefix, rows[i].delimiter, rows[i].token));
    buf_fini(&cursor);
  }
}

static void test_cursor_of_another_list_is_refused(void) {
  struct buf cursor;

  buf_init(&cursor, CURSOR_MAX);
  CU_ASSERT(cursor_seal(&cursor, key, "ab", NULL, "token"));
  CU_ASSERT(opens(cursor.data, "ab", NULL, "token"));
  CU_ASSERT(!opens(cursor.data, "a", NULL, "token"));
  CU_ASSERT(!opens(cursor.data, "abc", NULL, "token"));
  CU_ASSERT(!opens(cursor.data, "", NULL, "token"));
  CU_ASSERT(!opens(cursor.data, "ab", "/", "token"));
  CU_ASSERT(!opens(cursor.data, "ab", "", "token"));
  buf_clear(&cursor);
  CU_ASSERT(cursor_seal(&cursor, key, "ab", "/", "token"));
  CU_ASSERT(!opens(cursor.data, "ab", NULL, "token"));
  CU_ASSERT(!opens(cursor.data, "ab/", NULL, "token"));
  CU_ASSERT(!opens(cursor.data, "ab/", "", "token"));
  CU_ASSERT(!opens(cursor.data, "ab", "//", "token"));
  buf_fini(&cursor);
}

static void test_cursor_changed_in_any_letter_is_refused(void) {
  struct buf cursor;

  buf_init(&cursor, CURSOR_MAX);
  CU_ASSERT(cursor_seal(&cursor, key, "ab", NULL, "token"));
  for (size_t i = 0; i < cursor.len; i++) {
    char kept = cursor.data[i];
    for (const char *other = "AZaz09-_=+ "; *other; other++) {
      cursor.data[i] = *other;
      ROW(cursor.data,
          opens(cursor.data, "ab", NULL, "token") == (*other == kept));
    }
    cursor.data[i] = '\0';
    ROW(cursor.data, !opens(cursor.data, "ab", NULL, "token"));
    cursor.data[i] = kept;
  }
  CU_ASSERT(opens(cursor.data, "ab", NULL, "token"));
  buf_addc(&cursor, 'A');
  CU_ASSERT(!opens(cursor.data, "ab", NULL, "token"));
  buf_fini(&cursor);
}

static void test_cursor_of_another_key_is_refused(void) {
  struct digest_key *mine = key, *same = digest_key_new("a key", 5);
  struct digest_key *other = digest_key_new("a kez", 5);
  struct buf cursor;

  buf_init(&cursor, CURSOR_MAX);
  CU_ASSERT(cursor_seal(&cursor, key, "p", NULL, "token"));
  key = same;
  CU_ASSERT(opens(cursor.data, "p", NULL, "token"));
  key = other;
  CU_ASSERT(!opens(cursor.data, "p", NULL, "token"));
  key = mine;
  digest_key_free(same);
  digest_key_free(other);
  buf_fini(&cursor);
}

static void test_cursor_that_never_was_one_is_refused(void) {
  static const char *const bad[] = {
      "",
      "A",
      "uploads/a",
      "AAAAAAAAAAAA",
      "AgAAAAAAAAAAAAAAAAAAAAA",
      "AgAAAAAAAAAAAAAAAAAAAABh",
      "\xC3\xA9",
      "%41",
      "1",
      "null",
  };

  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    ROW(bad[i], !opens(bad[i], "", NULL, ""));
}

static void test_cursor_of_4096_bytes_opens_and_4097_dont_seal(void) {
  char token[CURSOR_TOKEN_MAX + 2] = "";
  struct buf cursor;

  buf_init(&cursor, CURSOR_MAX);
  memset(token, 't', CURSOR_TOKEN_MAX);
  CU_ASSERT(cursor_seal(&cursor, key, "p", "/", token));
  CU_ASSERT(opens(cursor.data, "p", "/", token));
  buf_clear(&cursor);
  token[CURSOR_TOKEN_MAX] = 't';
  CU_ASSERT(!cursor_seal(&cursor, key, "p", "/", token));
  buf_fini(&cursor);
}

static void test_cursor_too_long_is_refused(void) {
  char cursor[2 * CURSOR_MAX];

  memset(cursor, 'A', sizeof cursor);
  for (size_t len = CURSOR_MAX - 4; len < CURSOR_MAX + 4; len++) {
    cursor[len] = '\0';
    CU_ASSERT(!opens(cursor, "", NULL, ""));
    cursor[len] = 'A';
  }
  cursor[sizeof cursor - 1] = '\0';
  CU_ASSERT(!opens(cursor, "", NULL, ""));
}

static void test_cursor_that_doesnt_fit_is_refused(void) {
  struct buf cursor, token;

  buf_init(&cursor, 17);
  CU_ASSERT(!cursor_seal(&cursor, key, "p", NULL, "token"));
  buf_fini(&cursor);
  buf_init(&cursor, CURSOR_MAX);
  buf_init(&token, 4);
  CU_ASSERT(cursor_seal(&cursor, key, "p", NULL, "token"));
  CU_ASSERT(!cursor_open(&token, key, cursor.data, "p", NULL));
  buf_fini(&token);
  buf_fini(&cursor);
}

static const struct unit_test tests[] = {
    UNIT(test_cursor_opens_for_its_own_list),
    UNIT(test_cursor_of_another_list_is_refused),
    UNIT(test_cursor_changed_in_any_letter_is_refused),
    UNIT(test_cursor_of_another_key_is_refused),
    UNIT(test_cursor_that_never_was_one_is_refused),
    UNIT(test_cursor_of_4096_bytes_opens_and_4097_dont_seal),
    UNIT(test_cursor_too_long_is_refused),
    UNIT(test_cursor_that_doesnt_fit_is_refused),
    {NULL, NULL},
};

int main(void) {
  key = digest_key_new("a key", 5);
  int status = unit_main("cursor", tests);
  digest_key_free(key);
  return status;
}
