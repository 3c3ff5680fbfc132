/* SPDX-License-Identifier: MIT
 *
 * The backend `local` while somebody moves, removes or replaces its files:
 * nothing is acknowledged that isn't in the store at its place.
 */
#include "index.h"
#include "localkit.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define LARGE 5000u

static char *bytes;

static void start(struct kit *kit) {
  kit_init(kit, 1000);
  CU_ASSERT_FATAL(kit_start(kit));
  CU_ASSERT_EQUAL(kit_put(kit, "small", bytes, 100), SLUICE_OK);
  CU_ASSERT_EQUAL(kit_put(kit, "large", bytes, LARGE), SLUICE_OK);
  kit_log_forget();
}

static void path_in(const struct kit *kit, const char *name, char out[200]) {
  snprintf(out, 200, "%s%s%s", kit->dir, *name ? "/" : "", name);
}

static void move(const struct kit *kit, const char *name, bool back) {
  char here[200], there[220];
  path_in(kit, name, here);
  snprintf(there, sizeof there, "%s.away", here);
  CU_ASSERT(rename(back ? there : here, back ? here : there) == 0);
}

static void check_refuses(struct kit *kit) {
  char why[ERRMSG_MAX];
  CU_ASSERT_EQUAL(kit_put(kit, "new", bytes, 10), SLUICE_EBUSY);
  CU_ASSERT_EQUAL(kit_put(kit, "new", bytes, LARGE), SLUICE_EBUSY);
  CU_ASSERT_EQUAL(kit_remove(kit, "small"), SLUICE_EBUSY);
  CU_ASSERT_EQUAL(kit_ping(kit, why), SLUICE_EBUSY);
  CU_ASSERT(strstr(why, "removed, replaced or unmounted") != NULL);
  CU_ASSERT_EQUAL(kit_log_count("removed, replaced or unmounted"), 1);
}

static void check_takes(struct kit *kit) {
  char why[ERRMSG_MAX];
  CU_ASSERT_EQUAL(kit_put(kit, "new", bytes, 10), SLUICE_OK);
  CU_ASSERT_EQUAL(kit_put(kit, "new", bytes, LARGE), SLUICE_OK);
  CU_ASSERT_EQUAL(kit_remove(kit, "new"), SLUICE_OK);
  CU_ASSERT_EQUAL(kit_ping(kit, why), SLUICE_OK);
  CU_ASSERT(kit_has(kit, "small", bytes, 100));
  CU_ASSERT(kit_has(kit, "large", bytes, LARGE));
}

static void test_what_went_refuses_writes_until_it_is_back(void) {
  static const char *const names[] = {"", "index.db", "index.db-wal", "blobs"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    struct kit kit;
    start(&kit);
    move(&kit, names[i], false);
    check_refuses(&kit);
    move(&kit, names[i], true);
    check_takes(&kit);
    CU_ASSERT_EQUAL(kit_log_count("is back"), 1);
    kit_stop(&kit);
    CU_ASSERT_FATAL(kit_start(&kit));
    check_takes(&kit);
    kit_stop(&kit);
    kit_fini(&kit);
  }
}

static int drop(const char *path, const struct stat *st, int type,
                struct FTW *ftw) {
  (void)st, (void)type, (void)ftw;
  return remove(path);
}

static void test_deleted_directory_takes_nothing(void) {
  struct kit kit;
  start(&kit);
  CU_ASSERT(nftw(kit.dir, drop, 16, FTW_DEPTH | FTW_PHYS) == 0);
  check_refuses(&kit);
  CU_ASSERT(mkdir(kit.dir, 0700) == 0);
  CU_ASSERT_EQUAL(kit_put(&kit, "new", bytes, 10), SLUICE_EBUSY);
  kit_stop(&kit);
  kit_fini(&kit);
}

/* The WAL's content is saved by the stop. */
static void test_deleted_wal_takes_nothing_and_loses_nothing(void) {
  struct kit kit;
  char path[200];
  start(&kit);
  path_in(&kit, "index.db-wal", path);
  CU_ASSERT(unlink(path) == 0);
  check_refuses(&kit);
  kit_stop(&kit);
  CU_ASSERT_FATAL(kit_start(&kit));
  check_takes(&kit);
  kit_stop(&kit);
  kit_fini(&kit);
}

static void test_deleted_index_takes_nothing_and_is_missed(void) {
  struct kit kit;
  char path[200];
  kit_init(&kit, 1000);
  CU_ASSERT_FATAL(kit_start(&kit));
  CU_ASSERT_EQUAL(kit_put(&kit, "small", bytes, 100), SLUICE_OK);
  kit_log_forget();
  path_in(&kit, "index.db", path);
  CU_ASSERT(unlink(path) == 0);
  CU_ASSERT_EQUAL(kit_put(&kit, "new", bytes, 10), SLUICE_EBUSY);
  kit_stop(&kit);
  CU_ASSERT_FALSE(kit_start(&kit));
  CU_ASSERT(strstr(kit.host.failure, "index.db is gone") != NULL);
  CU_ASSERT(strstr(kit.host.failure, "remove store.id") != NULL);
  path_in(&kit, "store.id", path);
  CU_ASSERT(unlink(path) == 0);
  path_in(&kit, "index.db-wal", path);
  unlink(path);
  CU_ASSERT_FATAL(kit_start(&kit));
  kit_stop(&kit);
  kit_fini(&kit);
}

