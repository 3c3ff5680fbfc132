/* SPDX-License-Identifier: MIT
 *
 * Spools: in memory and in a file, at their limits, read back, summed, and
 * freed at any time.
 */
#include "spool_private.h"

#include <dirent.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loop.h"
#include "op.h"
#include "unit.h"
#include "work.h"

#define MEMORY 65536u
#define LONG 1000000u

struct rig { /* a backend on one loop */
  struct loop *loop;
  struct work_pool *pool;
  struct sluice_host host;
  struct spool_settings *settings;
  struct spool_settings own;
  char dir[64];
  struct spool *spool;
  int added, released, ready, summed;
  bool free_when_added;
  enum sluice_status status;
  char why[600];
};

static void rig_share(struct rig *rig, struct spool_settings *settings) {
  rig->loop = loop_new();
  rig->pool = work_pool_new(2);
  rig->host = (struct sluice_host){
      .name = "test", .loop = rig->loop, .pool = rig->pool};
  rig->settings = settings;
  rig->spool = spool_new(&rig->host, settings);
}

static void rig_init(struct rig *rig) {
  *rig = (struct rig){.dir = "/tmp/spool-XXXXXX"};
  if (mkdtemp(rig->dir) == NULL)
    abort();
  rig->own.memory = MEMORY;
  rig->own.directory = rig->dir;
  rig_share(rig, &rig->own);
}

static void rig_pass(struct rig *rig) {
  event_base_loop(loop_base(rig->loop), EVLOOP_ONCE);
}

static void on_released(void *arg) {
  struct rig *rig = arg;
  rig->released++;
}

static void rig_free_spool(struct rig *rig) {
  int before = rig->released;
  spool_free(rig->spool, on_released, rig);
  CU_ASSERT_EQUAL(rig->released, before);
  rig->spool = NULL;
  while (rig->released == before)
    rig_pass(rig);
}

static int names_in(const char *path) {
  DIR *dir = opendir(path);
  int count = 0;
  while (dir != NULL && readdir(dir) != NULL)
    count++;
  if (dir != NULL)
    closedir(dir);
  return count - 2;
}

static void rig_fini(struct rig *rig) {
  if (rig->spool != NULL)
    rig_free_spool(rig);
  work_pool_free(rig->pool);
  loop_free(rig->loop);
  if (rig->settings != &rig->own)
    return;
  CU_ASSERT_EQUAL(atomic_load(&rig->own.used), 0);
  CU_ASSERT_EQUAL(names_in(rig->dir), 0);
  rmdir(rig->dir);
}

static void on_added(void *arg, enum sluice_status status, const char *why) {
  struct rig *rig = arg;
  rig->added++;
  rig->status = status;
  snprintf(rig->why, sizeof rig->why, "%s", why);
  if (rig->free_when_added)
    spool_free(rig->spool, on_released, rig);
}

static unsigned char byte_at(uint64_t i) {
  return (unsigned char)(i * 7 ^ i >> 8 ^ i >> 13);
}

static unsigned char *bytes(uint64_t first, size_t len) {
  unsigned char *data = malloc(len + 1);
  for (size_t i = 0; i < len; i++)
    data[i] = byte_at(first + i);
  return data;
}

/* Adds the next bytes, and waits. */
static enum sluice_status rig_add(struct rig *rig, size_t len) {
  unsigned char *data = bytes(spool_length(rig->spool), len);
  int before = rig->added;
  spool_add(rig->spool, data, len, on_added, rig);
  CU_ASSERT_EQUAL(rig->added, before);
  while (rig->added == before)
    rig_pass(rig);
  free(data);
  return rig->status;
}

static void on_ready(void *arg) {
  struct rig *rig = arg;
  rig->ready++;
}

/* One read, waited for. */
static int64_t rig_read(struct rig *rig, uint64_t offset, void *to,
                        size_t room) {
  for (;;) {
    int before = rig->ready;
    int64_t got = spool_read(rig->spool, offset, to, room, on_ready, rig);
    if (got != -1)
      return got;
    while (rig->ready == before)
      rig_pass(rig);
  }
}

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
  CU_ASSERT_EQUAL(rig.spool->fd, -1);
  CU_ASSERT_EQUAL(rig.spool->room, MEMORY);
  CU_ASSERT_EQUAL(rig_add(&rig, 1), SLUICE_OK);
  CU_ASSERT_EQUAL(rig.own.used, MEMORY + 1);
  CU_ASSERT_TRUE(rig.spool->fd >= 0);
  CU_ASSERT_PTR_NULL(rig.spool->memory);
  CU_ASSERT_TRUE(reads_back(&rig, 1000));
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
  CU_ASSERT_EQUAL(fstat(rig.spool->fd, &status), 0);
  CU_ASSERT_EQUAL(status.st_nlink, 0);
  CU_ASSERT_EQUAL(status.st_mode & 07777, 0600);
  CU_ASSERT_EQUAL(fcntl(rig.spool->fd, F_GETFD), FD_CLOEXEC);
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

