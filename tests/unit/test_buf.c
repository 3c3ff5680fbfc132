/* SPDX-License-Identifier: MIT
 *
 * The growing buffer and its hard maximum, and the message for a person, whose
 * maximum cuts.
 */
#include "buf.h"
#include "errmsg.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void test_buf_is_an_empty_string_from_birth(void) {
  struct buf buf;

  buf_init(&buf, 10);
  CU_ASSERT_STRING_EQUAL(buf.data, "");
  CU_ASSERT(buf.len == 0 && !buf.overflown);
  buf_fini(&buf);
}

static void test_buf_adds_follow_each_other_and_end_in_nul(void) {
  struct buf buf;

  buf_init(&buf, 100);
  CU_ASSERT(buf_add(&buf, "a\0b", 3));
  CU_ASSERT(buf_adds(&buf, "cd"));
  CU_ASSERT(buf_addc(&buf, 'e'));
  CU_ASSERT(buf_addf(&buf, "%d-%s", 7, "f"));
  CU_ASSERT(buf_add(&buf, NULL, 0));
  CU_ASSERT(buf_addf(&buf, "%s", ""));
  CU_ASSERT_EQUAL(buf.len, 9);
  CU_ASSERT(memcmp(buf.data, "a\0bcde7-f", 10) == 0);
  buf_fini(&buf);
}

static void test_buf_takes_its_maximum_and_not_a_byte_more(void) {
  struct buf buf;

  buf_init(&buf, 5);
  CU_ASSERT(buf_adds(&buf, "12345"));
  CU_ASSERT(!buf_addc(&buf, '6'));
  CU_ASSERT(buf.overflown);
  CU_ASSERT_STRING_EQUAL(buf.data, "12345");
  buf_fini(&buf);
  CU_ASSERT(buf_addf(&buf, "%d", 12345));
  CU_ASSERT(!buf_addf(&buf, "%d", 6));
  CU_ASSERT_STRING_EQUAL(buf.data, "12345");
  buf_fini(&buf);
}

static void test_buf_of_maximum_0_takes_nothing(void) {
  struct buf buf;

  buf_init(&buf, 0);
  CU_ASSERT(buf_adds(&buf, ""));
  CU_ASSERT(!buf_addc(&buf, 'a'));
  buf_fini(&buf);
}

static void test_buf_refuses_after_a_refused_add(void) {
  struct buf buf;

  buf_init(&buf, 5);
  CU_ASSERT(!buf_adds(&buf, "123456"));
  CU_ASSERT(!buf_addc(&buf, '1'));
  CU_ASSERT(!buf_addf(&buf, "1"));
  CU_ASSERT(!buf_add(&buf, "", 0));
  CU_ASSERT_EQUAL(buf.len, 0);
  CU_ASSERT_PTR_NULL(buf_take(&buf));
  buf_fini(&buf);
}

static void test_buf_length_that_would_wrap_is_refused(void) {
  struct buf buf;

  buf_init(&buf, SIZE_MAX);
  CU_ASSERT(buf_addc(&buf, 'a'));
  CU_ASSERT(!buf_add(&buf, "b", SIZE_MAX));
  CU_ASSERT(buf.overflown);
  buf_clear(&buf);
  CU_ASSERT(buf_addc(&buf, 'a'));
  CU_ASSERT(!buf_add(&buf, "b", SIZE_MAX - 1));
  CU_ASSERT_STRING_EQUAL(buf.data, "a");
  buf_fini(&buf);
}

static void test_buf_clear_forgets_bytes_and_overflow(void) {
  struct buf buf;

  buf_init(&buf, 3);
  buf_adds(&buf, "123");
  buf_addc(&buf, '4');
  buf_clear(&buf);
  CU_ASSERT_STRING_EQUAL(buf.data, "");
  CU_ASSERT(buf_adds(&buf, "abc"));
  CU_ASSERT_STRING_EQUAL(buf.data, "abc");
  buf_fini(&buf);
}

static void test_buf_grows_through_many_sizes(void) {
  struct buf buf;

  buf_init(&buf, 10000);
  for (int i = 0; i < 10000; i++)
    CU_ASSERT(buf_addc(&buf, (char)('a' + i % 26)));
  CU_ASSERT(!buf_addc(&buf, 'x'));
  CU_ASSERT(buf.room <= 10001);
  CU_ASSERT_EQUAL(strlen(buf.data), 10000);
  CU_ASSERT(buf.data[9999] == 'a' + 9999 % 26);
  buf_fini(&buf);
}

