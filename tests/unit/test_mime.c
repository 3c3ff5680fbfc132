/* SPDX-License-Identifier: MIT
 *
 * Media types and header parameters: what is understood, what is refused, and
 * that no file name gets out of its quotes.
 */
#include "mime.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

static void test_mime_types_that_are_valid(void) {
  static const char *const rows[] = {
      "text/x-custom",
      "a/b",
      "application/vnd.a+json",
      "text/plain; charset=utf-8",
      "text/plain;charset=\"utf-8\"",
      "TEXT/HTML ;\t a=b ; c=\"d;e,\\\"f\\\\\"",
      "text/plain; a=\"\"",
      "text/plain;",
      "text/plain;; a=b;",
      "text/plain; name=\"\xC3\xA9\"",
  };

  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    ROW(rows[i], mime_valid(rows[i]));
}

static void test_mime_types_that_are_not_valid(void) {
  static const char *const rows[] = {
      "",
      "text",
      "text/",
      "/plain",
      "text/plain ",
      " text/plain",
      "text /plain",
      "text/ plain",
      "text/plain/x",
      "*/*",
      "text/*",
      "text/plain; a=\"\xC2\x85\"",
      "text/plain, text/html",
      "text/plain,text/html",
      "text/plain; charset",
      "text/plain; charset=",
      "text/plain; =utf-8",
      "text/plain; charset =utf-8",
      "text/plain; charset= utf-8",
      "text/plain; a=b c=d",
      "text/plain; a=\"b",
      "text/plain; a=\"b\\\"",
      "text/plain; a=\"b\"c",
      "text/plain; a=b,c",
      "text/plain\r\nX-Evil: 1",
      "text/plain; a=\"\r\n\"",
      "text/plain; a=\"\x7F\"",
      "text/pl\xC3\xA9in",
      "text/plain; a=\"\xFF\"",
  };

  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    ROW(rows[i], !mime_valid(rows[i]));
}

static void test_mime_type_of_255_bytes_passes_and_256_dont(void) {
  char type[MIME_MAX + 2] = "a/";

  memset(type + 2, 'b', MIME_MAX - 2);
  CU_ASSERT(mime_valid(type));
  type[MIME_MAX] = 'b';
  CU_ASSERT(!mime_valid(type));
}

/* NULL: nothing can be made of it. */
static void check_clean(const char *type, const char *want) {
  struct buf out;

  buf_init(&out, MIME_MAX);
  buf_adds(&out, "old");
  ROW(type, mime_clean(&out, type) == (want != NULL));
  ROW(out.data, want == NULL || strcmp(out.data, want) == 0);
  ROW(type, want == NULL || mime_valid(out.data));
  buf_fini(&out);
}

static void test_mime_clean_keeps_what_is_a_type(void) {
  static const char *const rows[][2] = {
      {"text/plain", "text/plain"},
      {"Text/Plain;Charset=\"UTF-8\"", "Text/Plain;Charset=\"UTF-8\""},
      {"text/plain;\tcharset=utf-8", "text/plain; charset=utf-8"},
      {"text/plain \t; \t a=\"b\tc\"", "text/plain  ;   a=\"b c\""},
      {"text/plain;; a=b;", "text/plain;; a=b;"},
  };

  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    check_clean(rows[i][0], rows[i][1]);
}

static void test_mime_clean_drops_what_is_no_parameter(void) {
  static const char *const rows[][2] = {
      {"video/webm;codecs=vp8,opus", "video/webm"},
      {"a/b; x=1; codecs=vp8,opus; y=2", "a/b; x=1; y=2"},
      {"a/b; x=1,2; y=\"c;d\"", "a/b; y=\"c;d\""},
      {"a/b; charset", "a/b"},
      {"a/b; charset=; x=\"1\"", "a/b; x=\"1\""},
      {"a/b; x = 1; y=2", "a/b; y=2"},
      {"a/b; \"x;y\"; z=1", "a/b; z=1"},
      {"a/b; x=\"open; y=1", "a/b"},
      {"a/b; y=1; x=\"open", "a/b; y=1"},
      {"a/b; x=\"c\"d; y=1", "a/b; y=1"},
      {"a/b; x=\"\xFF\"; y=1", "a/b; y=1"},
      {"a/b; x=\"\x01\"; y=1", "a/b; y=1"},
      {"a/b; x=\"\xC2\x85\"; y=1", "a/b; y=1"},
      {"a/b \t", "a/b"},
      {"a/b ; x", "a/b"},
      {"a/b;,;x=1", "a/b; x=1"},
  };

  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    check_clean(rows[i][0], rows[i][1]);
}

static void test_mime_clean_makes_nothing_of_what_has_no_essence(void) {
  static const char *const rows[] = {
      "",         "image", "null",    "garbage!!",   "*/*",   "text/*",
      "/b",       "a/",    " a/b",    "a /b",        "a/b c", "a/b,c/d",
      "a/b, c/d", "a/b/c", "a/b\x01", "a\xC3\xA9/b",
  };

  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    check_clean(rows[i], NULL);
}

