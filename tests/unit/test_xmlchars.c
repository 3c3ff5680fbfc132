/* SPDX-License-Identifier: MIT
 *
 * Characters that XML 1.0 has no place for, however an answer is cut.
 */
#include "buf.h"
#include "unit.h"
#include "xmlchars.h"

#include <stdio.h>
#include <string.h>

#define MARK XMLCHARS_MARK

static bool on_pass(void *arg, const char *data, size_t len) {
  return buf_add(arg, data, len);
}

/* In pieces of that many bytes. */
static void check(const char *in, size_t len, const char *want, size_t size) {
  struct xmlchars chars = {.len = 0};
  struct buf out;
  bool good = true;
  buf_init(&out, 4096);
  for (size_t at = 0; at < len && good; at += size)
    good = xmlchars_feed(&chars, in + at, len - at < size ? len - at : size,
                         on_pass, &out);
  good = good && xmlchars_end(&chars, on_pass, &out);
  if (!good || strcmp(out.data, want) != 0)
    fprintf(stderr, "'%s' by %zu: '%s', not '%s'\n", in, size, out.data, want);
  CU_ASSERT(good);
  CU_ASSERT_STRING_EQUAL(out.data, want);
  buf_fini(&out);
}

static void test_what_xml_cannot_hold_is_marked_and_nothing_else(void) {
  static const struct {
    const char *in, *want;
  } rows[] = {
      {"", ""},
      {"<a>b</a>", "<a>b</a>"},
      {"\t\r\n ~\x7F", "\t\r\n ~\x7F"},
      {"a\x01z", "a\x01z"}, /* expat's to refuse */
      {"a\xEF\xBF\xBEz", "a" MARK "z"},
      {"a\xEF\xBF\xBFz", "a" MARK "z"},
      {"\xEF\xBF\xBD\xEF\xBB\xBF\xEF\xBC\x81",
       "\xEF\xBF\xBD\xEF\xBB\xBF\xEF\xBC\x81"},
      {"\xEF\xBF\xEF\xBF\xBE", "\xEF\xBF" MARK},
      {"\xEF\xEF\xBF\xBE", "\xEF" MARK},
      {"\xF0\x9F\xBF\xBE", "\xF0\x9F\xBF\xBE"},
      {"&amp;&lt;&quot;", "&amp;&lt;&quot;"},
      {"&#9;&#10;&#x0d;&#32;&#xFFFD;", "&#9;&#10;&#x0d;&#32;&#xFFFD;"},
      {"&#1;z", MARK "z"},
      {"&#x1;&#x1f;&#x1F;&#0;&#;", MARK MARK MARK "&#0;&#;"},
      {"&#xFFFE;&#65535;&#x0000FFFF;", MARK MARK MARK},
      {"&&#1;", "&" MARK},
      {"&#&#1;", "&#" MARK},
      {"&#x&#1;", "&#x" MARK},
      {"&#1\x01", "&#1\x01"},
      {"&#1", "&#1"},
      {"&#1a;", "&#1a;"},
      {"&#x00000001;", MARK},
      {"&#000000000000001;", "&#000000000000001;"}, /* expat's to refuse */
      {"&#x1\xEF\xBF\xBE;", "&#x1" MARK ";"},
      {"&", "&"},
      {"\xEF", "\xEF"},
      {"\xEF\xBF", "\xEF\xBF"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    for (size_t size = 1; size <= 20; size++)
      check(rows[i].in, strlen(rows[i].in), rows[i].want, size);
}

static bool on_refuse(void *arg, const char *data, size_t len) {
  (void)data, (void)len;
  ++*(int *)arg;
  return false;
}

static void test_who_refuses_a_piece_gets_no_more(void) {
  struct xmlchars chars = {.len = 0};
  int times = 0;
  CU_ASSERT_FALSE(xmlchars_feed(&chars, "a&#1;z", 6, on_refuse, &times));
  CU_ASSERT_EQUAL(times, 1);
}

static const struct unit_test tests[] = {
    UNIT(test_what_xml_cannot_hold_is_marked_and_nothing_else),
    UNIT(test_who_refuses_a_piece_gets_no_more),
    {NULL, NULL},
};

int main(void) {
  return unit_main("xmlchars", tests);
}
