/* SPDX-License-Identifier: MIT
 *
 * Lua's patterns: the table has what Lua 5.4 itself answers, and a pattern
 * that would take for ever ends with its steps.
 */
#include "luapattern.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

static struct luapattern about(const char *text, const char *pattern,
                               size_t steps) {
  return (struct luapattern){.text = text,
                             .text_end = text + strlen(text),
                             .pattern = pattern,
                             .pattern_end = pattern + strlen(pattern),
                             .left = steps};
}

/* "MATCH|CAPTURE|...", a position as its number; "-": none. */
static void told(const char *text, const char *pattern, char *out,
                 size_t size) {
  struct luapattern match = about(text, pattern, 100000);
  const char *to = luapattern_match(&match, text);
  if (to == NULL) {
    snprintf(out, size, "%s", match.fault == NULL ? "-" : match.fault);
    return;
  }
  size_t len = (size_t)snprintf(out, size, "%.*s", (int)(to - text), text);
  for (size_t i = 0; i < match.captures; i++) {
    const struct luapattern_capture *capture = &match.capture[i];
    if (capture->length == LUAPATTERN_POSITION)
      len += (size_t)snprintf(out + len, size - len, "|%d",
                              (int)(capture->at - text) + 1);
    else
      len += (size_t)snprintf(out + len, size - len, "|%.*s",
                              (int)capture->length, capture->at);
  }
}

static void test_matches_are_those_of_lua(void) {
  static const struct {
    const char *text, *pattern, *told;
  } rows[] = {
      {"abc", "abc", "abc"},
      {"abc", "abd", "-"},
      {"abc", "", ""},
      {"", "", ""},
      {"", ".", "-"},
      {"abc", "a$", "-"},
      {"abc", "abc$", "abc"},
      {"a$c", "a$c", "a$c"},
      {"aaab", "a*", "aaa"},
      {"aaab", "a-b", "aaab"},
      {"aaab", "a-", ""},
      {"aaab", "a+b", "aaab"},
      {"b", "a+", "-"},
      {"b", "a?b", "b"},
      {"ab", "a?b", "ab"},
      {"aab", "a?b", "-"},
      {"a.exe", "(.*)%.(%w+)$", "a.exe|a|exe"},
      {"a-b_c", "[%w_-]+", "a-b_c"},
      {"x]y", "[]x]+", "x]"},
      {"x^y", "[x^]+", "x^"},
      {"xyz", "[^z]*", "xy"},
      {"m", "[a-z]", "m"},
      {"-", "[a-]", "-"},
      {"-", "[%a-z]", "-"},
      {"1aF", "%x+", "1aF"},
      {"ab12", "%D+", "ab"},
      {"%d", "%%d", "%d"},
      {"(a(b)c)d", "%b()", "(a(b)c)"},
      {"(a(b", "%b()", "-"},
      {"THE (quick) fox", "%f[%a]%a+", "THE"},
      {"abc", "()a()", "a|1|2"},
      {"abab", "(ab)%1", "abab|ab"},
      {"abac", "(ab)%1", "-"},
      {"abc", "((a)(b))", "ab|ab|a|b"},
      {"2026-11-30", "(%d+)-(%d+)-(%d+)", "2026-11-30|2026|11|30"},
      {"key = value", "(%w+)%s*=%s*(%w+)", "key = value|key|value"},
      {"a\xc3\xa9", "a..", "a\xc3\xa9"},
      {"abc", "%", "the pattern ends with '%'"},
      {"abc", "[a", "the pattern lacks a ']'"},
      {"abc", "[%", "the pattern lacks a ']'"},
      {"abc", "[]", "the pattern lacks a ']'"},
      {"abc", "(a", "the pattern has a '(' too many"},
      {"abc", "a)", "the pattern has a ')' too many"},
      {"abc", "%1", "the pattern refers to a capture that isn't there"},
      {"abc", "(%1)", "the pattern refers to a capture that isn't there"},
      {"abc", "%b(", "the pattern lacks characters behind '%b'"},
      {"abc", "%fa", "the pattern lacks a '[' behind '%f'"},
  };
  char out[256];
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    told(rows[i].text, rows[i].pattern, out, sizeof out);
    ROW(rows[i].pattern, strcmp(out, rows[i].told) == 0);
  }
}

