/* SPDX-License-Identifier: MIT
 *
 * Headers that answers have in common.
 */
#include "headerlines.h"

#include <string.h>

#include "unit.h"

#define NOSNIFF "X-Content-Type-Options: nosniff\r\n"
#define REFERRER "Referrer-Policy: no-referrer\r\n"
#define NO_STORE "Cache-Control: no-store\r\n"
#define ORIGIN "Cross-Origin-Resource-Policy: same-origin\r\n"

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

static void test_the_operators_headers_take_the_place_of_policies(void) {
  static const struct {
    const char *name; /* of the operator's, with the value "a" */
    const char *every, *json;
  } rows[] = {
      {NULL, NOSNIFF REFERRER, NO_STORE ORIGIN},
      {"X-Of-Operator", NOSNIFF REFERRER "X-Of-Operator: a\r\n",
       NO_STORE ORIGIN},
      {"referrer-policy", NOSNIFF "referrer-policy: a\r\n", NO_STORE ORIGIN},
      {"Cross-Origin-Resource-Policy",
       NOSNIFF REFERRER "Cross-Origin-Resource-Policy: a\r\n", NO_STORE},
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

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_the_operators_headers_take_the_place_of_policies),
      {NULL, NULL}};
  return unit_main("headerlines", tests);
}
