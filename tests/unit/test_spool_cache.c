/* SPDX-License-Identifier: MIT
 *
 * Files that wait for the next spool: which are kept, for how long, and that
 * nothing of one upload is seen in another.
 */
#include "spoolkit.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

#define KEEP (UINT64_C(1) << 30)

static void keeper_init(struct rig *rig) {
  rig_init(rig);
  rig->own.keep = KEEP;
}

/* So many spools of that length, freed in the order in which they were made.
 */
static void use(struct rig *rig, size_t count, size_t len) {
  struct spool *spools[SPOOL_CACHE_FILES + 1];
  for (size_t i = 0; i < count; i++) {
    rig_add(rig, len);
    spools[i] = rig->spool;
    rig_new_spool(rig);
  }
  struct spool *next = rig->spool;
  for (size_t i = 0; i < count; i++) {
    rig->spool = spools[i];
    rig_free_spool(rig);
  }
  rig->spool = next;
}

static uint64_t size_of(const struct rig *rig) {
  struct stat status = {0};
  CU_ASSERT_EQUAL(fstat(rig->spool->file.fd, &status), 0);
  CU_ASSERT_EQUAL((uint64_t)status.st_size, rig->spool->file.size);
  return (uint64_t)status.st_size;
}

/* ---- used again --------------------------------------------------------- */

static void test_a_file_is_used_again(void) {
  struct rig rig;
  struct stat before, after;
  keeper_init(&rig);
  rig_add(&rig, LONG);
  fstat(rig.spool->file.fd, &before);
  rig_free_spool(&rig);
  CU_ASSERT_EQUAL(rig.own.used, LONG);
  CU_ASSERT_EQUAL(rig.own.cache.bytes, LONG);
  rig_new_spool(&rig);
  spool_expect(rig.spool, LONG);
  rig_add(&rig, MEMORY + 1);
  fstat(rig.spool->file.fd, &after);
  CU_ASSERT_EQUAL(after.st_ino, before.st_ino);
  CU_ASSERT_EQUAL(size_of(&rig), LONG);
  CU_ASSERT_EQUAL(rig.own.cache.bytes, 0);
  rig_add(&rig, LONG - MEMORY - 1);
  CU_ASSERT_EQUAL(rig.own.used, LONG);
  rig_add(&rig, 1);
  CU_ASSERT_EQUAL(rig.own.used, LONG + 1);
  CU_ASSERT_EQUAL(size_of(&rig), LONG + 1);
  rig_fini(&rig);
}

static void test_what_fits_memory_takes_no_file(void) {
  struct rig rig;
  keeper_init(&rig);
  use(&rig, 1, LONG);
  rig_add(&rig, MEMORY);
  CU_ASSERT_EQUAL(rig.spool->file.fd, -1);
  CU_ASSERT_EQUAL(rig.own.cache.bytes, LONG);
  rig_fini(&rig);
}

static void test_the_last_one_is_taken_first(void) {
  static const size_t lens[][3] = {{2, 3, 4}, {4, 3, 2}, {3, 4, 2}};
  for (size_t row = 0; row < 3; row++) {
    struct rig rig;
    keeper_init(&rig);
    for (size_t i = 0; i < 3; i++) { /* no two alike */
      struct spool_file file = {spool_file_open(rig.dir), 0};
      spool_cache_charge(&rig.own, &file, lens[row][i] * MEMORY);
      spool_cache_give(&rig.own, &file);
      CU_ASSERT_EQUAL(file.fd, -1);
    }
    for (size_t i = 3; i-- > 0;) {
      struct spool_file file;
      CU_ASSERT_TRUE(spool_cache_take(&rig.own, &file, 3 * MEMORY));
      CU_ASSERT_EQUAL(file.size, lens[row][i] * MEMORY);
      spool_cache_close(&rig.own, &file);
    }
    rig_fini(&rig);
  }
}

static void on_summed(void *arg) {
  struct rig *rig = arg;
  rig->summed++;
}

static void sum(struct rig *rig, struct spool_sum *sum) {
  int before = rig->summed;
  spool_sum(rig->spool, sum, on_summed, rig);
  while (rig->summed == before)
    rig_pass(rig);
}

