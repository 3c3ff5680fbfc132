/* SPDX-License-Identifier: MIT
 *
 * Fields of resumable uploads.
 */
#include "uploadhead.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

static void test_booleans_have_parameters_and_nothing_else(void) {
  static const struct {
    const char *text;
    int value; /* -1: none */
  } rows[] = {{"?0", 0},
              {"?1", 1},
              {"  ?1 ", 1},
              {"?0;a=b", 0},
              {"?0; a; b=\"x\"", 0},
              {"?1;a=?0;b=:Zg==:;c=1.5", 1},
              {"1", -1},
              {"true", -1},
              {"?2", -1},
              {"?", -1},
              {"\"?1\"", -1},
              {"", -1},
              {"? 1", -1},
              {"(?1)", -1},
              {"?1 x", -1},
              {"?1;", -1},
              {"?1;=", -1},
              {"?1;A", -1},
              {"?1;a=\"x", -1},
              {"?1;a=\"\\x\"", -1},
              {"?T", -1},
              {NULL, -1}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    bool value = false;
    bool is = uploadhead_boolean(rows[i].text, &value);
    ROW(rows[i].text, (is ? (int)value : -1) == rows[i].value);
  }
}

static void test_integers_have_up_to_15_digits(void) {
  static const struct {
    const char *text;
    int64_t value;
  } rows[] = {{"0", 0},
              {"5", 5},
              {"005;a=b", 5},
              {" 7 ", 7},
              {"999999999999999", 999999999999999},
              {"1000000000000000", -1},
              {"+5", -1},
              {"-1", -1},
              {"5.0", -1},
              {"5, 5", -1},
              {"5;", -1},
              {"", -1},
              {NULL, -1}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    int64_t value = 0;
    bool is = uploadhead_integer(rows[i].text, &value);
    ROW(rows[i].text, (is ? value : -1) == rows[i].value);
  }
}

static void test_numbers_of_tus_are_digits(void) {
  static const struct {
    const char *text;
    int64_t value;
  } rows[] = {{"0", 0},
              {"0000000000000000000000010", 10},
              {"999999999999999", 999999999999999},
              {"4611686018427387904", INT64_MAX},
              {"18446744073709551621", -1},
              {"5;a=b", -1},
              {" 5", -1},
              {"", -1},
              {NULL, -1}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    int64_t value = 0;
    bool is = uploadhead_number(rows[i].text, &value);
    ROW(rows[i].text, (is ? value : -1) == rows[i].value);
  }
}

static void test_metadata_is_taken_as_a_whole(void) {
  static const struct {
    const char *text, *value; /* of filename; NULL: it isn't there, or bad */
    bool bad;
  } rows[] = {{"filename YS5iaW4=", "a.bin", false},
              {"x,filename YS5iaW4=", "a.bin", false},
              {"filename YS5iaW4=, x eQ==", "a.bin", false},
              {"filename", "", false},
              {"filename ", "", false},
              {"name YQ==", NULL, false},
              {"", NULL, false},
              {NULL, NULL, false},
              {"filename a%", NULL, true},
              {"filename YQ", NULL, true},
              {"filename YQ== YQ==", NULL, true},
              {" YQ==", NULL, false}, /* a key, without a value */
              {"filename YQ==,filename Yg==", NULL, true},
              {",,,", NULL, true},
              {"filename -_-_", NULL, true},
              {"filename YQ==,", NULL, true},
              {"filename YQ==,x YQ", NULL, true}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct buf out;
    buf_init(&out, 1000);
    enum uploadhead_found found =
        uploadhead_metadata(&out, rows[i].text, "filename");
    ROW(rows[i].text, (found == UPLOADHEAD_BAD) == rows[i].bad);
    ROW(rows[i].text,
        rows[i].bad || (found == UPLOADHEAD_FOUND) == (rows[i].value != NULL));
    ROW(rows[i].text, rows[i].bad || rows[i].value == NULL ||
                          strcmp(out.data, rows[i].value) == 0);
    buf_fini(&out);
  }
}

