/* SPDX-License-Identifier: MIT
 *
 * Spools: in memory and in a file, at their limits, and read back.
 */
#include "spoolkit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

static bool reads_back(struct rig *rig, size_t piece) {
  unsigned char *data = malloc(piece);
  uint64_t at = 0;
  bool right = true;
  while (right && at < spool_length(rig->spool)) {
    int64_t got = rig_read(rig, at, data, piece);
    right = got > 0 && (uint64_t)got <= piece;
    for (int64_t i = 0; right && i < got; i++)
      right = data[i] == byte_at(at + (uint64_t)i);
    at += right ? (uint64_t)got : 0;
  }
  free(data);
  return right;
}

static void test_what_was_added_is_read_back(void) {
  static const size_t adds[] = {1,          100,        MEMORY - 1, MEMORY,
                                MEMORY + 1, 3 * MEMORY, LONG};
  for (size_t i = 0; i < sizeof adds / sizeof adds[0]; i++) {
    struct rig rig;
    rig_init(&rig);
    for (int turn = 0; turn < 3; turn++)
      CU_ASSERT_EQUAL(rig_add(&rig, adds[i]), SLUICE_OK);
    CU_ASSERT_EQUAL(spool_length(rig.spool), 3 * adds[i]);
    CU_ASSERT_TRUE(reads_back(&rig, 4096));
    CU_ASSERT_TRUE(reads_back(&rig, 65521));
    CU_ASSERT_TRUE(reads_back(&rig, 4 * LONG));
    rig_fini(&rig);
  }
}

static void test_memory_ends_at_its_limit(void) {
  struct rig rig;
  rig_init(&rig);
  CU_ASSERT_EQUAL(rig_add(&rig, MEMORY - 1), SLUICE_OK);
  CU_ASSERT_EQUAL(rig_add(&rig, 1), SLUICE_OK);
  CU_ASSERT_EQUAL(rig_add(&rig, 0), SLUICE_OK);
  CU_ASSERT_EQUAL(rig.own.used, 0);
  CU_ASSERT_EQUAL(rig.spool->file.fd, -1);
  CU_ASSERT_EQUAL(rig.spool->room, MEMORY);
  CU_ASSERT_EQUAL(rig_add(&rig, 1), SLUICE_OK);
  CU_ASSERT_EQUAL(rig.own.used, MEMORY + 1);
  CU_ASSERT_TRUE(rig.spool->file.fd >= 0);
  CU_ASSERT_PTR_NULL(rig.spool->memory);
  CU_ASSERT_TRUE(reads_back(&rig, 1000));
  rig_fini(&rig);
}

static void test_more_memory_ends_at_its_limit_too(void) {
  static const size_t most = 3 * 1024 * 1024; /* all at once beyond 1 MiB */
  struct rig rig;
  rig_init(&rig);
  spool_keep_memory(rig.spool, most);
  CU_ASSERT_EQUAL(rig_add(&rig, most - 1), SLUICE_OK);
  CU_ASSERT_EQUAL(rig.spool->room, most);
  CU_ASSERT_EQUAL(rig_add(&rig, 1), SLUICE_OK);
  CU_ASSERT_EQUAL(rig.spool->file.fd, -1);
  CU_ASSERT_EQUAL(rig_add(&rig, 1), SLUICE_OK);
  CU_ASSERT_TRUE(rig.spool->file.fd >= 0);
  CU_ASSERT_TRUE(reads_back(&rig, 65521));
  rig_fini(&rig);
}

static void test_memory_grows_with_what_is_in_it(void) {
  struct rig rig;
  rig_init(&rig);
  rig_add(&rig, 1);
  CU_ASSERT_TRUE(rig.spool->room <= 16384);
  rig_add(&rig, 16384);
  CU_ASSERT_EQUAL(rig.spool->room, 32768);
  rig_fini(&rig);
}