static void test_nothing_of_another_upload_is_seen(void) {
  struct rig rig;
  unsigned char got[3 * MEMORY], md5[EVP_MAX_MD_SIZE];
  const size_t len = 2 * MEMORY;
  keeper_init(&rig);
  use(&rig, 1, LONG);
  spool_expect(rig.spool, LONG);
  rig_add_from(&rig, 777, len);
  CU_ASSERT_EQUAL(size_of(&rig), LONG);
  unsigned char *data = bytes(777, len);
  for (int turn = 0; turn < 2; turn++) {
    size_t at = 0;
    while (at < len) {
      int64_t n = rig_read(&rig, at, got + at, sizeof got - at);
      CU_ASSERT_FATAL(n > 0 && (size_t)n <= len - at);
      at += (size_t)n;
    }
    CU_ASSERT_EQUAL(memcmp(got, data, len), 0);
    CU_ASSERT_EQUAL(rig_read(&rig, len - 1, got, sizeof got), 1);
    CU_ASSERT_EQUAL(rig_read(&rig, len, got, sizeof got), 0);
    CU_ASSERT_EQUAL(rig_read(&rig, len + 1, got, sizeof got), 0);
    rig_forget_pages(&rig);
  }
  struct spool_sum whole = {.count = len}, over = {.count = len + 1};
  EVP_Digest(data, len, md5, NULL, EVP_md5(), NULL);
  sum(&rig, &whole);
  CU_ASSERT_TRUE(!whole.failed && memcmp(md5, whole.md5, 16) == 0);
  sum(&rig, &over);
  CU_ASSERT_TRUE(over.failed);
  free(data);
  rig_fini(&rig);
}

/* ---- how much is kept --------------------------------------------------- */

static void test_so_many_files_are_kept_and_no_more(void) {
  for (size_t count = SPOOL_CACHE_FILES - 1; count <= SPOOL_CACHE_FILES + 1;
       count++) {
    struct rig rig;
    size_t kept = count < SPOOL_CACHE_FILES ? count : SPOOL_CACHE_FILES;
    keeper_init(&rig);
    use(&rig, count, MEMORY + 1);
    CU_ASSERT_EQUAL(rig.own.used, kept * (MEMORY + 1));
    CU_ASSERT_EQUAL(rig.own.cache.bytes, kept * (MEMORY + 1));
    rig_fini(&rig);
  }
}

static void test_so_many_bytes_are_kept_and_no_more(void) {
  static const struct {
    uint64_t keep, kept;
  } rows[] = {{2 * LONG, 2 * LONG},
              {2 * LONG - 1, LONG},
              {LONG, LONG},
              {LONG - 1, 0},
              {1, 0},
              {0, 0}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct rig rig;
    rig_init(&rig);
    rig.own.keep = rows[i].keep;
    use(&rig, 2, LONG);
    CU_ASSERT_EQUAL(rig.own.used, rows[i].kept);
    CU_ASSERT_EQUAL(rig.own.cache.bytes, rows[i].kept);
    rig_fini(&rig);
  }
}

static void test_keep_0_keeps_no_empty_file_either(void) {
  struct rig rig;
  struct spool_file file;
  rig_init(&rig);
  spool_expect(rig.spool, LONG);
  rig_add(&rig, 0);
  CU_ASSERT_TRUE(rig.spool->file.fd >= 0);
  rig_free_spool(&rig);
  CU_ASSERT_FALSE(spool_cache_take(&rig.own, &file, 0));
  rig_fini(&rig);
}

static void test_so_much_of_a_file_is_kept_and_no_more(void) {
  static const struct {
    uint64_t size, kept;
  } rows[] = {{SPOOL_CACHE_FILE_MAX - 1, SPOOL_CACHE_FILE_MAX - 1},
              {SPOOL_CACHE_FILE_MAX, SPOOL_CACHE_FILE_MAX},
              {SPOOL_CACHE_FILE_MAX + 1, SPOOL_CACHE_FILE_MAX}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct rig rig;
    struct stat status;
    keeper_init(&rig);
    struct spool_file file = {spool_file_open(rig.dir), 0};
    spool_cache_charge(&rig.own, &file, rows[i].size);
    CU_ASSERT_EQUAL(ftruncate(file.fd, (off_t)file.size), 0);
    spool_cache_give(&rig.own, &file);
    CU_ASSERT_EQUAL(rig.own.used, rows[i].kept);
    CU_ASSERT_TRUE(spool_cache_take(&rig.own, &file, SPOOL_CACHE_FILE_MAX));
    fstat(file.fd, &status);
    CU_ASSERT_EQUAL((uint64_t)status.st_size, rows[i].kept);
    spool_cache_close(&rig.own, &file);
    rig_fini(&rig);
  }
}

/* ---- the bound ---------------------------------------------------------- */

