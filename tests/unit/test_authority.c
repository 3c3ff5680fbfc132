/* SPDX-License-Identifier: MIT
 *
 * Hosts and ports: what a URL may begin with, and which patterns hold them.
 */
#include "authority.h"
#include "unit.h"

#include <string.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

static void test_hosts_are_valid(void) {
  static const char *const rows[] = {"a",
                                     "files.example",
                                     "files.example:8443",
                                     "a_b-c.d~",
                                     "[::1]",
                                     "[::1]:80",
                                     "192.0.2.1:65535",
                                     "a:",
                                     "a:0",
                                     "[::ffff:192.0.2.1]:1"};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    ROW(rows[i], authority_valid(rows[i]));
}

static void test_what_is_no_host_is_not_valid(void) {
  static const char *const rows[] = {
      "",    ":80",       "a:65536", "a:123456",  "a:8x",    "a b",
      "a/b", "a@b",       "[::1",    "[]",        "[::1]x",  "::1",
      "a,b", "a\xC3\xA9", "a%20b",   "https://a", "a:80:80", "a?b"};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    ROW(rows[i], !authority_valid(rows[i]));
}

static void test_1024_bytes_are_valid_and_1025_are_not(void) {
  char text[AUTHORITY_MAX + 2];
  memset(text, 'a', sizeof text - 1);
  text[AUTHORITY_MAX] = '\0';
  CU_ASSERT(authority_valid(text));
  text[AUTHORITY_MAX] = 'a';
  text[AUTHORITY_MAX + 1] = '\0';
  CU_ASSERT(!authority_valid(text));
}

static void test_patterns_hold_their_hosts(void) {
  static const struct {
    const char *authority, *pattern;
    bool holds;
  } rows[] = {
      {"files.example", "files.example", true},
      {"FILES.example", "files.Example", true},
      {"files.example:80", "files.example", false},
      {"files.example.evil", "files.example", false},
      {"xfiles.example", "files.example", false},
      {"files.example:8443", "files.example:8443", true},
      {"files.example", "files.example:8443", false},
      {"files.example:84", "files.example:8443", false},
      {"files.example:84430", "files.example:8443", false},
      {"files.example", "files.example:*", true},
      {"files.example:1", "files.example:*", true},
      {"files.example.evil:1", "files.example:*", false},
      {"[::1]:9", "[::1]:*", true},
      {"[::1]", "[::1]", true},
      {"", "files.example", false},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    ROW(rows[i].authority,
        authority_matches(rows[i].authority, rows[i].pattern) ==
            rows[i].holds);
}

static void test_patterns_are_checked(void) {
  static const struct {
    const char *pattern;
    bool good;
  } rows[] = {
      {"files.example", true},
      {"files.example:8443", true},
      {"files.example:*", true},
      {"[::1]:*", true},
      {"", false},
      {":*", false},
      {"*", false},
      {"*.example", false},
      {"files.example:", false},
      {"files.example:1:*", false},
      {"https://files.example", false},
      {"files.example/", false},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    ROW(rows[i].pattern,
        (authority_pattern_fault(rows[i].pattern) == NULL) == rows[i].good);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_hosts_are_valid),
      UNIT(test_what_is_no_host_is_not_valid),
      UNIT(test_1024_bytes_are_valid_and_1025_are_not),
      UNIT(test_patterns_hold_their_hosts),
      UNIT(test_patterns_are_checked),
      {NULL, NULL}};
  return unit_main("authority", tests);
}
