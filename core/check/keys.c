/* SPDX-License-Identifier: MIT
 *
 * Checks of unusual keys.  Each group is stored, read, listed and removed
 * together, as what is wrong with keys is mostly that two become one.
 */
#include "suite.h"

#include <stdlib.h>
#include <string.h>

#include "objects.h"
#include "pages.h"

#define GROUP_MAX 48

static int by_bytes(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static struct sample sample_of(size_t i) {
  return (struct sample){(uint32_t)i, 10 + i};
}

static void run_group(struct fixture *fixture, const char *const *names) {
  const char *sorted[GROUP_MAX + 1] = {NULL};
  struct pages pages;
  size_t count = 0;
  for (; names[count] != NULL; count++) {
    sorted[count] = names[count];
    objects_put(fixture, fixture_key(fixture, names[count]).text,
                sample_of(count));
  }
  for (size_t i = 0; i < count; i++)
    objects_expect(fixture, fixture_key(fixture, names[i]).text, sample_of(i));
  qsort(sorted, count, sizeof *sorted, by_bytes);
  pages_read(fixture, &pages, fixture_key(fixture, "").text, NULL, 1000);
  pages_expect(fixture, &pages, sorted);
  pages_free(&pages);
  for (size_t i = 0; i < count; i++) {
    objects_remove(fixture, fixture_key(fixture, names[i]).text);
    objects_expect_none(fixture, fixture_key(fixture, names[i]).text);
    if (i + 1 < count)
      objects_expect(fixture, fixture_key(fixture, names[i + 1]).text,
                     sample_of(i + 1));
  }
}

static void unicode(struct fixture *fixture) {
  /* The same letter composed and decomposed, and others that look alike. */
  static const char *const names[] = {"caf\xc3\xa9",
                                      "cafe\xcc\x81",
                                      "ключ/日本/😀",
                                      "\xef\xac\x80",
                                      "ff",
                                      "\xe2\x84\xab",
                                      "\xc3\x85",
                                      "A\xcc\x8a",
                                      "İ",
                                      "ı",
                                      "ß",
                                      "ss",
                                      "\xe2\x80\x8b",
                                      "\xef\xbb\xbf",
                                      "\xf4\x8f\xbf\xbd",
                                      NULL};
  run_group(fixture, names);
}

static void cases(struct fixture *fixture) {
  static const char *const names[] = {
      "name",     "Name",     "NAME",   "naME",   "é",      "É",
      "name.txt", "name.TXT", "Name/a", "name/A", "name/a", NULL};
  run_group(fixture, names);
}

static void signs(struct fixture *fixture) {
  static const char *const names[] = {
      "100%",  "%41",     "A",   "%2e%2e", "%2F",   "%00",  "a+b", "a b",
      "a%20b", "a?b",     "a?",  "a#b",    "a&b=c", "a;b",  "a:b", "a@b",
      "a,b",   "a$b",     "a!b", "a'b",    "a\"b",  "a(b)", "a*b", "a|b",
      "a<b>c", "a\\b",    "a^b", "a`b",    "a{b}",  "a[b]", "a~b", "a=b",
      "-rf",   ".hidden", "...", "a.",     NULL};
  run_group(fixture, names);
}

static void spaces(struct fixture *fixture) {
  static const char *const names[] = {" ",    "  ",  " a",       "a ",
                                      "a  b", "a b", "\xc2\xa0", NULL};
  run_group(fixture, names);
}

static void slashes(struct fixture *fixture) {
  static const char *const names[] = {"a",    "a/",    "a//", "a/b", "a//b",
                                      "a/b/", "a/b/c", "/",   "//",  "/a",
                                      "/a/b", "a b/c", NULL};
  run_group(fixture, names);
}

static void leading_slash(struct fixture *fixture) {
  struct fixture_key plain = fixture_key(fixture, "lead"), key = plain;
  key.text[0] = '/';
  memcpy(key.text + 1, plain.text, strlen(plain.text) + 1);
  objects_put(fixture, key.text, (struct sample){1, 10});
  objects_expect(fixture, key.text, (struct sample){1, 10});
  objects_expect_none(fixture, plain.text);
  objects_remove(fixture, key.text);
  objects_expect_none(fixture, key.text);
}

/* A key of so many bytes, made of one letter; parts of 200 where a slash has
 * to be between. */
static struct fixture_key long_key(const struct fixture *fixture, size_t len,
                                   char letter, bool parts) {
  struct fixture_key key = fixture_key(fixture, "");
  for (size_t at = strlen(key.text); at < len; at++)
    key.text[at] = parts && at % 200 == 0 && at + 1 < len ? '/' : letter;
  key.text[len] = '\0';
  return key;
}

static void lengths(struct fixture *fixture) {
  static const size_t sizes[] = {255, 256, 1000, 1023, 1024};
  for (uint32_t i = 0; i < 5; i++)
    for (int parts = 0; parts < 2; parts++) {
      struct fixture_key key = long_key(fixture, sizes[i], 'k', parts == 1);
      objects_put(fixture, key.text, (struct sample){i, 10 + i});
      objects_expect(fixture, key.text, (struct sample){i, 10 + i});
    }
  /* Two that differ in their last byte. */
  objects_put(fixture, long_key(fixture, 1024, 'z', false).text,
              (struct sample){1, 3});
  objects_expect_none(fixture, long_key(fixture, 1023, 'z', false).text);
  struct pages pages;
  pages_read(fixture, &pages, fixture_key(fixture, "").text, NULL, 3);
  fixture_need(fixture, pages.count == 11,
               "list: %zu long keys came instead of 11", pages.count);
  pages_free(&pages);
}

#define RULE "All strings are UTF-8 and end in NUL."

const struct check key_checks[] = {
    {"keys: letters that look alike", RULE, unicode, CHECK_USUAL},
    {"keys: upper and lower case", RULE, cases, CHECK_USUAL},
    {"keys: signs", RULE, signs, CHECK_USUAL},
    {"keys: spaces", RULE, spaces, CHECK_USUAL},
    {"keys: slashes, and a beside a/b", RULE, slashes, CHECK_USUAL},
    {"keys: a slash in front", RULE, leading_slash, CHECK_USUAL},
    {"keys: of up to 1024 bytes", RULE, lengths, CHECK_USUAL},
    {0}};
