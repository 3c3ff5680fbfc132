/* SPDX-License-Identifier: MIT
 *
 * Structured fields: what is one, to the letter, and what isn't.
 */
#include "structured.h"
#include "unit.h"

#include <string.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

static void test_items_are_of_one_kind_each(void) {
  static const struct {
    const char *text;
    int kind; /* -1: it is no item */
  } rows[] = {{"0", STRUCTURED_INTEGER},
              {"-999999999999999", STRUCTURED_INTEGER},
              {"1000000000000000", -1},
              {"1.5", STRUCTURED_DECIMAL},
              {"999999999999.123", STRUCTURED_DECIMAL},
              {"1000000000000.0", -1},
              {"1.1234", -1},
              {"1.", -1},
              {".5", -1},
              {"-", -1},
              {"--1", -1},
              {"+1", -1},
              {"1 2", -1},
              {"\"\"", STRUCTURED_STRING},
              {"\"a\\\"b\\\\\"", STRUCTURED_STRING},
              {"\"a", -1},
              {"\"a\\x\"", -1},
              {"\"a\\", -1},
              {"\"a\tb\"", -1},
              {"\"\xc3\xa9\"", -1},
              {"a", STRUCTURED_TOKEN},
              {"*a/b:c", STRUCTURED_TOKEN},
              {"a,b", -1},
              {"::", STRUCTURED_BYTES},
              {":AAAA:", STRUCTURED_BYTES},
              {":AAAA", -1},
              {":A A:", -1},
              {":A-_A:", -1},
              {"?0", STRUCTURED_BOOLEAN},
              {"?2", -1},
              {"?", -1},
              {"@1659578233", STRUCTURED_DATE},
              {"@-1", STRUCTURED_DATE},
              {"@1.5", -1},
              {"@", -1},
              {"%\"a%c3%a9\"", STRUCTURED_DISPLAY},
              {"%\"%C3\"", -1},
              {"%\"%c\"", -1},
              {"%\"a", -1},
              {"%a", -1},
              {"a;b", STRUCTURED_TOKEN},
              {"a;b=1; *c=\"x\";d=:AA==:;e=?0;f=@1", STRUCTURED_TOKEN},
              {"a ;b", -1},
              {"a;", -1},
              {"a;B", -1},
              {"a;b=", -1},
              {"a;b=(1)", -1},
              {" a ", STRUCTURED_TOKEN},
              {"\ta", -1},
              {"(1)", -1},
              {"", -1},
              {NULL, -1}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct structured item;
    bool is = structured_item(&item, rows[i].text);
    ROW(rows[i].text, (is ? (int)item.kind : -1) == rows[i].kind);
  }
}

static void test_members_are_of_whole_dictionaries(void) {
  static const struct {
    const char *text;
    enum structured_found found;
  } rows[] = {{"", STRUCTURED_NONE},
              {"  ", STRUCTURED_NONE},
              {"a=1", STRUCTURED_FOUND},
              {" a=1 ", STRUCTURED_FOUND},
              {"a", STRUCTURED_FOUND},
              {"a;x=1", STRUCTURED_FOUND},
              {"a=(1 \"x\");y", STRUCTURED_FOUND},
              {"a=( b;c  d )", STRUCTURED_FOUND},
              {"a=()", STRUCTURED_FOUND},
              {"b=1,a=2", STRUCTURED_FOUND},
              {"b=1 \t,\t a=2", STRUCTURED_FOUND},
              {"aa=1", STRUCTURED_NONE},
              {"a-b.c_d*=1", STRUCTURED_NONE},
              {"*=1", STRUCTURED_NONE},
              {"A=1", STRUCTURED_BAD},
              {"-a=1", STRUCTURED_BAD},
              {"1=1", STRUCTURED_BAD},
              {"a=1,", STRUCTURED_BAD},
              {"a=1, ", STRUCTURED_BAD},
              {",a=1", STRUCTURED_BAD},
              {"a=1,,b=2", STRUCTURED_BAD},
              {"a=1 b=2", STRUCTURED_BAD},
              {"a= 1", STRUCTURED_BAD},
              {"a =1", STRUCTURED_BAD},
              {"a=", STRUCTURED_BAD},
              {"a=(", STRUCTURED_BAD},
              {"a=(1", STRUCTURED_BAD},
              {"a=(1,2)", STRUCTURED_BAD},
              {"a=((1))", STRUCTURED_BAD},
              {"a=1, b=:?:", STRUCTURED_BAD},
              {"a=\"x", STRUCTURED_BAD},
              {"~(", STRUCTURED_BAD}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct structured value;
    ROW(rows[i].text,
        structured_member(&value, rows[i].text, "a") == rows[i].found);
  }
}

static void test_the_last_member_of_a_name_counts(void) {
  struct structured value;
  CU_ASSERT_EQUAL(structured_member(&value, "a=1, b=2, a=3", "a"),
                  STRUCTURED_FOUND);
  CU_ASSERT(value.kind == STRUCTURED_INTEGER && value.integer == 3);
}

static void test_a_member_alone_is_true(void) {
  struct structured value;
  CU_ASSERT_EQUAL(structured_member(&value, "b, a;c=1", "a"),
                  STRUCTURED_FOUND);
  CU_ASSERT(value.kind == STRUCTURED_BOOLEAN && value.boolean);
}

static void test_strings_lose_their_escapes(void) {
  struct structured item;
  struct buf out;
  buf_init(&out, 6);
  CU_ASSERT(structured_item(&item, "\"a\\\"\\\\b c\""));
  CU_ASSERT(structured_add_string(&out, &item));
  CU_ASSERT_STRING_EQUAL(out.data, "a\"\\b c");
  buf_clear(&out);
  CU_ASSERT(structured_item(&item, "\"1234567\""));
  CU_ASSERT_FALSE(structured_add_string(&out, &item));
  buf_fini(&out);
}

static void test_bytes_may_lack_their_padding(void) {
  static const struct {
    const char *text, *bytes; /* NULL: they are none */
  } rows[] = {{"::", ""},
              {":Zg==:", "f"},
              {":Zg:", "f"},
              {":Zh==:", "f"}, /* bits behind the end */
              {":Zm8=:", "fo"},
              {":Zm8:", "fo"},
              {":Zm9v:", "foo"},
              {":Zm9vYmFy:", "foobar"},
              {":+/+/:", "\xfb\xff\xbf"},
              {":Z:", NULL},
              {":Zg=:", NULL},
              {":Zg===:", NULL},
              {":Zm9v=:", NULL},
              {":Zm9v====:", NULL},
              {":Z=g=:", NULL},
              {":====:", NULL},
              {":=:", NULL}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct structured item;
    struct buf out;
    buf_init(&out, 6);
    bool is = structured_item(&item, rows[i].text) &&
              structured_add_bytes(&out, &item);
    ROW(rows[i].text, is == (rows[i].bytes != NULL));
    if (is)
      ROW(rows[i].text, strcmp(out.data, rows[i].bytes) == 0);
    buf_fini(&out);
  }
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_items_are_of_one_kind_each),
      UNIT(test_members_are_of_whole_dictionaries),
      UNIT(test_the_last_member_of_a_name_counts),
      UNIT(test_a_member_alone_is_true),
      UNIT(test_strings_lose_their_escapes),
      UNIT(test_bytes_may_lack_their_padding),
      {NULL, NULL}};
  return unit_main("structured", tests);
}
