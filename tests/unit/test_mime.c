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

/* Every one of the table, as one out of order would not be found. */
static void test_mime_knows_every_extension(void) {
  char all[] = "7z aac apk atom avi avif bmp bz2 css csv deb dmg doc docx "
               "eml eot epub exe flac geojson gif glb gz heic heif htm html "
               "ico ics iso jar jpeg jpg js json jxl log m4a m4v md midi mjs "
               "mkv mov mp3 mp4 mpeg mpg msg ndjson odg odp ods odt ogg ogv "
               "opus otf pdf png ppt pptx ps rar rss rtf sh sql sqlite svg "
               "tar tgz tif tiff ts tsv ttf txt vcf vtt wasm wav webm "
               "webmanifest webp woff woff2 xhtml xls xlsx xml xsl xz yaml "
               "yml zip zst";

  for (char *at = all, *one; (one = strsep(&at, " "));) {
    char name[32];
    snprintf(name, sizeof name, "a.%s", one);
    ROW(name, strcmp(mime_by_name(name), "application/octet-stream") != 0);
  }
}

static void test_mime_of_the_common_extensions(void) {
  static const struct {
    const char *name, *want;
  } rows[] = {
      {"a.pdf", "application/pdf"},
      {"a.png", "image/png"},
      {"a.jpg", "image/jpeg"},
      {"a.jpeg", "image/jpeg"},
      {"a.gif", "image/gif"},
      {"a.svg", "image/svg+xml"},
      {"a.txt", "text/plain"},
      {"a.html", "text/html"},
      {"a.csv", "text/csv"},
      {"a.json", "application/json"},
      {"a.zip", "application/zip"},
      {"a.js", "text/javascript"},
      {"a.mjs", "text/javascript"},
      {"a.md", "text/markdown"},
      {"a.webp", "image/webp"},
      {"a.avif", "image/avif"},
      {"a.heic", "image/heic"},
      {"a.wasm", "application/wasm"},
      {"a.mp4", "video/mp4"},
      {"a.mp3", "audio/mpeg"},
      {"a.woff2", "font/woff2"},
      {"a.docx",
       "application/"
       "vnd.openxmlformats-officedocument.wordprocessingml.document"},
      {"a.xlsx",
       "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
      {"a.gz", "application/gzip"},
  };

  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    ROW(rows[i].name, strcmp(mime_by_name(rows[i].name), rows[i].want) == 0);
}

static void test_mime_extension_is_behind_the_last_dot_in_any_case(void) {
  static const struct {
    const char *name, *want;
  } rows[] = {
      {"b.PDF", "application/pdf"},
      {"b.WoFf2", "font/woff2"},
      {"a.b.zip", "application/zip"},
      {"a.pdf.zzqx", "application/octet-stream"},
      {"pdf", "application/octet-stream"},
      {"a.", "application/octet-stream"},
      {"a.pdf.", "application/octet-stream"},
      {"", "application/octet-stream"},
      {".", "application/octet-stream"},
      {"a.pd", "application/octet-stream"},
      {"a.pdfx", "application/octet-stream"},
      {"a.webmanifest1", "application/octet-stream"},
      {"a.pdf ", "application/octet-stream"},
      {"a.0", "application/octet-stream"},
      {"a.zzzzzzzzzzzzzzzzzzzzzzzz", "application/octet-stream"},
      {"a.\xD0\xBE", "application/octet-stream"},
  };

  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    ROW(rows[i].name, strcmp(mime_by_name(rows[i].name), rows[i].want) == 0);
}

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

static void test_mime_that_can_hold_scripts_is_active(void) {
  static const char *const active[] = {
      "text/html",
      "text/html; charset=utf-8",
      "TEXT/HTML",
      "text/html ;a=b",
      "application/xhtml+xml",
      "image/svg+xml",
      "text/xml",
      "application/xml;a=b",
      "application/rss+XML",
      "application/pdf",
      "text/xsl",
      "multipart/x-mixed-replace; boundary=a",
      "text/plain, text/html",
      " text/html",
      "html",
      "",
  };
  static const char *const passive[] = {
      "text/plain",          "text/plain; a=\"text/html\"",
      "image/png",           "application/octet-stream",
      "text/htmlx",          "text/javascript",
      "application/xml-dtd", "a/xml",
      "application/json",    "text/plain; a=b+xml",
  };

  for (size_t i = 0; i < sizeof active / sizeof *active; i++)
    ROW(active[i], mime_active(active[i]));
  for (size_t i = 0; i < sizeof passive / sizeof *passive; i++)
    ROW(passive[i], !mime_active(passive[i]));
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
      "form-data; name=\"a\r\nb\"",
      "form-data; name=\"a\x01\"",
      "form-data; name=\"a\x7F\"",
      "form-data; name=\xC3\xA9",
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

static void test_mime_disposition_keeps_the_name_in_its_quotes(void) {
  static const struct {
    const char *name, *want;
  } rows[] = {
      {"my report.pdf", "attachment; filename=\"my report.pdf\""},
      {"a\"b\\c.txt", "attachment; filename=\"a\\\"b\\\\c.txt\""},
      {"a,b;c=d%20'*.txt", "attachment; filename=\"a,b;c=d%20'*.txt\""},
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
    UNIT(test_mime_knows_every_extension),
    UNIT(test_mime_of_the_common_extensions),
    UNIT(test_mime_extension_is_behind_the_last_dot_in_any_case),
    UNIT(test_mime_types_that_are_valid),
    UNIT(test_mime_types_that_are_not_valid),
    UNIT(test_mime_type_of_255_bytes_passes_and_256_dont),
    UNIT(test_mime_that_can_hold_scripts_is_active),
    UNIT(test_mime_is_compares_the_essence),
    UNIT(test_mime_parameter_is_found),
    UNIT(test_mime_parameter_that_isnt_there_is_none),
    UNIT(test_mime_parameters_that_are_malformed_are_bad),
    UNIT(test_mime_parameter_fits_the_buffer_or_is_bad),
    UNIT(test_mime_disposition_keeps_the_name_in_its_quotes),
    UNIT(test_mime_disposition_inline_has_a_name_too),
    {NULL, NULL},
};

int main(void) {
  return unit_main("mime", tests);
}
