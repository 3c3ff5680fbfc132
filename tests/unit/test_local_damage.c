/* SPDX-License-Identifier: MIT
 *
 * Bits that flipped in the index of the backend `local`: what was changed is
 * never served, and never makes it touch another object's bytes.
 */
#include "index.h"
#include "localkit.h"
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LARGE 5000u
#define SMALL 500u

static char *bytes;

/* A store with these objects that isn't running. */
static void make_store(struct kit *kit) {
  kit_init(kit, 1000);
  CU_ASSERT_FATAL(kit_start(kit));
  CU_ASSERT_EQUAL(kit_put(kit, "large/1", bytes, LARGE), SLUICE_OK);
  CU_ASSERT_EQUAL(kit_put(kit, "large/2", bytes + 1, LARGE), SLUICE_OK);
  CU_ASSERT_EQUAL(kit_put(kit, "small/1", bytes + 2, SMALL), SLUICE_OK);
  CU_ASSERT_EQUAL(kit_put(kit, "small/2", bytes + 3, SMALL), SLUICE_OK);
  kit_stop(kit);
  kit_log_forget();
}

/* A get's, as far as it says the key. */
static enum sluice_status get(struct kit *kit, const char *key,
                              char why[ERRMSG_MAX]) {
  struct call call = {.kit = kit, .key = key};
  char quoted[64];
  call_get(&call);
  call_wait(&call);
  snprintf(why, ERRMSG_MAX, "%s", call.why);
  snprintf(quoted, sizeof quoted, "\"%s\"", key);
  CU_ASSERT(call.status == SLUICE_OK || strstr(why, quoted) != NULL);
  call_fini(&call);
  return call.status;
}

static enum sluice_status list(struct kit *kit, const char *prefix) {
  struct sluice_list list = {.prefix = prefix, .max = 10};
  struct buf page;
  buf_init(&page, 4096);
  enum sluice_status status = kit_list(kit, &list, &page);
  buf_fini(&page);
  return status;
}

static void check_others(struct kit *kit) {
  CU_ASSERT(kit_has(kit, "large/2", bytes + 1, LARGE));
  CU_ASSERT(kit_has(kit, "small/2", bytes + 3, SMALL));
}

static const struct {
  const char *change, *key;
  bool shown; /* by a list */
} changes[] = {
    {"size = size + 1", "large/1", true},
    {"mtime = mtime + 1024", "large/1", true},
    {"etag = x'00112233445566778899aabbccddeeff'", "large/1", true},
    {"blob = 2", "large/1", false},
    {"type = 'text/html'", "large/1", false},
    {"type = NULL", "large/1", false},
    {"user = x'610062'", "large/1", false},
    {"user = CAST(type AS BLOB), type = ''", "large/1", false},
    {"sum = sum + 1", "large/1", false},
    {"small = 2", "small/1", false},
    {"small = NULL, blob = 2", "small/1", false},
    {"size = 499", "small/1", true},
};

static void spoil(const struct kit *kit, const char *change, const char *key) {
  char sql[200];
  snprintf(sql, sizeof sql,
           "UPDATE object SET %s WHERE key = CAST('%s' AS BLOB)", change, key);
  CU_ASSERT(kit_sql(kit, sql));
}

static void test_changed_row_is_not_served(void) {
  for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
    struct kit kit;
    char why[ERRMSG_MAX];
    const char *key = changes[i].key;
    make_store(&kit);
    spoil(&kit, changes[i].change, key);
    CU_ASSERT_FATAL(kit_start(&kit));
    CU_ASSERT_EQUAL(get(&kit, key, why), SLUICE_EIO);
    CU_ASSERT(strstr(why, "met 1 times") != NULL);
    CU_ASSERT_EQUAL(kit_head(&kit, key), SLUICE_EIO);
    CU_ASSERT_EQUAL(get(&kit, key, why), SLUICE_EIO);
    CU_ASSERT(strstr(why, "met 3 times") != NULL);
    CU_ASSERT_EQUAL(list(&kit, key),
                    changes[i].shown ? SLUICE_EIO : SLUICE_OK);
    check_others(&kit);
    CU_ASSERT_EQUAL(kit_put(&kit, "new", bytes, LARGE), SLUICE_OK);
    kit_stop(&kit);
    kit_fini(&kit);
  }
}

