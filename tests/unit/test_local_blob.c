/* SPDX-License-Identifier: MIT
 *
 * Descriptions in the blobs of the backend `local`: they hold all that the row
 * has, and any change of them is seen.
 */
#include "blob.h"
#include "localkit.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define LARGE 5000u

static char *bytes;

static int blob_fd(const struct kit *kit, uint64_t number) {
  int fd = store_read(&kit->local->store, number);
  CU_ASSERT_FATAL(fd >= 0);
  return fd;
}

/* A file of `length` bytes with this description. */
static int made(const char *key, const struct row *row) {
  struct buf description;
  int fd = memfd_create("blob", MFD_CLOEXEC);
  CU_ASSERT_FATAL(fd >= 0 && blob_describe(&description, key, row));
  CU_ASSERT(pwrite(fd, bytes, row->length, 0) == (ssize_t)row->length);
  CU_ASSERT(pwrite(fd, description.data, description.len,
                   (off_t)row->length) == (ssize_t)description.len);
  buf_fini(&description);
  return fd;
}

static void set_row(struct row *row, size_t length, const char *type,
                    const char *user, size_t user_len) {
  row_init(row);
  row->length = length;
  row->mtime_ms = -1700000000123;
  digest_md5(row->md5, bytes, length);
  row->type = type ? strdup(type) : NULL;
  CU_ASSERT_FATAL(buf_add(&row->user, user, user_len));
}

static bool is_same(const struct row *a, const struct row *b) {
  return a->length == b->length && a->mtime_ms == b->mtime_ms &&
         memcmp(a->md5, b->md5, sizeof a->md5) == 0 &&
         (a->type == NULL) == (b->type == NULL) &&
         (!a->type || strcmp(a->type, b->type) == 0) &&
         a->user.len == b->user.len &&
         memcmp(a->user.data, b->user.data, a->user.len) == 0;
}

static void check_description(const char *key, const struct row *row) {
  struct row got;
  char *said = NULL;
  int fd = made(key, row);
  row_init(&got);
  CU_ASSERT_EQUAL(blob_read_description(fd, &said, &got), SLUICE_OK);
  CU_ASSERT(said && strcmp(said, key) == 0);
  CU_ASSERT(is_same(row, &got));
  CU_ASSERT_PTR_NULL(blob_mismatch(fd, row, true));
  CU_ASSERT_PTR_NULL(blob_verify(fd, row));
  row_fini(&got);
  free(said);
  close(fd);
}

static void test_description_holds_all_of_a_row(void) {
  static const struct {
    const char *key, *type, *user;
    size_t user_len, length;
  } table[] = {{"a/b c.txt", "text/plain", "name\0\xc3\xa4\0", 8, LARGE},
               {"a", NULL, "", 0, LARGE},
               {"a", "", "", 0, 1},
               {"a", "x/y", "a\0\0b\0c\0", 7, 0}};
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    struct row row;
    set_row(&row, table[i].length, table[i].type, table[i].user,
            table[i].user_len);
    check_description(table[i].key, &row);
    row_fini(&row);
  }
}

/* The most that a row holds, which the gateway stays far below. */
static void test_description_of_a_large_row(void) {
  const size_t most = (size_t)1 << 20;
  struct row row;
  char *user = malloc(most), key[1025];
  memset(user, 'u', most);
  user[1] = user[most - 1] = '\0';
  memset(key, 'k', sizeof key - 1);
  key[sizeof key - 1] = '\0';
  set_row(&row, LARGE, "text/plain", user, most);
  check_description(key, &row);
  row_fini(&row);
  free(user);
}

static void test_any_bit_that_flips_in_a_description_is_seen(void) {
  struct row row, got;
  struct stat st;
  char *key, byte, other;
  set_row(&row, 100, "text/plain", "name\0value\0", 11);
  int fd = made("the/key", &row);
  CU_ASSERT_FATAL(fstat(fd, &st) == 0);
  for (off_t at = 100; at < st.st_size; at++) {
    CU_ASSERT(pread(fd, &byte, 1, at) == 1);
    other = (char)(byte ^ 1 << at % 8);
    CU_ASSERT(pwrite(fd, &other, 1, at) == 1);
    row_init(&got);
    CU_ASSERT_EQUAL(blob_read_description(fd, &key, &got), SLUICE_EIO);
    CU_ASSERT_PTR_NULL(key);
    CU_ASSERT_PTR_NULL(got.type);
    CU_ASSERT(pwrite(fd, &byte, 1, at) == 1);
  }
  CU_ASSERT_EQUAL(blob_read_description(fd, &key, &got), SLUICE_OK);
  row_fini(&got);
  free(key);
  row_fini(&row);
  close(fd);
}

