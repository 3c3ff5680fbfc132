/* SPDX-License-Identifier: MIT
 *
 * The headers of an answer, by what a hook may do with them.
 */
#include "answerheader.h"
#include "unit.h"

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

static void test_names_have_their_kind_in_any_case(void) {
  static const struct {
    const char *name;
    enum answerheader kind;
  } rows[] = {{"Content-Length", ANSWERHEADER_GATEWAYS},
              {"content-LENGTH", ANSWERHEADER_GATEWAYS},
              {"X-Request-Id", ANSWERHEADER_GATEWAYS},
              {"Content-Range", ANSWERHEADER_GATEWAYS},
              {"Retry-After", ANSWERHEADER_REPLACES},
              {"vary", ANSWERHEADER_LIST},
              {"Set-Cookie", ANSWERHEADER_LIST},
              {"ETag", ANSWERHEADER_ONCE},
              {"X-Mine", ANSWERHEADER_ONCE},
              {"Content-Lengt", ANSWERHEADER_ONCE},
              {"Content-Lengths", ANSWERHEADER_ONCE},
              {"", ANSWERHEADER_ONCE}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    ROW(rows[i].name, answerheader_of(rows[i].name) == rows[i].kind);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_names_have_their_kind_in_any_case), {0}};
  return unit_main("answerheader", tests);
}
