/* SPDX-License-Identifier: MIT
 *
 * The wishes of hooks, at their limits and one past each.
 */
#include "intent.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

struct stage {
  struct intent intent;
  struct sluice_pair user[INTENT_PAIRS];
};

static void begin(struct stage *stage) {
  memset(stage, 0, sizeof *stage);
  stage->user[0] = (struct sluice_pair){"uploaded-by", "ann"};
  intent_tell(&stage->intent,
              &(struct sluice_upload){
                  .type = "text/plain", .length = -1, .prefix_is_open = true},
              stage->user);
}

static char *letters(char *text, size_t len) {
  memset(text, 'x', len);
  text[len] = '\0';
  return text;
}

static void test_eight_pairs_fit_and_no_ninth(void) {
  struct stage stage;
  char name[8];
  begin(&stage);
  for (int i = 0; i < SLUICE_UPLOAD_PAIRS_MAX; i++) {
    snprintf(name, sizeof name, "n%d", i);
    CU_ASSERT_TRUE(intent_meta(&stage.intent, name, "v"));
  }
  CU_ASSERT_FALSE(intent_meta(&stage.intent, "n8", "v"));
  CU_ASSERT_STRING_EQUAL(stage.intent.told.user[8].name, "n7");
  CU_ASSERT_PTR_NULL(stage.intent.told.user[9].name);
}

static void test_metadata_of_1024_bytes_fits_and_no_more(void) {
  struct stage stage;
  char value[SLUICE_UPLOAD_META_MAX + 1];
  begin(&stage);
  CU_ASSERT_FALSE(intent_meta(&stage.intent, "n",
                              letters(value, SLUICE_UPLOAD_META_MAX - 2)));
  CU_ASSERT_TRUE(intent_meta(&stage.intent, "n",
                             letters(value, SLUICE_UPLOAD_META_MAX - 3)));
  CU_ASSERT_FALSE(intent_meta(&stage.intent, "m", ""));
}

static void test_name_of_64_bytes_fits_and_no_longer_one(void) {
  struct stage stage;
  char name[SLUICE_UPLOAD_NAME_MAX + 2];
  begin(&stage);
  CU_ASSERT_FALSE(intent_meta(&stage.intent,
                              letters(name, SLUICE_UPLOAD_NAME_MAX + 1), "v"));
  CU_ASSERT_TRUE(
      intent_meta(&stage.intent, letters(name, SLUICE_UPLOAD_NAME_MAX), "v"));
}

static void test_names_that_are_the_gateways_or_there_are_refused(void) {
  static const char *const bad[] = {
      "md5", "uploaded-by", "sluice-x", "", "Upper", "a b", "a.b", "twice"};
  struct stage stage;
  begin(&stage);
  CU_ASSERT_TRUE(intent_meta(&stage.intent, "twice", "v"));
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    CU_ASSERT_FALSE(intent_meta(&stage.intent, bad[i], "v"));
}

static void test_values_that_are_no_text_are_refused(void) {
  static const char *const bad[] = {"a\nb", "\xff", "\x7f", "\xC2\x85"};
  struct stage stage;
  begin(&stage);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    CU_ASSERT_FALSE(intent_meta(&stage.intent, "n", bad[i]));
}

static void test_prefix_is_chosen_once(void) {
  struct stage stage;
  begin(&stage);
  CU_ASSERT_FALSE(intent_prefix(&stage.intent, ".sluice/a"));
  CU_ASSERT_FALSE(intent_prefix(&stage.intent, "a/../b"));
  CU_ASSERT_FALSE(intent_prefix(&stage.intent, "//"));
  CU_ASSERT_TRUE(intent_prefix(&stage.intent, "/a/b/"));
  CU_ASSERT_STRING_EQUAL(stage.intent.prefix, "a/b");
  CU_ASSERT_FALSE(intent_prefix(&stage.intent, "c"));
}

static void test_prefix_of_a_bound_key_cannot_be_chosen(void) {
  struct stage stage;
  begin(&stage);
  intent_tell(&stage.intent, &(struct sluice_upload){.type = "a/b"},
              stage.user);
  CU_ASSERT_FALSE(intent_prefix(&stage.intent, "a"));
}

static void test_type_that_is_none_is_refused(void) {
  struct stage stage;
  begin(&stage);
  CU_ASSERT_FALSE(intent_type(&stage.intent, "text"));
  CU_ASSERT_FALSE(intent_type(&stage.intent, "text/*"));
  CU_ASSERT_TRUE(intent_type(&stage.intent, "image/png"));
  CU_ASSERT_STRING_EQUAL(stage.intent.told.type, "image/png");
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_eight_pairs_fit_and_no_ninth),
      UNIT(test_metadata_of_1024_bytes_fits_and_no_more),
      UNIT(test_name_of_64_bytes_fits_and_no_longer_one),
      UNIT(test_names_that_are_the_gateways_or_there_are_refused),
      UNIT(test_values_that_are_no_text_are_refused),
      UNIT(test_prefix_is_chosen_once),
      UNIT(test_prefix_of_a_bound_key_cannot_be_chosen),
      UNIT(test_type_that_is_none_is_refused),
      {NULL, NULL}};
  return unit_main("intent", tests);
}
