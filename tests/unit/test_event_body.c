/* SPDX-License-Identifier: MIT
 *
 * An event as JSON.
 */
#include "event_body.h"
#include "unit.h"

#include <string.h>

static struct event_words words_of(const char *key) {
  return (struct event_words){.id = "1",
                              .type = "t",
                              .time_ms = 1700000000999,
                              .key = key,
                              .request_id = "r"};
}

static void test_what_is_not_known_is_left_out(void) {
  struct event_words words = words_of("a\"\\\n");
  struct buf text;
  buf_init(&text, 1000);
  CU_ASSERT_TRUE(event_body(&text, &words));
  CU_ASSERT_STRING_EQUAL(text.data,
                         "{\"id\":\"1\",\"type\":\"t\","
                         "\"time\":\"2023-11-14T22:13:20+00:00\","
                         "\"key\":\"a\\\"\\\\\\n\",\"request_id\":\"r\"}");
  buf_fini(&text);
}

static void test_upload_has_its_figures(void) {
  struct event_words words = words_of("k");
  struct buf text;
  words.uploaded = true;
  words.size = 1;
  words.md5 = "m";
  words.identity = "i";
  buf_init(&text, 1000);
  CU_ASSERT_TRUE(event_body(&text, &words));
  CU_ASSERT_PTR_NOT_NULL(strstr(text.data,
                                "\"key\":\"k\",\"size_bytes\":1,\"md5\":\"m\","
                                "\"identity\":\"i\",\"request_id\":\"r\"}"));
  buf_fini(&text);
}

static void test_text_that_is_no_utf8_makes_no_event(void) {
  struct event_words words = words_of("\xff");
  struct buf text;
  buf_init(&text, 1000);
  CU_ASSERT_FALSE(event_body(&text, &words));
  buf_fini(&text);
}

static void test_event_fits_to_the_byte_or_not_at_all(void) {
  struct event_words words = words_of("k");
  struct buf text, exact, tight;
  buf_init(&text, 1000);
  CU_ASSERT_TRUE(event_body(&text, &words));
  buf_init(&exact, text.len);
  buf_init(&tight, text.len - 1);
  CU_ASSERT_TRUE(event_body(&exact, &words));
  CU_ASSERT_FALSE(event_body(&tight, &words));
  buf_fini(&text);
  buf_fini(&exact);
  buf_fini(&tight);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_what_is_not_known_is_left_out),
      UNIT(test_upload_has_its_figures),
      UNIT(test_text_that_is_no_utf8_makes_no_event),
      UNIT(test_event_fits_to_the_byte_or_not_at_all),
      {NULL, NULL}};
  return unit_main("event_body", tests);
}
