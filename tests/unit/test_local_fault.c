/* SPDX-License-Identifier: MIT
 *
 * A disk that fails under the backend `local`: it says so once, writes nothing
 * more, goes on reading, and has after a new start all that it acknowledged.
 */
#include "faultkit.h"
#include "index.h"
#include "localkit.h"
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INLINE ((size_t)1 << 20)
#define LARGE (INLINE + 1)
#define HUGE_SIZE (17 * INLINE) /* is written back on its way */

static char *bytes;

/* ---- what has to hold ---- */

static void start(struct kit *kit) {
  kit_init(kit, INLINE);
  fault_watch(kit->dir);
  fault_clear();
  CU_ASSERT_FATAL(kit_start(kit));
  CU_ASSERT_EQUAL(kit_put(kit, "old", bytes, LARGE), SLUICE_OK);
  CU_ASSERT_EQUAL(kit_put(kit, "small", bytes, 1000), SLUICE_OK);
  CU_ASSERT_EQUAL(kit_put(kit, "other", bytes, 1000), SLUICE_OK);
  kit_log_forget();
}

static void check_read_only(struct kit *kit) {
  char why[ERRMSG_MAX];
  CU_ASSERT_EQUAL(kit_put(kit, "new", bytes, 10), SLUICE_EBUSY);
  CU_ASSERT_EQUAL(kit_put(kit, "new", bytes, LARGE), SLUICE_EBUSY);
  CU_ASSERT_EQUAL(kit_remove(kit, "old"), SLUICE_EBUSY);
  CU_ASSERT(kit_has(kit, "old", bytes, LARGE));
  CU_ASSERT(kit_has(kit, "small", bytes, 1000));
  CU_ASSERT_EQUAL(kit_ping(kit, why), SLUICE_EBUSY);
  CU_ASSERT(strstr(why, "read-only") != NULL);
  CU_ASSERT_EQUAL(kit_log_count("is read-only from now on"), 1);
  CU_ASSERT_EQUAL(kit_log_count("restart the gateway"), 1);
}

/* After a stop that wrote nothing either. */
static void check_next_start(struct kit *kit) {
  CU_ASSERT_FATAL(kit_start(kit));
  CU_ASSERT(kit_has(kit, "old", bytes, LARGE));
  CU_ASSERT(kit_has(kit, "small", bytes, 1000));
  CU_ASSERT_EQUAL(kit_put(kit, "new", bytes, LARGE), SLUICE_OK);
  CU_ASSERT_EQUAL(kit_put(kit, "new", bytes, 10), SLUICE_OK);
  CU_ASSERT_EQUAL(kit_remove(kit, "old"), SLUICE_OK);
  kit_stop(kit);
}

/* ---- what can fail ---- */

static enum sluice_status put_small(struct kit *kit) {
  return kit_put(kit, "a", bytes, 1000);
}

static enum sluice_status put_large(struct kit *kit) {
  return kit_put(kit, "a", bytes, LARGE);
}

static enum sluice_status put_huge(struct kit *kit) {
  return kit_put(kit, "a", bytes, HUGE_SIZE);
}

static enum sluice_status remove_other(struct kit *kit) {
  return kit_remove(kit, "other");
}

/* The end of the one that is there. */
static enum sluice_status remove_many(struct kit *kit) {
  const char *const keys[] = {"none", "other", "none either"};
  enum sluice_status each[3];
  kit_remove_many(kit, keys, 3, each);
  CU_ASSERT_EQUAL(each[0], each[1]);
  CU_ASSERT_EQUAL(each[2], each[1]);
  return each[1];
}

/* It was removed, though its blob can't be. */
static enum sluice_status remove_many_blobs(struct kit *kit) {
  const char *const keys[] = {"a", "b"};
  enum sluice_status each[2];
  fault_clear();
  for (size_t i = 0; i < 2; i++)
    CU_ASSERT_EQUAL(kit_put(kit, keys[i], bytes, LARGE), SLUICE_OK);
  fault_set(FAULT_UNLINK, 'B', EROFS);
  kit_remove_many(kit, keys, 2, each);
  CU_ASSERT_EQUAL(each[1], SLUICE_OK);
  return each[0];
}

