/* SPDX-License-Identifier: MIT
 *
 * Starts of the backend `local` on blobs that have no row.  Those that nobody
 * was told of go; those that were acknowledged, and that an older index or a
 * lost log forgot, are moved to lost+found, whole and with their description.
 */
#include "blob.h"
#include "index.h"
#include "localkit.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LARGE 5000u
#define COUNT 20

static char *bytes;

static void key_of(char key[32], int number) {
  snprintf(key, 32, "k/%d", number);
}

/* Objects number first..last-1, each with bytes of its own. */
static void put_all(struct kit *kit, int first, int last) {
  char key[32];
  for (int i = first; i < last; i++) {
    key_of(key, i);
    CU_ASSERT_EQUAL(kit_put(kit, key, bytes + i, LARGE), SLUICE_OK);
  }
}

static int count_there(struct kit *kit, int first, int last) {
  char key[32];
  int count = 0;
  for (int i = first; i < last; i++) {
    key_of(key, i);
    count += kit_has(kit, key, bytes + i, LARGE);
  }
  return count;
}

/* Counts those of first..last-1 that are whole in lost+found, by their
 * descriptions. */
static int count_lost(const struct kit *kit, int first, int last) {
  int count = 0;
  for (unsigned number = 1; number < 70000; number++) {
    struct row row;
    char path[200], *key = NULL, want[32];
    snprintf(path, sizeof path, "%s/lost+found/%016x", kit->dir, number);
    int fd = open(path, O_RDONLY);
    if (fd < 0)
      continue;
    row_init(&row);
    CU_ASSERT_EQUAL(blob_read_description(fd, &key, &row), SLUICE_OK);
    CU_ASSERT_PTR_NULL(blob_verify(fd, &row));
    for (int i = first; key && i < last; i++) {
      key_of(want, i);
      count += strcmp(key, want) == 0;
    }
    free(key);
    row_fini(&row);
    close(fd);
  }
  return count;
}

static void copy(const struct kit *kit, const char *from, const char *to) {
  char path[200];
  static char room[1 << 20];
  snprintf(path, sizeof path, "%s/%s", kit->dir, from);
  int in = open(path, O_RDONLY);
  snprintf(path, sizeof path, "%s/%s", kit->dir, to);
  int out = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  CU_ASSERT_FATAL(in >= 0 && out >= 0);
  ssize_t got = read(in, room, sizeof room);
  CU_ASSERT(got > 0 && got < (ssize_t)sizeof room);
  CU_ASSERT(write(out, room, (size_t)got) == got);
  close(in);
  close(out);
}

/* Does it in a process that ends without a word. */
static void crash_after(struct kit *kit, void (*work)(struct kit *)) {
  int status = 1;
  fflush(stdout);
  pid_t child = fork();
  CU_ASSERT_FATAL(child >= 0);
  if (child == 0) {
    if (!kit_start(kit))
      _exit(1);
    work(kit);
    _exit(CU_get_number_of_failures() != 0);
  }
  CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
  CU_ASSERT_EQUAL(status, 0);
}

static void work_more(struct kit *kit) {
  put_all(kit, COUNT, 2 * COUNT);
}

static void work_past_a_checkpoint(struct kit *kit) {
  put_all(kit, COUNT, 2 * COUNT);
  CU_ASSERT(sqlite3_wal_checkpoint_v2(kit->local->writer.db, NULL,
                                      SQLITE_CHECKPOINT_TRUNCATE, NULL,
                                      NULL) == SQLITE_OK);
  put_all(kit, 2 * COUNT, 3 * COUNT);
}

static void first_half(struct kit *kit) {
  kit_init(kit, 1000);
  CU_ASSERT_FATAL(kit_start(kit));
  put_all(kit, 0, COUNT);
  kit_stop(kit);
  kit_log_forget();
}

static void check_told(const char *words) {
  CU_ASSERT_EQUAL(kit_log_count("/lost+found: "), 1);
  CU_ASSERT_EQUAL(kit_log_count(words), 1);
  CU_ASSERT_EQUAL(kit_log_count("swept"), 0);
}

static void test_older_index_put_back_loses_no_blob(void) {
  struct kit kit;
  first_half(&kit);
  copy(&kit, "index.db", "backup");
  CU_ASSERT_FATAL(kit_start(&kit));
  work_more(&kit);
  kit_stop(&kit);
  copy(&kit, "backup", "index.db");
  CU_ASSERT_FATAL(kit_start(&kit));
  CU_ASSERT_EQUAL(count_there(&kit, 0, COUNT), COUNT);
  CU_ASSERT_EQUAL(count_lost(&kit, COUNT, 2 * COUNT), COUNT);
  CU_ASSERT_EQUAL(kit_files(&kit, "blobs"), COUNT);
  check_told(" 20 blobs that the index doesn't know");
  put_all(&kit, 2 * COUNT, 3 * COUNT);
  kit_stop(&kit);
  CU_ASSERT_FATAL(kit_start(&kit));
  CU_ASSERT_EQUAL(count_there(&kit, 2 * COUNT, 3 * COUNT), COUNT);
  CU_ASSERT_EQUAL(count_lost(&kit, COUNT, 2 * COUNT), COUNT);
  kit_stop(&kit);
  kit_fini(&kit);
}

