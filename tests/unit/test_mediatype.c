/* SPDX-License-Identifier: MIT
 *
 * Media types, patterns of them, and what may be said of which bytes.
 */
#include "mediatype.h"
#include "unit.h"

#include <string.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

static void test_types_are_read_without_case_and_parameters(void) {
  static const struct {
    const char *text, *want; /* NULL: it is none */
  } rows[] = {{"image/png", "image/png"},
              {"Image/PNG", "image/png"},
              {"text/html; charset=a", "text/html"},
              {"text/html ;a", "text/html"},
              {"image/svg+xml", "image/svg+xml"},
              {"a/b", "a/b"},
              {"image", NULL},
              {"image/", NULL},
              {"/png", NULL},
              {"", NULL},
              {";", NULL},
              {" image/png", NULL},
              {"image/p ng", NULL},
              {"image/*", NULL},
              {"image/png/x", NULL},
              {"image/p\xc3\xa4", NULL},
              {"image/png\n", NULL}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char out[MEDIATYPE_MAX];
    bool ok = mediatype_read(rows[i].text, strlen(rows[i].text), out);
    ROW(rows[i].text, ok == (rows[i].want != NULL));
    ROW(rows[i].text, !ok || strcmp(out, rows[i].want) == 0);
  }
}

static void test_type_of_127_bytes_fits_and_no_longer_one(void) {
  char text[MEDIATYPE_MAX + 1], out[MEDIATYPE_MAX];
  memset(text, 'a', sizeof text);
  text[1] = '/';
  CU_ASSERT_TRUE(mediatype_read(text, MEDIATYPE_MAX - 1, out));
  CU_ASSERT_EQUAL(strlen(out), MEDIATYPE_MAX - 1);
  CU_ASSERT_FALSE(mediatype_read(text, MEDIATYPE_MAX, out));
}

static void test_patterns_are_checked(void) {
  static const struct {
    const char *pattern;
    bool good;
  } rows[] = {
      {"image/png", true},     {"IMAGE/*", true},   {"*/*", true},
      {"inode/x-empty", true}, {"x-epoc/*", true},  {"text/*", true},
      {"png", false},          {"", false},         {"*", false},
      {"*/png", false},        {"im*/png", false},  {"image/p*", false},
      {"image/*x", false},     {"imag/png", false}, {"imag/*", false},
      {"/*", false},           {"image/", false},   {"image/png;q=1", false},
      {"image/png ", false}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct errmsg err;
    ROW(rows[i].pattern,
        mediatype_check("allow", rows[i].pattern, &err) == rows[i].good);
  }
}

static void test_patterns_mean_types(void) {
  static const struct {
    const char *pattern, *type;
    bool means;
  } rows[] = {
      {"image/png", "image/png", true},
      {"Image/PNG", "image/png", true},
      {"image/*", "image/png", true},
      {"IMAGE/*", "image/svg+xml", true},
      {"*/*", "application/octet-stream", true},
      {"image/png", "image/gif", false},
      {"image/*", "imagex/png", false},
      {"text/*", "application/json", false},
      {"application/x-gzip", "application/gzip", true},
      {"application/gzip", "application/x-gzip", true},
      {"application/xml", "text/xml", true},
      {"image/jpg", "image/jpeg", true},
      {"application/vnd.microsoft.portable-executable",
       "application/x-dosexec", true},
      {"image/pn", "image/png", false},
      {"image/png", "image/pn", false},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const char *const one[] = {"font/otf", rows[i].pattern, NULL};
    const char *const none[] = {NULL};
    ROW(rows[i].pattern, mediatype_listed(one, rows[i].type) == rows[i].means);
    ROW(rows[i].pattern, !mediatype_listed(none, rows[i].type));
  }
}

static void test_what_may_be_said_of_which_bytes(void) {
  static const struct {
    const char *said, *found;
    bool agrees;
  } rows[] = {
      {"image/png", "image/png", true},
      {"application/octet-stream", "text/html", true},
      {"application/x-own", "application/octet-stream", true},
      {"image/png", "inode/x-empty", true},
      {"image/x-ms-bmp", "image/bmp", true},
      {"text/csv", "text/plain", true},
      {"text/plain", "text/csv", true},
      {"text/markdown", "text/x-c", true},
      {"application/json", "text/plain", true},
      {"application/ld+json", "application/json", true},
      {"application/atom+xml", "text/xml", true},
      {"text/xml", "image/svg+xml", true},
      {"text/plain", "text/html", true},
      {"text/css", "text/html", false},
      {"text/csv", "image/svg+xml", false},
      {"image/png", "text/html", false},
      {"image/png", "text/plain", false},
      {"image/png", "image/gif", false},
      {"text/plain", "image/png", false},
      {"application/pdf", "application/zip", false},
      {"application/epub+zip", "application/zip", true},
      {"application/zip", "application/java-archive", true},
      {"application/vnd.oasis.opendocument.text", "application/zip", true},
      {"application/zip", "application/gzip", false},
      {"application/msword", "application/x-ole-storage", true},
      {"application/vnd.ms-excel", "application/CDFV2", false},
      {"application/vnd.ms-excel", "application/cdfv2", true},
      {"audio/mp4", "video/mp4", true},
      {"audio/x-m4a", "video/mp4", true},
      {"video/mp4", "video/webm", false},
      {"audio/ogg", "application/ogg", true},
      {"application/pdf", "application/x-dosexec", false},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    ROW(rows[i].said,
        mediatype_agrees(rows[i].said, rows[i].found) == rows[i].agrees);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_types_are_read_without_case_and_parameters),
      UNIT(test_type_of_127_bytes_fits_and_no_longer_one),
      UNIT(test_patterns_are_checked),
      UNIT(test_patterns_mean_types),
      UNIT(test_what_may_be_said_of_which_bytes),
      {NULL, NULL}};
  return unit_main("mediatype", tests);
}
