/* SPDX-License-Identifier: MIT
 *
 * Request heads: what is understood, the limits, and where they end.
 */
#include "buf.h"
#include "headstatus.h"
#include "unit.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GET "GET / HTTP/1.1\r\n"
#define GET_0 "GET / HTTP/1.0\r\n"
#define HOST "Host: h\r\n"

static struct head parse(const char *text) {
  struct head h;
  struct head_refusal why;
  if (!headstatus_parse(&h, text, strlen(text), &why))
    printf("%s refused: %s\n", text, why.what);
  CU_ASSERT_PTR_NOT_NULL_FATAL(h.text);
  return h;
}

static bool same(const char *a, const char *b) {
  return a && b ? !strcmp(a, b) : a == b;
}

/* ---- understood --------------------------------------------------------- */

static void test_a_whole_head_is_understood(void) {
  struct head h = parse("POST /a/b%20c?d=e?f HTTP/1.1\r\nHost: h:80\r\n"
                        "content-LENGTH:  12 \t\r\nX-A:\r\nx-b: \xc3\xa9 \t f"
                        "\r\nExpect: 100-Continue\r\n\r\n");
  CU_ASSERT_STRING_EQUAL(h.method, "POST");
  CU_ASSERT_STRING_EQUAL(h.path, "/a/b%20c");
  CU_ASSERT_STRING_EQUAL(h.query, "d=e?f");
  CU_ASSERT_STRING_EQUAL(h.host, "h:80");
  CU_ASSERT_EQUAL(h.minor, 1);
  CU_ASSERT_EQUAL(h.count, 5);
  CU_ASSERT_EQUAL(h.length, 12);
  CU_ASSERT(h.keep_alive && h.expect_continue && !h.chunked);
  CU_ASSERT_STRING_EQUAL(h.fields[1].name, "content-LENGTH");
  CU_ASSERT_STRING_EQUAL(h.fields[1].value, "12");
  CU_ASSERT_STRING_EQUAL(head_get(&h, "x-a"), "");
  CU_ASSERT_STRING_EQUAL(head_get(&h, "X-B"), "\xc3\xa9 \t f");
  CU_ASSERT_PTR_NULL(head_get(&h, "X"));
  head_fini(&h);
}

static void test_lines_of_a_list_are_joined(void) {
  struct head h = parse("GET / HTTP/1.1\r\nHost: h\r\nA: 1\r\nB: x\r\n"
                        "a: 2, 3\r\nA:\r\nA: 4\r\n\r\n");
  struct buf joined;
  buf_init(&joined, 12);
  buf_adds(&joined, "old");
  CU_ASSERT_STRING_EQUAL(head_list(&h, "a", &joined), "1, 2, 3, , 4");
  CU_ASSERT_STRING_EQUAL(head_list(&h, "b", &joined), "x");
  CU_ASSERT_PTR_NULL(head_list(&h, "c", &joined));
  buf_fini(&joined);
  head_fini(&h);
}

static void test_the_shortest_head_is_understood(void) {
  struct head h = parse(GET_0 "\r\n");
  CU_ASSERT_STRING_EQUAL(h.path, "/");
  CU_ASSERT(!h.query && !h.host && !h.count && !h.minor);
  CU_ASSERT_EQUAL(h.length, -1);
  CU_ASSERT(!h.keep_alive && !h.expect_continue && !h.chunked);
  head_fini(&h);
}