static void test_kept_files_make_room_below_the_bound(void) {
  for (uint64_t past = 0; past < 2; past++) {
    struct rig rig;
    keeper_init(&rig);
    use(&rig, 3, 2 * MEMORY);
    CU_ASSERT_EQUAL(rig.own.used, 6 * MEMORY);
    rig.own.max = 6 * MEMORY;
    CU_ASSERT_EQUAL(rig_add(&rig, 4 * MEMORY), SLUICE_OK);
    CU_ASSERT_EQUAL(rig.own.used, 6 * MEMORY); /* one had to go */
    CU_ASSERT_EQUAL(rig.own.cache.bytes, 2 * MEMORY);
    enum sluice_status status = rig_add(&rig, 2 * MEMORY + past);
    CU_ASSERT_EQUAL(status, past == 0 ? SLUICE_OK : SLUICE_ENOSPC);
    CU_ASSERT_EQUAL(rig.own.used, (past == 0 ? 6 : 4) * MEMORY);
    CU_ASSERT_EQUAL(rig.own.cache.bytes, 0);
    rig_fini(&rig);
  }
}

static void test_a_first_add_beyond_the_bound_leaves_no_file(void) {
  struct rig rig;
  keeper_init(&rig);
  use(&rig, 1, 2 * MEMORY);
  rig.own.max = 3 * MEMORY;
  CU_ASSERT_EQUAL(rig_add(&rig, 3 * MEMORY + 1), SLUICE_ENOSPC);
  CU_ASSERT_EQUAL(rig.own.used, 0);
  CU_ASSERT_EQUAL(rig.spool->file.fd, -1);
  CU_ASSERT_EQUAL(rig_add(&rig, 3 * MEMORY), SLUICE_OK);
  rig_fini(&rig);
}

/* Room that one spool will never use may be what another one lacks. */
static void test_below_a_bound_no_file_is_longer_than_what_comes(void) {
  static const struct {
    uint64_t max, expected, size;
  } rows[] = {{0, LONG, LONG},
              {LONG, 3 * MEMORY, 3 * MEMORY},
              {LONG, 0, MEMORY + 1},
              {LONG, 2 * LONG, LONG}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct rig rig;
    keeper_init(&rig);
    use(&rig, 1, LONG);
    rig.own.max = rows[i].max;
    if (rows[i].expected > 0)
      spool_expect(rig.spool, rows[i].expected);
    rig_add(&rig, MEMORY + 1);
    CU_ASSERT_EQUAL(size_of(&rig), rows[i].size);
    CU_ASSERT_EQUAL(rig.own.used, rows[i].size);
    CU_ASSERT_EQUAL(rig.own.cache.bytes, 0);
    rig_fini(&rig);
  }
}

/* Two loops, each with no more than its half of the bound, in more files than
 * fit beside a large one. */
static void *crowd(void *arg) {
  struct rig rig = {.dir = ""};
  struct spool *spools[3];
  rig_share(&rig, arg);
  for (int i = 0; i < 60; i++) {
    for (size_t n = 0; n < 3; n++) {
      CU_ASSERT_EQUAL(rig_add(&rig, MEMORY + 1), SLUICE_OK);
      spools[n] = rig.spool;
      rig_new_spool(&rig);
    }
    struct spool *large = rig.spool;
    for (size_t n = 0; n < 3; n++) {
      rig.spool = spools[n];
      rig_free_spool(&rig);
    }
    rig.spool = large;
    CU_ASSERT_EQUAL(rig_add(&rig, 2 * MEMORY), SLUICE_OK);
    CU_ASSERT_EQUAL(rig_add(&rig, 2 * MEMORY), SLUICE_OK);
    CU_ASSERT_TRUE(atomic_load(&rig.settings->used) <= rig.settings->max);
    rig_free_spool(&rig);
    rig_new_spool(&rig);
  }
  rig_fini(&rig);
  return NULL;
}

static void test_a_kept_file_is_never_why_an_add_fails(void) {
  struct spool_settings settings = {
      .directory = "/tmp", .memory = MEMORY, .max = 8 * MEMORY, .keep = KEEP};
  pthread_t other;
  pthread_create(&other, NULL, crowd, &settings);
  crowd(&settings);
  pthread_join(other, NULL);
  CU_ASSERT_EQUAL(settings.used, settings.cache.bytes);
  spool_close_kept(&settings);
  CU_ASSERT_EQUAL(settings.used, 0);
}

/* True: a tmpfs of that size is there now. */
static bool small_disk(struct rig *rig, const char *size) {
  bool done = mount("none", rig->dir, "tmpfs", 0, size) == 0;
  rig->own.max = UINT64_MAX; /* the disk is full first */
  if (!done)
    fputs("a full disk needs root: not tested\n", stderr);
  return done;
}

