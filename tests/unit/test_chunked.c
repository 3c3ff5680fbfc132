/* SPDX-License-Identifier: MIT
 *
 * Chunked bodies: what is decoded, what is refused, and where they end.
 * Every body is fed whole, cut in two anywhere, and byte by byte.
 */
#include "buf.h"
#include "chunked.h"
#include "unit.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OUT_MAX 65536

struct decoded {
  enum chunked_result result;
  size_t used;
  struct buf data;
};

/* One piece, in a block of its own: reads past its end are noticed. */
static enum chunked_result feed(struct chunked *c, const char *in, size_t len,
                                struct decoded *d) {
  char *piece = malloc(len ? len : 1);
  enum chunked_result result;
  size_t at = 0, used, data_len;
  const char *data;
  assert(piece);
  memcpy(piece, in, len);
  do {
    result = chunked_next(c, piece + at, len - at, &used, &data, &data_len);
    assert(used <= len - at);
    if (result == CHUNKED_DATA) {
      assert(data_len && data >= piece + at &&
             data + data_len <= piece + at + used);
      buf_add(&d->data, data, data_len);
    }
    at += used;
  } while (result == CHUNKED_DATA);
  assert(result != CHUNKED_MORE || at == len);
  d->used += at;
  free(piece);
  return result;
}

static struct decoded decode(const char *in, size_t len, size_t first,
                             size_t piece) {
  struct chunked c = {.left = 0};
  struct decoded d = {.result = CHUNKED_MORE};
  buf_init(&d.data, OUT_MAX);
  for (size_t at = 0, n = first; d.result == CHUNKED_MORE && at < len;
       at += n, n = piece) {
    if (n > len - at)
      n = len - at;
    d.result = feed(&c, in + at, n, &d);
  }
  return d;
}

/* `rest`: how much of the input isn't part of the body, when it is done. */
static bool decodes_so(const char *in, size_t len, size_t first, size_t piece,
                       enum chunked_result result, const char *data,
                       size_t rest) {
  struct decoded d = decode(in, len, first, piece);
  bool same = d.result == result && (!data || !strcmp(d.data.data, data)) &&
              (result != CHUNKED_DONE || d.used == len - rest);
  if (!same)
    printf("%s\n cut at %zu: result %d, used %zu, data %s\n", in, first,
           (int)d.result, d.used, d.data.data);
  buf_fini(&d.data);
  return same;
}

static bool decodes(const char *in, size_t len, enum chunked_result result,
                    const char *data, size_t rest) {
  bool same = decodes_so(in, len, 1, 1, result, data, rest);
  for (size_t cut = 1; same && cut <= len; cut++)
    same = decodes_so(in, len, cut, len, result, data, rest);
  return same;
}

struct row {
  const char *name, *in, *want;
  size_t rest;
};

static void check(const struct row *rows, enum chunked_result result) {
  for (; rows->name; rows++)
    CU_assertImplementation(
        decodes(rows->in, strlen(rows->in), result, rows->want, rows->rest),
        __LINE__, rows->name, __FILE__, "", CU_FALSE);
}

/* ---- decoded ------------------------------------------------------------ */

static void test_chunks_are_joined(void) {
  static const struct row rows[] = {
      {"none", "0\r\n\r\n", "", 0},
      {"one", "3\r\nabc\r\n0\r\n\r\n", "abc", 0},
      {"two", "1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", "abc", 0},
      {"sizes of both cases",
       "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n",
       "01234567890123456789", 0},
      {"zeros before a size", "0000000000000000000003\r\nabc\r\n000\r\n\r\n",
       "abc", 0},
      {"data like framing", "7\r\n0\r\n\r\n\r\n\r\n0\r\n\r\n", "0\r\n\r\n\r\n",
       0},
      {NULL, NULL, NULL, 0}};
  check(rows, CHUNKED_DONE);
}

static void test_what_follows_the_body_stays(void) {
  static const struct row rows[] = {
      {"request", "1\r\na\r\n0\r\n\r\nGET / HTTP/1.1\r\n", "a", 16},
      {"line end", "1\r\na\r\n0\r\n\r\n\r\n", "a", 2},
      {"after trailers", "0\r\nA: b\r\n\r\nx", "", 1},
      {NULL, NULL, NULL, 0}};
  check(rows, CHUNKED_DONE);
}

static void test_extensions_are_dropped(void) {
  static const struct row rows[] = {
      {"name", "1;a\r\nx\r\n0;b\r\n\r\n", "x", 0},
      {"value", "1;a=b\r\nx\r\n0\r\n\r\n", "x", 0},
      {"several", "1;a=b;c;d=\"e\"\r\nx\r\n0\r\n\r\n", "x", 0},
      {"spaces", "1 ; a = b\t;\tc ;d = \"e\" ;f\r\nx\r\n0\r\n\r\n", "x", 0},
      {"quoted", "1;a=\";\\\"\\\\\t\xc3\xa9\"\r\nx\r\n0\r\n\r\n", "x", 0},
      {"empty quotes", "1;a=\"\"\r\nx\r\n0\r\n\r\n", "x", 0},
      {NULL, NULL, NULL, 0}};
  check(rows, CHUNKED_DONE);
}

