/* SPDX-License-Identifier: MIT
 *
 * Request heads that are refused, with which status, and what is just not
 * refused beside them.
 */
#include "headstatus.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

#define GET "GET / HTTP/1.1\r\n"
#define GET_0 "GET / HTTP/1.0\r\n"
#define HOST "Host: h\r\n"

/* Lines of a row's request after the request line, without the last CRLF. */
struct row {
  const char *in;
  int want;
};

static void check(const char *before, const struct row *rows) {
  char text[2048];
  for (; rows->in; rows++) {
    snprintf(text, sizeof text, "%s%s\r\n", before, rows->in);
    int got = headstatus(text);
    if (got != rows->want)
      printf("%s: expected %d, came %d\n", text, rows->want, got);
    CU_assertImplementation(got == rows->want, __LINE__, rows->in, __FILE__,
                            "", CU_FALSE);
  }
}

static void test_bad_request_lines_are_refused(void) {
  static const struct row rows[] = {
      {"GET / HTTP/1.2", 505},
      {"GET / HTTP/2.0", 505},
      {"GET / HTTP/0.9", 505},
      {"GET / HTTP/9.9", 505},
      {"GET / HTTP/1.11", 400},
      {"GET / HTTP/11.1", 400},
      {"GET / HTTP/1.x", 400},
      {"GET / HTTP/1.", 400},
      {"GET / HTTP/1", 400},
      {"GET / HTTP", 400},
      {"GET / http/1.1", 400},
      {"GET / ICAP/1.0", 400},
      {"GET / HTTP/1.1 ", 400},
      {"GET / HTTP/1.1\rX: y", 400},
      {"GET / HTTP/1.1\nX: y", 400},
      {"GET / x HTTP/1.1", 400},
      {"GET /", 400},
      {"GET / ", 400},
      {"GET", 400},
      {"GET ", 400},
      {"GET HTTP/1.1", 400},
      {"GET  / HTTP/1.1", 400},
      {"GET /  HTTP/1.1", 400},
      {"GET\t/ HTTP/1.1", 400},
      {" GET / HTTP/1.1", 400},
      {"G(T / HTTP/1.1", 400},
      {"G\xc3\xa9T / HTTP/1.1", 400},
      {"", 400},
      {"\r\nGET / HTTP/1.1", 400},
      {"GET a HTTP/1.1", 400},
      {"GET * HTTP/1.1", 400},
      {"OPTIONS ** HTTP/1.1", 400},
      {"OPTIONS *?a HTTP/1.1", 0}, /* the router knows no such path */
      {"CONNECT h:443 HTTP/1.1", 400},
      {"GET /#a HTTP/1.1", 400},
      {"GET /\x01 HTTP/1.1", 400},
      {"GET /\t HTTP/1.1", 400},
      {"GET /\x7f HTTP/1.1", 400},
      {"GET /\xc3\xa9 HTTP/1.1", 400},
      {"GET ftp://o/ HTTP/1.1", 400},
      {"GET http:/o HTTP/1.1", 400},
      {"GET http:// HTTP/1.1", 400},
      {"GET http:///a HTTP/1.1", 400},
      {"GET http://?a HTTP/1.1", 400},
      {"GET http://u@o/a HTTP/1.1", 400},
      {"GET http://o:x/a HTTP/1.1", 400},
      {NULL, 0}};
  char after[] = "\r\n" HOST;
  for (const struct row *row = rows; row->in; row++) {
    char text[256];
    snprintf(text, sizeof text, "%s%s\r\n", row->in, after);
    CU_assertImplementation(headstatus(text) == row->want, __LINE__, row->in,
                            __FILE__, "", CU_FALSE);
  }
}

