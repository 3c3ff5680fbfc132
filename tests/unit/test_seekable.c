/* SPDX-License-Identifier: MIT
 *
 * The format of compressed objects: marks at their limits, tables in any
 * pieces, and where a table says that frames lie.
 */
#include "seekable.h"
#include "unit.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define TEST(holds, row) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)
#define SUM "0123456789abcdef0123456789abcdef"

static void test_mark_goes_there_and_back(void) {
  static const char *const marks[] = {
      "1/4096/" SUM, "4097/4096/" SUM, "100/8388608/" SUM,
      "549755813888/4096/" SUM, "1125899906842624/8388608/" SUM};
  for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
    struct seekable shape;
    char out[SEEKABLE_MARK_SIZE];
    TEST(seekable_read_mark(&shape, marks[i]), marks[i]);
    seekable_write_mark(&shape, out);
    TEST(strcmp(out, marks[i]) == 0, marks[i]);
  }
}

static void test_mark_past_a_limit_is_refused(void) {
  static const char *const marks[] = {
      "",
      "/",
      "0/4096/" SUM,
      "1/4095/" SUM,
      "1/8388609/" SUM,
      "549755813889/4096/" SUM,
      "1/4096",
      "1/4096/",
      "1/4096/" SUM "0",
      "1/4096/0" SUM,
      "1/4096/g123456789abcdef0123456789abcdef",
      " 1/4096/" SUM,
      "+1/4096/" SUM,
      "-1/4096/" SUM,
      "1//" SUM,
      "/4096/" SUM,
      "18446744073709551616/4096/" SUM,
      "1/18446744073709551616/" SUM};
  struct seekable shape;
  for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
    TEST(!seekable_read_mark(&shape, marks[i]), marks[i]);
}

static void test_frames_are_counted_at_their_borders(void) {
  static const struct {
    const char *name;
    uint64_t plain;
    uint32_t count, last;
  } rows[] = {{"a byte", 1, 1, 1},
              {"a frame but one byte", 4095, 1, 4095},
              {"a frame", 4096, 1, 4096},
              {"a byte more", 4097, 2, 1}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct seekable shape;
    TEST(seekable_init(&shape, rows[i].plain, 4096), rows[i].name);
    TEST(shape.count == rows[i].count, rows[i].name);
    TEST(seekable_frame(&shape, shape.count - 1) == rows[i].last,
         rows[i].name);
  }
}

static void test_object_that_is_too_short_or_long_is_refused(void) {
  struct seekable shape;
  uint64_t frames = 0;
  CU_ASSERT_TRUE(seekable_init(&shape, 3 * 4096, 4096));
  CU_ASSERT_TRUE(seekable_frames(&shape, 17 + 3 * 8 + 3 * 9, &frames));
  CU_ASSERT_EQUAL(frames, 27);
  CU_ASSERT_FALSE(seekable_frames(&shape, 17 + 3 * 8 + 3 * 9 - 1, &frames));
  uint64_t most = 17 + 3 * 8 + 3 * seekable_bound(4096);
  CU_ASSERT_TRUE(seekable_frames(&shape, most, &frames));
  CU_ASSERT_FALSE(seekable_frames(&shape, most + 1, &frames));
  CU_ASSERT_FALSE(seekable_frames(&shape, UINT64_MAX, &frames));
}

/* Three frames of 100, 200 and 30 bytes. */
static size_t made(unsigned char *out, size_t size, size_t step) {
  static const uint32_t sizes[] = {100, 200, 30};
  struct seekable shape;
  uint32_t unit = 0;
  size_t len = 0;
  seekable_init(&shape, 2 * 4096 + 10, 4096);
  while (unit < 5) {
    size_t room = size - len < step ? size - len : step;
    len += seekable_write_table(&shape, sizes, &unit, out + len, room);
  }
  return len;
}

static struct seekable_table reader(uint32_t first, uint32_t last) {
  struct seekable_table table = {.frames = 330, .first = first, .last = last};
  seekable_init(&table.shape, 2 * 4096 + 10, 4096);
  return table;
}

static void test_table_is_what_the_format_says(void) {
  static const unsigned char want[] = {
      0x5E, 0x2A, 0x4D, 0x18, 33, 0, 0, 0,  100, 0,    0,    0,    0,   16,
      0,    0,    200,  0,    0,  0, 0, 16, 0,   0,    30,   0,    0,   0,
      10,   0,    0,    0,    3,  0, 0, 0,  0,   0xB1, 0xEA, 0x92, 0x8F};
  unsigned char out[64];
  for (size_t step = 9; step <= sizeof out; step++) {
    CU_ASSERT_EQUAL(made(out, sizeof out, step), sizeof want);
    CU_ASSERT_EQUAL(memcmp(out, want, sizeof want), 0);
  }
}

static void test_table_in_any_pieces_tells_where_frames_lie(void) {
  static const struct {
    const char *name;
    uint32_t first, last;
    uint64_t begin, end;
  } rows[] = {{"the first", 0, 0, 0, 100},
              {"the last", 2, 2, 300, 330},
              {"two", 1, 2, 100, 330},
              {"all", 0, 2, 0, 330}};
  unsigned char out[64];
  size_t len = made(out, sizeof out, sizeof out);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    for (size_t step = 1; step <= len; step++) {
      struct seekable_table table = reader(rows[i].first, rows[i].last);
      for (size_t at = 0; at < len; at += step)
        TEST(
            seekable_take(&table, out + at, len - at < step ? len - at : step),
            rows[i].name);
      TEST(seekable_whole(&table), rows[i].name);
      TEST(table.begin == rows[i].begin && table.end == rows[i].end,
           rows[i].name);
    }
}

/* Each byte counts: those that don't say where a frame lies are fixed, and
 * frames of other lengths have another sum. */
static void test_table_with_a_wrong_byte_is_refused(void) {
  unsigned char out[64];
  size_t len = made(out, sizeof out, sizeof out);
  for (size_t i = 0; i < len; i++) {
    struct seekable_table table = reader(0, 2);
    out[i] ^= 1;
    TEST(!seekable_take(&table, out, len), "a byte");
    out[i] ^= 1;
  }
  struct seekable_table table = reader(0, 2);
  CU_ASSERT_TRUE(seekable_take(&table, out, len - 1));
  CU_ASSERT_FALSE(seekable_whole(&table));
  CU_ASSERT_TRUE(seekable_take(&table, out + len - 1, 1));
  CU_ASSERT_FALSE(seekable_take(&table, out, 1));
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_mark_goes_there_and_back),
      UNIT(test_mark_past_a_limit_is_refused),
      UNIT(test_frames_are_counted_at_their_borders),
      UNIT(test_object_that_is_too_short_or_long_is_refused),
      UNIT(test_table_is_what_the_format_says),
      UNIT(test_table_in_any_pieces_tells_where_frames_lie),
      UNIT(test_table_with_a_wrong_byte_is_refused),
      {NULL, NULL}};
  return unit_main("seekable", tests);
}
