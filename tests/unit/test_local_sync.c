/* SPDX-License-Identifier: MIT
 *
 * Syncs of the backend `local`: it makes all durable in the right order, also
 * when the disk refuses.
 */
#include "faultkit.h"
#include "localkit.h"
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LARGE 5000u

static void start(struct kit *kit, bool sync) {
  kit_init(kit, 1000);
  kit->conf.sync = sync;
  fault_clear();
  if (!kit_start(kit))
    abort();
  fault_clear();
}

static void test_commit_syncs_bytes_then_folders_then_row(void) {
  struct kit kit;
  char *data = kit_bytes(1, LARGE);
  start(&kit, true);
  kit_put(&kit, "a", data, LARGE);
  CU_ASSERT_STRING_EQUAL(fault_syncs(),
                         "eBblw"); /* the first needs new folders */
  fault_clear();
  kit_put(&kit, "b", data, LARGE);
  CU_ASSERT_STRING_EQUAL(fault_syncs(), "blw");
  fault_clear();
  kit_put(&kit, "c", data, 1000);
  CU_ASSERT_STRING_EQUAL(fault_syncs(), "w");
  fault_clear();
  kit_remove(&kit, "b");
  CU_ASSERT_STRING_EQUAL(fault_syncs(), "w");
  kit_stop(&kit);
  kit_fini(&kit);
  free(data);
}

/* Else a power cut brings back a blob that the index has forgotten. */
static void test_removed_blob_is_forgotten_after_its_folder_was_synced(void) {
  struct kit kit;
  char *data = kit_bytes(1, LARGE);
  start(&kit, true);
  kit_put(&kit, "a", data, LARGE);
  kit_remove(&kit, "a");
  fault_clear();
  kit_stop(&kit);
  const char *folder = strchr(fault_syncs(), 'l');
  CU_ASSERT_PTR_NOT_NULL_FATAL(folder);
  CU_ASSERT_PTR_NOT_NULL(strchr(folder, 'w'));
  CU_ASSERT_EQUAL(kit_number(&kit, "SELECT count(*) FROM garbage"), 0);
  CU_ASSERT(kit_sql(&kit, "INSERT INTO garbage VALUES(1)"));
  fault_clear();
  CU_ASSERT_FATAL(kit_start(&kit));
  CU_ASSERT_PTR_NOT_NULL(strchr(fault_syncs(), 'l'));
  kit_stop(&kit);
  CU_ASSERT_EQUAL(kit_number(&kit, "SELECT count(*) FROM garbage"), 0);
  kit_fini(&kit);
  free(data);
}

/* A thread that syncs a folder for a blob of its own doesn't do it for others:
 * it may not be done yet when they ask. */
static void test_blob_that_is_undone_leaves_the_syncs_of_others(void) {
  struct kit kit;
  char *data = kit_bytes(1, LARGE);
  start(&kit, true);
  kit_put(&kit, "a", data, LARGE);
  kit_put(&kit, "b", data, LARGE);
  kit_remove(&kit, "a");
  struct call call = {.kit = &kit,
                      .key = "b",
                      .data = data,
                      .length = LARGE,
                      .hint = -1,
                      .exclusive = true};
  fault_clear();
  call_put(&call);
  call_wait(&call);
  CU_ASSERT_EQUAL(call.status, SLUICE_EEXIST);
  call_fini(&call);
  CU_ASSERT_EQUAL(kit_files(&kit, "blobs"), 1);
  CU_ASSERT_PTR_NOT_NULL(strrchr(fault_syncs(), 'l'));
  fault_clear();
  kit_stop(&kit);
  CU_ASSERT_PTR_NOT_NULL(strchr(fault_syncs(), 'l'));
  kit_fini(&kit);
  free(data);
}

static void test_without_sync_nothing_waits_for_the_disk(void) {
  struct kit kit;
  char *data = kit_bytes(1, LARGE);
  start(&kit, false);
  kit_put(&kit, "a", data, LARGE);
  kit_put(&kit, "c", data, 1000);
  kit_remove(&kit, "a");
  CU_ASSERT_STRING_EQUAL(fault_syncs(), "");
  CU_ASSERT(kit_has(&kit, "c", data, 1000));
  kit_stop(&kit);
  kit_fini(&kit);
  free(data);
}

