/* SPDX-License-Identifier: MIT
 *
 * The queue of a mirror: who has a key, what is on the disk after each step,
 * and what is read of it when a part is missing.
 */
#include "arrears.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

#define ALL 6u /* of three storages, all but the first */

static char folder[64];

static struct arrears_conf conf_of(uint64_t limit) {
  return (struct arrears_conf){.directory = folder,
                               .names = "a b c",
                               .all = ALL,
                               .limit = limit,
                               .pause_ms = 1000};
}

static struct arrears *opened(struct arrears_read *read) {
  const struct arrears_conf conf = conf_of(65536);
  struct errmsg err;
  struct arrears *arrears = arrears_open(&conf, read, &err);
  CU_ASSERT_PTR_NOT_NULL_FATAL(arrears);
  return arrears;
}

static void begin(void) {
  snprintf(folder, sizeof folder, "/tmp/sluice-arrears-XXXXXX");
  CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
}

static void finish(void) {
  char path[128];
  static const char *const names[] = {"queue", "queue.new", "lock"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    snprintf(path, sizeof path, "%s/%s", folder, names[i]);
    unlink(path);
  }
  rmdir(folder);
}

static bool take(struct arrears *arrears, const char *key) {
  unsigned owed, late;
  return arrears_take(arrears, key, &owed, &late) == ARREARS_TAKEN &&
         arrears_sync(arrears);
}

/* The file, of another process's view: nothing is closed in between. */
static size_t contents(char *text, size_t room) {
  char path[128];
  snprintf(path, sizeof path, "%s/queue", folder);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t got = read(fd, text, room - 1);
  close(fd);
  text[got < 0 ? 0 : got] = '\0';
  return got < 0 ? 0 : (size_t)got;
}

static void replace(const char *text, size_t len) {
  char path[128];
  snprintf(path, sizeof path, "%s/queue", folder);
  int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
  CU_ASSERT_EQUAL(write(fd, text, len), (ssize_t)len);
  close(fd);
}

static void test_key_is_on_the_disk_before_it_is_had(void) {
  char text[512];
  struct arrears_read read;
  begin();
  struct arrears *arrears = opened(&read);
  CU_ASSERT_TRUE(take(arrears, "some key"));
  contents(text, sizeof text);
  CU_ASSERT_PTR_NOT_NULL(strstr(text, " 06 some key\n"));
  CU_ASSERT_EQUAL(arrears_owed(arrears, "some key"), ALL);
  arrears_leave(arrears, "some key", 0, 0);
  CU_ASSERT_EQUAL(arrears_owed(arrears, "some key"), 0);
  arrears_flush(arrears);
  contents(text, sizeof text);
  CU_ASSERT_PTR_NOT_NULL(strstr(text, " 00 some key\n"));
  arrears_close(arrears);
  finish();
}

static void test_key_has_one_owner(void) {
  struct arrears_read read;
  unsigned owed = 9, late = 9;
  begin();
  struct arrears *arrears = opened(&read);
  CU_ASSERT_TRUE(take(arrears, "k"));
  CU_ASSERT_EQUAL(arrears_take(arrears, "k", &owed, &late), ARREARS_BUSY);
  CU_ASSERT_PTR_NULL(arrears_next(arrears, 0, ALL, &owed));
  arrears_leave(arrears, "k", 4, 2);
  CU_ASSERT_EQUAL(arrears_take(arrears, "k", &owed, &late), ARREARS_TAKEN);
  CU_ASSERT_EQUAL(owed, 4);
  CU_ASSERT_EQUAL(late, 2);
  arrears_close(arrears);
  finish();
}

static void test_late_storage_is_not_healed(void) {
  struct arrears_read read;
  unsigned owed = 0;
  begin();
  struct arrears *arrears = opened(&read);
  take(arrears, "k");
  arrears_leave(arrears, "k", 2, 2);
  CU_ASSERT_PTR_NULL(arrears_next(arrears, 0, ALL, &owed));
  arrears_over(arrears, "k", 2);
  CU_ASSERT_PTR_NULL(arrears_next(arrears, 0, 4, &owed)); /* another one */
  CU_ASSERT_STRING_EQUAL(arrears_next(arrears, 0, ALL, &owed), "k");
  CU_ASSERT_EQUAL(owed, 2);
  arrears_close(arrears);
  finish();
}

static void test_key_that_is_not_healed_lets_others_go_before(void) {
  struct arrears_read read;
  unsigned owed;
  begin();
  struct arrears *arrears = opened(&read);
  take(arrears, "a");
  arrears_leave(arrears, "a", 2, 0);
  take(arrears, "b");
  arrears_leave(arrears, "b", 2, 0);
  CU_ASSERT_STRING_EQUAL(arrears_next(arrears, 5, ALL, &owed), "a");
  arrears_leave(arrears, "a", 2, 0);
  arrears_postpone(arrears, "a", 5);
  CU_ASSERT_STRING_EQUAL(arrears_next(arrears, 5, ALL, &owed), "b");
  CU_ASSERT_PTR_NULL(arrears_next(arrears, 1004, ALL, &owed));
  CU_ASSERT_STRING_EQUAL(arrears_next(arrears, 1005, ALL, &owed), "a");
  arrears_close(arrears);
  finish();
}