static void test_buf_refused_format_leaves_the_text(void) {
  struct buf buf;

  buf_init(&buf, 8);
  CU_ASSERT(buf_addf(&buf, "%s", "123"));
  CU_ASSERT(!buf_addf(&buf, "%s", "456789"));
  CU_ASSERT(buf.overflown);
  CU_ASSERT_STRING_EQUAL(buf.data, "123");
  buf_fini(&buf);
}

/* Into what room there is, exactly, and into more. */
static void test_buf_formats_of_every_length(void) {
  struct buf buf;
  char want[512] = "";
  size_t len = 0;

  for (int width = 1; width < 200; width++) {
    buf_init(&buf, 400);
    for (len = 0; len + (size_t)width <= 400; len += (size_t)width) {
      CU_ASSERT(buf_addf(&buf, "%*d", width, 7));
      snprintf(want + len, sizeof want - len, "%*d", width, 7);
    }
    CU_ASSERT_EQUAL(buf.len, len);
    CU_ASSERT_STRING_EQUAL(buf.data, want);
    CU_ASSERT(!buf_addf(&buf, "%*d", width, 7));
    CU_ASSERT_STRING_EQUAL(buf.data, want);
    buf_fini(&buf);
  }
}

static void test_buf_take_gives_the_bytes_away(void) {
  struct buf buf;
  char *taken;

  buf_init(&buf, 10);
  taken = buf_take(&buf);
  CU_ASSERT_STRING_EQUAL(taken, "");
  free(taken);
  buf_adds(&buf, "abc");
  taken = buf_take(&buf);
  CU_ASSERT_STRING_EQUAL(taken, "abc");
  CU_ASSERT(buf.len == 0 && buf.room == 0);
  free(taken);
  CU_ASSERT(buf_adds(&buf, "again"));
  CU_ASSERT_STRING_EQUAL(buf.data, "again");
  buf_fini(&buf);
}

static void test_errmsg_returns_false_and_holds_the_text(void) {
  struct errmsg message = {""};

  CU_ASSERT(!errmsg_set(&message, "%s is %d", "x", 5));
  CU_ASSERT_STRING_EQUAL(message.text, "x is 5");
  errmsg_set(&message, "a.yaml:3: %s", message.text);
  CU_ASSERT_STRING_EQUAL(message.text, "a.yaml:3: x is 5");
}

static void test_errmsg_is_cut_at_its_maximum(void) {
  struct errmsg message;
  char text[ERRMSG_MAX + 1];

  memset(text, 'x', ERRMSG_MAX);
  text[ERRMSG_MAX - 1] = '\0';
  errmsg_set(&message, "%s", text);
  CU_ASSERT_STRING_EQUAL(message.text, text);
  errmsg_set(&message, "%sy", text);
  CU_ASSERT_STRING_EQUAL(message.text, text);
}

static void test_errmsg_is_cut_at_a_character(void) {
  struct errmsg message;
  char text[ERRMSG_MAX + 8];

  for (size_t ascii = ERRMSG_MAX - 6; ascii < ERRMSG_MAX; ascii++) {
    memset(text, 'x', ascii);
    memcpy(text + ascii, "\U0001F600", 5);
    errmsg_set(&message, "%s", text);
    CU_ASSERT_EQUAL(strlen(message.text),
                    ascii + 4 < ERRMSG_MAX ? ascii + 4 : ascii);
  }
}

static const struct unit_test tests[] = {
    UNIT(test_buf_is_an_empty_string_from_birth),
    UNIT(test_buf_adds_follow_each_other_and_end_in_nul),
    UNIT(test_buf_takes_its_maximum_and_not_a_byte_more),
    UNIT(test_buf_of_maximum_0_takes_nothing),
    UNIT(test_buf_refuses_after_a_refused_add),
    UNIT(test_buf_length_that_would_wrap_is_refused),
    UNIT(test_buf_clear_forgets_bytes_and_overflow),
    UNIT(test_buf_grows_through_many_sizes),
    UNIT(test_buf_refused_format_leaves_the_text),
    UNIT(test_buf_formats_of_every_length),
    UNIT(test_buf_take_gives_the_bytes_away),
    UNIT(test_errmsg_returns_false_and_holds_the_text),
    UNIT(test_errmsg_is_cut_at_its_maximum),
    UNIT(test_errmsg_is_cut_at_a_character),
    {NULL, NULL},
};

int main(void) {
  return unit_main("buf", tests);
}
