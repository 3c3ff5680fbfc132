/* SPDX-License-Identifier: MIT
 *
 * Starts of the backend `local`: on what it may use, and on what it must
 * refuse with a line that says what to do.
 */
#include "localkit.h"
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void path_in(const struct kit *kit, const char *name, char out[200]) {
  snprintf(out, 200, "%s/%s", kit->dir, name);
}

static void overwrite(const struct kit *kit, const char *name, off_t at,
                      size_t length, int flags) {
  char path[200], junk[8192];
  memset(junk, 'x', sizeof junk);
  path_in(kit, name, path);
  int fd = open(path, O_WRONLY | O_CREAT | flags, 0600);
  CU_ASSERT(fd >= 0 && length <= sizeof junk);
  CU_ASSERT(pwrite(fd, junk, length, at) == (ssize_t)length);
  close(fd);
}

/* Starts and is refused with a line that has these words. */
static void refused(struct kit *kit, const char *what, const char *change) {
  bool started = kit_start(kit);
  CU_ASSERT_FALSE(started);
  if (started) {
    kit_stop(kit);
    return;
  }
  const char *line = kit->host.failure;
  bool says = strstr(line, what) && strstr(line, change);
  CU_ASSERT(says && !strchr(line, '\n'));
  if (!says)
    printf("said: %s\n", line);
}

static void once(struct kit *kit) {
  kit_init(kit, 100);
  CU_ASSERT_FATAL(kit_start(kit));
  kit_put(kit, "a", "abc", 3);
  kit_stop(kit);
}

static void test_directory_is_made_for_its_owner_only(void) {
  struct kit kit;
  struct stat st;
  mode_t mask = umask(0);
  kit_init(&kit, 100);
  CU_ASSERT(rmdir(kit.dir) == 0);
  CU_ASSERT_FATAL(kit_start(&kit));
  CU_ASSERT(stat(kit.dir, &st) == 0 && (st.st_mode & 0777) == 0700);
  kit_stop(&kit);
  kit_fini(&kit);
  umask(mask);
}

static void check_private(const struct kit *kit) {
  static const char *const names[] = {"index.db", "index.db-wal"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char path[200];
    struct stat st;
    path_in(kit, names[i], path);
    CU_ASSERT(stat(path, &st) == 0 && (st.st_mode & 07777) == 0600);
  }
}

static void test_files_are_private_whatever_the_umask_is(void) {
  static const mode_t masks[] = {0, 022, 077};
  for (size_t i = 0; i < sizeof masks / sizeof *masks; i++) {
    struct kit kit;
    kit_init(&kit, 100);
    mode_t mask = umask(masks[i]);
    bool started = kit_start(&kit);
    umask(mask);
    CU_ASSERT_FATAL(started);
    check_private(&kit);
    kit_stop(&kit);
    kit_fini(&kit);
  }
}

/* Also those that SQLite finds after a crash. */
static void test_files_that_others_may_read_become_private(void) {
  static const char *const names[] = {"index.db", "index.db-wal"};
  struct kit kit;
  kit_init(&kit, 100);
  pid_t child = fork();
  CU_ASSERT_FATAL(child >= 0);
  if (child == 0)
    _exit(!kit_start(&kit) || kit_put(&kit, "a", "abc", 3) != SLUICE_OK);
  CU_ASSERT_EQUAL(waitpid(child, NULL, 0), child);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char path[200];
    path_in(&kit, names[i], path);
    CU_ASSERT(chmod(path, 0644) == 0);
  }
  CU_ASSERT_FATAL(kit_start(&kit));
  check_private(&kit);
  CU_ASSERT(kit_has(&kit, "a", "abc", 3));
  kit_stop(&kit);
  kit_fini(&kit);
}

static bool is_mapped(const char *folder) {
  FILE *maps = fopen("/proc/self/maps", "r");
  char line[512];
  bool found = false;
  CU_ASSERT_PTR_NOT_NULL_FATAL(maps);
  while (fgets(line, sizeof line, maps))
    found = found || strstr(line, folder);
  fclose(maps);
  return found;
}