/* An index of a running gateway, which knows that it wasn't stopped. */
static void test_older_index_of_a_crash_loses_no_blob(void) {
  struct kit kit;
  first_half(&kit);
  CU_ASSERT(kit_sql(&kit, "UPDATE state SET value = 0 WHERE name = 'clean';"
                          "UPDATE state SET value = 65537"
                          " WHERE name = 'next'"));
  copy(&kit, "index.db", "backup");
  CU_ASSERT(kit_sql(&kit, "UPDATE state SET value = 1 WHERE name = 'clean';"
                          "UPDATE state SET value = 21"
                          " WHERE name = 'next'"));
  CU_ASSERT_FATAL(kit_start(&kit));
  work_more(&kit);
  kit_stop(&kit);
  copy(&kit, "backup", "index.db");
  kit_log_forget();
  CU_ASSERT_FATAL(kit_start(&kit));
  CU_ASSERT_EQUAL(count_there(&kit, 0, COUNT), COUNT);
  CU_ASSERT_EQUAL(count_lost(&kit, COUNT, 2 * COUNT), COUNT);
  check_told(" 20 blobs that the index doesn't know");
  kit_stop(&kit);
  kit_fini(&kit);
}

static void test_lost_log_loses_no_blob(void) {
  struct kit kit;
  char wal[200];
  first_half(&kit);
  crash_after(&kit, work_more);
  snprintf(wal, sizeof wal, "%s/index.db-wal", kit.dir);
  CU_ASSERT(unlink(wal) == 0);
  kit_log_forget();
  CU_ASSERT_FATAL(kit_start(&kit));
  CU_ASSERT_EQUAL(count_there(&kit, 0, COUNT), COUNT);
  CU_ASSERT_EQUAL(count_lost(&kit, COUNT, 2 * COUNT), COUNT);
  check_told(" 20 blobs that the index doesn't know");
  kit_stop(&kit);
  kit_fini(&kit);
}

static void test_log_lost_after_a_checkpoint_loses_no_blob(void) {
  struct kit kit;
  char wal[200];
  first_half(&kit);
  crash_after(&kit, work_past_a_checkpoint);
  snprintf(wal, sizeof wal, "%s/index.db-wal", kit.dir);
  CU_ASSERT(unlink(wal) == 0);
  kit_log_forget();
  CU_ASSERT_FATAL(kit_start(&kit));
  CU_ASSERT_EQUAL(count_there(&kit, 0, 2 * COUNT), 2 * COUNT);
  CU_ASSERT_EQUAL(count_lost(&kit, 2 * COUNT, 3 * COUNT), COUNT);
  check_told(" 20 blobs that the index doesn't know");
  kit_stop(&kit);
  kit_fini(&kit);
}

/* The COMMIT that would have told of it doesn't come. */
static int die(void *arg) {
  (void)arg;
  _exit(CU_get_number_of_failures() != 0);
}

static void work_until_a_commit(struct kit *kit) {
  put_all(kit, COUNT, COUNT + 1);
  sqlite3_commit_hook(kit->local->writer.db, die, NULL);
  put_all(kit, COUNT + 1, COUNT + 2);
}

static void test_blob_that_nobody_was_told_of_goes(void) {
  struct kit kit;
  first_half(&kit);
  crash_after(&kit, work_until_a_commit);
  CU_ASSERT_EQUAL(kit_files(&kit, "blobs"), COUNT + 2);
  kit_log_forget();
  CU_ASSERT_FATAL(kit_start(&kit));
  CU_ASSERT_EQUAL(kit_files(&kit, "blobs"), COUNT + 1);
  CU_ASSERT_EQUAL(kit_files(&kit, "lost+found"), 0);
  CU_ASSERT_EQUAL(count_there(&kit, 0, COUNT + 1), COUNT + 1);
  CU_ASSERT_EQUAL(kit_log_count("swept 1 orphan blobs"), 1);
  kit_stop(&kit);
  kit_fini(&kit);
}

static mode_t mode_of(const struct kit *kit, unsigned number) {
  char path[200];
  struct stat st;
  snprintf(path, sizeof path, "%s/blobs/0/00/%016x", kit->dir, number);
  CU_ASSERT(stat(path, &st) == 0);
  return st.st_mode & 0777;
}

/* So that it isn't taken for one that nobody was told of, when its row is
 * lost later. */
static void test_blob_with_a_row_is_marked_by_the_next_start(void) {
  struct kit kit;
  char path[200];
  first_half(&kit);
  CU_ASSERT_EQUAL(mode_of(&kit, 1), 0400);
  snprintf(path, sizeof path, "%s/blobs/0/00/%016x", kit.dir, 1);
  CU_ASSERT(chmod(path, 0600) == 0); /* the crash came before the mark */
  CU_ASSERT(kit_sql(&kit, "UPDATE state SET value = 0 WHERE name = 'clean';"
                          "UPDATE state SET value = 1 WHERE name = 'low';"
                          "INSERT INTO recent VALUES(1), (2)"));
  CU_ASSERT_FATAL(kit_start(&kit));
  CU_ASSERT_EQUAL(mode_of(&kit, 1), 0400);
  CU_ASSERT(count_there(&kit, 0, 1));
  kit_stop(&kit);
  kit_fini(&kit);
}

