/* SPDX-License-Identifier: MIT
 *
 * Idempotency-Key: what is one, and that quotes don't matter.
 */
#include "idempotencykey.h"
#include "unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

static void test_quotes_do_not_matter(void) {
  static const struct {
    const char *text, *key; /* NULL: it is refused */
  } rows[] = {{"k", "k"},
              {"\"k\"", "k"},
              {"\"k\";a=b", "k"},
              {"k;a=b", "k;a=b"},
              {"a, b", "a, b"},
              {"\"a \\\"b\\\\\"", "a \"b\\"},
              {"a\"b\\", "a\"b\\"},
              {"8e03978e-40d5-43e8-bc93-6894a57f9324",
               "8e03978e-40d5-43e8-bc93-6894a57f9324"},
              {"../x", "../x"},
              {"", NULL},
              {"\"\"", NULL},
              {"\"k", NULL},
              {"\"k\" x", NULL},
              {"\"k\", \"l\"", NULL},
              {"\"k\\x\"", NULL},
              {"\"k\tx\"", NULL},
              {"k\tx", NULL},
              {"k\xc3\xa9", NULL},
              {"\"k\xc3\xa9\"", NULL},
              {"k\x7f", NULL}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char key[IDEMPOTENCYKEY_MAX + 1] = "";
    bool good = idempotencykey_read(key, rows[i].text) == NULL;
    ROW(rows[i].text, good == (rows[i].key != NULL));
    if (good)
      ROW(rows[i].text, strcmp(key, rows[i].key) == 0);
  }
}

static void test_255_characters_pass_and_256_do_not(void) {
  static const char *const forms[] = {"%s", "\"%s\"", "\"%s\";a"};
  char letters[257], text[300], key[IDEMPOTENCYKEY_MAX + 1];
  memset(letters, 'x', sizeof letters);
  letters[256] = '\0';
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
    letters[255] = '\0';
    snprintf(text, sizeof text, forms[i], letters);
    ROW(forms[i], idempotencykey_read(key, text) == NULL);
    letters[255] = 'x';
    snprintf(text, sizeof text, forms[i], letters);
    ROW(forms[i], idempotencykey_read(key, text) != NULL);
  }
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_quotes_do_not_matter),
      UNIT(test_255_characters_pass_and_256_do_not),
      {NULL, NULL}};
  return unit_main("idempotencykey", tests);
}
