/* SPDX-License-Identifier: MIT
 *
 * The boundary in a Content-Type: what real clients write is taken, and what
 * can't be one is told apart.
 */
#include "boundary.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)
#define FORM "multipart/form-data; boundary="

struct row {
  const char *type, *want; /* the boundary, or a part of what is wrong */
};

static void check_taken(const struct row *rows, size_t count) {
  for (size_t i = 0; i < count; i++) {
    char out[BOUNDARY_MAX + 1] = "";
    ROW(rows[i].type, boundary_read(out, rows[i].type) == NULL);
    ROW(rows[i].type, strcmp(out, rows[i].want) == 0);
  }
}

static void test_letters_that_clients_write_are_taken(void) {
  static const struct row rows[] = {
      {FORM "----WebKitFormBoundaryQ8Zt1f0BzWc7Ykq2",
       "----WebKitFormBoundaryQ8Zt1f0BzWc7Ykq2"},
      {FORM "*****", "*****"},
      {FORM "dio-boundary-&abc", "dio-boundary-&abc"},
      {FORM "===1656457491496===", "===1656457491496==="},
      {FORM "\"===1656457491496===\"", "===1656457491496==="},
      {FORM "\"=_Part(1)/:?@<a>[b]\"", "=_Part(1)/:?@<a>[b]"},
      {FORM "=_Part(1)/:?@<a>[b]", "=_Part(1)/:?@<a>[b]"},
      {FORM "\"a b,c;d\"", "a b,c;d"},
      {FORM "!#$%&'*+-.^_`|~{}", "!#$%&'*+-.^_`|~{}"},
  };
  check_taken(rows, sizeof rows / sizeof *rows);
}

static void test_it_is_found_among_other_parameters(void) {
  static const struct row rows[] = {
      {"Multipart/Form-Data;BOUNDARY=b", "b"},
      {"multipart/form-data ;\t boundary=b \t", "b"},
      {"multipart/form-data; charset=utf-8; boundary=b", "b"},
      {"multipart/form-data; boundary=b; charset=utf-8", "b"},
      {"multipart/form-data; boundary=\"b\" ; charset", "b"},
      {"multipart/form-data; charset; boundary=b;", "b"},
      {"multipart/form-data; x=\"; boundary=c\"; boundary=b", "b"},
      {"multipart/form-data; x=\"\\\"; boundary=c\"; boundary=b", "b"},
      {"multipart/form-data;; boundary=b", "b"},
      {"multipart/form-data; xboundary=c; boundary=b", "b"},
  };
  check_taken(rows, sizeof rows / sizeof *rows);
}

static void test_others_are_told_apart(void) {
  static const struct row rows[] = {
      {"multipart/form-data", "names no boundary"},
      {"multipart/form-data;", "names no boundary"},
      {"multipart/form-data; boundary", "names no boundary"},
      {"multipart/form-data; x=\"boundary=b\"", "names no boundary"},
      {FORM, "is empty"},
      {FORM "\"\"", "is empty"},
      {FORM "\" \"", "ends in a space"},
      {FORM "\"b", "closing quote"},
      {FORM "\"", "closing quote"},
      {FORM "\"a\" b", "closing quote"},
      {FORM "\"a\\\"", "holds a quote"},
      {FORM "\"b \"", "ends in a space"},
      {FORM "a b", "quotes around"},
      {FORM "a,b", "quotes around"},
      {FORM "a\"b", "holds a quote"},
      {FORM "a\\b", "holds a quote"},
      {FORM "\"a\\\"b\"", "holds a quote"},
      {FORM "a\tb", "holds a quote"},
      {FORM "\xc3\xa9", "holds a quote"},
      {FORM "\x7f", "holds a quote"},
      {FORM "a; boundary=a", "two boundaries"},
      {FORM "a; Boundary=\"b\"", "two boundaries"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char out[BOUNDARY_MAX + 1];
    const char *fault = boundary_read(out, rows[i].type);
    ROW(rows[i].type, fault != NULL && strstr(fault, rows[i].want) != NULL);
  }
}

static void test_70_characters_pass_and_71_do_not(void) {
  for (int len = 70; len <= 71; len++)
    for (int quoted = 0; quoted < 2; quoted++) {
      char type[160], out[BOUNDARY_MAX + 1];
      snprintf(type, sizeof type, FORM "%s%0*d%s", quoted ? "\"" : "", len, 7,
               quoted ? "\"" : "");
      const char *fault = boundary_read(out, type);
      ROW(type, len == 70 ? fault == NULL && strlen(out) == 70
                          : fault != NULL && strstr(fault, "longer than 70"));
    }
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_letters_that_clients_write_are_taken),
      UNIT(test_it_is_found_among_other_parameters),
      UNIT(test_others_are_told_apart),
      UNIT(test_70_characters_pass_and_71_do_not),
      {NULL, NULL}};
  return unit_main("boundary", tests);
}
