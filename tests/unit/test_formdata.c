/* SPDX-License-Identifier: MIT
 *
 * Forms: boundaries and what looks like them, limits.
 * Every body is fed whole, cut anywhere, and byte by byte.
 */
#include "formlog.h"
#include "unit.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CD "Content-Disposition: form-data; name="
#define A CD "a\r\n\r\n"
#define LINE_FAULT "A boundary must be followed by CRLF, or by two dashes"
#define LINE "BAD: " LINE_FAULT

/* ---- boundaries --------------------------------------------------------- */

static void test_boundary_is_checked(void) {
  static const struct {
    const char *boundary;
    bool good;
  } rows[] = {
      {"b", true},
      {"'()+_,-./:=?0aZ", true},
      {"a b", true},
      {"123456789012345678901234567890123456789012345678901234567890123456789"
       "0",
       true},
      {"12345678901234567890123456789012345678901234567890123456789012345678"
       "901",
       false},
      {"", false},
      {"b ", false},
      {"a\"b", false},
      {"a;b*&={}", true},
      {"a\\b", false},
      {"a\r\nb", false},
      {"\xc3\xa9", false},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct formdata *form = formdata_new(rows[i].boundary);
    CU_ASSERT_EQUAL(form != NULL, rows[i].good);
    formdata_free(form);
  }
}

static void test_forms_are_cut_at_their_boundaries(void) {
  static const struct formlog_row rows[] = {
      {"one", "--b\r\n" A "x\r\n--b--\r\n", "[a|-|-]x;DONE"},
      {"two", "--b\r\n" A "x\r\n--b\r\n" CD "c\r\n\r\ny\r\n--b--\r\n",
       "[a|-|-]x;[c|-|-]y;DONE"},
      {"no part", "--b--\r\n", "DONE"},
      {"no last line end", "--b\r\n" A "x\r\n--b--", "[a|-|-]x;DONE"},
      {"empty data", "--b\r\n" A "\r\n--b--", "[a|-|-];DONE"},
      {"no data", "--b\r\n" A "--b--", "[a|-|-];DONE"},
      {"preamble", "hello\r\n--b\r\n" A "x\r\n--b--", "[a|-|-]x;DONE"},
      {"preamble of a line end", "\r\n--b\r\n" A "x\r\n--b--",
       "[a|-|-]x;DONE"},
      {"preamble of a boundary inside a line",
       "-x--b\r\n\r--b\r\n--b\r\n" A "x\r\n--b--", "[a|-|-]x;DONE"},
      {"epilogue", "--b\r\n" A "x\r\n--b--\r\n--b\r\nnonsense\n\r",
       "[a|-|-]x;DONE"},
      {"epilogue at once", "--b\r\n" A "x\r\n--b--nonsense", "[a|-|-]x;DONE"},
      {"padding", "--b \t\r\n" A "x\r\n--b  \r\n" A "y\r\n--b--  \r\n",
       "[a|-|-]x;[a|-|-]y;DONE"},
      {NULL, NULL, NULL}};
  formlog_check("b", rows);
}

static void test_look_alikes_are_data(void) {
  static const struct formlog_row rows[] = {
      {"beginnings",
       "--ab\r\n" A "\r\r\n\r\n-\r\n--\r\n--a\r\n--A\r\n--aB\r\n--ab--",
       "[a|-|-]\r\r\n\r\n-\r\n--\r\n--a\r\n--A\r\n--aB;DONE"},
      {"longer", "--ab\r\n" A "x\r\n--abc\r\n--ab--",
       "[a|-|-]x\r\n--abc;DONE"},
      {"one dash", "--ab\r\n" A "x\r\n--ab-\r\n--ab--",
       "[a|-|-]x\r\n--ab-;DONE"},
      {"CR alone after it", "--ab\r\n" A "x\r\n--ab\r\r\n--ab--",
       "[a|-|-]x\r\n--ab\r;DONE"},
      {"LF alone before it", "--ab\r\n" A "x\n--ab\n--ab--\r\n--ab--",
       "[a|-|-]x\n--ab\n--ab--;DONE"},
      {"CR alone before it", "--ab\r\n" A "x\r--ab\r--ab--\r\n--ab--",
       "[a|-|-]x\r--ab\r--ab--;DONE"},
      {"data begins like it", "--ab\r\n" A "--a\r\n--ab--", "[a|-|-]--a;DONE"},
      {"data begins with a longer one", "--ab\r\n" A "--abc\r\n--ab--",
       "[a|-|-]--abc;DONE"},
      {"data is a CR", "--ab\r\n" A "\r\r\n--ab--", "[a|-|-]\r;DONE"},
      {"data is a CRLF", "--ab\r\n" A "\r\n\r\n--ab--", "[a|-|-]\r\n;DONE"},
      {NULL, NULL, NULL}};
  formlog_check("ab", rows);
}