static void test_counts_are_of_what_is_lacked(void) {
  struct arrears_read read;
  begin();
  struct arrears *arrears = opened(&read);
  take(arrears, "a");
  CU_ASSERT_EQUAL(arrears_count(arrears, 1), 0); /* nobody lacks it yet */
  arrears_leave(arrears, "a", 2, 0);
  CU_ASSERT_EQUAL(arrears_count(arrears, 1), 1);
  CU_ASSERT_EQUAL(arrears_count(arrears, 2), 0);
  take(arrears, "a");
  CU_ASSERT_EQUAL(arrears_count(arrears, 1), 1);
  arrears_leave(arrears, "a", 0, 0);
  CU_ASSERT_EQUAL(arrears_count(arrears, 1), 0);
  arrears_close(arrears);
  finish();
}

static void test_limit_is_kept_and_one_that_goes_makes_room(void) {
  const struct arrears_conf conf = conf_of(1000);
  struct arrears_read read;
  struct errmsg err;
  unsigned owed, late;
  char key[16];
  int count = 0;
  begin();
  struct arrears *arrears = arrears_open(&conf, &read, &err);
  enum arrears_answer answer = ARREARS_TAKEN;
  while (answer == ARREARS_TAKEN) {
    snprintf(key, sizeof key, "k%d", count++);
    answer = arrears_take(arrears, key, &owed, &late);
  }
  CU_ASSERT_EQUAL(answer, ARREARS_FULL);
  CU_ASSERT_TRUE(arrears_is_full(arrears));
  CU_ASSERT(count > 4 && count < 16);
  CU_ASSERT_TRUE(arrears_sync(arrears));
  arrears_leave(arrears, "k0", 0, 0);
  CU_ASSERT_FALSE(arrears_is_full(arrears));
  CU_ASSERT_TRUE(take(arrears, key));
  arrears_close(arrears);
  finish();
}

static void test_what_is_owed_is_there_again(void) {
  struct arrears_read read;
  begin();
  struct arrears *arrears = opened(&read);
  CU_ASSERT_EQUAL(read.keys, 0);
  take(arrears, "left alone");
  take(arrears, "healed");
  arrears_leave(arrears, "healed", 0, 0);
  take(arrears, "half");
  arrears_leave(arrears, "half", 4, 0);
  arrears_close(arrears);
  arrears = opened(&read);
  CU_ASSERT_EQUAL(read.keys, 2);
  CU_ASSERT_EQUAL(read.cut + read.damaged, 0);
  CU_ASSERT_EQUAL(arrears_owed(arrears, "left alone"), ALL);
  CU_ASSERT_EQUAL(arrears_owed(arrears, "half"), 4);
  CU_ASSERT_EQUAL(arrears_owed(arrears, "healed"), 0);
  CU_ASSERT_EQUAL(arrears_owed(arrears, NULL), ALL);
  arrears_close(arrears);
  finish();
}

/* A closed queue of "one" and "two": its text, and how long that is. */
static size_t begin_with_two(char *text, size_t room) {
  struct arrears_read read;
  begin();
  struct arrears *arrears = opened(&read);
  take(arrears, "one");
  take(arrears, "two");
  size_t len = contents(text, room);
  arrears_close(arrears);
  return len;
}

/* Wherever the end is cut, the keys before it are there. */
static void test_any_cut_leaves_what_is_before_it(void) {
  char text[512], *second;
  struct arrears_read read;
  size_t len = begin_with_two(text, sizeof text);
  second = strstr(text, "one\n") + 4;
  for (size_t cut = (size_t)(second - text); cut < len; cut++) {
    replace(text, cut);
    struct arrears *arrears = opened(&read);
    CU_ASSERT_EQUAL(read.keys, 1);
    CU_ASSERT_EQUAL(read.damaged, 0);
    CU_ASSERT_EQUAL(read.cut, cut - (size_t)(second - text));
    CU_ASSERT_EQUAL(arrears_owed(arrears, "one"), ALL);
    arrears_close(arrears);
  }
  finish();
}

static void test_any_damaged_byte_is_noticed(void) {
  char text[512], *first;
  struct arrears_read read;
  size_t len = begin_with_two(text, sizeof text);
  first = strchr(text, '\n') + 1;
  for (char *at = first; *at != '\n'; at++) {
    *at ^= 1;
    replace(text, len);
    *at ^= 1;
    struct arrears *arrears = opened(&read);
    CU_ASSERT(read.damaged >= 1);
    CU_ASSERT_EQUAL(arrears_owed(arrears, "one"), 0);
    CU_ASSERT_EQUAL(arrears_owed(arrears, "two"), ALL);
    arrears_close(arrears);
  }
  finish();
}

