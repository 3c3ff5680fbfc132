/* SPDX-License-Identifier: MIT
 *
 * Names of a stage's objects: the newest record is the first in a list, and no
 * other text is taken for one.
 */
#include "stagename.h"
#include "unit.h"

#include <string.h>

#define RECORD(turn_, session_, number_, expires_, kind_)            \
  {                                                                  \
    .session = (session_), .expires_s = (expires_), .turn = (turn_), \
    .number = (number_), .kind = (kind_)                             \
  }
#define BASE \
  ".sluice/stages/0123456789abcdef/00112233445566778899aabbccddeeff/"

static void test_stagename_text_leads_to_its_folder_and_back(void) {
  unsigned char random[16] = {0, 1, 254, 255};
  char text[STAGENAME_TEXT_LEN + 1], other[STAGENAME_TEXT_LEN + 1];
  char base[STAGENAME_BASE_LEN + 1], folder[STAGENAME_BASE_LEN + 1];
  char key[STAGENAME_MAX], owner[STAGENAME_MAX];
  stagename_make(text, "ann", random);
  stagename_make(other, "bob", random);
  CU_ASSERT_EQUAL(strlen(text), STAGENAME_TEXT_LEN);
  CU_ASSERT(strcmp(text, other) != 0);
  CU_ASSERT_FATAL(stagename_base(base, text));
  CU_ASSERT_EQUAL(strlen(base), STAGENAME_BASE_LEN);
  CU_ASSERT(strncmp(stagename_id(base), "0001feff", 8) == 0);
  stagename_owner(owner, base);
  CU_ASSERT(strncmp(base, owner, strlen(owner)) == 0);
  CU_ASSERT_EQUAL(owner[strlen(owner) - 1], '/');
  stagename_segment(key, base, 9999, UINT64_MAX);
  CU_ASSERT(stagename_folder(folder, key) && strcmp(folder, base) == 0);
  stagename_piece(key, base, UINT64_MAX, UINT32_MAX);
  CU_ASSERT(stagename_folder(folder, key) && strcmp(folder, base) == 0);
}

static void test_stagename_no_other_text_is_a_stage(void) {
  static const char *const texts[] = {
      "",
      "a",
      "0123456789abcdef",
      "0123456789abcdef/00112233445566778899aabbccddeef",
      "0123456789abcdef/00112233445566778899aabbccddeeff0",
      "0123456789abcdef/00112233445566778899aabbccddeefF",
      "0123456789abcdef-00112233445566778899aabbccddeeff",
      "../3456789abcdef/00112233445566778899aabbccddeeff",
      "0123456789abcdef/00112233445566778899aabbccddeeff/r"};
  char base[STAGENAME_BASE_LEN + 1];
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    CU_ASSERT_FALSE(stagename_base(base, texts[i]));
  CU_ASSERT_FALSE(stagename_folder(base, ".sluice/link-secret"));
  CU_ASSERT_FALSE(stagename_folder(base, "a" BASE));
}

static void test_stagename_newer_records_come_first(void) {
  static const struct stagename_record newer_first[] = {
      RECORD(STAGENAME_TURN_GONE, 9, 0, 5, STAGENAME_GONE),
      RECORD(STAGENAME_TURN_DONE, 9, 0, 5, STAGENAME_DONE),
      RECORD(STAGENAME_TURN_GOING, 9, 0, 5, STAGENAME_GOING),
      RECORD(STAGENAME_TURN_MAX, 9, 0, 5, STAGENAME_TAKEN),
      RECORD(256, 9, 0, 5, STAGENAME_TAKEN),
      RECORD(2, 1, 0, 5, STAGENAME_TAKEN),
      RECORD(2, 2, 300, 5, STAGENAME_OPEN),
      RECORD(2, 2, 9, 1, STAGENAME_OPEN),
      RECORD(2, 2, 0, 5, STAGENAME_TAKEN),
      RECORD(1, 0, UINT32_MAX, STAGENAME_EXPIRES_MAX, STAGENAME_OPEN),
      RECORD(1, UINT64_MAX, 0, 0, STAGENAME_OPEN)};
  char before[STAGENAME_MAX] = "", name[STAGENAME_MAX];
  for (size_t i = 0; i < sizeof newer_first / sizeof *newer_first; i++) {
    const struct stagename_record *record = &newer_first[i];
    struct stagename_record back;
    stagename_write(name, BASE, record);
    CU_ASSERT(strcmp(before, name) < 0);
    memcpy(before, name, sizeof before);
    CU_ASSERT_FATAL(stagename_read(&back, name));
    CU_ASSERT(back.turn == record->turn && back.session == record->session &&
              back.number == record->number && back.kind == record->kind &&
              back.expires_s == record->expires_s);
  }
}