static void test_position_behind_the_last_match_is_found(void) {
  struct luapattern match = about("THE fox", "%f[%A]", 1000);
  CU_ASSERT_PTR_EQUAL(luapattern_match(&match, match.text + 3),
                      match.text + 3);
  CU_ASSERT_PTR_EQUAL(luapattern_match(&match, match.text_end),
                      match.text_end);
}

static void test_pattern_without_end_is_spent(void) {
  char text[1001];
  memset(text, 'a', sizeof text - 1);
  text[sizeof text - 1] = '\0';
  struct luapattern match = about(text, ".-.-.-.-.-.-.-b", 100000);
  CU_ASSERT_PTR_NULL(luapattern_match(&match, text));
  CU_ASSERT(match.spent && match.fault == NULL && match.left == 0);
}

static size_t steps_of(const char *text, const char *pattern) {
  struct luapattern match = about(text, pattern, 1000);
  luapattern_match(&match, text);
  return 1000 - match.left;
}

static void test_what_fails_late_takes_its_steps(void) {
  size_t none = steps_of("abcdefghijabcdefghix", "(abcdefghij)%2");
  CU_ASSERT_EQUAL(steps_of("abcdefghijabcdefghix", "(abcdefghij)%1"),
                  none + 10);
  CU_ASSERT_EQUAL(steps_of("abcdefghij", "(abcdefghij)%1"), none);
  CU_ASSERT_EQUAL(steps_of("b", "%f[0123456789]"),
                  steps_of("b", "%f[0]") + 27);
  CU_ASSERT_EQUAL(steps_of("", "[0123456789]"), steps_of("", "[0]") + 9);
}

static void test_steps_are_exact(void) {
  struct luapattern match = about("aaaa", "a*$", 1000);
  CU_ASSERT_PTR_NOT_NULL(luapattern_match(&match, match.text));
  size_t took = 1000 - match.left;
  match.left = took;
  CU_ASSERT_PTR_NOT_NULL(luapattern_match(&match, match.text));
  match.left = took - 1;
  CU_ASSERT_PTR_NULL(luapattern_match(&match, match.text));
  CU_ASSERT(match.spent);
}

/* `count` times an item that recurses. */
static bool may_have(const char *item, size_t count, const char **fault) {
  size_t len = strlen(item);
  char *pattern = malloc(count * len + 1);
  CU_ASSERT_PTR_NOT_NULL_FATAL(pattern);
  for (size_t i = 0; i < count; i++)
    memcpy(pattern + i * len, item, len);
  pattern[count * len] = '\0';
  struct luapattern match = about("", pattern, 1000000);
  bool found = luapattern_match(&match, match.text) != NULL;
  *fault = match.fault;
  free(pattern);
  return found;
}

static void test_captures_and_depth_have_their_limits(void) {
  const char *fault;
  CU_ASSERT(may_have("()", LUAPATTERN_CAPTURES_MAX, &fault));
  CU_ASSERT(!may_have("()", LUAPATTERN_CAPTURES_MAX + 1, &fault));
  CU_ASSERT_STRING_EQUAL(fault, "the pattern has too many captures");
  CU_ASSERT(may_have("a*", LUAPATTERN_DEPTH_MAX - 1, &fault));
  CU_ASSERT(!may_have("a*", LUAPATTERN_DEPTH_MAX, &fault));
  CU_ASSERT_STRING_EQUAL(fault, "the pattern is too complex");
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_matches_are_those_of_lua),
      UNIT(test_position_behind_the_last_match_is_found),
      UNIT(test_pattern_without_end_is_spent),
      UNIT(test_what_fails_late_takes_its_steps),
      UNIT(test_steps_are_exact),
      UNIT(test_captures_and_depth_have_their_limits),
      {NULL, NULL}};
  return unit_main("luapattern", tests);
}