/* A page of a mapped file that the disk has no block for is SIGBUS. */
static void test_no_file_is_mapped_into_memory(void) {
  struct kit kit;
  char path[200];
  char *data = kit_bytes(1, 5000);
  kit_init(&kit, 100);
  overwrite(&kit, "index.db-shm", 0, 4096, 0); /* of an earlier version */
  CU_ASSERT_FATAL(kit_start(&kit));
  CU_ASSERT_EQUAL(kit_put(&kit, "a", data, 50), SLUICE_OK);
  CU_ASSERT_EQUAL(kit_put(&kit, "b", data, 5000), SLUICE_OK);
  CU_ASSERT(kit_has(&kit, "a", data, 50));
  CU_ASSERT(kit_has(&kit, "b", data, 5000));
  CU_ASSERT_FALSE(is_mapped(kit.dir));
  path_in(&kit, "index.db-shm", path);
  CU_ASSERT(access(path, F_OK) != 0);
  kit_stop(&kit);
  kit_fini(&kit);
  free(data);
}

/* As SQLite does in another process before it reads a database. */
static int lock_to_read(const char *path) {
  struct flock lock = {.l_type = F_RDLCK,
                       .l_whence = SEEK_SET,
                       .l_start = 0x40000000 + 2,
                       .l_len = 510};
  int fd = open(path, O_RDWR);
  return fd < 0 ? 2 : fcntl(fd, F_SETLK, &lock) != 0;
}

static void test_index_is_this_process_alone(void) {
  struct kit kit;
  char path[200];
  int status = 0;
  once(&kit);
  CU_ASSERT_FATAL(kit_start(&kit));
  path_in(&kit, "index.db", path);
  fflush(stdout);
  pid_t child = fork();
  CU_ASSERT_FATAL(child >= 0);
  if (child == 0)
    _exit(lock_to_read(path));
  CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
  CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 1);
  kit_stop(&kit);
  kit_fini(&kit);
}

static void test_clean_stop_and_start_keep_everything(void) {
  struct kit kit;
  char *data = kit_bytes(1, 5000);
  size_t before = kit_fds();
  once(&kit);
  CU_ASSERT_EQUAL(kit_number(&kit, "SELECT value FROM state"
                                   " WHERE name = 'clean'"),
                  1);
  for (int i = 0; i < 3; i++) {
    CU_ASSERT_FATAL(kit_start(&kit));
    CU_ASSERT(kit_has(&kit, "a", "abc", 3));
    CU_ASSERT(i == 0 || kit_has(&kit, "b", data, 5000));
    CU_ASSERT_EQUAL(kit_put(&kit, "b", data, 5000), SLUICE_OK);
    CU_ASSERT_EQUAL(kit_files(&kit, "blobs"), 1);
    kit_stop(&kit);
  }
  CU_ASSERT_EQUAL(kit_number(&kit, "SELECT value FROM state"
                                   " WHERE name = 'next'"),
                  4);
  CU_ASSERT_EQUAL(kit_fds(), before);
  free(data);
  kit_fini(&kit);
}

static void test_bad_options_are_refused(void) {
  struct kit kit;
  char path[200];
  kit_init(&kit, (1u << 20) + 1);
  refused(&kit, "inline_max", "at most 1MiB");
  kit.conf.inline_max = 1u << 20;
  CU_ASSERT_FATAL(kit_start(&kit));
  kit_stop(&kit);
  kit.conf.signing_key = "123456789012345";
  refused(&kit, "signing_key is too short", "at least 16");
  kit.conf.signing_key = "";
  kit.conf.directory = "";
  refused(&kit, "directory is empty", "name the folder");
  path_in(&kit, "no/where", path);
  kit.conf.directory = path;
  refused(&kit, "can't be created", "name another");
  path_in(&kit, "lock", path);
  refused(&kit, "can't be opened", "must be a directory");
  kit_fini(&kit);
}