/* Neither is gone, as a transaction is all or nothing. */
static enum sluice_status remove_many_old(struct kit *kit) {
  const char *const keys[] = {"other", "old", "small"};
  enum sluice_status each[3];
  CU_ASSERT_EQUAL(kit_remove_many(kit, keys, 3, each), 3);
  CU_ASSERT(kit_has(kit, "other", bytes, 1000));
  CU_ASSERT(kit_has(kit, "old", bytes, LARGE));
  return each[1];
}

/* The number after the last of a folder, so that the next one is made. */
static enum sluice_status put_next_folder(struct kit *kit) {
  atomic_store(&kit->local->ledger.next, 256);
  return put_large(kit);
}

/* Until the WAL is copied back. */
static enum sluice_status put_many(struct kit *kit) {
  enum sluice_status status = SLUICE_OK;
  for (int i = 0; i < 5 && status == SLUICE_OK; i++)
    status = kit_put(kit, i % 2 ? "a" : "b", bytes, INLINE);
  return status == SLUICE_EBUSY ? SLUICE_OK : status;
}

/* The blob that was replaced can't be removed. */
static enum sluice_status replace_on(struct kit *kit, int error) {
  fault_clear();
  CU_ASSERT_EQUAL(put_large(kit), SLUICE_OK);
  fault_set(FAULT_UNLINK, 'B', error);
  return put_small(kit);
}

static enum sluice_status replace_read_only(struct kit *kit) {
  return replace_on(kit, EROFS);
}

static enum sluice_status replace_immutable(struct kit *kit) {
  return replace_on(kit, EPERM);
}

static const struct {
  const char *name;
  enum fault_call call;
  char kind;
  int error;
  enum sluice_status (*act)(struct kit *);
  enum sluice_status want;
} faults[] = {
    {"WAL write", FAULT_WRITE, 'w', EIO, put_small, SLUICE_EIO},
    {"WAL write, remove", FAULT_WRITE, 'w', EIO, remove_other, SLUICE_EIO},
    {"WAL write, remove many", FAULT_WRITE, 'w', EIO, remove_many_old,
     SLUICE_EIO},
    {"WAL sync, remove many", FAULT_SYNC, 'w', EIO, remove_many, SLUICE_EIO},
    {"blob unlink, remove many", FAULT_UNLINK, 'B', EROFS, remove_many_blobs,
     SLUICE_OK},
    {"WAL sync", FAULT_SYNC, 'w', EIO, put_small, SLUICE_EIO},
    {"WAL sync, remove", FAULT_SYNC, 'w', EIO, remove_other, SLUICE_EIO},
    {"WAL gone read-only", FAULT_WRITE, 'w', EROFS, put_small, SLUICE_EIO},
    {"checkpoint write", FAULT_WRITE, 'd', EIO, put_many, SLUICE_OK},
    {"checkpoint sync", FAULT_SYNC, 'd', EIO, put_many, SLUICE_OK},
    {"index grows", FAULT_ALLOCATE, 'd', EIO, put_many, SLUICE_EIO},
    {"blob create", FAULT_CREATE, 'B', EIO, put_large, SLUICE_EIO},
    {"blob write", FAULT_WRITE, 'b', EIO, put_large, SLUICE_EIO},
    {"blob write-back", FAULT_WRITE_BACK, 'b', EIO, put_huge, SLUICE_EIO},
    {"blob sync", FAULT_SYNC, 'b', EIO, put_large, SLUICE_EIO},
    {"blob link", FAULT_LINK, 'B', EIO, put_large, SLUICE_EIO},
    {"folder sync", FAULT_SYNC, 'l', EIO, put_large, SLUICE_EIO},
    {"folder make", FAULT_MAKE, 'e', EIO, put_next_folder, SLUICE_EIO},
    {"new folder sync", FAULT_SYNC, 'e', EIO, put_next_folder, SLUICE_EIO},
    {"blobs sync", FAULT_SYNC, 'B', EIO, put_next_folder, SLUICE_EIO},
    {"blob unlink", FAULT_UNLINK, 'B', EROFS, replace_read_only, SLUICE_OK},
};

