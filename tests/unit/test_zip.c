/* SPDX-License-Identifier: MIT
 *
 * Fields of a zip at the limits of 32 and 16 bits and one past: which of them
 * are zip64's, and that lengths are told before as they then are.
 */
#include "unit.h"
#include "zip.h"

#define BIG UINT64_C(0xffffffff) /* the least that 32 bits can't say */

static uint64_t number_at(const struct buf *buf, size_t at, size_t bytes) {
  uint64_t value = 0;
  CU_ASSERT_FATAL(at + bytes <= buf->len);
  for (size_t i = bytes; i > 0; i--)
    value = value << 8 | (unsigned char)buf->data[at + i - 1];
  return value;
}

static void test_large_files_have_64_bits(void) {
  static const struct {
    uint64_t size, offset;
    size_t local, descriptor, central; /* bytes */
    uint64_t version, size32, offset32;
  } rows[] = {{0, 0, 40, 16, 56, 20, 0, 0},
              {BIG - 1, BIG - 1, 40, 16, 56, 20, BIG - 1, BIG - 1},
              {BIG, 0, 60, 24, 76, 45, BIG, 0},
              {1, BIG, 40, 16, 68, 45, 1, BIG},
              {5 * BIG, 7 * BIG, 60, 24, 84, 45, BIG, BIG}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct zip_entry entry = {.name = "a",
                              .size = rows[i].size,
                              .mtime_s = 1000000000,
                              .crc = 0x12345678,
                              .offset = rows[i].offset};
    struct buf out;
    buf_init(&out, 1024);
    CU_ASSERT(zip_local(&out, &entry));
    CU_ASSERT_EQUAL(out.len, rows[i].local);
    CU_ASSERT_EQUAL(zip_local_size(&entry), out.len);
    CU_ASSERT_EQUAL(number_at(&out, 4, 2), rows[i].size >= BIG ? 45 : 20);
    buf_clear(&out);
    CU_ASSERT(zip_descriptor(&out, &entry));
    CU_ASSERT_EQUAL(out.len, rows[i].descriptor);
    CU_ASSERT_EQUAL(zip_descriptor_size(&entry), out.len);
    CU_ASSERT_EQUAL(number_at(&out, 8, (out.len - 8) / 2), rows[i].size);
    buf_clear(&out);
    CU_ASSERT(zip_central(&out, &entry));
    CU_ASSERT_EQUAL(out.len, rows[i].central);
    CU_ASSERT_EQUAL(zip_central_size(&entry), out.len);
    CU_ASSERT_EQUAL(number_at(&out, 6, 2), rows[i].version);
    CU_ASSERT_EQUAL(number_at(&out, 24, 4), rows[i].size32);
    CU_ASSERT_EQUAL(number_at(&out, 42, 4), rows[i].offset32);
    buf_fini(&out);
  }
}

/* The extra field has only what 32 bits can't say, in this order (4.5.3). */
static void test_extra_field_has_what_is_missing(void) {
  struct zip_entry entry = {.name = "a", .size = 5 * BIG, .offset = 7 * BIG};
  struct buf out;
  buf_init(&out, 1024);
  zip_central(&out, &entry);
  CU_ASSERT_EQUAL(number_at(&out, 47, 2), 1);
  CU_ASSERT_EQUAL(number_at(&out, 49, 2), 24);
  CU_ASSERT_EQUAL(number_at(&out, 51, 8), 5 * BIG);
  CU_ASSERT_EQUAL(number_at(&out, 59, 8), 5 * BIG);
  CU_ASSERT_EQUAL(number_at(&out, 67, 8), 7 * BIG);
  buf_clear(&out);
  entry.size = 1;
  zip_central(&out, &entry);
  CU_ASSERT_EQUAL(number_at(&out, 49, 2), 8);
  CU_ASSERT_EQUAL(number_at(&out, 51, 8), 7 * BIG);
  buf_fini(&out);
}

static void test_end_of_many_has_64_bits(void) {
  static const struct {
    struct zip_end end;
    bool large;
  } rows[] = {{{0, 0, 0}, false},    {{65534, BIG - 1, BIG - 1}, false},
              {{65535, 0, 0}, true}, {{1, BIG, 0}, true},
              {{1, 0, BIG}, true},   {{100000, 9 * BIG, 3 * BIG}, true}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const struct zip_end *end = &rows[i].end;
    struct buf out;
    buf_init(&out, 1024);
    CU_ASSERT(zip_end(&out, end));
    CU_ASSERT_EQUAL(out.len, rows[i].large ? 98 : 22);
    CU_ASSERT_EQUAL(zip_end_size(end), out.len);
    size_t old = out.len - 22;
    CU_ASSERT_EQUAL(number_at(&out, old, 4), 0x06054b50);
    CU_ASSERT_EQUAL(number_at(&out, old + 8, 2),
                    end->count < 65535 ? end->count : 65535);
    CU_ASSERT_EQUAL(number_at(&out, old + 12, 4),
                    end->size < BIG ? end->size : BIG);
    CU_ASSERT_EQUAL(number_at(&out, old + 16, 4),
                    end->at < BIG ? end->at : BIG);
    if (rows[i].large) {
      CU_ASSERT_EQUAL(number_at(&out, 32, 8), end->count);
      CU_ASSERT_EQUAL(number_at(&out, 40, 8), end->size);
      CU_ASSERT_EQUAL(number_at(&out, 48, 8), end->at);
      CU_ASSERT_EQUAL(number_at(&out, 64, 8), end->at + end->size);
    }
    buf_fini(&out);
  }
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_large_files_have_64_bits),
      UNIT(test_extra_field_has_what_is_missing),
      UNIT(test_end_of_many_has_64_bits),
      {0}};
  return unit_main("zip", tests);
}