static void test_kept_files_make_room_on_a_full_disk(void) {
  struct rig rig;
  keeper_init(&rig);
  if (!small_disk(&rig, "size=384k")) {
    rig_fini(&rig);
    return;
  }
  rig_add(&rig, 2 * MEMORY);
  struct spool *first = rig.spool;
  rig_new_spool(&rig);
  rig_add(&rig, 2 * MEMORY);
  rig_free_spool(&rig);
  CU_ASSERT_EQUAL(rig.own.cache.bytes, 2 * MEMORY);
  rig.spool = first;
  CU_ASSERT_EQUAL(rig_add(&rig, 4 * MEMORY), SLUICE_OK);
  CU_ASSERT_EQUAL(rig.own.used, 6 * MEMORY);
  CU_ASSERT_EQUAL(size_of(&rig), 6 * MEMORY);
  unsigned char last;
  CU_ASSERT_EQUAL(rig_read(&rig, 6 * MEMORY - 1, &last, 1), 1);
  CU_ASSERT_EQUAL(last, byte_at(6 * MEMORY - 1));
  CU_ASSERT_EQUAL(rig_add(&rig, 1), SLUICE_ENOSPC);
  rig_free_spool(&rig);
  CU_ASSERT_EQUAL(rig.own.used, 0); /* it had failed */
  umount(rig.dir);
  rig_fini(&rig);
}

static void test_a_disk_that_is_nearly_full_keeps_nothing(void) {
  struct rig rig;
  keeper_init(&rig);
  if (!small_disk(&rig, "size=256k")) {
    rig_fini(&rig);
    return;
  }
  rig_add(&rig, 2 * MEMORY + 4096); /* more than half */
  rig_free_spool(&rig);
  CU_ASSERT_EQUAL(rig.own.cache.bytes, 0);
  rig_new_spool(&rig);
  rig_add(&rig, 2 * MEMORY);
  rig_free_spool(&rig);
  CU_ASSERT_EQUAL(rig.own.cache.bytes, 2 * MEMORY);
  spool_close_kept(&rig.own);
  umount(rig.dir);
  rig_fini(&rig);
}

/* Also where there is no bound; one that is a little too long stays so. */
static void test_a_file_that_is_much_too_long_is_cut(void) {
  static const struct {
    uint64_t most, size;
  } rows[] = {{3 * MEMORY, 12 * MEMORY}, {3 * MEMORY - 1, 3 * MEMORY - 1}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct rig rig;
    struct spool_file file;
    keeper_init(&rig);
    rig.own.max = 0;
    rig_add(&rig, 12 * MEMORY);
    rig_free_spool(&rig);
    CU_ASSERT_TRUE(spool_cache_take(&rig.own, &file, rows[i].most));
    CU_ASSERT_EQUAL(file.size, rows[i].size);
    spool_cache_close(&rig.own, &file);
    rig_fini(&rig);
  }
}

/* ---- what failed -------------------------------------------------------- */

static void spoil_read(struct rig *rig) {
  char data[100];
  CU_ASSERT_EQUAL(ftruncate(rig->spool->file.fd, 10), 0);
  CU_ASSERT_EQUAL(rig_read(rig, 5000, data, sizeof data), -2);
}

static void spoil_sum(struct rig *rig) {
  struct spool_sum cut = {.count = LONG};
  CU_ASSERT_EQUAL(ftruncate(rig->spool->file.fd, LONG - 1), 0);
  sum(rig, &cut);
  CU_ASSERT_TRUE(cut.failed);
}

static void put_there(struct rig *rig, const char *path, int flags) {
  int fd = open(path, flags | O_CLOEXEC);
  CU_ASSERT_TRUE(fd >= 0 && dup2(fd, rig->spool->file.fd) >= 0);
  close(fd);
}

/* Read by a thread: this file can't say whether it would wait, and has no
 * first page. */
static void spoil_fetch(struct rig *rig) {
  char data[100];
  put_there(rig, "/proc/self/mem", O_RDONLY);
  CU_ASSERT_EQUAL(rig_read(rig, 0, data, sizeof data), -2);
  CU_ASSERT_EQUAL(rig->ready, 1);
}

static void spoil_full(struct rig *rig) {
  put_there(rig, "/dev/full", O_RDWR);
  /* It can't be shortened either. */
  CU_ASSERT_EQUAL(rig_add(rig, 1), SLUICE_EIO);
}

static void spoil_write(struct rig *rig) {
  put_there(rig, "/dev/null", O_RDONLY);
  CU_ASSERT_EQUAL(rig_add(rig, 1), SLUICE_EIO);
}