static void test_the_file_has_no_name_and_is_private(void) {
  struct rig rig;
  struct stat status;
  rig_init(&rig);
  rig_add(&rig, LONG);
  CU_ASSERT_EQUAL(names_in(rig.dir), 0);
  CU_ASSERT_EQUAL(fstat(rig.spool->file.fd, &status), 0);
  CU_ASSERT_EQUAL(status.st_nlink, 0);
  CU_ASSERT_EQUAL(status.st_mode & 07777, 0600);
  CU_ASSERT_EQUAL(fcntl(rig.spool->file.fd, F_GETFD), FD_CLOEXEC);
  rig_fini(&rig);
}

static void test_nothing_is_beyond_the_end(void) {
  for (size_t len = 10; len <= 10 * MEMORY; len *= 10 * MEMORY / 10) {
    struct rig rig;
    char data[20];
    rig_init(&rig);
    rig_add(&rig, len);
    CU_ASSERT_EQUAL(rig_read(&rig, len - 1, data, sizeof data), 1);
    CU_ASSERT_EQUAL(rig_read(&rig, len, data, sizeof data), 0);
    CU_ASSERT_EQUAL(rig_read(&rig, len + 1, data, sizeof data), 0);
    CU_ASSERT_EQUAL(rig_read(&rig, UINT64_MAX, data, sizeof data), 0);
    CU_ASSERT_EQUAL(rig_read(&rig, 0, data, 0), 0);
    rig_fini(&rig);
  }
}

/* Where the page cache has nothing, a read is told to wait, and then has it,
 * whatever became of the pages. */
static void test_a_read_waits_for_the_disk(void) {
  struct rig rig, second = {.ready = 0};
  unsigned char data[1000];
  rig_init(&rig);
  rig_add(&rig, LONG);
  rig_forget_pages(&rig);
  int64_t got =
      spool_read(rig.spool, 900000, data, sizeof data, on_ready, &second);
  if (got == -1) {
    spool_read(rig.spool, 5000, data, sizeof data, on_ready, &rig);
    while (second.ready == 0)
      rig_pass(&rig);
    rig_forget_pages(&rig);
    got = spool_read(rig.spool, 900000, data, sizeof data, on_ready, &second);
    CU_ASSERT_EQUAL(data[0], byte_at(900000));
    CU_ASSERT_EQUAL(data[999], byte_at(900999));
  } else {
    fputs("this filesystem keeps its pages: half a test\n", stderr);
  }
  CU_ASSERT_EQUAL(got, 1000);
  CU_ASSERT_TRUE(reads_back(&rig, 300000));
  rig_fini(&rig);
}

static void test_a_file_that_is_cut_can_not_be_read(void) {
  struct rig rig;
  char data[1000];
  rig_init(&rig);
  rig_add(&rig, LONG);
  CU_ASSERT_EQUAL(ftruncate(rig.spool->file.fd, 10), 0);
  CU_ASSERT_EQUAL(rig_read(&rig, 5000, data, sizeof data), -2);
  rig_fini(&rig);
}

/* ---- full ---- */

static void test_the_bound_is_for_all_spools(void) {
  struct rig rig;
  rig_init(&rig);
  rig.own.max = 3 * MEMORY;
  CU_ASSERT_EQUAL(rig_add(&rig, 2 * MEMORY), SLUICE_OK);
  struct spool *first = rig.spool;
  rig.spool = spool_new(&rig.host, &rig.own);
  CU_ASSERT_EQUAL(rig_add(&rig, MEMORY), SLUICE_OK); /* in memory */
  CU_ASSERT_EQUAL(rig_add(&rig, 1), SLUICE_ENOSPC);
  CU_ASSERT_PTR_NOT_NULL(strstr(rig.why, rig.dir));
  CU_ASSERT_EQUAL(spool_length(rig.spool), MEMORY);
  CU_ASSERT_TRUE(reads_back(&rig, 1000));
  CU_ASSERT_EQUAL(rig.own.used, 2 * MEMORY);
  struct spool *second = rig.spool;
  rig.spool = first;
  CU_ASSERT_EQUAL(rig_add(&rig, MEMORY + 1), SLUICE_ENOSPC);
  CU_ASSERT_EQUAL(rig_add(&rig, MEMORY), SLUICE_OK);
  CU_ASSERT_EQUAL(rig.own.used, 3 * MEMORY);
  CU_ASSERT_EQUAL(rig_add(&rig, 1), SLUICE_ENOSPC);
  rig_free_spool(&rig);
  CU_ASSERT_EQUAL(rig.own.used, 0);
  rig.spool = second;
  CU_ASSERT_EQUAL(rig_add(&rig, 1), SLUICE_OK);
  CU_ASSERT_EQUAL(rig.own.used, MEMORY + 1);
  rig_fini(&rig);
}