static void test_mime_clean_keeps_255_bytes(void) {
  char type[2 * MIME_MAX] = "a/b; c=", want[2 * MIME_MAX];

  memset(type + 7, 'd', MIME_MAX - 7);
  check_clean(type, type);
  memcpy(want, type, MIME_MAX + 1);
  memcpy(type + MIME_MAX, "; e=f; g", 9);
  check_clean(type, want);
  type[MIME_MAX] = 'd';
  check_clean(type, "a/b");
  memset(type, 'd', MIME_MAX + 1);
  memcpy(type, "a/", 2);
  memcpy(type + MIME_MAX, ";x", 3);
  memcpy(want, type, MIME_MAX);
  want[MIME_MAX] = '\0';
  check_clean(type, want);
  memcpy(type + MIME_MAX, "d;x", 4);
  check_clean(type, NULL);
}

static void test_mime_is_compares_the_essence(void) {
  static const struct {
    const char *type;
    bool want;
  } rows[] = {
      {"multipart/form-data", true},
      {"Multipart/Form-Data; Boundary=a", true},
      {"multipart/form-data;boundary=a", true},
      {"multipart/form-data ; boundary=a", true},
      {"multipart/form-data2; boundary=a", false},
      {"multipart/form-dat", false},
      {"multipart/form-data, text/plain", false},
      {"multipart/form-data x", false},
      {"multipart/mixed", false},
      {" multipart/form-data", false},
      {"", false},
  };

  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    ROW(rows[i].type,
        mime_is(rows[i].type, "multipart/form-data") == rows[i].want);
}

static void test_mime_parameter_is_found(void) {
  static const struct {
    const char *header, *want;
  } rows[] = {
      {"form-data; name=a", "a"},
      {"form-data; name=\"a\"", "a"},
      {"form-data;name=\"a\"", "a"},
      {"form-data ;  Name=\"a\" ;  filename=\"b\"", "a"},
      {"form-data; filename=\"; name=b; \"; name=\"a\"", "a"},
      {"form-data; x=\"\\\"; name=b; \"; name=\"a\"", "a"},
      {"form-data; name=\"\"", ""},
      {"form-data; name=\"a\\\"b\\\\c\"", "a\"b\\c"},
      {"form-data; name=\"C:\\x\\y.txt\"", "C:\\x\\y.txt"},
      {"form-data; name=\"C:\\\\x\\\\y.txt\"", "C:\\x\\y.txt"},
      {"form-data; name=\"a;b=c, d\"", "a;b=c, d"},
      {"form-data; name=\"\xC3\xA9\t\xFF\"", "\xC3\xA9\t\xFF"},
      {"form-data; names=b; nam=c; name*=d; name=a", "a"},
      {"form-data; name=a;", "a"},
      {"form-data;; name=a ;;", "a"},
      {"form-data; x=1; x=2; name=a", "a"},
      {"; name=a", "a"},
      {"form-data; name=\"a\x01\x7F\"", "a\x01\x7F"},
      {"form-data; name=\xC3\xA9", "\xC3\xA9"},
      {"form-data; name=UTF-8''a(1)/b,c; x=y", "UTF-8''a(1)/b,c"},
  };

  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct buf out;
    buf_init(&out, 100);
    buf_adds(&out, "old");
    ROW(rows[i].header,
        mime_parameter(&out, rows[i].header, "name") == MIME_FOUND);
    ROW(rows[i].header, strcmp(out.data, rows[i].want) == 0);
    buf_fini(&out);
  }
}

static void test_mime_parameter_that_isnt_there_is_none(void) {
  static const char *const rows[] = {
      "",
      "form-data",
      "name=a",
      "form-data;",
      "form-data; ",
      "form-data; names=a; name*=UTF-8''b",
      "form-data; x=\"; name=a\"",
  };
  struct buf out;

  buf_init(&out, 100);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    ROW(rows[i], mime_parameter(&out, rows[i], "name") == MIME_NONE);
  buf_fini(&out);
}

static void test_mime_parameters_that_are_malformed_are_bad(void) {
  static const char *const rows[] = {
      "form-data; name=a; name=b",
      "form-data; name=a; NAME=\"a\"",
      "form-data; name",
      "form-data; name=",
      "form-data; name=;",
      "form-data; name =a",
      "form-data; name= a",
      "form-data; name=a b",
      "form-data; name=\"a",
      "form-data; name=\"a\\\"",
      "form-data; name=\"a\"b\"",
      "form-data; name=a; x",
      "form-data; x; name=a",
      "form-data; name=a, b",
      "form-data; =a",
  };
  struct buf out;

  buf_init(&out, 100);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    ROW(rows[i], mime_parameter(&out, rows[i], "name") == MIME_BAD);
  buf_fini(&out);
}

static void test_mime_parameter_fits_the_buffer_or_is_bad(void) {
  struct buf out;

  buf_init(&out, 3);
  CU_ASSERT_EQUAL(mime_parameter(&out, "a;n=abc", "n"), MIME_FOUND);
  CU_ASSERT_EQUAL(mime_parameter(&out, "a;n=abcd", "n"), MIME_BAD);
  CU_ASSERT_EQUAL(mime_parameter(&out, "a;n=\"a\\\"c\"", "n"), MIME_FOUND);
  CU_ASSERT_EQUAL(mime_parameter(&out, "a;n=\"abcd\"", "n"), MIME_BAD);
  buf_fini(&out);
}