static void test_directory_in_use_is_refused(void) {
  struct kit kit, second;
  char pid[40];
  kit_init(&kit, 100);
  CU_ASSERT_FATAL(kit_start(&kit));
  second = kit;
  snprintf(pid, sizeof pid, "gateway (pid %ld); stop it", (long)getpid());
  refused(&second, "is in use by another", pid);
  CU_ASSERT_EQUAL(kit_put(&kit, "a", "abc", 3), SLUICE_OK);
  kit_stop(&kit);
  CU_ASSERT(kit_start(&second));
  kit_stop(&second);
  kit_fini(&kit);
}

static void test_index_that_is_no_database_is_refused(void) {
  struct kit kit;
  once(&kit);
  overwrite(&kit, "index.db", 0, 8192, O_TRUNC);
  refused(&kit, "index.db isn't a database", "restore it");
  kit_fini(&kit);
}

static void test_index_of_another_program_is_refused_unchanged(void) {
  struct kit kit;
  kit_init(&kit, 100);
  CU_ASSERT(kit_sql(&kit, "CREATE TABLE t(a); PRAGMA user_version = 1"));
  refused(&kit, "belongs to another program", "choose another");
  CU_ASSERT(kit_sql(&kit, "PRAGMA application_id = 12"));
  refused(&kit, "belongs to another program", "choose another");
  CU_ASSERT_EQUAL(kit_number(&kit, "SELECT count(*) FROM pragma_journal_mode"
                                   " WHERE journal_mode = 'delete'"),
                  1);
  kit_fini(&kit);
}

static void test_index_of_a_later_version_is_refused(void) {
  struct kit kit;
  once(&kit);
  CU_ASSERT(kit_sql(&kit, "PRAGMA user_version = 4"));
  refused(&kit, "a later version (schema 4, this is 3)", "use that one");
  kit_fini(&kit);
}

static void test_damaged_index_is_refused_after_a_crash(void) {
  struct kit kit;
  once(&kit);
  CU_ASSERT(kit_sql(&kit, "UPDATE state SET value = 0 WHERE name = 'clean';"
                          "PRAGMA wal_checkpoint(TRUNCATE)"));
  overwrite(&kit, "index.db", 4096, 1000, 0);
  refused(&kit, "is damaged", "restore it from a backup");
  kit_fini(&kit);
}

static void test_state_that_makes_no_sense_is_refused(void) {
  static const char *const spoil[] = {
      "UPDATE state SET value = 0 WHERE name = 'next'",
      "UPDATE state SET value = 1000000 WHERE name = 'low'",
      "UPDATE state SET value = 9223372036854775807 WHERE name = 'next'",
      "DELETE FROM state WHERE name = 'clean'"};
  for (size_t i = 0; i < sizeof spoil / sizeof *spoil; i++) {
    struct kit kit;
    once(&kit);
    CU_ASSERT(kit_sql(&kit, spoil[i]));
    refused(&kit, "is damaged", "restore it from a backup");
    kit_fini(&kit);
  }
}

static void test_blobs_without_an_index_are_refused(void) {
  struct kit kit;
  char path[200];
  char *data = kit_bytes(1, 5000);
  once(&kit);
  CU_ASSERT(kit_start(&kit));
  kit_put(&kit, "a", data, 5000);
  kit_stop(&kit);
  path_in(&kit, "index.db", path);
  CU_ASSERT(unlink(path) == 0);
  refused(&kit, "holds blobs but no index.db", "restore that");
  CU_ASSERT_EQUAL(kit_files(&kit, "blobs"), 1);
  free(data);
  kit_fini(&kit);
}

/* As another user in a process of its own; the line goes to `out`. */
static int start_as_nobody(struct kit *kit, int out) {
  if (setgid(65534) != 0 || setuid(65534) != 0 || kit_start(kit))
    return 1;
  size_t len = strlen(kit->host.failure);
  return write(out, kit->host.failure, len) != (ssize_t)len;
}