static void test_failed_write_makes_the_store_read_only(void) {
  for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
    struct kit kit;
    unsigned failed = CU_get_number_of_failures();
    start(&kit);
    fault_set(faults[i].call, faults[i].kind, faults[i].error);
    CU_ASSERT_EQUAL(faults[i].act(&kit), faults[i].want);
    fault_clear();
    check_read_only(&kit);
    CU_ASSERT_EQUAL(fault_changes(), 0);
    kit_stop(&kit);
    CU_ASSERT_EQUAL(fault_changes(), 0);
    check_next_start(&kit);
    kit_fini(&kit);
    if (CU_get_number_of_failures() != failed)
      printf("above: %s\n", faults[i].name);
  }
}

/* For want of room, memory or descriptors nothing is lost. */
static const struct {
  enum fault_call call;
  char kind;
  int error;
  enum sluice_status (*act)(struct kit *);
  enum sluice_status want;
} wants[] = {
    {FAULT_WRITE, 'w', ENOSPC, put_small, SLUICE_ENOSPC},
    {FAULT_WRITE, 'w', EDQUOT, put_small, SLUICE_ENOSPC},
    {FAULT_WRITE, 'w', EFBIG, put_small, SLUICE_ENOSPC},
    {FAULT_SYNC, 'w', EDQUOT, put_small, SLUICE_ENOSPC},
    {FAULT_WRITE, 'w', ENOSPC, remove_many_old, SLUICE_ENOSPC},
    {FAULT_WRITE, 'd', ENOSPC, put_many, SLUICE_OK},
    {FAULT_ALLOCATE, 'd', ENOSPC, put_many, SLUICE_ENOSPC},
    {FAULT_WRITE, 'b', ENOSPC, put_large, SLUICE_ENOSPC},
    {FAULT_WRITE, 'b', EFBIG, put_large, SLUICE_ETOOBIG},
    {FAULT_SYNC, 'b', EDQUOT, put_large, SLUICE_ENOSPC},
    {FAULT_CREATE, 'B', EMFILE, put_large, SLUICE_EBUSY},
    {FAULT_CREATE, 'B', ENOMEM, put_large, SLUICE_ENOMEM},
    {FAULT_MAKE, 'e', ENOSPC, put_next_folder, SLUICE_ENOSPC},
    {FAULT_UNLINK, 'B', EPERM, replace_immutable, SLUICE_OK},
};

static void test_want_of_room_leaves_the_store_writable(void) {
  char why[ERRMSG_MAX];
  for (size_t i = 0; i < sizeof wants / sizeof *wants; i++) {
    struct kit kit;
    unsigned failed = CU_get_number_of_failures();
    start(&kit);
    fault_set(wants[i].call, wants[i].kind, wants[i].error);
    CU_ASSERT_EQUAL(wants[i].act(&kit), wants[i].want);
    fault_clear();
    CU_ASSERT_EQUAL(put_small(&kit), SLUICE_OK);
    CU_ASSERT_EQUAL(put_large(&kit), SLUICE_OK);
    CU_ASSERT_EQUAL(kit_remove(&kit, "old"), SLUICE_OK);
    CU_ASSERT_EQUAL(kit_ping(&kit, why), SLUICE_OK);
    CU_ASSERT_EQUAL(kit_log_count("read-only"), 0);
    kit_stop(&kit);
    kit_fini(&kit);
    if (CU_get_number_of_failures() != failed)
      printf("above: row %zu, %s\n", i, why);
  }
}

/* SQLite keeps what the system said to a statement, and doesn't replace it
 * when a COMMIT fails. */