static void test_blob_that_is_not_durable_is_not_committed(void) {
  static const struct {
    char kind;
    int error;
    enum sluice_status want;
  } table[] = {{'b', EIO, SLUICE_EIO},       {'l', EIO, SLUICE_EIO},
               {'e', EIO, SLUICE_EIO},       {'B', EIO, SLUICE_EIO},
               {'b', ENOSPC, SLUICE_ENOSPC}, {'b', EDQUOT, SLUICE_ENOSPC}};
  char *data = kit_bytes(1, LARGE);
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    struct kit kit;
    start(&kit, true);
    fault_set(FAULT_SYNC, table[i].kind, table[i].error);
    CU_ASSERT_EQUAL(kit_put(&kit, "a", data, LARGE), table[i].want);
    fault_clear();
    CU_ASSERT_EQUAL(kit_head(&kit, "a"), SLUICE_ENOENT);
    kit_stop(&kit);
    CU_ASSERT_FATAL(kit_start(&kit));
    CU_ASSERT_EQUAL(kit_files(&kit, "blobs"), 0);
    CU_ASSERT_EQUAL(kit_put(&kit, "a", data, LARGE), SLUICE_OK);
    CU_ASSERT(kit_has(&kit, "a", data, LARGE));
    kit_stop(&kit);
    kit_fini(&kit);
  }
  free(data);
}

/* After such a failure a crash may bring the row back: its blob has to stay
 * until the next start, which knows. */
static void test_row_that_is_in_doubt_keeps_its_blob_until_a_start(void) {
  struct kit kit;
  char *data = kit_bytes(1, LARGE);
  start(&kit, true);
  kit_put(&kit, "old", data, LARGE);
  fault_set(FAULT_SYNC, 'w', EIO);
  CU_ASSERT_EQUAL(kit_put(&kit, "a", data, LARGE), SLUICE_EIO);
  fault_clear();
  CU_ASSERT_EQUAL(kit_head(&kit, "a"), SLUICE_ENOENT);
  CU_ASSERT(kit_has(&kit, "old", data, LARGE));
  CU_ASSERT_EQUAL(kit_files(&kit, "blobs"), 2);
  CU_ASSERT_FALSE(ledger_idle(&kit.local->ledger));
  kit_stop(&kit);
  CU_ASSERT_FATAL(kit_start(&kit));
  bool back = kit_head(&kit, "a") == SLUICE_OK;
  CU_ASSERT(!back || kit_has(&kit, "a", data, LARGE));
  CU_ASSERT_EQUAL(kit_files(&kit, "blobs"), back ? 2 : 1);
  CU_ASSERT(kit_has(&kit, "old", data, LARGE));
  kit_stop(&kit);
  kit_fini(&kit);
  free(data);
}

/* ---- a quota, which no one but write(2) knows of ---- */

static const struct kit *limited; /* its WAL gets no block more */

static bool may_write(int fd, off_t end) {
  char path[200];
  struct stat wal, file, reserve;
  snprintf(path, sizeof path, "%s/index.db-wal", limited->dir);
  bool is_wal = stat(path, &wal) == 0 && fstat(fd, &file) == 0 &&
                wal.st_ino == file.st_ino;
  snprintf(path, sizeof path, "%s/reserve", limited->dir);
  return !is_wal || end <= wal.st_size || stat(path, &reserve) != 0 ||
         reserve.st_blocks == 0;
}

static ssize_t limited_pwrite(int fd, const void *data, size_t len,
                              off_t offset) {
  if (!limited || may_write(fd, offset + (off_t)len))
    return pwrite(fd, data, len, offset);
  errno = EDQUOT;
  return -1;
}

static void set_pwrite(sqlite3_syscall_ptr call) {
  sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
  vfs->xSetSystemCall(vfs, "pwrite", call);
  vfs->xSetSystemCall(vfs, "pwrite64", call);
}

static void test_removes_work_when_a_quota_is_used_up(void) {
  struct kit kit;
  char *data = kit_bytes(1, LARGE);
  set_pwrite((sqlite3_syscall_ptr)limited_pwrite);
  start(&kit, true);
  CU_ASSERT_EQUAL(kit_put(&kit, "a", data, LARGE), SLUICE_OK);
  CU_ASSERT_EQUAL(kit_put(&kit, "b", data, 10), SLUICE_OK);
  limited = &kit;
  CU_ASSERT_EQUAL(kit_remove(&kit, "a"), SLUICE_OK);
  CU_ASSERT_EQUAL(kit_head(&kit, "a"), SLUICE_ENOENT);
  CU_ASSERT_EQUAL(kit_put(&kit, "c", data, LARGE), SLUICE_ENOSPC);
  limited = NULL;
  CU_ASSERT(kit_has(&kit, "b", data, 10));
  CU_ASSERT_EQUAL(kit_put(&kit, "c", data, LARGE), SLUICE_OK);
  kit_stop(&kit);
  kit_fini(&kit);
  set_pwrite(NULL);
  free(data);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_commit_syncs_bytes_then_folders_then_row),
      UNIT(test_removed_blob_is_forgotten_after_its_folder_was_synced),
      UNIT(test_blob_that_is_undone_leaves_the_syncs_of_others),
      UNIT(test_without_sync_nothing_waits_for_the_disk),
      UNIT(test_blob_that_is_not_durable_is_not_committed),
      UNIT(test_row_that_is_in_doubt_keeps_its_blob_until_a_start),
      UNIT(test_removes_work_when_a_quota_is_used_up),
      {NULL, NULL}};
  return unit_main("local sync", tests);
}