static void test_metadata_has_at_most_100_keys(void) {
  for (int count = 100; count <= 101; count++) {
    char text[2000] = "";
    struct buf out;
    buf_init(&out, 1000);
    for (int i = 0; i < count; i++)
      snprintf(text + strlen(text), 20, "%sk%d", i == 0 ? "" : ",", i);
    CU_ASSERT_EQUAL(uploadhead_metadata(&out, text, "k99"),
                    count == 100 ? UPLOADHEAD_FOUND : UPLOADHEAD_BAD);
    buf_fini(&out);
  }
}

static void test_checksums_are_of_their_length(void) {
  static const struct {
    const char *text;
    bool good;
  } rows[] = {{"sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=", true},
              {"crc32 DUoRhQ==", true},
              {"crc32 DUoR", false},
              {"sha1", false},
              {"sha1 ", false},
              {"sha1 ????", false},
              {"sha1 Kq5sNclPz7QV2w==", false},
              {"sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0= x", false},
              {"SHA1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=", false},
              {"sha3 Kq5sNclPz7QV2+lfQIuc6R7oRu0=", false},
              {"", false}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct uploadhead_checksum sum;
    ROW(rows[i].text,
        (uploadhead_checksum(&sum, rows[i].text) == NULL) == rows[i].good);
  }
}

static void test_sums_are_those_of_everybody(void) {
  static const struct {
    const char *text;
    bool same;
  } rows[] = {{"crc32 DUoRhQ==", true}, /* of "hello world" */
              {"sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=", true},
              {"md5 XrY7u+Ae7tCTyyK7j1rNww==", true},
              {"sha256 uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=", true},
              {"crc32 DUoRhA==", false}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct uploadhead_checksum wanted;
    struct checksum sum;
    CU_ASSERT_PTR_NULL_FATAL(uploadhead_checksum(&wanted, rows[i].text));
    CU_ASSERT_FATAL(checksum_init(&sum, wanted.kind));
    checksum_add(&sum, "hello ", 6);
    checksum_add(&sum, "world", 5);
    ROW(rows[i].text, checksum_is(&sum, wanted.sum) == rows[i].same);
    checksum_fini(&sum);
  }
}

static void test_concatenations_are_partial_or_of_addresses(void) {
  const char *parts, *part;
  size_t len;
  static const char *const odd[] = {"",          "parts",         "Partial",
                                    "final",     "final;",        "final;  ",
                                    "partial;x", "partial, final"};
  CU_ASSERT_EQUAL(uploadhead_concat("partial", &parts), UPLOADHEAD_PARTIAL);
  for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
    ROW(odd[i], uploadhead_concat(odd[i], &parts) == UPLOADHEAD_ODD);
  CU_ASSERT_EQUAL(uploadhead_concat("final;/a  /bc ", &parts),
                  UPLOADHEAD_FINAL);
  part = uploadhead_part(&parts, &len);
  CU_ASSERT(len == 2 && memcmp(part, "/a", 2) == 0);
  part = uploadhead_part(&parts, &len);
  CU_ASSERT(len == 3 && memcmp(part, "/bc", 3) == 0);
  CU_ASSERT_PTR_NULL(uploadhead_part(&parts, &len));
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_booleans_have_parameters_and_nothing_else),
      UNIT(test_integers_have_up_to_15_digits),
      UNIT(test_numbers_of_tus_are_digits),
      UNIT(test_metadata_is_taken_as_a_whole),
      UNIT(test_metadata_has_at_most_100_keys),
      UNIT(test_checksums_are_of_their_length),
      UNIT(test_sums_are_those_of_everybody),
      UNIT(test_concatenations_are_partial_or_of_addresses),
      {NULL, NULL}};
  return unit_main("uploadhead", tests);
}
