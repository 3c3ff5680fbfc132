/* SPDX-License-Identifier: MIT
 *
 * Headers that answers have in common.
 */
#include "headerlines.h"

#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <string.h>
#include <sys/queue.h>

#include "unit.h"

#define NOSNIFF "\r\nX-Content-Type-Options: nosniff"
#define REFERRER "\r\nReferrer-Policy: no-referrer"
#define NO_STORE "\r\nCache-Control: no-store"
#define ORIGIN "\r\nCross-Origin-Resource-Policy: same-origin"

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

static void test_the_operators_headers_take_the_place_of_policies(void) {
  static const struct {
    const char *name; /* of the operator's, with the value "a" */
    const char *every, *json;
  } rows[] = {
      {NULL, NOSNIFF REFERRER, NO_STORE ORIGIN},
      {"X-Of-Operator", NOSNIFF REFERRER "\r\nX-Of-Operator: a",
       NO_STORE ORIGIN},
      {"referrer-policy", NOSNIFF "\r\nreferrer-policy: a", NO_STORE ORIGIN},
      {"Cross-Origin-Resource-Policy",
       NOSNIFF REFERRER "\r\nCross-Origin-Resource-Policy: a", NO_STORE},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const struct pair own[] = {{rows[i].name, "a"}, {NULL, NULL}};
    struct settings settings = {.server = {.headers = own}};
    struct headerlines lines;
    CU_ASSERT_TRUE_FATAL(headerlines_init(&lines, &settings));
    ROW(rows[i].every, strcmp(lines.every, rows[i].every) == 0);
    ROW(rows[i].every, strcmp(lines.json, rows[i].json) == 0);
    headerlines_fini(&lines);
  }
}

static void test_each_line_is_found_by_its_name(void) {
  static const struct {
    const char *name;
    bool there;
  } rows[] = {{"X-Request-Id", true},
              {"x-request-id", true},
              {"X-Content-Type-Options", true},
              {"referrer-policy", true},
              {"X-Request", false},
              {"nosniff", false},
              {"Referrer-Policy: no-referrer", false},
              {"Referrer", false},
              {"", false}};
  struct evkeyvalq headers;
  TAILQ_INIT(&headers);
  headerlines_add(&headers, "X-Request-Id", "id", NOSNIFF REFERRER);
  const struct evkeyval *header = TAILQ_FIRST(&headers);
  CU_ASSERT_STRING_EQUAL(header->key, "X-Request-Id");
  CU_ASSERT_STRING_EQUAL(header->value, "id" NOSNIFF REFERRER);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    ROW(rows[i].name, headerlines_has(header, rows[i].name) == rows[i].there);
  evhttp_clear_headers(&headers);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_the_operators_headers_take_the_place_of_policies),
      UNIT(test_each_line_is_found_by_its_name),
      {NULL, NULL}};
  return unit_main("headerlines", tests);
}