static void test_earlier_want_of_room_hides_no_fault(void) {
  enum { COUNT = 6 };
  static const char *const keys[COUNT] = {"1", "2", "3", "4", "5", "6"};
  struct call calls[COUNT];
  struct kit kit;
  kit_init(&kit, INLINE);
  kit.threads = 1;
  CU_ASSERT_FATAL(kit_start(&kit));
  kit_hold(&kit);
  for (int i = 0; i < COUNT; i++) { /* more than SQLite's cache takes */
    calls[i] = (struct call){
        .kit = &kit, .key = keys[i], .data = bytes, .length = INLINE};
    call_put(&calls[i]);
    call_wait_turns(&calls[i], 3);
  }
  fault_set(FAULT_WRITE, 'w', EDQUOT);
  kit_release(&kit);
  for (int i = 0; i < COUNT; i++) {
    call_wait(&calls[i]);
    CU_ASSERT_EQUAL(calls[i].status, SLUICE_ENOSPC);
    call_fini(&calls[i]);
  }
  CU_ASSERT_EQUAL(sqlite3_system_errno(kit.local->writer.db), EDQUOT);
  fault_set(FAULT_SYNC, 'w', EIO);
  CU_ASSERT_EQUAL(put_small(&kit), SLUICE_EIO);
  fault_clear();
  CU_ASSERT_EQUAL(put_small(&kit), SLUICE_EBUSY);
  kit_stop(&kit);
  kit_fini(&kit);
}

static void test_ping_that_meets_a_fault_tells(void) {
  static const struct {
    int error;
    enum sluice_status want, then;
  } table[] = {{EIO, SLUICE_EIO, SLUICE_EBUSY},
               {EROFS, SLUICE_EIO, SLUICE_EBUSY},
               {EDQUOT, SLUICE_ENOSPC, SLUICE_OK},
               {EMFILE, SLUICE_EBUSY, SLUICE_OK}};
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    struct kit kit;
    char why[ERRMSG_MAX];
    start(&kit);
    CU_ASSERT_EQUAL(kit_ping(&kit, why), SLUICE_OK);
    fault_set(FAULT_CREATE, 'B', table[i].error);
    CU_ASSERT_EQUAL(kit_ping(&kit, why), table[i].want);
    CU_ASSERT(strstr(why, strerror(table[i].error)) != NULL);
    fault_clear();
    CU_ASSERT_EQUAL(kit_ping(&kit, why), table[i].then);
    CU_ASSERT_EQUAL(put_small(&kit), table[i].then);
    kit_stop(&kit);
    kit_fini(&kit);
  }
}

/* One that is under way while the disk fails ends soon, and early. */
static void test_upload_under_way_ends_when_the_disk_fails(void) {
  struct kit kit;
  start(&kit);
  struct call call = {.kit = &kit,
                      .key = "long",
                      .data = bytes,
                      .length = HUGE_SIZE,
                      .piece = 60000};
  call_put(&call);
  call_wait_turns(&call, 50);
  fault_set(FAULT_SYNC, 'w', EIO);
  CU_ASSERT_EQUAL(put_small(&kit), SLUICE_EIO);
  fault_clear();
  int turns = call.turns; /* more than 50, as it went on meanwhile */
  call_wait(&call);
  CU_ASSERT_EQUAL(call.status, SLUICE_EBUSY);
  CU_ASSERT(call.turns <= turns + 2);
  call_fini(&call);
  check_read_only(&kit);
  kit_stop(&kit);
  check_next_start(&kit);
  kit_fini(&kit);
}

/* A start after a fault has all of it on the disk before it takes more. */
static void test_start_after_a_fault_syncs_the_index(void) {
  struct kit kit;
  start(&kit);
  fault_set(FAULT_SYNC, 'w', EIO);
  CU_ASSERT_EQUAL(put_small(&kit), SLUICE_EIO);
  kit_stop(&kit);
  fault_set(FAULT_SYNC, 'd', EIO);
  CU_ASSERT_FALSE(kit_start(&kit));
  CU_ASSERT(strstr(kit.host.failure, "can't be made ready") != NULL);
  fault_clear();
  check_next_start(&kit);
  kit_fini(&kit);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_failed_write_makes_the_store_read_only),
      UNIT(test_want_of_room_leaves_the_store_writable),
      UNIT(test_earlier_want_of_room_hides_no_fault),
      UNIT(test_ping_that_meets_a_fault_tells),
      UNIT(test_upload_under_way_ends_when_the_disk_fails),
      UNIT(test_start_after_a_fault_syncs_the_index),
      {NULL, NULL}};
  kit_log_keep();
  bytes = kit_bytes(1, HUGE_SIZE);
  int status = unit_main("local fault", tests);
  free(bytes);
  return status;
}