static void test_stagename_a_time_out_of_range_is_its_end(void) {
  static const struct {
    int64_t in, want;
  } rows[] = {{-1, 0},
              {STAGENAME_EXPIRES_MAX, STAGENAME_EXPIRES_MAX},
              {STAGENAME_EXPIRES_MAX + 1, STAGENAME_EXPIRES_MAX},
              {INT64_MAX, STAGENAME_EXPIRES_MAX}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct stagename_record record = {
        .turn = 1, .expires_s = rows[i].in, .kind = STAGENAME_OPEN};
    char name[STAGENAME_MAX];
    stagename_write(name, BASE, &record);
    CU_ASSERT(stagename_read(&record, name));
    CU_ASSERT_EQUAL(record.expires_s, rows[i].want);
  }
}

static void test_stagename_no_other_key_is_a_record(void) {
  static const char *const keys[] = {
      BASE,
      BASE "r/",
      BASE "s/00000-0000000000000009",
      BASE "r/fffffffe-0000000000000009-ffffffff-0000000005x",
      BASE "r/fffffffe-0000000000000009-ffffffff-0000000005",
      BASE "r/fffffffe-0000000000000009-ffffffff-0000000005oo",
      BASE "r/fffffffe-0000000000000009-fffffff-00000000005o",
      BASE "r/fffffffE-0000000000000009-ffffffff-0000000005o"};
  struct stagename_record record;
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
    CU_ASSERT_FALSE(stagename_read(&record, keys[i]));
  CU_ASSERT(stagename_read(
      &record, BASE "r/fffffffe-0000000000000009-ffffffff-0000000005o"));
}

static void test_stagename_a_look_finds_what_counts(void) {
  struct stagename_look look = {0};
  CU_ASSERT_FALSE(stagename_lives(&look, 0));
  const struct stagename_record records[] = {
      RECORD(7, 1, 0, 90, STAGENAME_TAKEN),
      RECORD(6, 1, 3, 50, STAGENAME_OPEN),
      RECORD(6, 1, 2, 40, STAGENAME_OPEN)};
  for (size_t i = 0; i < 3; i++)
    stagename_look(&look, &records[i]);
  CU_ASSERT(look.newest.turn == 7 && look.open.number == 3);
  CU_ASSERT(stagename_lives(&look, 49));
  CU_ASSERT_FALSE(stagename_lives(&look, 50));
  stagename_look(&look, &(struct stagename_record){.kind = STAGENAME_GOING});
  CU_ASSERT(stagename_lives(&look, 49));
  stagename_look(&look, &(struct stagename_record){.kind = STAGENAME_DONE});
  CU_ASSERT_FALSE(stagename_lives(&look, 49));
}

static const struct unit_test tests[] = {
    UNIT(test_stagename_text_leads_to_its_folder_and_back),
    UNIT(test_stagename_no_other_text_is_a_stage),
    UNIT(test_stagename_newer_records_come_first),
    UNIT(test_stagename_a_time_out_of_range_is_its_end),
    UNIT(test_stagename_no_other_key_is_a_record),
    UNIT(test_stagename_a_look_finds_what_counts),
    {NULL, NULL},
};

int main(void) {
  return unit_main("stagename", tests);
}
