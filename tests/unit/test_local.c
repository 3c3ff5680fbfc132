/* SPDX-License-Identifier: MIT
 *
 * The backend `local` with real files: what goes in comes out.
 */
#include "localkit.h"
#include "unit.h"

#include "date.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define INLINE 16384u

static void start(struct kit *kit) {
  kit_init(kit, INLINE);
  if (!kit_start(kit)) {
    printf("%s\n", kit->host.failure);
    abort();
  }
}

static void end(struct kit *kit) {
  kit_stop(kit);
  kit_fini(kit);
}

static void test_objects_of_every_size_come_back_whole(void) {
  static const struct {
    size_t length, piece;
    int64_t hint;
    size_t files; /* that it takes */
  } table[] = {{0, 0, -1, 0},
               {0, 0, 0, 0},
               {1, 0, -1, 0},
               {INLINE - 1, 1000, -1, 0},
               {INLINE, 7, -1, 0},
               {INLINE, 0, 999999, 1}, /* the hint said so */
               {INLINE + 1, 0, -1, 1},
               {INLINE + 1, 1, -1, 1},
               {INLINE + 1, INLINE, 1, 1},
               {100000, 4096, 100000, 1},
               {5u << 20, 65536, -1, 1}};
  struct kit kit;
  start(&kit);
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    char *data = kit_bytes(i, table[i].length);
    size_t before = kit_files(&kit, "blobs");
    struct call call = {.kit = &kit,
                        .key = "some/key",
                        .data = data,
                        .length = table[i].length,
                        .piece = table[i].piece,
                        .hint = table[i].hint,
                        .exclusive = true};
    call_put(&call);
    call_wait(&call);
    CU_ASSERT_EQUAL(call.status, SLUICE_OK);
    CU_ASSERT_EQUAL(kit_files(&kit, "blobs") - before, table[i].files);
    CU_ASSERT(kit_has(&kit, "some/key", data, table[i].length));
    CU_ASSERT_EQUAL(kit_remove(&kit, "some/key"), SLUICE_OK);
    CU_ASSERT_EQUAL(kit_files(&kit, "blobs"), 0);
    call_fini(&call);
    free(data);
  }
  CU_ASSERT_EQUAL(kit_files(&kit, "tmp"), 0);
  end(&kit);
}

static void test_without_unnamed_files_it_works_too(void) {
  struct kit kit;
  char *data = kit_bytes(1, 100000);
  start(&kit);
  kit.local->store.named = true;
  CU_ASSERT_EQUAL(kit_put(&kit, "a", data, 100000), SLUICE_OK);
  CU_ASSERT(kit_has(&kit, "a", data, 100000));
  CU_ASSERT_EQUAL(kit_files(&kit, "tmp"), 0);
  struct call call = {.kit = &kit,
                      .key = "b",
                      .data = data,
                      .length = 100000,
                      .piece = 50000,
                      .leave = CALL_LEAVES_BEFORE,
                      .turn = 3};
  call_put(&call);
  call_wait(&call);
  call_fini(&call);
  CU_ASSERT_EQUAL(kit_files(&kit, "tmp"), 0);
  CU_ASSERT_EQUAL(kit_files(&kit, "blobs"), 1);
  free(data);
  end(&kit);
}

static void test_range_reads_just_these_bytes(void) {
  static const struct {
    size_t length;
    uint64_t first, count;
    enum sluice_status want;
    size_t got;
  } table[] = {{100, 0, 1, SLUICE_OK, 1},
               {100, 99, 1, SLUICE_OK, 1},
               {100, 99, 5, SLUICE_OK, 1},
               {100, 100, 5, SLUICE_ERANGE, 0},
               {100, 101, 5, SLUICE_ERANGE, 0},
               {50000, 20000, 3, SLUICE_OK, 3},
               {50000, 49999, UINT64_MAX, SLUICE_OK, 1},
               {50000, 50001, 1, SLUICE_ERANGE, 0},
               {50000, UINT64_MAX, UINT64_MAX, SLUICE_ERANGE, 0},
               {0, 0, 1, SLUICE_OK, 0}};
  struct kit kit;
  start(&kit);
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    char *data = kit_bytes(i, table[i].length);
    struct call call = {.kit = &kit,
                        .key = "a",
                        .first = table[i].first,
                        .count = table[i].count};
    kit_put(&kit, "a", data, table[i].length);
    call_get(&call);
    call_wait(&call);
    CU_ASSERT_EQUAL(call.status, table[i].want);
    CU_ASSERT_EQUAL(call.body.len, table[i].got);
    CU_ASSERT(memcmp(call.body.data, data + (call.body.len ? call.first : 0),
                     call.body.len) == 0);
    call_fini(&call);
    free(data);
  }
  end(&kit);
}