/* A store that was put in the place of this one keeps its WAL. */
static void test_stop_leaves_another_store_alone(void) {
  struct kit kit, other;
  struct stat before, after;
  char path[200];
  start(&kit);
  move(&kit, "", false);
  other = kit;
  CU_ASSERT_FATAL(kit_start(&other));
  CU_ASSERT_EQUAL(kit_put(&other, "other", bytes, 100), SLUICE_OK);
  check_refuses(&kit);
  path_in(&other, "index.db-wal", path);
  CU_ASSERT(stat(path, &before) == 0);
  kit_stop(&kit);
  CU_ASSERT(stat(path, &after) == 0 && before.st_ino == after.st_ino);
  CU_ASSERT_EQUAL(kit_put(&other, "more", bytes, 100), SLUICE_OK);
  CU_ASSERT(kit_has(&other, "other", bytes, 100));
  kit_stop(&other);
  kit_fini(&other);
  move(&kit, "", true);
  CU_ASSERT_FATAL(kit_start(&kit));
  check_takes(&kit);
  kit_stop(&kit);
  kit_fini(&kit);
}

static int move_away(void *kit) {
  move(kit, "", false);
  return 0;
}

static void test_what_goes_during_a_commit_is_not_acknowledged(void) {
  struct kit kit;
  start(&kit);
  sqlite3_commit_hook(kit.local->writer.db, move_away, &kit);
  CU_ASSERT_EQUAL(kit_put(&kit, "large", bytes, LARGE + 1), SLUICE_EBUSY);
  sqlite3_commit_hook(kit.local->writer.db, NULL, NULL);
  move(&kit, "", true);
  CU_ASSERT(kit_has(&kit, "large", bytes, LARGE + 1));
  CU_ASSERT_EQUAL(kit_files(&kit, "blobs"), 2); /* the old one stays */
  kit_stop(&kit);
  CU_ASSERT_FATAL(kit_start(&kit));
  CU_ASSERT_EQUAL(kit_files(&kit, "blobs"), 1);
  kit_stop(&kit);
  kit_fini(&kit);
}

static bool may_mount(void) {
  return unshare(CLONE_NEWNS) == 0 &&
         mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static void test_another_file_system_at_the_place_takes_nothing(void) {
  struct kit kit;
  if (!may_mount()) {
    printf("not tried: no right to mount (%s)\n", strerror(errno));
    return;
  }
  start(&kit);
  CU_ASSERT_FATAL(mount("none", kit.dir, "tmpfs", 0, "size=3m") == 0);
  check_refuses(&kit);
  CU_ASSERT(umount(kit.dir) == 0);
  check_takes(&kit);
  kit_stop(&kit);
  kit_fini(&kit);
}

/* ---- starts ---- */

static void refused(struct kit *kit, const char *what, const char *change) {
  bool started = kit_start(kit);
  CU_ASSERT_FALSE(started);
  if (started)
    kit_stop(kit);
  else if (!strstr(kit->host.failure, what) ||
           !strstr(kit->host.failure, change))
    CU_FAIL(kit->host.failure);
}

static void test_new_store_is_told_and_can_be_forbidden(void) {
  struct kit kit;
  kit_init(&kit, 1000);
  kit.conf.create = false;
  refused(&kit, "holds no store (no index.db)", "set create: true");
  CU_ASSERT(rmdir(kit.dir) == 0); /* so nothing was made in it */
  refused(&kit, "isn't there", "set create: true");
  CU_ASSERT(access(kit.dir, F_OK) != 0);
  kit_log_forget();
  kit.conf.create = true;
  CU_ASSERT_FATAL(kit_start(&kit));
  CU_ASSERT_EQUAL(kit_log_count("a new store was made in"), 1);
  kit_stop(&kit);
  kit.conf.create = false;
  CU_ASSERT_FATAL(kit_start(&kit));
  CU_ASSERT_EQUAL(kit_log_count("a new store was made in"), 1);
  kit_stop(&kit);
  kit_fini(&kit);
}

static void write_id(const struct kit *kit, const char *text) {
  char path[200];
  path_in(kit, "store.id", path);
  int fd = open(path, O_WRONLY | O_TRUNC);
  CU_ASSERT(fd >= 0 && write(fd, text, strlen(text)) == (int)strlen(text));
  close(fd);
}

static void test_parts_of_two_stores_are_refused(void) {
  static const char *const ids[] = {"0123456789abcdef\n", "", "0\n",
                                    "0123456789abcdeg\n",
                                    "0123456789abcdef\n\n"};
  struct kit kit;
  char path[200];
  start(&kit);
  kit_stop(&kit);
  for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
    write_id(&kit, ids[i]);
    refused(&kit, "parts of two stores", "remove store.id");
  }
  path_in(&kit, "store.id", path);
  CU_ASSERT(unlink(path) == 0);
  CU_ASSERT_FATAL(kit_start(&kit));
  CU_ASSERT(access(path, F_OK) == 0);
  check_takes(&kit);
  kit_stop(&kit);
  kit_fini(&kit);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_what_went_refuses_writes_until_it_is_back),
      UNIT(test_deleted_directory_takes_nothing),
      UNIT(test_deleted_wal_takes_nothing_and_loses_nothing),
      UNIT(test_deleted_index_takes_nothing_and_is_missed),
      UNIT(test_stop_leaves_another_store_alone),
      UNIT(test_what_goes_during_a_commit_is_not_acknowledged),
      UNIT(test_another_file_system_at_the_place_takes_nothing),
      UNIT(test_new_store_is_told_and_can_be_forbidden),
      UNIT(test_parts_of_two_stores_are_refused),
      {NULL, NULL}};
  kit_log_keep();
  bytes = kit_bytes(1, LARGE + 1);
  int status = unit_main("local identity", tests);
  free(bytes);
  return status;
}