static void test_ambiguous_fields_are_refused(void) {
  static const struct row rows[] = {{"X-A : b\r\n", 400},
                                    {"X-A\t: b\r\n", 400},
                                    {"X-A: b\r\n c\r\n", 400},
                                    {"X-A: b\r\n\tc: d\r\n", 400},
                                    {" X-A: b\r\n", 400},
                                    {"X-A: b\rc\r\n", 400},
                                    {"X-A: b\nc: d\r\n", 400},
                                    {"X-A: b\r\r\n", 400},
                                    {"X-A: \x01\r\n", 400},
                                    {"X-A: \x7f\r\n", 400},
                                    {"X-A\r\n", 400},
                                    {": b\r\n", 400},
                                    {"X A: b\r\n", 400},
                                    {"X(A): b\r\n", 400},
                                    {"X\xc3\xa9: b\r\n", 400},
                                    {"\nX: y\r\n", 400},
                                    {"X-A: \t b\xff \t\r\n", 0},
                                    {NULL, 0}};
  check(GET HOST, rows);
}

static void test_nul_is_refused(void) {
  static const char in_name[] = GET HOST "A\0B: c\r\n\r\n";
  static const char in_value[] = GET HOST "A: b\0c\r\n\r\n";
  static const char in_target[] = "GET /\0 HTTP/1.1\r\n" HOST "\r\n";
  static const char in_host[] = GET "Host: a\0b\r\n\r\n";
  CU_ASSERT_EQUAL(headstatus_bytes(in_name, sizeof in_name - 1), 400);
  CU_ASSERT_EQUAL(headstatus_bytes(in_value, sizeof in_value - 1), 400);
  CU_ASSERT_EQUAL(headstatus_bytes(in_target, sizeof in_target - 1), 400);
  CU_ASSERT_EQUAL(headstatus_bytes(in_host, sizeof in_host - 1), 400);
}

static void test_names_are_tokens(void) {
  static const char more[] = "!#$%&'*+-.^_`|~";
  for (int c = 1; c < 256; c++) {
    char text[64];
    bool token = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                 (c >= 'A' && c <= 'Z') || strchr(more, c);
    snprintf(text, sizeof text, GET HOST "x%cx: y\r\n\r\n", c);
    if (c != ':')
      CU_ASSERT_EQUAL(headstatus(text), token ? 0 : 400);
  }
}

static void test_second_ones_are_refused(void) {
  static const struct row rows[] = {
      {"Host: h\r\n", 400},
      {"Content-Length: 5\r\nContent-Length: 5\r\n", 400},
      {"Content-Type: a\r\ncontent-type: b\r\n", 400},
      {"Authorization: a\r\nAuthorization: b\r\n", 400},
      {"Range: a\r\nRange: b\r\n", 400},
      {"Expect: 100-continue\r\nExpect: 100-continue\r\n", 400},
      {"X-User-Id: a\r\nX-User-Id: a\r\n", 400},
      {"X-Api-Key: a\r\nx-api-key: b\r\n", 400},
      {"X-Request-Id: a\r\nX-REQUEST-ID: b\r\n", 400},
      {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400},
      {"Accept: a\r\nAccept: b\r\n", 0},
      {NULL, 0}};
  check(GET HOST, rows);
}