/* Rows name numbers that the index says it never handed out. */
static void test_index_that_contradicts_itself_keeps_what_has_rows(void) {
  struct kit kit;
  first_half(&kit);
  CU_ASSERT(kit_sql(&kit, "UPDATE state SET value = 5"
                          " WHERE name IN ('next', 'low')"));
  CU_ASSERT_FATAL(kit_start(&kit));
  CU_ASSERT_EQUAL(count_there(&kit, 0, COUNT), COUNT);
  CU_ASSERT_EQUAL(kit_files(&kit, "lost+found"), 0);
  put_all(&kit, COUNT, 2 * COUNT);
  CU_ASSERT_EQUAL(count_there(&kit, 0, 2 * COUNT), 2 * COUNT);
  kit_stop(&kit);
  kit_fini(&kit);
}

/* Blobs of the version before don't tell whether they were acknowledged. */
static void test_blob_of_an_earlier_version_is_kept_in_doubt(void) {
  struct kit kit;
  char path[200];
  first_half(&kit);
  snprintf(path, sizeof path, "%s/blobs/0/00/%016x", kit.dir, 3);
  CU_ASSERT(chmod(path, 0600) == 0);
  CU_ASSERT(kit_sql(&kit, "UPDATE state SET value = 0 WHERE name = 'clean';"
                          "UPDATE state SET value = 3 WHERE name = 'low';"
                          "UPDATE state SET value = 4 WHERE name = 'marked';"
                          "DELETE FROM object WHERE blob = 3;"
                          "INSERT INTO recent SELECT blob FROM object"
                          " WHERE blob > 3"));
  kit_log_forget();
  CU_ASSERT_FATAL(kit_start(&kit));
  CU_ASSERT_EQUAL(kit_files(&kit, "lost+found"), 1);
  CU_ASSERT_EQUAL(kit_files(&kit, "blobs"), COUNT - 1);
  check_told(" 1 blobs that the index doesn't know");
  kit_stop(&kit);
  kit_fini(&kit);
}

static void test_blobs_of_one_number_stand_beside_each_other(void) {
  struct kit kit;
  first_half(&kit);
  for (int i = 0; i < 3; i++) {
    CU_ASSERT(kit_sql(&kit, "DELETE FROM object WHERE blob >= 20;"
                            "UPDATE state SET value = 20"
                            " WHERE name IN ('next', 'low')"));
    CU_ASSERT_FATAL(kit_start(&kit));
    CU_ASSERT_EQUAL(kit_files(&kit, "lost+found"), (size_t)i + 1);
    put_all(&kit, COUNT, COUNT + 1);
    kit_stop(&kit);
  }
  kit_fini(&kit);
}

static void test_what_cannot_be_moved_stops_the_start(void) {
  struct kit kit;
  char path[200];
  first_half(&kit);
  CU_ASSERT(kit_sql(&kit, "DELETE FROM object WHERE blob = 20;"
                          "UPDATE state SET value = 20"
                          " WHERE name IN ('next', 'low')"));
  snprintf(path, sizeof path, "%s/lost+found", kit.dir);
  int fd = open(path, O_WRONLY | O_CREAT, 0600); /* isn't a folder */
  CU_ASSERT(fd >= 0);
  close(fd);
  CU_ASSERT_FALSE(kit_start(&kit));
  CU_ASSERT(strstr(kit.host.failure, "have no row") != NULL);
  CU_ASSERT(strstr(kit.host.failure, "lost+found belong") != NULL);
  CU_ASSERT_EQUAL(kit_files(&kit, "blobs"), COUNT);
  CU_ASSERT(unlink(path) == 0);
  CU_ASSERT_FATAL(kit_start(&kit));
  CU_ASSERT_EQUAL(kit_files(&kit, "lost+found"), 1);
  kit_stop(&kit);
  kit_fini(&kit);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_older_index_put_back_loses_no_blob),
      UNIT(test_older_index_of_a_crash_loses_no_blob),
      UNIT(test_lost_log_loses_no_blob),
      UNIT(test_log_lost_after_a_checkpoint_loses_no_blob),
      UNIT(test_blob_that_nobody_was_told_of_goes),
      UNIT(test_blob_with_a_row_is_marked_by_the_next_start),
      UNIT(test_index_that_contradicts_itself_keeps_what_has_rows),
      UNIT(test_blob_of_an_earlier_version_is_kept_in_doubt),
      UNIT(test_blobs_of_one_number_stand_beside_each_other),
      UNIT(test_what_cannot_be_moved_stops_the_start),
      {NULL, NULL}};
  kit_log_keep();
  bytes = kit_bytes(1, LARGE + 3 * COUNT);
  int status = unit_main("local orphans", tests);
  free(bytes);
  return status;
}