static void test_boundary_lines_are_strict(void) {
  static const struct formlog_row rows[] = {
      {"LF", "--b\n" A "x\r\n--b--", LINE},
      {"other letters", "--bc\r\n" A "x\r\n--b--", LINE},
      {"one dash", "--b-\r\n" A "x\r\n--b--", LINE},
      {"CR alone", "--b\rx\n" A "x\r\n--b--", LINE},
      {"LF after data", "--b\r\n" A "x\r\n--b\n" A, "[a|-|-]x" LINE},
      {"letters after padding", "--b\r\n" A "x\r\n--b x", "[a|-|-]x" LINE},
      {"LF after padding", "--b\r\n" A "x\r\n--b \n", "[a|-|-]x" LINE},
      {"CR alone after padding", "--b\r\n" A "x\r\n--b \rx", "[a|-|-]x" LINE},
      {NULL, NULL, NULL}};
  formlog_check("b", rows);
}

static void test_early_ends_are_told(void) {
  static const struct formlog_row rows[] = {
      {"nothing", "", "MORE"},
      {"another boundary", "--c\r\n" A "x\r\n--c--\r\n", "MORE"},
      {"no last boundary", "--b\r\n" A "x", "[a|-|-]xMORE"},
      {"no last dashes", "--b\r\n" A "x\r\n--b\r\n", "[a|-|-]x;MORE"},
      {"half a boundary", "--b\r\n" A "x\r\n--", "[a|-|-]xMORE"},
      {"no last dash", "--b\r\n" A "x\r\n--b-", "[a|-|-]xMORE"},
      {"only headers", "--b\r\n" A, "[a|-|-]MORE"},
      {"half a header", "--b\r\nConte", "MORE"},
      {NULL, NULL, NULL}};
  formlog_check("b", rows);
}

static void test_data_holds_any_byte(void) {
  char in[600] = "--b\r\n" A;
  size_t len = strlen(in), from = len, used;
  for (int i = 0; i < 256; i++)
    in[len++] = (char)i;
  memcpy(in + len, "\r\n--b--", 7);
  struct formdata *form = formdata_new("b");
  size_t at = 0, data_len;
  while (formdata_next(form, in + at, len + 7 - at, &used) != FORMDATA_DATA)
    at += used;
  const char *data = formdata_data(form, &data_len);
  CU_ASSERT_EQUAL(data_len, 256);
  CU_ASSERT_PTR_EQUAL(data, in + from);
  formdata_free(form);
}

static void test_longest_boundary_is_found(void) {
  static const char boundary[] = "123456789012345678901234567890123456789012"
                                 "3456789012345678901234567890";
  char in[1024];
  int len =
      snprintf(in, sizeof in, "--%s\r\n" A "x\r\n--%s-\r\n--%.69s\r\n--%s--",
               boundary, boundary, boundary, boundary);
  char want[1024];
  snprintf(want, sizeof want, "[a|-|-]x\r\n--%s-\r\n--%.69s;DONE", boundary,
           boundary);
  CU_ASSERT(formlog_is(boundary, in, (size_t)len, want));
}

static void test_bad_stays_bad(void) {
  struct formdata *form = formdata_new("b");
  size_t used;
  CU_ASSERT_EQUAL(formdata_next(form, "--b\n", 4, &used), FORMDATA_BAD);
  CU_ASSERT_EQUAL(formdata_next(form, "--b--", 5, &used), FORMDATA_BAD);
  CU_ASSERT_STRING_EQUAL(formdata_fault(form), LINE_FAULT);
  formdata_free(form);
}

static void test_done_ignores_all_that_follows(void) {
  struct formdata *form = formdata_new("b");
  size_t used;
  CU_ASSERT_EQUAL(formdata_next(form, "--b--x", 6, &used), FORMDATA_DONE);
  CU_ASSERT_EQUAL(used, 6);
  for (int i = 0; i < 1000; i++) {
    CU_ASSERT_EQUAL(formdata_next(form, "\r\n--b\r\n", 7, &used),
                    FORMDATA_DONE);
    CU_ASSERT_EQUAL(used, 7);
  }
  CU_ASSERT_EQUAL(formdata_next(form, NULL, 0, &used), FORMDATA_DONE);
  formdata_free(form);
}

/* ---- limits ------------------------------------------------------------- */

/* Only whole and in pieces of a prime length: each of 80,000 cuts would take
 * too long. */
static bool logs_large(const struct buf *in, const char *want) {
  bool same = true;
  for (int whole = 0; whole < 2; whole++) {
    size_t piece = whole ? in->len : 257;
    char *log = formlog("b", in->data, in->len, piece, piece);
    same = same && !strcmp(log, want);
    free(log);
  }
  return same;
}

static void fill(struct buf *in, char c, size_t count) {
  while (count--)
    buf_addc(in, c);
  assert(!in->overflown);
}