static void test_lengths_are_strict(void) {
  static const struct row rows[] = {
      {"Content-Length: 0\r\n", 0},
      {"Content-Length: 0025\r\n", 0},
      {"Content-Length: 999999999999999999\r\n", 0},
      {"Content-Length: 1000000000000000000\r\n", 413},
      {"Content-Length: 18446744073709551621\r\n", 413},
      {"Content-Length: 9999999999999999999999999999999999999999\r\n", 413},
      {"Content-Length: 999999999999999999999999999999999999999x\r\n", 400},
      {"Content-Length:\r\n", 400},
      {"Content-Length: +5\r\n", 400},
      {"Content-Length: -5\r\n", 400},
      {"Content-Length: 5 5\r\n", 400},
      {"Content-Length: 5, 5\r\n", 400},
      {"Content-Length: 0x5\r\n", 400},
      {"Content-Length: 5.0\r\n", 400},
      {"Content-Length: five\r\n", 400},
      {"Content-Length: 5a\r\n", 400},
      {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", 400},
      {"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", 400},
      {NULL, 0}};
  check(GET HOST, rows);
}

static void test_codings_but_chunked_are_refused(void) {
  static const struct row rows[] = {
      {"Transfer-Encoding: gzip\r\n", 501},
      {"Transfer-Encoding: gzip, chunked\r\n", 501},
      {"Transfer-Encoding: chunked, gzip\r\n", 501},
      {"Transfer-Encoding: identity\r\n", 501},
      {"Transfer-Encoding: xchunked\r\n", 501},
      {"Transfer-Encoding: chunkedx\r\n", 501},
      {"Transfer-Encoding: chunked, chunked\r\n", 400},
      {"Transfer-Encoding: \"chunked\"\r\n", 400},
      {"Transfer-Encoding: \x0b"
       "chunked\r\n",
       400},
      {"Transfer-Encoding:\r\n", 400},
      {"Transfer-Encoding: , chunked\r\n", 400},
      {"Transfer-Encoding: chunked,\r\n", 400},
      {"Transfer-Encoding: chunked;a=b\r\n", 400},
      {"Transfer-Encoding: chunked x\r\n", 400},
      {"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n", 501},
      {NULL, 0}};
  check(GET HOST, rows);
  CU_ASSERT_EQUAL(headstatus(GET_0 "Transfer-Encoding: chunked\r\n\r\n"), 400);
}

static void test_host_is_one_valid_name(void) {
  static const struct row rows[] = {{"", 400},
                                    {"Host:\r\n", 400},
                                    {"Host: a b\r\n", 400},
                                    {"Host: a/b\r\n", 400},
                                    {"Host: a@b\r\n", 400},
                                    {"Host: a,b\r\n", 400},
                                    {"Host: a%20b\r\n", 400},
                                    {"Host: \xc3\xa9\r\n", 400},
                                    {"Host: \"a\"\r\n", 400},
                                    {"Host: :80\r\n", 400},
                                    {"Host: a:b\r\n", 400},
                                    {"Host: a:80:80\r\n", 400},
                                    {"Host: a:65536\r\n", 400},
                                    {"Host: a:000080\r\n", 400},
                                    {"Host: []\r\n", 400},
                                    {"Host: [::1\r\n", 400},
                                    {"Host: [::1]x\r\n", 400},
                                    {"Host: [g]\r\n", 400},
                                    {"Host: a:65535\r\n", 0},
                                    {"Host: a:\r\n", 0},
                                    {"Host: my_host-1.Example.\r\n", 0},
                                    {"Host: 127.0.0.1:8000\r\n", 0},
                                    {"Host: [2001:db8::1]:8000\r\n", 0},
                                    {NULL, 0}};
  check(GET, rows);
  CU_ASSERT_EQUAL(headstatus(GET_0 "Host: a b\r\n\r\n"), 400);
  CU_ASSERT_EQUAL(headstatus("GET http://o/ HTTP/1.1\r\n\r\n"), 400);
  CU_ASSERT_EQUAL(headstatus("GET http://o/ HTTP/1.1\r\nHost: a b\r\n\r\n"),
                  400);
}

static void test_expectations_but_100_continue_are_417(void) {
  static const struct row rows[] = {{"Expect: 100-continue\r\n", 0},
                                    {"Expect: 100-continue, x\r\n", 417},
                                    {"Expect: x\r\n", 417},
                                    {"Expect:\r\n", 417},
                                    {NULL, 0}};
  check(GET HOST, rows);
}

static void test_head_that_ends_early_is_refused(void) {
  CU_ASSERT_EQUAL(headstatus("\r\n\r\n"), 400);
  CU_ASSERT_EQUAL(headstatus(GET HOST "\r\n" GET HOST "\r\n"), 400);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_bad_request_lines_are_refused),
      UNIT(test_ambiguous_fields_are_refused),
      UNIT(test_nul_is_refused),
      UNIT(test_names_are_tokens),
      UNIT(test_second_ones_are_refused),
      UNIT(test_lengths_are_strict),
      UNIT(test_codings_but_chunked_are_refused),
      UNIT(test_host_is_one_valid_name),
      UNIT(test_expectations_but_100_continue_are_417),
      UNIT(test_head_that_ends_early_is_refused),
      {NULL, NULL}};
  return unit_main("headrefusal", tests);
}