/* Where the page cache has nothing, a read is told to wait, and then has it.
 */
static void test_a_read_waits_for_the_disk(void) {
  struct rig rig;
  char data[1000], other[1000];
  rig_init(&rig);
  rig_add(&rig, LONG);
  fdatasync(rig.spool->fd);
  posix_fadvise(rig.spool->fd, 0, 0, POSIX_FADV_DONTNEED);
  int64_t got = spool_read(rig.spool, 5000, data, sizeof data, on_ready, &rig);
  if (got != -1)
    fputs("this filesystem keeps its pages: half a test\n", stderr);
  else
    CU_ASSERT_EQUAL(
        spool_read(rig.spool, 900000, other, sizeof other, on_ready, other),
        -1);
  CU_ASSERT_TRUE(reads_back(&rig, 300000));
  rig_fini(&rig);
}

static void test_a_file_that_is_cut_can_not_be_read(void) {
  struct rig rig;
  char data[1000];
  rig_init(&rig);
  rig_add(&rig, LONG);
  CU_ASSERT_EQUAL(ftruncate(rig.spool->fd, 10), 0);
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

static void test_a_full_disk_is_enospc(void) {
  struct rig rig;
  rig_init(&rig);
  if (mount("none", rig.dir, "tmpfs", 0, "size=256k") != 0) {
    fputs("a full disk needs root: not tested\n", stderr);
    rig_fini(&rig);
    return;
  }
  CU_ASSERT_EQUAL(rig_add(&rig, MEMORY), SLUICE_OK);
  CU_ASSERT_EQUAL(rig_add(&rig, LONG), SLUICE_ENOSPC);
  CU_ASSERT_EQUAL(rig.spool->fd, -1);
  CU_ASSERT_EQUAL(rig.own.used, 0);
  CU_ASSERT_EQUAL(spool_length(rig.spool), MEMORY);
  CU_ASSERT_EQUAL(rig_add(&rig, MEMORY), SLUICE_OK);
  CU_ASSERT_EQUAL(rig_add(&rig, LONG), SLUICE_ENOSPC);
  CU_ASSERT_EQUAL(rig.own.used, 2 * MEMORY);
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

/* ---- sums ---- */

static void on_summed(void *arg) {
  struct rig *rig = arg;
  rig->summed++;
}

static void rig_sum(struct rig *rig, struct spool_sum *sum) {
  int before = rig->summed;
  spool_sum(rig->spool, sum, on_summed, rig);
  CU_ASSERT_EQUAL(rig->summed, before);
  while (rig->summed == before)
    rig_pass(rig);
}

static bool sum_is_right(const struct spool_sum *sum) {
  unsigned char *data = bytes(sum->first, (size_t)sum->count);
  unsigned char md5[EVP_MAX_MD_SIZE], sha256[EVP_MAX_MD_SIZE];
  EVP_Digest(data, (size_t)sum->count, md5, NULL, EVP_md5(), NULL);
  EVP_Digest(data, (size_t)sum->count, sha256, NULL, EVP_sha256(), NULL);
  free(data);
  return !sum->failed && memcmp(md5, sum->md5, 16) == 0 &&
         (!sum->want_sha256 || memcmp(sha256, sum->sha256, 32) == 0);
}

static void test_sums_are_those_of_openssl(void) {
  static const size_t lens[] = {0, 1, MEMORY, LONG};
  for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
    struct rig rig;
    size_t len = lens[i];
    rig_init(&rig);
    rig_add(&rig, len);
    for (int turn = 0; turn < 4; turn++) {
      struct spool_sum whole = {.count = len, .want_sha256 = turn % 2 == 0},
                       part = {.first = len / 3, .count = len / 2},
                       end = {.first = len, .want_sha256 = true},
                       beyond = {.first = len, .count = 1},
                       over = {.first = 1, .count = UINT64_MAX};
      rig_sum(&rig, &whole);
      rig_sum(&rig, &part);
      rig_sum(&rig, &end);
      rig_sum(&rig, &beyond);
      rig_sum(&rig, &over);
      CU_ASSERT_TRUE(sum_is_right(&whole));
      CU_ASSERT_TRUE(sum_is_right(&part));
      CU_ASSERT_TRUE(sum_is_right(&end));
      CU_ASSERT_TRUE(beyond.failed);
      CU_ASSERT_TRUE(over.failed);
    }
    rig_fini(&rig);
  }
}

static void test_a_sum_of_what_is_cut_fails(void) {
  struct rig rig;
  struct spool_sum sum = {.count = LONG};
  rig_init(&rig);
  rig_add(&rig, LONG);
  CU_ASSERT_EQUAL(ftruncate(rig.spool->fd, LONG - 1), 0);
  rig_sum(&rig, &sum);
  CU_ASSERT_TRUE(sum.failed);
  rig_fini(&rig);
}

/* ---- freed at any time ---- */

static void test_free_while_bytes_are_added(void) {
  for (size_t len = 1; len <= LONG; len *= LONG) {
    struct rig rig;
    rig_init(&rig);
    unsigned char *data = bytes(0, len);
    spool_add(rig.spool, data, len, on_added, &rig);
    rig_free_spool(&rig);
    free(data);
    CU_ASSERT_EQUAL(rig.added, 0);
    rig_fini(&rig);
  }
}

static void test_free_inside_added(void) {
  for (size_t len = 1; len <= LONG; len *= LONG) {
    struct rig rig;
    rig_init(&rig);
    rig.free_when_added = true;
    CU_ASSERT_EQUAL(rig_add(&rig, len), SLUICE_OK);
    while (rig.released == 0)
      rig_pass(&rig);
    rig.spool = NULL;
    rig_fini(&rig);
  }
}

static void test_free_while_sums_are_made(void) {
  for (size_t len = MEMORY; len <= LONG; len += LONG - MEMORY) {
    struct rig rig;
    struct spool_sum one = {.count = len}, two = {.count = len};
    rig_init(&rig);
    rig_add(&rig, len);
    spool_sum(rig.spool, &one, on_summed, &rig);
    spool_sum(rig.spool, &two, on_summed, &rig);
    rig_free_spool(&rig);
    CU_ASSERT_EQUAL(rig.summed, 0);
    rig_fini(&rig);
  }
}

static void test_free_while_a_read_waits(void) {
  struct rig rig;
  char data[100];
  rig_init(&rig);
  rig_add(&rig, LONG);
  fdatasync(rig.spool->fd);
  posix_fadvise(rig.spool->fd, 0, 0, POSIX_FADV_DONTNEED);
  spool_read(rig.spool, 0, data, sizeof data, on_ready, &rig);
  rig_free_spool(&rig);
  CU_ASSERT_EQUAL(rig.ready, 0);
  rig_fini(&rig);
}

/* Two loops, one bound: whoever finds it full tries again. */
static void *crowd(void *arg) {
  struct rig rig = {.dir = ""};
  rig_share(&rig, arg);
  for (int i = 0; i < 100; i++) {
    enum sluice_status status = rig_add(&rig, 2 * MEMORY);
    uint64_t used = atomic_load(&rig.settings->used);
    CU_ASSERT_TRUE(status == SLUICE_OK || status == SLUICE_ENOSPC);
    CU_ASSERT_TRUE(used <= rig.settings->max);
    CU_ASSERT_TRUE(status == SLUICE_OK ? used >= 2 * MEMORY : true);
    rig_free_spool(&rig);
    rig.spool = spool_new(&rig.host, rig.settings);
  }
  rig_fini(&rig);
  return NULL;
}

static void test_loops_share_the_bound(void) {
  struct spool_settings settings = {
      .directory = "/tmp", .memory = MEMORY, .max = 3 * MEMORY};
  pthread_t other;
  pthread_create(&other, NULL, crowd, &settings);
  crowd(&settings);
  pthread_join(other, NULL);
  CU_ASSERT_EQUAL(settings.used, 0);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_what_was_added_is_read_back),
      UNIT(test_memory_ends_at_its_limit),
      UNIT(test_memory_grows_with_what_is_in_it),
      UNIT(test_the_file_has_no_name_and_is_private),
      UNIT(test_nothing_is_beyond_the_end),
      UNIT(test_a_read_waits_for_the_disk),
      UNIT(test_a_file_that_is_cut_can_not_be_read),
      UNIT(test_the_bound_is_for_all_spools),
      UNIT(test_a_full_disk_is_enospc),
      UNIT(test_a_missing_directory_is_eio),
      UNIT(test_sums_are_those_of_openssl),
      UNIT(test_a_sum_of_what_is_cut_fails),
      UNIT(test_free_while_bytes_are_added),
      UNIT(test_free_inside_added),
      UNIT(test_free_while_sums_are_made),
      UNIT(test_free_while_a_read_waits),
      UNIT(test_loops_share_the_bound),
      {NULL, NULL},
  };
  return unit_main("spool", tests);
}