static void test_trailers_are_dropped(void) {
  static const struct row rows[] = {
      {"one", "1\r\nx\r\n0\r\nA: b\r\n\r\n", "x", 0},
      {"framing", "0\r\nContent-Length: 5\r\nTransfer-Encoding:x\r\n\r\n", "",
       0},
      {"empty", "0\r\nA:\r\n\r\n", "", 0},
      {"bytes", "0\r\nA: \xff\t b\r\n\r\n", "", 0},
      {NULL, NULL, NULL, 0}};
  check(rows, CHUNKED_DONE);
}

static void test_early_end_is_no_end(void) {
  static const struct row rows[] = {{"size", "3", "", 0},
                                    {"size line", "3\r\n", "", 0},
                                    {"data", "3\r\nab", "ab", 0},
                                    {"after data", "3\r\nabc\r", "abc", 0},
                                    {"chunk", "3\r\nabc\r\n", "abc", 0},
                                    {"last chunk", "0\r\n", "", 0},
                                    {"last line", "0\r\n\r", "", 0},
                                    {"trailer", "0\r\nA: b\r\n", "", 0},
                                    {NULL, NULL, NULL, 0}};
  check(rows, CHUNKED_MORE);
}

/* ---- refused ------------------------------------------------------------ */

static void test_bad_sizes_are_refused(void) {
  static const struct row rows[] = {
      {"word", "xyz\r\n", NULL, 0},
      {"empty", "\r\n", NULL, 0},
      {"minus", "-1\r\n", NULL, 0},
      {"plus", "+1\r\nx\r\n0\r\n\r\n", NULL, 0},
      {"0x", "0x1\r\nx\r\n0\r\n\r\n", NULL, 0},
      {"space before", " 1\r\nx\r\n0\r\n\r\n", NULL, 0},
      {"space after", "1 \r\nx\r\n0\r\n\r\n", NULL, 0},
      {"letter after", "1g\r\nx\r\n0\r\n\r\n", NULL, 0},
      {"LF alone", "1\nx\r\n0\r\n\r\n", NULL, 0},
      {"CR alone", "1\rx\r\n0\r\n\r\n", NULL, 0},
      {"only an extension", ";a\r\n", NULL, 0},
      {NULL, NULL, NULL, 0}};
  check(rows, CHUNKED_BAD);
}

static void test_bad_data_ends_are_refused(void) {
  static const struct row rows[] = {
      {"too long", "1\r\nxy\r\n0\r\n\r\n", NULL, 0},
      {"too short", "3\r\nx\r\n0\r\n\r\n", NULL, 0},
      {"none", "1\r\nx0\r\n\r\n", NULL, 0},
      {"LF alone", "1\r\nx\n0\r\n\r\n", NULL, 0},
      {"CR alone", "1\r\nx\r0\r\n\r\n", NULL, 0},
      {"letter after CR", "1\r\nx\rx0\r\n\r\n", NULL, 0},
      {NULL, NULL, NULL, 0}};
  check(rows, CHUNKED_BAD);
}

static void test_bad_extensions_are_refused(void) {
  static const struct row rows[] = {
      {"empty", "1;\r\n", NULL, 0},
      {"empty among others", "1;a;;b\r\n", NULL, 0},
      {"no name", "1;=b\r\n", NULL, 0},
      {"no value", "1;a=\r\n", NULL, 0},
      {"two values", "1;a=b=c\r\n", NULL, 0},
      {"two words", "1;a b\r\n", NULL, 0},
      {"letters after quotes", "1;a=\"b\"c\r\n", NULL, 0},
      {"open quotes", "1;a=\"b\r\n", NULL, 0},
      {"open escape", "1;a=\"b\\\r\n", NULL, 0},
      {"quoted name", "1;\"a\"\r\n", NULL, 0},
      {"LF", "1;a\nb\r\n", NULL, 0},
      {"LF in quotes", "1;a=\"\n\"\r\n", NULL, 0},
      {"LF escaped", "1;a=\"\\\n\"\r\n", NULL, 0},
      {"control", "1;a=\"\x01\"\r\n", NULL, 0},
      {"space at the end", "1;a \r\n", NULL, 0},
      {"space after a value", "1;a=b \r\n", NULL, 0},
      {NULL, NULL, NULL, 0}};
  check(rows, CHUNKED_BAD);
}

static void test_bad_trailers_are_refused(void) {
  static const struct row rows[] = {
      {"no colon", "0\r\nA\r\n\r\n", NULL, 0},
      {"no name", "0\r\n: b\r\n\r\n", NULL, 0},
      {"space before the colon", "0\r\nA : b\r\n\r\n", NULL, 0},
      {"folded", "0\r\nA: b\r\n c\r\n\r\n", NULL, 0},
      {"LF alone", "0\r\nA: b\n\r\n", NULL, 0},
      {"LF first", "0\r\n\n", NULL, 0},
      {"CR alone", "0\r\nA: b\rc\r\n\r\n", NULL, 0},
      {"CR alone last", "0\r\n\rx", NULL, 0},
      {"control", "0\r\nA: \x7f\r\n\r\n", NULL, 0},
      {NULL, NULL, NULL, 0}};
  check(rows, CHUNKED_BAD);
}

