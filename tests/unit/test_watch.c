/* SPDX-License-Identifier: MIT
 *
 * A file that changes while it is watched, or is wrong.
 */
#include "watch.h"
#include "watchkit.h"

/* ---- changes ------------------------------------------------------------ */

static void test_a_file_that_is_written_again_is_read_again(void) {
  struct rig rig;
  rig_init(&rig, "one");
  rig_watch(&rig);
  CU_ASSERT_STRING_EQUAL(watch_get(rig.watch), "one");
  put(rig.path, "two"); /* as long as before */
  CU_ASSERT(rig_reads(&rig, "two"));
  put(rig.path, "three");
  CU_ASSERT(rig_reads(&rig, "three"));
  put(rig.path, "");
  CU_ASSERT(rig_reads(&rig, ""));
  rig_fini(&rig);
}

static void test_a_file_that_is_replaced_is_read_again(void) {
  struct rig rig;
  rig_init(&rig, "one");
  rig_watch(&rig);
  for (int i = 0; i < 20; i++) {
    char text[16];
    snprintf(text, sizeof text, "number %d", i);
    put(rig.other, text);
    rename(rig.other, rig.path);
    CU_ASSERT(rig_reads(&rig, text));
  }
  CU_ASSERT_EQUAL(rig_said(&rig, "was read again"), 20);
  rig_fini(&rig);
}

static void test_a_link_that_turns_elsewhere_is_read_again(void) {
  struct rig rig;
  char link[96];
  rig_init(&rig, "one");
  put(rig.other, "two");
  snprintf(link, sizeof link, "%s/link", rig.folder);
  assert(symlink("file", link) == 0);
  rig.file.path = link;
  rig_watch(&rig);
  unlink(link);
  assert(symlink("other", link) == 0);
  CU_ASSERT(rig_reads(&rig, "two"));
  unlink(link);
  rig_fini(&rig);
}

/* Its times say nothing of it. */
static void test_a_change_with_old_times_is_read(void) {
  struct rig rig;
  struct stat st;
  rig_init(&rig, "one");
  rig_watch(&rig);
  assert(stat(rig.path, &st) == 0);
  const struct timespec times[2] = {st.st_atim, st.st_mtim};
  put(rig.path, "two");
  assert(utimensat(AT_FDCWD, rig.path, times, 0) == 0);
  CU_ASSERT(rig_reads(&rig, "two"));
  rig_fini(&rig);
}

static void test_a_file_that_is_old_is_read_once(void) {
  struct rig rig;
  char path[4096];
  const char *top = getenv("srcdir");
  rig_init(&rig, NULL);
  snprintf(path, sizeof path, "%s/LICENSE", top == NULL ? "." : top);
  rig.file.path = path;
  rig.file.max = 65536;
  rig_watch(&rig);
  CU_ASSERT(rig_parses(&rig, 2)); /* the first look's */
  for (int i = 0; i < 50; i++)
    rig_pass(&rig);
  CU_ASSERT_EQUAL(atomic_load(&rig.parses), 2);
  watch_now(rig.watch);
  CU_ASSERT(rig_parses(&rig, 3));
  CU_ASSERT_EQUAL(rig_said(&rig, "LICENSE"), 0);
  rig_fini(&rig);
}

static void test_without_an_interval_it_waits_to_be_told(void) {
  struct rig rig;
  rig_init(&rig, "one");
  rig.file.interval_ms = 0;
  rig_watch(&rig);
  put(rig.path, "two");
  for (int i = 0; i < 20; i++)
    rig_pass(&rig);
  CU_ASSERT_STRING_EQUAL(watch_get(rig.watch), "one");
  watch_now(rig.watch);
  CU_ASSERT(rig_reads(&rig, "two"));
  rig_fini(&rig);
}

/* ---- what is wrong ------------------------------------------------------ */

static void test_a_bad_version_is_logged_once_and_the_old_one_stays(void) {
  struct rig rig;
  rig_init(&rig, "one");
  rig_watch(&rig);
  put(rig.path, "bad thing");
  CU_ASSERT(rig_parses(&rig, 10)); /* it is young, and so read often */
  CU_ASSERT_STRING_EQUAL(watch_get(rig.watch), "one");
  watch_now(rig.watch);
  CU_ASSERT(rig_parses(&rig, 12));
  CU_ASSERT_EQUAL(rig_said(&rig, "it is bad thing"), 1);
  put(rig.path, "bad again");
  CU_ASSERT(rig_parses(&rig, 20));
  CU_ASSERT_EQUAL(rig_said(&rig, "it is bad again"), 1);
  put(rig.path, "two");
  CU_ASSERT(rig_reads(&rig, "two"));
  put(rig.path, "bad thing");
  CU_ASSERT(rig_parses(&rig, atomic_load(&rig.parses) + 5));
  CU_ASSERT_EQUAL(rig_said(&rig, "it is bad thing"), 2);
  rig_fini(&rig);
}