/* The numbers in it may be another object's. */
static void test_changed_row_goes_alone(void) {
  for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
    struct kit kit;
    const char *key = changes[i].key;
    make_store(&kit);
    spoil(&kit, changes[i].change, key);
    CU_ASSERT_FATAL(kit_start(&kit));
    if (i % 2) {
      CU_ASSERT_EQUAL(kit_remove(&kit, key), SLUICE_OK);
      CU_ASSERT_EQUAL(kit_head(&kit, key), SLUICE_ENOENT);
    } else {
      CU_ASSERT_EQUAL(kit_put(&kit, key, bytes + 4, LARGE), SLUICE_OK);
      CU_ASSERT(kit_has(&kit, key, bytes + 4, LARGE));
    }
    CU_ASSERT_EQUAL(kit_log_count("its bytes stay on the disk"), 1);
    check_others(&kit);
    CU_ASSERT_EQUAL(list(&kit, ""), SLUICE_OK);
    kit_stop(&kit);
    kit_fini(&kit);
  }
}

static void test_key_that_changed_is_not_served(void) {
  struct kit kit;
  char why[ERRMSG_MAX];
  make_store(&kit);
  spoil(&kit, "key = CAST('large/3' AS BLOB)", "large/1");
  CU_ASSERT_FATAL(kit_start(&kit));
  CU_ASSERT_EQUAL(get(&kit, "large/3", why), SLUICE_EIO);
  CU_ASSERT_EQUAL(kit_head(&kit, "large/1"), SLUICE_ENOENT);
  check_others(&kit);
  kit_stop(&kit);
  kit_fini(&kit);
}

/* One bit of the file, where a small object's bytes are. */
static void flip_bit(const struct kit *kit, const char *content) {
  char path[200];
  struct stat st;
  snprintf(path, sizeof path, "%s/index.db", kit->dir);
  int fd = open(path, O_RDWR);
  CU_ASSERT_FATAL(fd >= 0 && fstat(fd, &st) == 0);
  char *all = malloc((size_t)st.st_size);
  CU_ASSERT_FATAL(all && pread(fd, all, (size_t)st.st_size, 0) == st.st_size);
  char *at = memmem(all, (size_t)st.st_size, content, 100);
  CU_ASSERT_PTR_NOT_NULL_FATAL(at);
  char flipped = (char)(at[50] ^ 8);
  CU_ASSERT(pwrite(fd, &flipped, 1, at + 50 - all) == 1);
  free(all);
  close(fd);
}

static void test_flipped_bit_of_a_small_object_is_not_served(void) {
  struct kit kit;
  char why[ERRMSG_MAX];
  make_store(&kit);
  flip_bit(&kit, bytes + 2);
  CU_ASSERT_FATAL(kit_start(&kit));
  for (int i = 0; i < 3; i++) {
    CU_ASSERT_EQUAL(get(&kit, "small/1", why), SLUICE_EIO);
    CU_ASSERT(strstr(why, "aren't those that were stored") != NULL);
  }
  CU_ASSERT_EQUAL(kit_head(&kit, "small/1"), SLUICE_OK);
  check_others(&kit);
  kit_stop(&kit);
  kit_fini(&kit);
}

/* Nothing more is written to an index with a page that makes no sense. */
static void test_damaged_page_makes_the_store_read_only(void) {
  struct kit kit;
  char path[200], junk[4096], why[ERRMSG_MAX];
  make_store(&kit);
  int64_t page = kit_number(&kit, "SELECT rootpage FROM sqlite_schema"
                                  " WHERE name = 'object'");
  snprintf(path, sizeof path, "%s/index.db", kit.dir);
  memset(junk, 'x', sizeof junk);
  int fd = open(path, O_WRONLY);
  CU_ASSERT(pwrite(fd, junk, sizeof junk, (off_t)(page - 1) * 4096) == 4096);
  close(fd);
  CU_ASSERT_FATAL(kit_start(&kit)); /* it stopped well, so isn't checked */
  CU_ASSERT_EQUAL(kit_ping(&kit, why), SLUICE_OK);
  CU_ASSERT_EQUAL(kit_head(&kit, "small/1"), SLUICE_EIO);
  CU_ASSERT_EQUAL(kit_ping(&kit, why), SLUICE_EBUSY);
  CU_ASSERT(strstr(why, "malformed") != NULL);
  CU_ASSERT_EQUAL(kit_put(&kit, "a", bytes, 1), SLUICE_EBUSY);
  CU_ASSERT_EQUAL(kit_log_count("is read-only from now on"), 1);
  kit_stop(&kit);
  CU_ASSERT_FALSE(kit_start(&kit)); /* now it is */
  CU_ASSERT(strstr(kit.host.failure, "is damaged") != NULL);
  kit_fini(&kit);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_changed_row_is_not_served),
      UNIT(test_changed_row_goes_alone),
      UNIT(test_key_that_changed_is_not_served),
      UNIT(test_flipped_bit_of_a_small_object_is_not_served),
      UNIT(test_damaged_page_makes_the_store_read_only),
      {NULL, NULL}};
  kit_log_keep();
  bytes = kit_bytes(1, LARGE + 10);
  int status = unit_main("local damage", tests);
  free(bytes);
  return status;
}
