/* SPDX-License-Identifier: MIT
 *
 * A file that is read at once, or by a reader that takes its time.
 */
#include "watch.h"
#include "watchkit.h"

/* ---- reading at once ---------------------------------------------------- */

static void test_a_file_is_read_up_to_its_limit(void) {
  struct rig rig;
  struct errmsg err = {""};
  char text[MAX + 2];
  memset(text, 'x', sizeof text);
  text[MAX + 1] = '\0';
  rig_init(&rig, text);
  CU_ASSERT_PTR_NULL(watch_read(&rig.file, &err));
  CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "longer than 64 bytes"));
  text[MAX] = '\0';
  put(rig.path, text);
  char *parsed = watch_read(&rig.file, &err);
  CU_ASSERT_STRING_EQUAL_FATAL(parsed, text);
  free(parsed);
  put(rig.path, "");
  parsed = watch_read(&rig.file, &err);
  CU_ASSERT_STRING_EQUAL_FATAL(parsed, "");
  free(parsed);
  rig_fini(&rig);
}

static void test_what_is_no_file_is_refused_at_once(void) {
  struct rig rig;
  struct errmsg err = {""};
  rig_init(&rig, NULL);
  CU_ASSERT_PTR_NULL(watch_read(&rig.file, &err));
  CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "No such file"));
  assert(mkfifo(rig.path, 0600) == 0); /* nobody writes to it */
  CU_ASSERT_PTR_NULL(watch_read(&rig.file, &err));
  CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "isn't a file"));
  rig.file.path = rig.folder;
  CU_ASSERT_PTR_NULL(watch_read(&rig.file, &err));
  CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "isn't a file"));
  rig.file.path = rig.path;
  unlink(rig.path);
  assert(symlink("file", rig.path) == 0); /* to itself */
  CU_ASSERT_PTR_NULL(watch_read(&rig.file, &err));
  CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "can't be read"));
  rig_fini(&rig);
}

static void test_a_parsers_reason_is_passed_on(void) {
  struct rig rig;
  struct errmsg err = {""};
  rig_init(&rig, "bad one");
  CU_ASSERT_PTR_NULL(watch_read(&rig.file, &err));
  CU_ASSERT_STRING_EQUAL(err.text, "it is bad one");
  rig_fini(&rig);
}

/* ---- a slow reader ------------------------------------------------------ */

static void open_gate(struct rig *rig, size_t bytes) {
  atomic_store(&rig->hold, false);
  for (size_t i = 0; i < bytes; i++)
    assert(write(rig->gate[1], "x", 1) == 1);
}

static void test_a_slow_reader_leaves_the_loop_free(void) {
  struct rig rig;
  rig_init(&rig, "one");
  rig_watch(&rig);
  atomic_store(&rig.hold, true);
  put(rig.path, "two");
  for (int i = 0; i < 20; i++)
    rig_pass(&rig);
  CU_ASSERT_STRING_EQUAL(watch_get(rig.watch), "one");
  CU_ASSERT(atomic_load(&rig.parses) <= 2);
  open_gate(&rig, 1);
  CU_ASSERT(rig_reads(&rig, "two"));
  rig_fini(&rig);
}

static void test_a_watch_may_be_freed_while_its_file_is_read(void) {
  static const char *const rows[] = {"two", "bad"};
  for (size_t i = 0; i < 2; i++) {
    struct rig rig;
    rig_init(&rig, "one");
    rig.file.interval_ms = 0;
    rig_watch(&rig);
    put(rig.path, rows[i]);
    atomic_store(&rig.hold, true);
    watch_now(rig.watch);
    rig_pass(&rig);
    watch_free(rig.watch);
    rig.watch = NULL;
    open_gate(&rig, 1);
    CU_ASSERT(rig_parses(&rig, 2));
    rig_fini(&rig);
  }
}

static void test_who_is_told_while_reading_reads_once_more(void) {
  struct rig rig;
  rig_init(&rig, "one");
  rig.file.interval_ms = 0;
  rig_watch(&rig);
  atomic_store(&rig.hold, true);
  watch_now(rig.watch);
  rig_pass(&rig);
  put(rig.path, "two");
  watch_now(rig.watch);
  watch_now(rig.watch);
  open_gate(&rig, 1);
  CU_ASSERT(rig_reads(&rig, "two"));
  CU_ASSERT(rig_parses(&rig, 3));
  for (int i = 0; i < 10; i++)
    rig_pass(&rig);
  CU_ASSERT_EQUAL(atomic_load(&rig.parses), 3);
  rig_fini(&rig);
}

static void test_no_watch_is_freed_as_nothing(void) {
  watch_free(NULL);
  CU_ASSERT(true);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_a_file_is_read_up_to_its_limit),
      UNIT(test_what_is_no_file_is_refused_at_once),
      UNIT(test_a_parsers_reason_is_passed_on),
      UNIT(test_a_slow_reader_leaves_the_loop_free),
      UNIT(test_a_watch_may_be_freed_while_its_file_is_read),
      UNIT(test_who_is_told_while_reading_reads_once_more),
      UNIT(test_no_watch_is_freed_as_nothing),
      {NULL, NULL}};
  return unit_main("watch_read", tests);
}