static void test_nul_is_refused_but_in_data(void) {
  CU_ASSERT(decodes("1\0\r\n", 4, CHUNKED_BAD, NULL, 0));
  CU_ASSERT(decodes("1;a=\"\0\"\r\n", 9, CHUNKED_BAD, NULL, 0));
  CU_ASSERT(decodes("0\r\nA: \0\r\n\r\n", 11, CHUNKED_BAD, NULL, 0));
  CU_ASSERT(decodes("1\r\n\0\r\n0\r\n\r\n", 11, CHUNKED_DONE, NULL, 0));
}

/* ---- limits ------------------------------------------------------------- */

static void test_size_of_63_bits_passes_and_64_do_not(void) {
  CU_ASSERT(decodes("7fffffffffffffff\r\nx", 19, CHUNKED_MORE, "x", 0));
  CU_ASSERT(decodes("8000000000000000\r\nx", 19, CHUNKED_BAD, NULL, 0));
  CU_ASSERT(decodes("ffffffffffffffff\r\nx", 19, CHUNKED_BAD, NULL, 0));
  CU_ASSERT(decodes("10000000000000001\r\nx", 20, CHUNKED_BAD, NULL, 0));
}

/* before, `count` letters, after */
static bool decodes_long(const char *before, int count, const char *after,
                         enum chunked_result result) {
  char in[OUT_MAX];
  int len = snprintf(in, sizeof in, "%s%0*d%s", before, count, 0, after);
  return decodes_so(in, (size_t)len, (size_t)len, 1, result, NULL, 0) &&
         decodes_so(in, (size_t)len, 1, 1, result, NULL, 0);
}

static void test_size_line_of_1024_bytes_passes_and_1025_do_not(void) {
  CU_ASSERT(
      decodes_long("0;", CHUNKED_LINE_MAX - 2, "\r\n\r\n", CHUNKED_DONE));
  CU_ASSERT(decodes_long("0;", CHUNKED_LINE_MAX - 1, "\r\n\r\n", CHUNKED_BAD));
  CU_ASSERT(decodes_long("", CHUNKED_LINE_MAX, "\r\n\r\n", CHUNKED_DONE));
  CU_ASSERT(decodes_long("", CHUNKED_LINE_MAX + 1, "", CHUNKED_BAD));
  CU_ASSERT(decodes_long("1\r\nx\r\n0;", CHUNKED_LINE_MAX - 2, "\r\n\r\n",
                         CHUNKED_DONE));
}

static void test_trailers_of_8_kib_pass_and_not_a_byte_more(void) {
  CU_ASSERT(decodes_long("0\r\nA:b\r\nA:", CHUNKED_TRAILERS_MAX - 9,
                         "\r\n\r\n", CHUNKED_DONE));
  CU_ASSERT(decodes_long("0\r\nA:b\r\nA:", CHUNKED_TRAILERS_MAX - 8,
                         "\r\n\r\n", CHUNKED_BAD));
}

static void test_done_and_bad_stay_so(void) {
  struct chunked c = {.left = 0};
  const char *data;
  size_t used, len;
  CU_ASSERT_EQUAL(chunked_next(&c, "0\r\n\r\n", 5, &used, &data, &len),
                  CHUNKED_DONE);
  CU_ASSERT_EQUAL(chunked_next(&c, "1\r\n", 3, &used, &data, &len),
                  CHUNKED_DONE);
  CU_ASSERT_EQUAL(used, 0);
  c = (struct chunked){.left = 0};
  CU_ASSERT_EQUAL(chunked_next(&c, "x", 1, &used, &data, &len), CHUNKED_BAD);
  CU_ASSERT_EQUAL(chunked_next(&c, "0\r\n\r\n", 5, &used, &data, &len),
                  CHUNKED_BAD);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_chunks_are_joined),
      UNIT(test_what_follows_the_body_stays),
      UNIT(test_extensions_are_dropped),
      UNIT(test_trailers_are_dropped),
      UNIT(test_early_end_is_no_end),
      UNIT(test_bad_sizes_are_refused),
      UNIT(test_bad_data_ends_are_refused),
      UNIT(test_bad_extensions_are_refused),
      UNIT(test_bad_trailers_are_refused),
      UNIT(test_nul_is_refused_but_in_data),
      UNIT(test_size_of_63_bits_passes_and_64_do_not),
      UNIT(test_size_line_of_1024_bytes_passes_and_1025_do_not),
      UNIT(test_trailers_of_8_kib_pass_and_not_a_byte_more),
      UNIT(test_done_and_bad_stay_so),
      {NULL, NULL}};
  return unit_main("chunked", tests);
}