static void test_metadata_comes_back_as_it_was_given(void) {
  static const struct sluice_pair user[] = {
      {"original-filename", "Über\x7f \"x\".pdf"},
      {"empty", ""},
      {"md5", "x"},
      {NULL, NULL}};
  struct kit kit;
  start(&kit);
  int64_t before = date_now_ms();
  struct call put = {.kit = &kit,
                     .key = "a",
                     .data = "abc",
                     .length = 3,
                     .type = "text/html; charset=utf-8",
                     .user = user};
  call_put(&put);
  call_wait(&put);
  struct call head = {.kit = &kit, .key = "a"};
  call_head(&head);
  call_wait(&head);
  CU_ASSERT_EQUAL(head.status, SLUICE_OK);
  CU_ASSERT_EQUAL(head.row.length, 3);
  CU_ASSERT_STRING_EQUAL(head.etag, "900150983cd24fb0d6963f7d28e17f72");
  CU_ASSERT_STRING_EQUAL(head.type_said, "text/html; charset=utf-8");
  CU_ASSERT_STRING_EQUAL(
      head.row.user.data,
      "original-filename=Über\x7f \"x\".pdf\nempty=\nmd5=x\n");
  CU_ASSERT(head.row.mtime_ms >= before);
  CU_ASSERT(head.row.mtime_ms <= date_now_ms());
  call_fini(&put);
  call_fini(&head);
  end(&kit);
}

static void test_missing_key_is_no_object_and_its_removal_is_fine(void) {
  struct kit kit;
  start(&kit);
  CU_ASSERT_EQUAL(kit_head(&kit, "a"), SLUICE_ENOENT);
  CU_ASSERT_EQUAL(kit_remove(&kit, "a"), SLUICE_OK);
  kit_put(&kit, "a", "x", 1);
  kit_put(&kit, "a/b", "y", 1);
  kit_put(&kit, "a/", "z", 1);
  CU_ASSERT_EQUAL(kit_remove(&kit, "a"), SLUICE_OK);
  CU_ASSERT_EQUAL(kit_head(&kit, "a"), SLUICE_ENOENT);
  CU_ASSERT(kit_has(&kit, "a/b", "y", 1));
  CU_ASSERT(kit_has(&kit, "a/", "z", 1));
  end(&kit);
}

static void test_removed_object_stays_readable_to_who_reads_it(void) {
  struct kit kit;
  char *data = kit_bytes(4, 100000), *got = malloc(100000);
  start(&kit);
  kit_put(&kit, "a", data, 100000);
  int fd = store_read(&kit.local->store, 1);
  kit_remove(&kit, "a");
  CU_ASSERT_EQUAL(pread(fd, got, 100000, 0), 100000);
  CU_ASSERT(memcmp(got, data, 100000) == 0);
  close(fd);
  free(got);
  free(data);
  end(&kit);
}

static void test_lost_or_cut_blob_is_an_error_that_names_the_key(void) {
  struct kit kit;
  char *data = kit_bytes(4, 100000);
  start(&kit);
  kit_put(&kit, "the/key", data, 100000);
  kit_change_blob(&kit, 1, 5, "", 0);
  for (int i = 0; i < 2; i++) {
    struct call call = {.kit = &kit, .key = "the/key"};
    call_get(&call);
    call_wait(&call);
    CU_ASSERT_EQUAL(call.status, SLUICE_EIO);
    CU_ASSERT(strstr(call.why, "\"the/key\"") != NULL);
    CU_ASSERT(strstr(call.why, i ? "missing" : "was cut") != NULL);
    call_fini(&call);
    store_unlink(&kit.local->store, 1);
  }
  CU_ASSERT_EQUAL(kit_remove(&kit, "the/key"), SLUICE_OK);
  free(data);
  end(&kit);
}

static void test_no_descriptor_left_is_busy(void) {
  struct kit kit;
  struct rlimit before, few;
  char *data = kit_bytes(5, 100000);
  start(&kit);
  kit_put(&kit, "a", data, 100000);
  getrlimit(RLIMIT_NOFILE, &before);
  few = (struct rlimit){0, before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &few);
  struct call call = {.kit = &kit, .key = "a"};
  call_get(&call);
  call_wait(&call);
  CU_ASSERT_EQUAL(call.status, SLUICE_EBUSY);
  CU_ASSERT_EQUAL(kit_put(&kit, "b", data, 100000), SLUICE_EBUSY);
  setrlimit(RLIMIT_NOFILE, &before);
  CU_ASSERT(kit_has(&kit, "a", data, 100000));
  CU_ASSERT_EQUAL(kit_put(&kit, "b", data, 100000), SLUICE_OK);
  call_fini(&call);
  free(data);
  end(&kit);
}

static void test_ping_sees_that_the_directory_is_gone(void) {
  struct kit kit;
  char moved[160];
  start(&kit);
  snprintf(moved, sizeof moved, "%s.moved", kit.dir);
  for (int i = 0; i < 3; i++) {
    struct call call = {.kit = &kit};
    call_ping(&call);
    call_wait(&call);
    CU_ASSERT_EQUAL(call.status, i == 1 ? SLUICE_EBUSY : SLUICE_OK);
    call_fini(&call);
    CU_ASSERT(i == 2 || rename(i ? moved : kit.dir, i ? kit.dir : moved) == 0);
  }
  end(&kit);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_objects_of_every_size_come_back_whole),
      UNIT(test_without_unnamed_files_it_works_too),
      UNIT(test_range_reads_just_these_bytes),
      UNIT(test_metadata_comes_back_as_it_was_given),
      UNIT(test_missing_key_is_no_object_and_its_removal_is_fine),
      UNIT(test_removed_object_stays_readable_to_who_reads_it),
      UNIT(test_lost_or_cut_blob_is_an_error_that_names_the_key),
      UNIT(test_no_descriptor_left_is_busy),
      UNIT(test_ping_sees_that_the_directory_is_gone),
      {NULL, NULL}};
  return unit_main("local", tests);
}