static void test_mime_filename_is_the_extended_one_or_the_plain(void) {
  static const struct {
    const char *header, *name;
  } rows[] = {{"attachment; filename=\"a b.txt\"", "a b.txt"},
              {"inline; FileName=a.txt", "a.txt"},
              {"attachment; filename=\"x\"; filename*=UTF-8''%e2%82%ac",
               "\xe2\x82\xac"},
              {"attachment; filename*=utf-8'en'a%00b", "ab"},
              {"attachment; filename*=ISO-8859-1''%A3; filename=x", "x"},
              {"attachment; filename*=UTF-8''%zz", NULL},
              {"attachment; filename=\"\"", NULL},
              {"attachment; filename=\"a", NULL},
              {"attachment", NULL},
              {"", NULL}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct buf out;
    buf_init(&out, 64);
    bool found = mime_filename(&out, rows[i].header);
    ROW(rows[i].header, found == (rows[i].name != NULL) &&
                            (!found || strcmp(out.data, rows[i].name) == 0));
    buf_fini(&out);
  }
}

static void test_mime_disposition_keeps_the_name_in_its_quotes(void) {
  static const struct {
    const char *name, *want;
  } rows[] = {
      {"my report.pdf", "attachment; filename=\"my report.pdf\""},
      {"a\"b\\c.txt", "attachment; filename=\"a\\\"b\\\\c.txt\""},
      {"a,b;c=d%2'*.txt", "attachment; filename=\"a,b;c=d%2'*.txt\""},
      {"a%20b%", "attachment; filename=\"a%20b%\"; "
                 "filename*=UTF-8''a%2520b%25"},
      {"=?x", "attachment; filename=\"=?x\"; filename*=UTF-8''%3D%3Fx"},
      {"a\r\nX-Evil: 1\t\x7F", "attachment; filename=\"aX-Evil: 1\""},
      {"", "attachment; filename=\"\""},
      {"\xC3\xA9 5.pdf", "attachment; filename=\"_ 5.pdf\"; "
                         "filename*=UTF-8''%C3%A9%205.pdf"},
      {"\"\xF0\x9F\x98\x80'", "attachment; filename=\"\\\"_'\"; "
                              "filename*=UTF-8''%22%F0%9F%98%80%27"},
      {"cafe\xCC\x81\r", "attachment; filename=\"cafe_\"; "
                         "filename*=UTF-8''cafe%CC%81"},
      {"a\xC2\x85"
       "b",
       "attachment; filename=\"ab\""},
      {"a\xFF"
       "b",
       "attachment; filename=\"a_b\""},
      {"a\xE2\x82", "attachment; filename=\"a__\""},
      {"\xFF\xC3\xA9", "attachment; filename=\"__\"; "
                       "filename*=UTF-8''_%C3%A9"},
      {"\xC3\xA9/!~", "attachment; filename=\"_/!~\"; "
                      "filename*=UTF-8''%C3%A9%2F!~"},
  };

  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct buf out;
    buf_init(&out, 200);
    ROW(rows[i].name, mime_disposition(&out, false, rows[i].name));
    ROW(out.data, strcmp(out.data, rows[i].want) == 0);
    buf_fini(&out);
  }
}

static void test_mime_disposition_inline_has_a_name_too(void) {
  struct buf out;

  buf_init(&out, 24);
  CU_ASSERT(mime_disposition(&out, true, "abcde"));
  CU_ASSERT_STRING_EQUAL(out.data, "inline; filename=\"abcde\"");
  buf_clear(&out);
  CU_ASSERT(!mime_disposition(&out, true, "abcdef"));
  buf_fini(&out);
}

static const struct unit_test tests[] = {
    UNIT(test_mime_types_that_are_valid),
    UNIT(test_mime_types_that_are_not_valid),
    UNIT(test_mime_type_of_255_bytes_passes_and_256_dont),
    UNIT(test_mime_clean_keeps_what_is_a_type),
    UNIT(test_mime_clean_drops_what_is_no_parameter),
    UNIT(test_mime_clean_makes_nothing_of_what_has_no_essence),
    UNIT(test_mime_clean_keeps_255_bytes),
    UNIT(test_mime_is_compares_the_essence),
    UNIT(test_mime_parameter_is_found),
    UNIT(test_mime_parameter_that_isnt_there_is_none),
    UNIT(test_mime_parameters_that_are_malformed_are_bad),
    UNIT(test_mime_parameter_fits_the_buffer_or_is_bad),
    UNIT(test_mime_filename_is_the_extended_one_or_the_plain),
    UNIT(test_mime_disposition_keeps_the_name_in_its_quotes),
    UNIT(test_mime_disposition_inline_has_a_name_too),
    {NULL, NULL},
};

int main(void) {
  return unit_main("mime", tests);
}
