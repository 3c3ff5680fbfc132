/* SPDX-License-Identifier: MIT
 *
 * Spools: their sums, and freeing them while the pool works for them.
 */
#include "spoolkit.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

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
  CU_ASSERT_EQUAL(ftruncate(rig.spool->file.fd, LONG - 1), 0);
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
  rig_forget_pages(&rig);
  spool_read(rig.spool, 0, data, sizeof data, on_ready, &rig);
  rig_free_spool(&rig);
  CU_ASSERT_EQUAL(rig.ready, 0);
  rig_fini(&rig);
}

static void test_free_while_a_read_waits_and_an_add_was_refused(void) {
  struct rig rig;
  char data[100];
  rig_init(&rig);
  rig_add(&rig, LONG);
  rig.own.max = LONG;
  rig_forget_pages(&rig);
  spool_read(rig.spool, 0, data, sizeof data, on_ready, &rig);
  spool_add(rig.spool, "x", 1, on_added, &rig);
  rig_free_spool(&rig);
  CU_ASSERT_EQUAL(rig.added, 1);
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
      UNIT(test_sums_are_those_of_openssl),
      UNIT(test_a_sum_of_what_is_cut_fails),
      UNIT(test_free_while_bytes_are_added),
      UNIT(test_free_inside_added),
      UNIT(test_free_while_sums_are_made),
      UNIT(test_free_while_a_read_waits),
      UNIT(test_free_while_a_read_waits_and_an_add_was_refused),
      UNIT(test_loops_share_the_bound),
      {NULL, NULL},
  };
  return unit_main("spool_job", tests);
}
