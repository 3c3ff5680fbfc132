/* SPDX-License-Identifier: MIT
 *
 * The table of file types: by extension, the operator's own first, and what a
 * browser would run.
 */
#include "filetype.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

/* NULL: it isn't known. */
static bool is_type(const char *name, const struct pair *own,
                    const char *want) {
  const char *type = filetype_by_name(name, own);
  return want == NULL ? type == NULL : type != NULL && strcmp(type, want) == 0;
}

/* Every one of the table, as one out of order would not be found. */
static void test_every_extension_is_known(void) {
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
    ROW(name, filetype_by_name(name, NULL) != NULL);
  }
}

static void test_common_extensions_have_their_types(void) {
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
    ROW(rows[i].name, is_type(rows[i].name, NULL, rows[i].want));
}

static void test_extension_is_behind_the_last_dot_in_any_case(void) {
  static const struct {
    const char *name, *want;
  } rows[] = {
      {"b.PDF", "application/pdf"},
      {"b.WoFf2", "font/woff2"},
      {"a.b.zip", "application/zip"},
      {"a.pdf.zzqx", NULL},
      {"pdf", NULL},
      {"a.", NULL},
      {"a.pdf.", NULL},
      {"", NULL},
      {".", NULL},
      {"a.pd", NULL},
      {"a.pdfx", NULL},
      {"a.webmanifest1", NULL},
      {"a.pdf ", NULL},
      {"a.0", NULL},
      {"a.zzzzzzzzzzzzzzzzzzzzzzzz", NULL},
      {"a.\xD0\xBE", NULL},
  };

  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    ROW(rows[i].name, is_type(rows[i].name, NULL, rows[i].want));
}

static void test_what_can_hold_scripts_is_active(void) {
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
      "*/*",
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
    ROW(active[i], filetype_active(active[i]));
  for (size_t i = 0; i < sizeof passive / sizeof *passive; i++)
    ROW(passive[i], !filetype_active(passive[i]));
}

static void test_own_types_come_first(void) {
  static const struct pair own[] = {{"txt", "text/x-own"},
                                    {"zzqx", "a/b"},
                                    {"123456789012345", "c/d"},
                                    {NULL, NULL}};
  CU_ASSERT(is_type("a.txt", own, "text/x-own"));
  CU_ASSERT(is_type("a.TXT", own, "text/x-own"));
  CU_ASSERT(is_type("a.zzqx", own, "a/b"));
  CU_ASSERT(is_type("a.pdf", own, "application/pdf"));
  CU_ASSERT(is_type("zzqx", own, NULL));
  CU_ASSERT(is_type("a.123456789012345", own, "c/d"));
  CU_ASSERT(is_type("a.1234567890123456", own, NULL));
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_every_extension_is_known),
      UNIT(test_common_extensions_have_their_types),
      UNIT(test_extension_is_behind_the_last_dot_in_any_case),
      UNIT(test_own_types_come_first),
      UNIT(test_what_can_hold_scripts_is_active),
      {NULL, NULL}};
  return unit_main("filetype", tests);
}