static void test_file_stays_short(void) {
  struct arrears_read read;
  struct stat st;
  char path[128], key[1001];
  begin();
  memset(key, 'k', sizeof key - 1);
  key[sizeof key - 1] = '\0';
  struct arrears *arrears = opened(&read);
  take(arrears, "stays");
  for (int i = 0; i < 800; i++) { /* 1.6 MiB of lines */
    CU_ASSERT_TRUE(take(arrears, key));
    arrears_leave(arrears, key, 0, 0);
  }
  CU_ASSERT_TRUE(take(arrears, "last"));
  snprintf(path, sizeof path, "%s/queue", folder);
  CU_ASSERT_EQUAL(stat(path, &st), 0);
  CU_ASSERT(st.st_size < 5 << 18); /* 1.25 MiB */
  arrears_close(arrears);
  arrears = opened(&read);
  CU_ASSERT_EQUAL(read.keys, 2);
  CU_ASSERT_EQUAL(arrears_owed(arrears, "stays"), ALL);
  arrears_close(arrears);
  finish();
}

static void move_much(struct arrears *arrears, int times) {
  char key[1001];
  memset(key, 'k', sizeof key - 1);
  key[sizeof key - 1] = '\0';
  for (int i = 0; i < times; i++) {
    CU_ASSERT_TRUE(take(arrears, key));
    arrears_leave(arrears, key, 0, 0);
  }
}

/* The old one goes on, and a short one comes when it can. */
static void test_new_file_that_can_not_be_written_breaks_nothing(void) {
  struct arrears_read read;
  struct stat st;
  char path[128], next[128];
  begin();
  struct arrears *arrears = opened(&read);
  snprintf(path, sizeof path, "%s/queue", folder);
  snprintf(next, sizeof next, "%s/queue.new", folder);
  CU_ASSERT_EQUAL(mkdir(next, S_IRWXU), 0);
  take(arrears, "stays");
  move_much(arrears, 800); /* 1.6 MiB of lines */
  CU_ASSERT_FALSE(arrears_is_broken(arrears));
  CU_ASSERT_EQUAL(stat(path, &st), 0);
  CU_ASSERT(st.st_size > 5 << 18);
  rmdir(next);
  move_much(arrears, 800);
  CU_ASSERT_TRUE(take(arrears, "last"));
  CU_ASSERT_EQUAL(stat(path, &st), 0);
  CU_ASSERT(st.st_size < 3 << 19); /* 1.5 of 3.2 MiB */
  arrears_close(arrears);
  arrears = opened(&read);
  CU_ASSERT_EQUAL(read.keys, 2);
  CU_ASSERT_EQUAL(read.damaged + read.cut, 0);
  arrears_close(arrears);
  finish();
}

#define LARGE 66 /* keys of a MiB each: more than lines are kept in memory */

static void test_queue_of_any_size_is_written_anew(void) {
  const struct arrears_conf conf = conf_of((LARGE + 1) << 20);
  struct arrears_read read;
  struct errmsg err = {.text = ""};
  char *key = malloc(1 << 20);
  begin();
  CU_ASSERT_PTR_NOT_NULL_FATAL(key);
  memset(key, 'k', (1 << 20) - 1);
  key[(1 << 20) - 1] = '\0';
  struct arrears *arrears = arrears_open(&conf, &read, &err);
  for (int i = 0; i < LARGE; i++) {
    key[0] = (char)('0' + i);
    CU_ASSERT_TRUE(take(arrears, key));
  }
  arrears_close(arrears);
  for (int times = 0; times < 2; times++) { /* what was read, what is new */
    arrears = arrears_open(&conf, &read, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(arrears);
    CU_ASSERT_EQUAL(read.keys, LARGE);
    CU_ASSERT_EQUAL(read.damaged + read.cut, 0);
    CU_ASSERT_EQUAL(arrears_owed(arrears, key), ALL);
    arrears_close(arrears);
  }
  free(key);
  finish();
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_key_is_on_the_disk_before_it_is_had),
      UNIT(test_key_has_one_owner),
      UNIT(test_late_storage_is_not_healed),
      UNIT(test_key_that_is_not_healed_lets_others_go_before),
      UNIT(test_counts_are_of_what_is_lacked),
      UNIT(test_limit_is_kept_and_one_that_goes_makes_room),
      UNIT(test_what_is_owed_is_there_again),
      UNIT(test_any_cut_leaves_what_is_before_it),
      UNIT(test_any_damaged_byte_is_noticed),
      UNIT(test_file_stays_short),
      UNIT(test_new_file_that_can_not_be_written_breaks_nothing),
      UNIT(test_queue_of_any_size_is_written_anew),
      {NULL, NULL}};
  return unit_main("arrears", tests);
}