static void test_a_file_that_failed_is_not_kept(void) {
  static void (*const spoils[])(struct rig *) = {
      spoil_read, spoil_sum, spoil_fetch, spoil_full, spoil_write};
  for (size_t i = 0; i < sizeof spoils / sizeof *spoils; i++) {
    struct rig rig;
    keeper_init(&rig);
    rig_add(&rig, LONG);
    spoils[i](&rig);
    rig_free_spool(&rig);
    CU_ASSERT_EQUAL(rig.own.used, 0);
    CU_ASSERT_EQUAL(rig.own.cache.bytes, 0);
    rig_fini(&rig);
  }
}

/* ---- for how long ------------------------------------------------------- */

/* As if all that is kept had come so long ago. */
static void backdate(struct rig *rig, int64_t ns) {
  int64_t since = spool_cache_now() - ns;
  for (size_t i = 0; i < SPOOL_CACHE_FILES; i++)
    atomic_store(&rig->own.cache.slots[i].since, since);
}

static void test_what_is_not_used_is_closed(void) {
  struct rig rig;
  keeper_init(&rig);
  use(&rig, 2, LONG);
  backdate(&rig, SPOOL_CACHE_IDLE_NS - 9000000000);
  spool_age(&rig.host, &rig.own);
  CU_ASSERT_FALSE(rig.own.cache.aging);
  backdate(&rig, SPOOL_CACHE_IDLE_NS);
  spool_age(&rig.host, &rig.own);
  CU_ASSERT_TRUE(rig.own.cache.aging);
  spool_age(&rig.host, &rig.own); /* no second job */
  rig_pass(&rig);
  CU_ASSERT_FALSE(rig.own.cache.aging);
  CU_ASSERT_EQUAL(rig.own.used, 0);
  CU_ASSERT_EQUAL(rig.own.cache.bytes, 0);
  rig_fini(&rig);
}

static void test_younger_ones_stay(void) {
  struct rig rig;
  struct spool_file file;
  keeper_init(&rig);
  rig_add(&rig, 3 * MEMORY);
  struct spool *first = rig.spool;
  rig_new_spool(&rig);
  rig_add(&rig, LONG);
  rig_free_spool(&rig);
  int64_t between = spool_cache_now();
  rig.spool = first;
  rig_free_spool(&rig);
  spool_cache_clear(&rig.own, between);
  CU_ASSERT_EQUAL(rig.own.used, 3 * MEMORY);
  CU_ASSERT_TRUE(spool_cache_take(&rig.own, &file, 3 * MEMORY));
  CU_ASSERT_EQUAL(file.size, 3 * MEMORY);
  spool_cache_close(&rig.own, &file);
  rig_fini(&rig);
}

static void test_the_end_closes_all(void) {
  struct rig rig;
  keeper_init(&rig);
  rig_add(&rig, LONG);
  int fd = rig.spool->file.fd;
  rig_free_spool(&rig);
  CU_ASSERT_TRUE(fcntl(fd, F_GETFD) >= 0);
  spool_close_kept(&rig.own);
  CU_ASSERT_TRUE(fcntl(fd, F_GETFD) == -1 && errno == EBADF);
  CU_ASSERT_EQUAL(rig.own.used, 0);
  rig_fini(&rig);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_a_file_is_used_again),
      UNIT(test_what_fits_memory_takes_no_file),
      UNIT(test_the_last_one_is_taken_first),
      UNIT(test_nothing_of_another_upload_is_seen),
      UNIT(test_so_many_files_are_kept_and_no_more),
      UNIT(test_so_many_bytes_are_kept_and_no_more),
      UNIT(test_keep_0_keeps_no_empty_file_either),
      UNIT(test_so_much_of_a_file_is_kept_and_no_more),
      UNIT(test_kept_files_make_room_below_the_bound),
      UNIT(test_a_first_add_beyond_the_bound_leaves_no_file),
      UNIT(test_below_a_bound_no_file_is_longer_than_what_comes),
      UNIT(test_a_kept_file_is_never_why_an_add_fails),
      UNIT(test_kept_files_make_room_on_a_full_disk),
      UNIT(test_a_disk_that_is_nearly_full_keeps_nothing),
      UNIT(test_a_file_that_is_much_too_long_is_cut),
      UNIT(test_a_file_that_failed_is_not_kept),
      UNIT(test_what_is_not_used_is_closed),
      UNIT(test_younger_ones_stay),
      UNIT(test_the_end_closes_all),
      {NULL, NULL},
  };
  return unit_main("spool_cache", tests);
}