/* True: a tmpfs of that size is there now; false: the rig is gone. */
static bool small_disk(struct rig *rig, const char *size) {
  if (mount("none", rig->dir, "tmpfs", 0, size) == 0)
    return true;
  fputs("a full disk needs root: not tested\n", stderr);
  rig_fini(rig);
  return false;
}

static void fill(const struct rig *rig, const char *name, off_t size) {
  char path[128];
  snprintf(path, sizeof path, "%s/%s", rig->dir, name);
  int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  CU_ASSERT_EQUAL(posix_fallocate(fd, 0, size), 0);
  close(fd);
}

static void test_the_bound_is_a_quarter_of_the_disk(void) {
  struct rig rig;
  rig_init(&rig);
  if (!small_disk(&rig, "size=1m"))
    return;
  CU_ASSERT_EQUAL(spool_bound(&rig.own), 4 * MEMORY);
  CU_ASSERT_EQUAL(rig_add(&rig, 4 * MEMORY + 1), SLUICE_ENOSPC);
  CU_ASSERT_PTR_NOT_NULL(strstr(rig.why, "a quarter"));
  CU_ASSERT_PTR_NOT_NULL(strstr(rig.why, rig.dir));
  CU_ASSERT_EQUAL(rig_add(&rig, 3 * MEMORY), SLUICE_OK);
  CU_ASSERT_EQUAL(rig_add(&rig, MEMORY), SLUICE_OK);
  CU_ASSERT_EQUAL(spool_bound(&rig.own), 4 * MEMORY);
  CU_ASSERT_EQUAL(rig_add(&rig, 1), SLUICE_ENOSPC);
  CU_ASSERT_EQUAL(spool_length(rig.spool), 4 * MEMORY);
  CU_ASSERT_TRUE(reads_back(&rig, 1000));
  rig_free_spool(&rig);
  CU_ASSERT_EQUAL(rig.own.used, 0);
  umount(rig.dir);
  rig_fini(&rig);
}

/* Another backend has its quarter of what the first one leaves. */
static void test_bounds_of_two_never_add_up_to_the_disk(void) {
  struct rig rig;
  struct spool_settings other = {.memory = MEMORY};
  rig_init(&rig);
  if (!small_disk(&rig, "size=1m"))
    return;
  CU_ASSERT_EQUAL(rig_add(&rig, 4 * MEMORY), SLUICE_OK);
  struct spool *first = rig.spool;
  other.directory = rig.dir;
  rig.spool = spool_new(&rig.host, &other);
  CU_ASSERT_EQUAL(spool_bound(&other), 3 * MEMORY);
  CU_ASSERT_EQUAL(rig_add(&rig, 3 * MEMORY + 1), SLUICE_ENOSPC);
  CU_ASSERT_EQUAL(rig_add(&rig, 3 * MEMORY), SLUICE_OK);
  CU_ASSERT_EQUAL(rig_add(&rig, 1), SLUICE_ENOSPC);
  rig_free_spool(&rig);
  rig.spool = first;
  rig_free_spool(&rig);
  umount(rig.dir);
  rig_fini(&rig);
}