static void test_64_parts_pass_and_65_do_not(void) {
  struct buf in, want;
  buf_init(&in, 1 << 20);
  buf_init(&want, 1 << 20);
  for (int i = 0; i < 64; i++) {
    buf_adds(&in, "--b\r\n" A "x\r\n");
    buf_adds(&want, "[a|-|-]x;");
  }
  size_t in_len = in.len, want_len = want.len;
  buf_adds(&in, "--b--");
  buf_adds(&want, "DONE");
  CU_ASSERT(logs_large(&in, want.data));
  in.len = in_len;
  want.len = want_len;
  buf_adds(&in, "--b\r\n" A "x\r\n--b--");
  buf_adds(&want, "BAD: The form has more than 64 parts");
  CU_ASSERT(logs_large(&in, want.data));
  buf_fini(&in);
  buf_fini(&want);
}

static void add_headers(struct buf *in, size_t len, size_t per_line) {
  static const char first[] = CD "a\r\n", name[] = "X: ";
  buf_clear(in);
  buf_adds(in, "--b\r\n");
  buf_adds(in, first);
  for (size_t left = len - strlen(first); left;) {
    size_t n = left < 2 * per_line ? left : per_line;
    buf_adds(in, name);
    fill(in, 'x', n - strlen(name) - 2);
    buf_adds(in, "\r\n");
    left -= n;
  }
  buf_adds(in, "\r\ny\r\n--b--");
}

static void test_16_kib_of_headers_pass_and_not_a_byte_more(void) {
  static const char bad[] = "BAD: A part's headers are longer than 16 KiB";
  struct buf in;
  buf_init(&in, 1 << 20);
  for (size_t per_line = 100; per_line <= 100000; per_line *= 1000) {
    add_headers(&in, FORMDATA_HEADERS_MAX, per_line);
    CU_ASSERT(logs_large(&in, "[a|-|-]y;DONE"));
    add_headers(&in, FORMDATA_HEADERS_MAX + 1, per_line);
    CU_ASSERT(logs_large(&in, bad));
  }
  buf_clear(&in);
  buf_adds(&in, "--b\r\n");
  fill(&in, 'x', FORMDATA_HEADERS_MAX + 3);
  CU_ASSERT(logs_large(&in, bad));
  buf_fini(&in);
}

static void test_each_part_has_16_kib_of_headers(void) {
  struct buf one, in;
  buf_init(&one, 1 << 20);
  buf_init(&in, 1 << 20);
  add_headers(&one, FORMDATA_HEADERS_MAX, 1000);
  for (int i = 0; i < 3; i++)
    buf_add(&in, one.data, one.len - 5);
  buf_adds(&in, "--b--");
  CU_ASSERT(logs_large(&in, "[a|-|-]y;[a|-|-]y;[a|-|-]y;DONE"));
  buf_fini(&one);
  buf_fini(&in);
}

static void test_64_kib_of_preamble_pass_and_not_a_byte_more(void) {
  struct buf in;
  buf_init(&in, 1 << 20);
  for (size_t more = 0; more < 2; more++) {
    buf_clear(&in);
    fill(&in, '\r', FORMDATA_PREAMBLE_MAX + more);
    buf_adds(&in, "\r\n--b--");
    CU_ASSERT(logs_large(
        &in, more ? "BAD: The form's first boundary isn't in its first 64 "
                    "KiB: is it the one that Content-Type names?"
                  : "DONE"));
  }
  buf_fini(&in);
}

static void test_almost_boundaries_take_no_time(void) {
  struct buf in, want;
  buf_init(&in, 4 << 20);
  buf_init(&want, 4 << 20);
  buf_adds(&in, "--b\r\n" A);
  buf_adds(&want, "[a|-|-]");
  for (int i = 0; i < 100000; i++) {
    static const char *const tails[] = {"\r\n--bb", "\r\n--b-", "\r\n--",
                                        "\r\n--b\r", "\r"};
    buf_adds(&in, tails[i % 5]);
    buf_adds(&want, tails[i % 5]);
  }
  buf_adds(&in, "\r\n--b--");
  buf_adds(&want, ";DONE");
  CU_ASSERT(logs_large(&in, want.data));
  buf_fini(&in);
  buf_fini(&want);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_boundary_is_checked),
      UNIT(test_forms_are_cut_at_their_boundaries),
      UNIT(test_look_alikes_are_data),
      UNIT(test_boundary_lines_are_strict),
      UNIT(test_early_ends_are_told),
      UNIT(test_data_holds_any_byte),
      UNIT(test_longest_boundary_is_found),
      UNIT(test_bad_stays_bad),
      UNIT(test_done_ignores_all_that_follows),
      UNIT(test_64_parts_pass_and_65_do_not),
      UNIT(test_16_kib_of_headers_pass_and_not_a_byte_more),
      UNIT(test_each_part_has_16_kib_of_headers),
      UNIT(test_64_kib_of_preamble_pass_and_not_a_byte_more),
      UNIT(test_almost_boundaries_take_no_time),
      {NULL, NULL}};
  return unit_main("formdata", tests);
}