static void check_owner_told(struct kit *kit, const char *name) {
  char line[1100], words[256];
  int ends[2], status = 1;
  CU_ASSERT_FATAL(pipe(ends) == 0);
  fflush(stdout);
  pid_t child = fork();
  CU_ASSERT_FATAL(child >= 0);
  if (child == 0)
    _exit(start_as_nobody(kit, ends[1]));
  close(ends[1]);
  ssize_t got = read(ends[0], line, sizeof line - 1);
  line[got < 0 ? 0 : got] = '\0';
  close(ends[0]);
  CU_ASSERT(waitpid(child, &status, 0) == child && status == 0);
  snprintf(words, sizeof words,
           "%s belongs to user root, but the gateway runs as user nobody",
           *name ? name : kit->dir);
  bool says = strstr(line, words) && !strstr(line, "File exists");
  CU_ASSERT(says);
  if (!says)
    printf("said of \"%s\": %s\n", name, line);
}

static void give_to_nobody(const struct kit *kit, const char *name) {
  char path[200];
  path_in(kit, name, path);
  CU_ASSERT(chown(path, 65534, 65534) == 0);
}

static void test_start_tells_who_owns_what_it_may_not_use(void) {
  static const char *const names[] = {"",        "lock",     "blobs",   "tmp",
                                      "reserve", "index.db", "store.id"};
  struct kit kit;
  if (geteuid() != 0) {
    printf("not tried: only root can give files to another user\n");
    return;
  }
  once(&kit);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    check_owner_told(&kit, names[i]);
    give_to_nobody(&kit, names[i]);
  }
  kit_fini(&kit);
}

static void test_unfinished_files_are_gone_after_a_start(void) {
  struct kit kit;
  once(&kit);
  overwrite(&kit, "tmp/1", 0, 10, 0);
  CU_ASSERT_FATAL(kit_start(&kit));
  CU_ASSERT_EQUAL(kit_files(&kit, "tmp"), 0);
  kit_stop(&kit);
  kit_fini(&kit);
}

static void test_older_index_put_back_never_overwrites_a_blob(void) {
  struct kit kit;
  char *old = kit_bytes(1, 5000), *data = kit_bytes(2, 5000);
  once(&kit);
  CU_ASSERT_FATAL(kit_start(&kit));
  kit_put(&kit, "b", old, 5000);
  kit_stop(&kit);
  CU_ASSERT(kit_sql(&kit, "UPDATE state SET value = 1"
                          " WHERE name IN ('next', 'low')"));
  CU_ASSERT_FATAL(kit_start(&kit));
  CU_ASSERT_EQUAL(kit_put(&kit, "c", data, 5000), SLUICE_OK);
  CU_ASSERT(kit_has(&kit, "b", old, 5000));
  CU_ASSERT(kit_has(&kit, "c", data, 5000));
  free(old);
  free(data);
  kit_stop(&kit);
  kit_fini(&kit);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_directory_is_made_for_its_owner_only),
      UNIT(test_files_are_private_whatever_the_umask_is),
      UNIT(test_files_that_others_may_read_become_private),
      UNIT(test_no_file_is_mapped_into_memory),
      UNIT(test_index_is_this_process_alone),
      UNIT(test_clean_stop_and_start_keep_everything),
      UNIT(test_bad_options_are_refused),
      UNIT(test_directory_in_use_is_refused),
      UNIT(test_index_that_is_no_database_is_refused),
      UNIT(test_index_of_another_program_is_refused_unchanged),
      UNIT(test_index_of_a_later_version_is_refused),
      UNIT(test_damaged_index_is_refused_after_a_crash),
      UNIT(test_state_that_makes_no_sense_is_refused),
      UNIT(test_blobs_without_an_index_are_refused),
      UNIT(test_start_tells_who_owns_what_it_may_not_use),
      UNIT(test_unfinished_files_are_gone_after_a_start),
      UNIT(test_older_index_put_back_never_overwrites_a_blob),
      {NULL, NULL}};
  return unit_main("local start", tests);
}