static void test_the_bound_falls_with_what_others_write(void) {
  struct rig rig;
  rig_init(&rig);
  if (!small_disk(&rig, "size=1m"))
    return;
  CU_ASSERT_EQUAL(rig_add(&rig, 2 * MEMORY), SLUICE_OK);
  fill(&rig, "others", 8 * MEMORY);
  CU_ASSERT_EQUAL(spool_bound(&rig.own), 2 * MEMORY);
  CU_ASSERT_EQUAL(rig_add(&rig, 1), SLUICE_ENOSPC);
  CU_ASSERT_TRUE(reads_back(&rig, 1000));
  fill(&rig, "more", 4 * MEMORY); /* what is there stays */
  CU_ASSERT_EQUAL(rig_add(&rig, 1), SLUICE_ENOSPC);
  CU_ASSERT_TRUE(reads_back(&rig, 1000));
  rig_free_spool(&rig);
  umount(rig.dir);
  rig_fini(&rig);
}

static void test_a_full_disk_is_enospc(void) {
  struct rig rig;
  struct stat status;
  rig_init(&rig);
  rig.own.max = UINT64_MAX;
  if (!small_disk(&rig, "size=256k"))
    return;
  CU_ASSERT_EQUAL(rig_add(&rig, MEMORY), SLUICE_OK);
  CU_ASSERT_EQUAL(rig_add(&rig, LONG), SLUICE_ENOSPC);
  CU_ASSERT_EQUAL(rig.spool->file.fd, -1);
  CU_ASSERT_EQUAL(rig.own.used, 0);
  CU_ASSERT_EQUAL(spool_length(rig.spool), MEMORY);
  CU_ASSERT_EQUAL(rig_add(&rig, MEMORY), SLUICE_OK);
  CU_ASSERT_EQUAL(rig_add(&rig, LONG), SLUICE_ENOSPC);
  CU_ASSERT_EQUAL(rig.own.used, 2 * MEMORY);
  CU_ASSERT_EQUAL(fstat(rig.spool->file.fd, &status), 0);
  CU_ASSERT_EQUAL(status.st_size, 2 * MEMORY);
  CU_ASSERT_EQUAL(rig_add(&rig, MEMORY), SLUICE_OK);
  CU_ASSERT_EQUAL(rig.own.used, 3 * MEMORY);
  CU_ASSERT_TRUE(reads_back(&rig, 1000));
  rig_free_spool(&rig);
  umount(rig.dir);
  rig_fini(&rig);
}

static void test_a_missing_directory_is_eio(void) {
  struct rig rig;
  rig_init(&rig);
  rig.own.directory = "/nowhere/at/all";
  CU_ASSERT_EQUAL(rig_add(&rig, LONG), SLUICE_EIO);
  CU_ASSERT_PTR_NOT_NULL(strstr(rig.why, "/nowhere/at/all"));
  CU_ASSERT_PTR_NOT_NULL(strstr(rig.why, strerror(ENOENT)));
  CU_ASSERT_EQUAL(rig.own.used, 0);
  rig_fini(&rig);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_what_was_added_is_read_back),
      UNIT(test_memory_ends_at_its_limit),
      UNIT(test_more_memory_ends_at_its_limit_too),
      UNIT(test_memory_grows_with_what_is_in_it),
      UNIT(test_the_file_has_no_name_and_is_private),
      UNIT(test_nothing_is_beyond_the_end),
      UNIT(test_a_read_waits_for_the_disk),
      UNIT(test_a_file_that_is_cut_can_not_be_read),
      UNIT(test_the_bound_is_for_all_spools),
      UNIT(test_the_bound_is_a_quarter_of_the_disk),
      UNIT(test_bounds_of_two_never_add_up_to_the_disk),
      UNIT(test_the_bound_falls_with_what_others_write),
      UNIT(test_a_full_disk_is_enospc),
      UNIT(test_a_missing_directory_is_eio),
      {NULL, NULL},
  };
  return unit_main("spool", tests);
}
