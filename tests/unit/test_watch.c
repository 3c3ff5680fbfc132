/* SPDX-License-Identifier: MIT
 *
 * A file that changes while it is watched: by a real loop, with a real pool,
 * in a folder of its own.
 */
#include "unit.h"
#include "watch.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loop.h"
#include "op.h"
#include "work.h"

#define MAX 64
#define PASSES 5000 /* of 10 ms */

struct rig {
  struct loop *loop;
  struct work_pool *pool;
  struct sluice_host host;
  char folder[64], path[96], other[96];
  struct watch_file file;
  struct watch *watch;
  atomic_int parses;
  atomic_bool hold; /* parse() waits for a byte of the pipe */
  int gate[2];
  int err, log; /* stderr meanwhile */
};

/* ---- the file's meaning: itself, unless it begins with "bad" -------------
 */

static void *parse(const char *data, size_t len, void *arg,
                   struct errmsg *err) {
  struct rig *rig = arg;
  char byte;
  assert(data[len] == '\0');
  if (atomic_load(&rig->hold))
    assert(read(rig->gate[0], &byte, 1) == 1);
  atomic_fetch_add(&rig->parses, 1);
  if (strncmp(data, "bad", 3) == 0) {
    errmsg_set(err, "it is %s", data);
    return NULL;
  }
  return strdup(data);
}

static void let_go(void *parsed) {
  free(parsed);
}

/* ---- the scene ---------------------------------------------------------- */

static void put(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
  close(fd);
}

static void rig_init(struct rig *rig, const char *text) {
  *rig = (struct rig){.folder = "/tmp/sluice-watch-XXXXXX",
                      .loop = loop_new(),
                      .pool = work_pool_new(2)};
  assert(mkdtemp(rig->folder) && pipe(rig->gate) == 0);
  snprintf(rig->path, sizeof rig->path, "%s/file", rig->folder);
  snprintf(rig->other, sizeof rig->other, "%s/other", rig->folder);
  rig->host = (struct sluice_host){
      .name = "test", .loop = rig->loop, .pool = rig->pool};
  rig->file = (struct watch_file){.path = rig->path,
                                  .max = MAX,
                                  .interval_ms = 1,
                                  .parse = parse,
                                  .free = let_go,
                                  .arg = rig};
  rig->err = dup(STDERR_FILENO);
  rig->log = open(rig->folder, O_TMPFILE | O_RDWR, 0600);
  assert(rig->err >= 0 && rig->log >= 0);
  dup2(rig->log, STDERR_FILENO);
  if (text != NULL)
    put(rig->path, text);
}

static void rig_watch(struct rig *rig) {
  struct errmsg err = {""};
  void *parsed = watch_read(&rig->file, &err);
  CU_ASSERT_PTR_NOT_NULL_FATAL(parsed);
  rig->watch = watch_new(&rig->host, &rig->file, parsed);
  CU_ASSERT_PTR_NOT_NULL_FATAL(rig->watch);
}

static void rig_fini(struct rig *rig) {
  watch_free(rig->watch);
  loop_stop(rig->loop);
  loop_run(rig->loop);
  work_pool_free(rig->pool);
  loop_free(rig->loop);
  dup2(rig->err, STDERR_FILENO);
  close(rig->err);
  close(rig->log);
  close(rig->gate[0]);
  close(rig->gate[1]);
  unlink(rig->path);
  unlink(rig->other);
  rmdir(rig->folder);
}

static size_t rig_said(const struct rig *rig, const char *words) {
  static char text[65536];
  size_t count = 0;
  ssize_t len = pread(rig->log, text, sizeof text - 1, 0);
  text[len < 0 ? 0 : len] = '\0';
  for (const char *at = text; (at = strstr(at, words)) != NULL; at++)
    count++;
  return count;
}

static void on_tick(evutil_socket_t fd, short what, void *arg) {
  (void)fd, (void)what;
  *(bool *)arg = true;
}

/* Runs the loop for one event, or for 10 ms. */
static void rig_pass(struct rig *rig) {
  static const struct timeval tick = {.tv_usec = 10000};
  bool over = false;
  struct event *timer = evtimer_new(loop_base(rig->loop), on_tick, &over);
  event_add(timer, &tick);
  event_base_loop(loop_base(rig->loop), EVLOOP_ONCE);
  event_free(timer);
}

static bool rig_reads(struct rig *rig, const char *text) {
  for (int i = 0; i < PASSES; i++) {
    if (strcmp(watch_get(rig->watch), text) == 0)
      return true;
    rig_pass(rig);
  }
  return false;
}

static bool rig_parses(struct rig *rig, int count) {
  for (int i = 0; i < PASSES; i++) {
    if (atomic_load(&rig->parses) >= count)
      return true;
    rig_pass(rig);
  }
  return false;
}

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
  atomic_uint_least64_t told = 0;
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
      UNIT(test_a_file_that_is_written_again_is_read_again),
      UNIT(test_a_file_that_is_replaced_is_read_again),
      UNIT(test_a_link_that_turns_elsewhere_is_read_again),
      UNIT(test_a_change_with_old_times_is_read),
      UNIT(test_a_file_that_is_old_is_read_once),
      UNIT(test_without_an_interval_it_waits_to_be_told),
      UNIT(test_a_bad_version_is_logged_once_and_the_old_one_stays),
      UNIT(test_a_file_that_went_or_grew_leaves_the_old_one),
      UNIT(test_of_several_watches_one_logs),
      UNIT(test_a_slow_reader_leaves_the_loop_free),
      UNIT(test_a_watch_may_be_freed_while_its_file_is_read),
      UNIT(test_who_is_told_while_reading_reads_once_more),
      UNIT(test_no_watch_is_freed_as_nothing),
      {NULL, NULL}};
  return unit_main("watch", tests);
}
