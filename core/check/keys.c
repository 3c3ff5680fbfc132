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

static void run_group(struct lab *lab, const char *const *names) {
  const char *sorted[GROUP_MAX + 1] = {NULL};
  struct pages pages;
  size_t count = 0;
  for (; names[count] != NULL; count++) {
    sorted[count] = names[count];
    objects_put(lab, lab_key(lab, names[count]).text, sample_of(count));
  }
  for (size_t i = 0; i < count; i++)
    objects_expect(lab, lab_key(lab, names[i]).text, sample_of(i));
  qsort(sorted, count, sizeof *sorted, by_bytes);
  pages_read(lab, &pages, lab_key(lab, "").text, NULL, 1000);
  pages_expect(lab, &pages, sorted);
  pages_free(&pages);
  for (size_t i = 0; i < count; i++) {
    objects_remove(lab, lab_key(lab, names[i]).text);
    objects_expect_none(lab, lab_key(lab, names[i]).text);
    if (i + 1 < count)
      objects_expect(lab, lab_key(lab, names[i + 1]).text, sample_of(i + 1));
  }
}

static void unicode(struct lab *lab) {
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
  run_group(lab, names);
}

static void cases(struct lab *lab) {
  static const char *const names[] = {
      "name",     "Name",     "NAME",   "naME",   "é",      "É",
      "name.txt", "name.TXT", "Name/a", "name/A", "name/a", NULL};
  run_group(lab, names);
}

static void signs(struct lab *lab) {
  static const char *const names[] = {
      "100%",  "%41",     "A",   "%2e%2e", "%2F",   "%00",  "a+b", "a b",
      "a%20b", "a?b",     "a?",  "a#b",    "a&b=c", "a;b",  "a:b", "a@b",
      "a,b",   "a$b",     "a!b", "a'b",    "a\"b",  "a(b)", "a*b", "a|b",
      "a<b>c", "a\\b",    "a^b", "a`b",    "a{b}",  "a[b]", "a~b", "a=b",
      "-rf",   ".hidden", "...", "a.",     NULL};
  run_group(lab, names);
}

static void spaces(struct lab *lab) {
  static const char *const names[] = {" ",    "  ",  " a",       "a ",
                                      "a  b", "a b", "\xc2\xa0", NULL};
  run_group(lab, names);
}

static void slashes(struct lab *lab) {
  static const char *const names[] = {"a",    "a/",    "a//", "a/b", "a//b",
                                      "a/b/", "a/b/c", "/",   "//",  "/a",
                                      "/a/b", "a b/c", NULL};
  run_group(lab, names);
}

static void leading_slash(struct lab *lab) {
  struct lab_key plain = lab_key(lab, "lead"), key = plain;
  key.text[0] = '/';
  memcpy(key.text + 1, plain.text, strlen(plain.text) + 1);
  objects_put(lab, key.text, (struct sample){1, 10});
  objects_expect(lab, key.text, (struct sample){1, 10});
  objects_expect_none(lab, plain.text);
  objects_remove(lab, key.text);
  objects_expect_none(lab, key.text);
}

/* A key of so many bytes, made of one letter; parts of 200 where a slash has
 * to be between. */
static struct lab_key long_key(const struct lab *lab, size_t len, char letter,
                               bool parts) {
  struct lab_key key = lab_key(lab, "");
  for (size_t at = strlen(key.text); at < len; at++)
    key.text[at] = parts && at % 200 == 0 && at + 1 < len ? '/' : letter;
  key.text[len] = '\0';
  return key;
}

static void lengths(struct lab *lab) {
  static const size_t sizes[] = {255, 256, 1000, 1023, 1024};
  for (uint32_t i = 0; i < 5; i++)
    for (int parts = 0; parts < 2; parts++) {
      struct lab_key key = long_key(lab, sizes[i], 'k', parts == 1);
      objects_put(lab, key.text, (struct sample){i, 10 + i});
      objects_expect(lab, key.text, (struct sample){i, 10 + i});
    }
  /* Two that differ in their last byte. */
  objects_put(lab, long_key(lab, 1024, 'z', false).text,
              (struct sample){1, 3});
  objects_expect_none(lab, long_key(lab, 1023, 'z', false).text);
  struct pages pages;
  pages_read(lab, &pages, lab_key(lab, "").text, NULL, 3);
  lab_need(lab, pages.count == 11, "list: %zu long keys came instead of 11",
           pages.count);
  pages_free(&pages);
}

#define RULE "All strings are UTF-8 and end in NUL."

const struct check key_checks[] = {
    {"keys: letters that look alike", RULE, unicode, false},
    {"keys: upper and lower case", RULE, cases, false},
    {"keys: signs", RULE, signs, false},
    {"keys: spaces", RULE, spaces, false},
    {"keys: slashes, and a beside a/b", RULE, slashes, false},
    {"keys: a slash in front", RULE, leading_slash, false},
    {"keys: of up to 1024 bytes", RULE, lengths, false},
    {NULL, NULL, NULL, false}};