static void test_file_of_any_other_length_is_seen(void) {
  struct row row, got;
  struct stat st;
  char *key;
  set_row(&row, 100, NULL, "", 0);
  int fd = made("a", &row);
  CU_ASSERT_FATAL(fstat(fd, &st) == 0);
  for (off_t size = st.st_size + 1; size >= 0; size--) {
    CU_ASSERT(ftruncate(fd, size) == 0);
    if (size == st.st_size)
      continue;
    row_init(&got);
    CU_ASSERT_EQUAL(blob_read_description(fd, &key, &got), SLUICE_EIO);
    CU_ASSERT_PTR_NOT_NULL(blob_mismatch(fd, &row, true));
    CU_ASSERT_EQUAL(blob_mismatch(fd, &row, false) == NULL, size == 100);
  }
  row_fini(&row);
  close(fd);
}

static void test_upload_describes_its_blob(void) {
  static const struct sluice_pair user[] = {{"one", "1"}, {"two", ""}, {0}};
  struct kit kit;
  struct row got;
  char *key = NULL;
  kit_init(&kit, 1000);
  CU_ASSERT_FATAL(kit_start(&kit));
  struct call call = {.kit = &kit,
                      .key = "the/key",
                      .data = bytes,
                      .length = LARGE,
                      .piece = 999,
                      .type = "image/png",
                      .user = user};
  call_put(&call);
  call_wait(&call);
  call_fini(&call);
  call = (struct call){.kit = &kit, .key = "the/key"};
  call_head(&call);
  call_wait(&call);
  int fd = blob_fd(&kit, 1);
  row_init(&got);
  CU_ASSERT_EQUAL(blob_read_description(fd, &key, &got), SLUICE_OK);
  CU_ASSERT_STRING_EQUAL(key, "the/key");
  CU_ASSERT_EQUAL(got.length, LARGE);
  CU_ASSERT_EQUAL(got.mtime_ms, call.row.mtime_ms);
  CU_ASSERT_STRING_EQUAL(got.type, "image/png");
  CU_ASSERT_EQUAL(got.user.len, 11);
  CU_ASSERT(memcmp(got.user.data,
                   "one\0"
                   "1\0two\0\0",
                   11) == 0);
  CU_ASSERT_PTR_NULL(blob_verify(fd, &got));
  close(fd);
  call_fini(&call);
  row_fini(&got);
  free(key);
  kit_stop(&kit);
  kit_fini(&kit);
}

static void test_flipped_bit_of_the_object_is_found_by_verify(void) {
  struct row row;
  char flipped = (char)(bytes[4096] ^ 4);
  set_row(&row, LARGE, NULL, "", 0);
  int fd = made("a", &row);
  CU_ASSERT_PTR_NULL(blob_verify(fd, &row));
  CU_ASSERT(pwrite(fd, &flipped, 1, 4096) == 1);
  CU_ASSERT_PTR_NULL(blob_mismatch(fd, &row, true)); /* it reads the end */
  CU_ASSERT_PTR_NOT_NULL(blob_verify(fd, &row));
  row.length = 2 * LARGE;
  CU_ASSERT_STRING_EQUAL(blob_verify(fd, &row), "its blob can't be read");
  row_fini(&row);
  close(fd);
}

static void test_blob_of_another_object_is_not_served(void) {
  struct kit kit;
  char from[256], to[256];
  kit_init(&kit, 1000);
  CU_ASSERT_FATAL(kit_start(&kit));
  CU_ASSERT_EQUAL(kit_put(&kit, "a", bytes, LARGE - 1), SLUICE_OK);
  CU_ASSERT_EQUAL(kit_put(&kit, "b", bytes + 1, LARGE - 1), SLUICE_OK);
  snprintf(from, sizeof from, "%s/blobs/0/00/%016x", kit.dir, 1);
  snprintf(to, sizeof to, "%s/blobs/0/00/%016x", kit.dir, 2);
  CU_ASSERT(rename(from, to) == 0);
  struct call call = {.kit = &kit, .key = "b"};
  call_get(&call);
  call_wait(&call);
  CU_ASSERT_EQUAL(call.status, SLUICE_EIO);
  CU_ASSERT(strstr(call.why, "holds another object") != NULL);
  call_fini(&call);
  kit_stop(&kit);
  kit_fini(&kit);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_description_holds_all_of_a_row),
      UNIT(test_description_of_a_large_row),
      UNIT(test_any_bit_that_flips_in_a_description_is_seen),
      UNIT(test_file_of_any_other_length_is_seen),
      UNIT(test_upload_describes_its_blob),
      UNIT(test_flipped_bit_of_the_object_is_found_by_verify),
      UNIT(test_blob_of_another_object_is_not_served),
      {NULL, NULL}};
  bytes = kit_bytes(1, LARGE);
  int status = unit_main("local blob", tests);
  free(bytes);
  return status;
}