static void test_targets_are_understood(void) {
  static const struct {
    const char *method, *target, *path, *query, *host;
  } rows[] = {
      {"GET", "/", "/", NULL, "h"},
      {"GET", "/?", "/", "", "h"},
      {"GET", "//a/../b;c", "//a/../b;c", NULL, "h"},
      {"GET", "/\"<>\\^`{|}~", "/\"<>\\^`{|}~", NULL, "h"},
      {"FROBNICATE", "/", "/", NULL, "h"},
      {"!#$%&'*+-.^_`|~0", "/", "/", NULL, "h"},
      {"OPTIONS", "*", "*", NULL, "h"},
      {"OPTIONS", "/a", "/a", NULL, "h"},
      {"GET", "http://o/a/b?c", "/a/b", "c", "o"},
      {"GET", "HTTP://o.example:81/a", "/a", NULL, "o.example:81"},
      {"GET", "https://o/a?http://x/", "/a", "http://x/", "o"},
      {"GET", "http://o", "/", NULL, "o"},
      {"GET", "http://o?", "/", "", "o"},
      {"GET", "https://o.example?a/b", "/", "a/b", "o.example"},
      {"GET", "http://[::1]:80", "/", NULL, "[::1]:80"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char text[256];
    snprintf(text, sizeof text, "%s %s HTTP/1.1\r\n" HOST "\r\n",
             rows[i].method, rows[i].target);
    struct head h = parse(text);
    bool ok = same(h.method, rows[i].method) && same(h.path, rows[i].path) &&
              same(h.query, rows[i].query) && same(h.host, rows[i].host);
    CU_assertImplementation(ok, __LINE__, rows[i].target, __FILE__, "",
                            CU_FALSE);
    head_fini(&h);
  }
}

static void test_connection_says_whether_it_is_kept(void) {
  static const struct {
    const char *in;
    bool want;
  } rows[] = {
      {GET HOST, true},
      {GET_0, false},
      {GET HOST "Connection: close\r\n", false},
      {GET HOST "Connection: Close\r\n", false},
      {GET HOST "Connection: keep-alive\r\n", true},
      {GET HOST "Connection: x, ,close ,\r\n", false},
      {GET HOST "Connection: close, keep-alive\r\n", false},
      {GET HOST "Connection: keep-alive\r\nConnection: close\r\n", false},
      {GET HOST "Connection: closed, x close\r\n", true},
      {GET_0 "Connection: Keep-Alive\r\n", true},
      {GET_0 "Connection: close, keep-alive\r\n", false},
      {GET_0 "Connection: upgrade\r\n", false},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char text[256];
    snprintf(text, sizeof text, "%s\r\n", rows[i].in);
    struct head h = parse(text);
    CU_assertImplementation(h.keep_alive == rows[i].want, __LINE__, rows[i].in,
                            __FILE__, "", CU_FALSE);
    head_fini(&h);
  }
}

static void test_length_of_18_digits_is_told(void) {
  struct head h = parse(GET HOST "Content-Length: 999999999999999999\r\n\r\n");
  CU_ASSERT_EQUAL(h.length, 999999999999999999);
  head_fini(&h);
}

static void test_chunked_is_told(void) {
  struct head h = parse(GET HOST "Transfer-Encoding: CHUNKED \r\n\r\n");
  CU_ASSERT(h.chunked);
  CU_ASSERT_EQUAL(h.length, -1);
  head_fini(&h);
}

static void test_expect_is_ignored_in_1_0(void) {
  struct head h = parse(GET_0 "Expect: 100-continue\r\n\r\n");
  CU_ASSERT(!h.expect_continue);
  head_fini(&h);
  CU_ASSERT_EQUAL(headstatus(GET_0 "Expect: x\r\n\r\n"), 0);
}

/* ---- limits ------------------------------------------------------------- */

static void test_100_fields_pass_and_101_are_431(void) {
  struct buf text;
  buf_init(&text, 65536);
  buf_adds(&text, GET HOST);
  for (int i = 1; i < HEAD_FIELDS_MAX; i++)
    buf_adds(&text, "X: y\r\n");
  buf_adds(&text, "\r\n");
  struct head h = parse(text.data);
  CU_ASSERT_EQUAL(h.count, 100);
  head_fini(&h);
  text.len -= 2;
  buf_adds(&text, "X: y\r\n\r\n");
  CU_ASSERT_EQUAL(headstatus(text.data), 431);
  buf_fini(&text);
}

static void test_target_of_16_kib_passes_and_one_byte_more_is_414(void) {
  static char text[HEAD_TARGET_MAX + 100];
  for (int more = 0; more < 2; more++) {
    snprintf(text, sizeof text, "GET /%0*d HTTP/1.1\r\n" HOST "\r\n",
             HEAD_TARGET_MAX - 1 + more, 0);
    CU_ASSERT_EQUAL(headstatus(text), more ? 414 : 0);
  }
}

static void test_method_of_16_letters_passes_and_17_are_501(void) {
  CU_ASSERT_EQUAL(headstatus("ABCDEFGHIJKLMNOP / HTTP/1.0\r\n\r\n"), 0);
  CU_ASSERT_EQUAL(headstatus("ABCDEFGHIJKLMNOPQ / HTTP/1.0\r\n\r\n"), 501);
}

/* ---- where it ends ------------------------------------------------------ */

static void test_end_is_found_however_it_arrives(void) {
  static const char text[] = "a\r\n\r\r\n\n\r\n\rb\r\n\r\nc\r\n\r\n";
  const size_t want = 15;
  for (size_t first = 0; first < sizeof text - 1; first++) {
    size_t from = 0, end = head_end(text, first, &from);
    for (size_t len = first + 1; !end && len < sizeof text; len++)
      end = head_end(text, len, &from);
    CU_ASSERT_EQUAL(end, want);
  }
}

static void test_no_end_is_zero_and_is_not_searched_again(void) {
  size_t from = 0;
  CU_ASSERT_EQUAL(head_end("", 0, &from), 0);
  CU_ASSERT_EQUAL(head_end("a\r\n\r", 4, &from), 0);
  CU_ASSERT_EQUAL(from, 1);
  CU_ASSERT_EQUAL(head_end("a\r\n\r\n", 5, &from), 5);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_a_whole_head_is_understood),
      UNIT(test_lines_of_a_list_are_joined),
      UNIT(test_the_shortest_head_is_understood),
      UNIT(test_targets_are_understood),
      UNIT(test_connection_says_whether_it_is_kept),
      UNIT(test_length_of_18_digits_is_told),
      UNIT(test_chunked_is_told),
      UNIT(test_expect_is_ignored_in_1_0),
      UNIT(test_100_fields_pass_and_101_are_431),
      UNIT(test_target_of_16_kib_passes_and_one_byte_more_is_414),
      UNIT(test_method_of_16_letters_passes_and_17_are_501),
      UNIT(test_end_is_found_however_it_arrives),
      UNIT(test_no_end_is_zero_and_is_not_searched_again),
      {NULL, NULL}};
  return unit_main("head", tests);
}