static void test_a_file_that_went_or_grew_leaves_the_old_one(void) {
  struct rig rig;
  char text[MAX + 2];
  rig_init(&rig, "one");
  rig_watch(&rig);
  unlink(rig.path);
  while (rig_said(&rig, "can't be read") == 0)
    rig_pass(&rig);
  memset(text, 'x', sizeof text);
  text[MAX + 1] = '\0';
  put(rig.other, text);
  rename(rig.other, rig.path);
  while (rig_said(&rig, "longer than") == 0)
    rig_pass(&rig);
  for (int i = 0; i < 20; i++)
    rig_pass(&rig);
  CU_ASSERT_STRING_EQUAL(watch_get(rig.watch), "one");
  CU_ASSERT_EQUAL(rig_said(&rig, "can't be read"), 1);
  CU_ASSERT_EQUAL(rig_said(&rig, "longer than"), 1);
  put(rig.path, "two");
  CU_ASSERT(rig_reads(&rig, "two"));
  rig_fini(&rig);
}

static void test_of_several_watches_one_logs(void) {
  struct rig rig;
  struct watch *more[3];
  struct watch_told told = {0};
  rig_init(&rig, "one");
  rig.file.told = &told;
  rig_watch(&rig);
  for (size_t i = 0; i < 3; i++)
    more[i] = watch_new(&rig.host, &rig.file, strdup("one"));
  put(rig.path, "bad thing");
  CU_ASSERT(rig_parses(&rig, 60));
  CU_ASSERT_EQUAL(rig_said(&rig, "it is bad thing"), 1);
  put(rig.other, "two");
  rename(rig.other, rig.path);
  for (size_t i = 0; i < 3; i++)
    while (strcmp(watch_get(more[i]), "two") != 0)
      rig_pass(&rig);
  CU_ASSERT(rig_reads(&rig, "two"));
  CU_ASSERT_EQUAL(rig_said(&rig, "was read again"), 1);
  for (size_t i = 0; i < 3; i++)
    watch_free(more[i]);
  rig_fini(&rig);
}

static bool rig_says(struct rig *rig, const char *words) {
  for (int i = 0; i < PASSES && rig_said(rig, words) == 0; i++)
    rig_pass(rig);
  return rig_said(rig, words) > 0;
}

/* As when one loop reads, and another has gone on before it speaks. */
static void test_a_late_watch_does_not_say_it_again(void) {
  struct rig rig;
  struct watch_told told = {0};
  char link[96];
  rig_init(&rig, "one");
  snprintf(link, sizeof link, "%s/link", rig.folder);
  put(rig.other, "bad thing");
  assert(symlink(rig.path, link) == 0);
  rig.file.path = link;
  rig.file.told = &told;
  rig.file.interval_ms = 0;
  rig_watch(&rig);
  struct watch *late = watch_new(&rig.host, &rig.file, strdup("one"));
  assert(unlink(link) == 0 && symlink(rig.other, link) == 0);
  watch_now(rig.watch);
  CU_ASSERT(rig_says(&rig, "it is bad thing"));
  assert(unlink(link) == 0 && symlink(rig.path, link) == 0);
  watch_now(rig.watch);
  CU_ASSERT(rig_says(&rig, "was read again"));
  assert(unlink(link) == 0 && symlink(rig.other, link) == 0);
  int parses = atomic_load(&rig.parses);
  watch_now(late);
  watch_now(late); /* so that the first one's word is out */
  CU_ASSERT(rig_parses(&rig, parses + 2));
  CU_ASSERT_EQUAL(rig_said(&rig, "it is bad thing"), 1);
  watch_free(late);
  unlink(link);
  rig_fini(&rig);
}

static void test_a_file_that_goes_twice_is_missed_twice(void) {
  struct rig rig;
  struct watch_told told = {0};
  rig_init(&rig, "one");
  rig.file.told = &told;
  rig_watch(&rig);
  for (size_t times = 1; times <= 2; times++) {
    unlink(rig.path);
    while (rig_said(&rig, "can't be read") < times)
      rig_pass(&rig);
    put(rig.other, times == 1 ? "two" : "three");
    rename(rig.other, rig.path);
    CU_ASSERT(rig_reads(&rig, times == 1 ? "two" : "three"));
  }
  CU_ASSERT_EQUAL(rig_said(&rig, "can't be read"), 2);
  rig_fini(&rig);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_a_file_that_is_written_again_is_read_again),
      UNIT(test_a_file_that_is_replaced_is_read_again),
      UNIT(test_a_link_that_turns_elsewhere_is_read_again),
      UNIT(test_a_change_with_old_times_is_read),
      UNIT(test_a_file_that_is_old_is_read_once),
      UNIT(test_without_an_interval_it_waits_to_be_told),
      UNIT(test_a_bad_version_is_logged_once_and_the_old_one_stays),
      UNIT(test_a_file_that_went_or_grew_leaves_the_old_one),
      UNIT(test_of_several_watches_one_logs),
      UNIT(test_a_late_watch_does_not_say_it_again),
      UNIT(test_a_file_that_goes_twice_is_missed_twice),
      {NULL, NULL}};
  return unit_main("watch", tests);
}
