/* SPDX-License-Identifier: MIT
 *
 * The backend `local` on a disk that is full: it says so, loses nothing, and
 * goes on when there is room again.  Needs to mount a small tmpfs.
 */
#include "index.h"
#include "localkit.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LARGE 200000u
#define SMALL 10000u

static void make_disk_of(struct kit *kit, const char *size) {
  kit_init(kit, 16384);
  CU_ASSERT_FATAL(mount("none", kit->dir, "tmpfs", 0, size) == 0);
}

static void make_disk(struct kit *kit) {
  make_disk_of(kit, "size=3m");
}

static void start(struct kit *kit) {
  make_disk(kit);
  CU_ASSERT_FATAL(kit_start(kit));
}

static void end(struct kit *kit) {
  kit_stop(kit);
  CU_ASSERT(umount(kit->dir) == 0);
  kit_fini(kit);
}

/* Puts until the disk is full, and returns how many there are. */
static int fill(struct kit *kit, const char *data, size_t length) {
  for (int i = 0; i < 1000; i++) {
    char key[32];
    snprintf(key, sizeof key, "%zu/%d", length, i);
    enum sluice_status status = kit_put(kit, key, data, length);
    if (status != SLUICE_OK) {
      CU_ASSERT_EQUAL(status, SLUICE_ENOSPC);
      CU_ASSERT_EQUAL(kit_head(kit, key), SLUICE_ENOENT);
      return i;
    }
  }
  return -1;
}

static void check_all(struct kit *kit, const char *data, size_t length,
                      int count) {
  for (int i = 0; i < count; i++) {
    char key[32];
    snprintf(key, sizeof key, "%zu/%d", length, i);
    CU_ASSERT(kit_has(kit, key, data, length));
  }
}

static void test_full_disk_is_no_space_and_loses_nothing(void) {
  struct kit kit;
  char *data = kit_bytes(1, LARGE);
  start(&kit);
  int large = fill(&kit, data, LARGE);
  CU_ASSERT(large > 5);
  CU_ASSERT_EQUAL(kit_files(&kit, "blobs"), (size_t)large);
  CU_ASSERT(ledger_idle(&kit.local->ledger));
  int small = fill(&kit, data, SMALL);
  CU_ASSERT(small > 0);
  check_all(&kit, data, LARGE, large);
  check_all(&kit, data, SMALL, small);
  end(&kit);
  free(data);
}

static void test_full_disk_goes_on_after_a_removal(void) {
  struct kit kit;
  char *data = kit_bytes(1, LARGE), key[32];
  start(&kit);
  int large = fill(&kit, data, LARGE);
  snprintf(key, sizeof key, "%u/%d", LARGE, 0);
  CU_ASSERT_EQUAL(kit_remove(&kit, key), SLUICE_OK);
  CU_ASSERT_EQUAL(kit_put(&kit, key, data, LARGE), SLUICE_OK);
  check_all(&kit, data, LARGE, large);
  end(&kit);
  free(data);
}

/* A batch fails as a whole first: what fits in it must not suffer. */
static void test_what_fits_is_kept_beside_what_does_not(void) {
  enum { COUNT = 400 };
  static struct call calls[COUNT];
  static char keys[COUNT][16];
  struct kit kit;
  int kept = 0, full = 0;
  char *data = kit_bytes(1, SMALL);
  start(&kit);
  for (int i = 0; i < COUNT; i++) {
    snprintf(keys[i], sizeof keys[i], "%d", i);
    calls[i] = (struct call){
        .kit = &kit, .key = keys[i], .data = data, .length = SMALL};
    call_put(&calls[i]);
  }
  for (int i = 0; i < COUNT; i++) {
    call_wait(&calls[i]);
    call_fini(&calls[i]);
    kept += calls[i].status == SLUICE_OK;
    full += calls[i].status == SLUICE_ENOSPC;
  }
  CU_ASSERT(kept > 0 && full > 0);
  CU_ASSERT_EQUAL(kept + full, COUNT);
  for (int i = 0; i < COUNT; i++)
    CU_ASSERT_EQUAL(kit_has(&kit, keys[i], data, SMALL),
                    calls[i].status == SLUICE_OK);
  end(&kit);
  free(data);
}

/* Another process takes every block that is left. */
static void take_all(const struct kit *kit) {
  static const char zeros[4096];
  char path[200];
  snprintf(path, sizeof path, "%s/another's", kit->dir);
  int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
  CU_ASSERT_FATAL(fd >= 0);
  while (write(fd, zeros, sizeof zeros) > 0)
    ;
  CU_ASSERT_EQUAL(errno, ENOSPC);
  close(fd);
}

static void give_all(const struct kit *kit) {
  char path[200];
  snprintf(path, sizeof path, "%s/another's", kit->dir);
  CU_ASSERT(unlink(path) == 0);
}

static void give_some(const struct kit *kit, off_t bytes) {
  char path[200];
  struct stat st;
  snprintf(path, sizeof path, "%s/another's", kit->dir);
  CU_ASSERT_FATAL(stat(path, &st) == 0 && st.st_size > bytes);
  CU_ASSERT(truncate(path, st.st_size - bytes) == 0);
}

static void remove_all(struct kit *kit, size_t length, int count) {
  for (int i = 0; i < count; i++) {
    char key[32];
    snprintf(key, sizeof key, "%zu/%d", length, i);
    CU_ASSERT_EQUAL(kit_remove(kit, key), SLUICE_OK);
    CU_ASSERT_EQUAL(kit_head(kit, key), SLUICE_ENOENT);
  }
}

static void test_removes_work_on_a_full_disk(void) {
  struct kit kit;
  char *data = kit_bytes(1, LARGE);
  start(&kit);
  int large = fill(&kit, data, LARGE);
  int small = fill(&kit, data, SMALL);
  int tiny = fill(&kit, data, 1);
  take_all(&kit);
  remove_all(&kit, SMALL, small);
  remove_all(&kit, 1, tiny);
  remove_all(&kit, LARGE, large);
  CU_ASSERT_EQUAL(kit_put(&kit, "again", data, LARGE), SLUICE_OK);
  end(&kit);
  free(data);
}

/* Together they write more, each in a page of its own, than there is room
 * kept for. */
static void test_a_thousand_removes_at_once_work_on_a_full_disk(void) {
  enum { COUNT = 1000, LENGTH = 1300 };
  static char texts[2 * COUNT][16];
  static const char *keys[COUNT];
  struct kit kit;
  char *data = kit_bytes(1, LENGTH);
  make_disk_of(&kit, "size=16m");
  CU_ASSERT_FATAL(kit_start(&kit));
  for (int i = 0; i < 2 * COUNT; i++) {
    snprintf(texts[i], sizeof texts[i], "%d", i);
    keys[i / 2] = texts[i];
    CU_ASSERT_EQUAL(kit_put(&kit, texts[i], data, LENGTH), SLUICE_OK);
  }
  kit_stop(&kit);
  CU_ASSERT_FATAL(mount("none", kit.dir, "tmpfs", MS_REMOUNT, "size=5m") == 0);
  CU_ASSERT_FATAL(kit_start(&kit)); /* little room is kept now */
  take_all(&kit);
  CU_ASSERT_EQUAL(kit_remove_many(&kit, keys, COUNT, NULL), 0);
  for (int i = 0; i < 2 * COUNT; i++)
    CU_ASSERT_EQUAL(kit_head(&kit, texts[i]),
                    i % 2 ? SLUICE_ENOENT : SLUICE_OK);
  end(&kit);
  free(data);
}

/* The room that a remove frees, or gives up, is gone before the next one. */
static void test_removes_work_while_others_take_what_is_freed(void) {
  struct kit kit;
  char *data = kit_bytes(1, LARGE), key[32];
  start(&kit);
  int small = fill(&kit, data, SMALL);
  for (int i = 0; i < small; i++) {
    take_all(&kit);
    snprintf(key, sizeof key, "%u/%d", SMALL, i);
    CU_ASSERT_EQUAL(kit_remove(&kit, key), SLUICE_OK);
  }
  take_all(&kit);
  CU_ASSERT_EQUAL(kit_put(&kit, "large", data, LARGE), SLUICE_ENOSPC);
  give_all(&kit);
  CU_ASSERT_EQUAL(kit_put(&kit, "small", data, SMALL), SLUICE_OK);
  end(&kit);
  free(data);
}

/* The index never shrinks, but what is free in it can be used. */
static void test_room_in_the_index_is_used_again(void) {
  struct kit kit;
  char *data = kit_bytes(1, SMALL);
  start(&kit);
  int small = fill(&kit, data, SMALL);
  CU_ASSERT(fill(&kit, data, 1000) >= 0);
  CU_ASSERT(fill(&kit, data, 1) >= 0);
  take_all(&kit);
  remove_all(&kit, SMALL, small);
  take_all(&kit);
  CU_ASSERT(fill(&kit, data, SMALL) > small / 2);
  end(&kit);
  free(data);
}

/* As one batch: what is queued while the pool's only thread is busy. */
static void test_removes_beside_uploads_work_on_a_full_disk(void) {
  enum { COUNT = 100 };
  static struct call calls[COUNT];
  static char keys[COUNT][16];
  struct kit kit;
  char *data = kit_bytes(1, SMALL);
  make_disk(&kit);
  kit.threads = 1;
  CU_ASSERT_FATAL(kit_start(&kit));
  int small = fill(&kit, data, SMALL);
  CU_ASSERT_FATAL(small > COUNT / 2);
  CU_ASSERT(fill(&kit, data, 1) >= 0);
  take_all(&kit);
  kit_hold(&kit);
  for (int i = 0; i < COUNT; i++) {
    snprintf(keys[i], sizeof keys[i], i % 2 ? "%u/%d" : "new%u/%d", SMALL,
             i / 2);
    calls[i] = (struct call){
        .kit = &kit, .key = keys[i], .data = data, .length = SMALL};
    if (i % 2) {
      call_remove(&calls[i]);
    } else {
      call_put(&calls[i]);
      call_wait_turns(&calls[i], 3);
    }
  }
  kit_release(&kit);
  for (int i = 0; i < COUNT; i++) {
    call_wait(&calls[i]);
    call_fini(&calls[i]);
    CU_ASSERT(calls[i].status == SLUICE_OK ||
              (i % 2 == 0 && calls[i].status == SLUICE_ENOSPC));
    CU_ASSERT_EQUAL(kit_has(&kit, keys[i], data, SMALL),
                    i % 2 == 0 && calls[i].status == SLUICE_OK);
  }
  end(&kit);
  free(data);
}

/* A reader of the WAL, a backup say, keeps it from starting over. */
static void test_removes_work_beside_a_reader_that_stays(void) {
  struct kit kit;
  int64_t count;
  char *data = kit_bytes(1, SMALL);
  start(&kit);
  int small = fill(&kit, data, SMALL);
  CU_ASSERT_EQUAL(kit_put(&kit, "last", data, 1), SLUICE_OK);
  sqlite3 *reader = kit_index(&kit);
  CU_ASSERT(index_exec(reader, "BEGIN"));
  CU_ASSERT(index_number(reader, "SELECT count(*) FROM object", &count));
  take_all(&kit);
  while (kit_put(&kit, "last", data, 1) == SLUICE_OK) /* the WAL's spare */
    ;
  remove_all(&kit, SMALL, 5);
  CU_ASSERT(index_number(reader, "SELECT count(*) FROM object", &count));
  CU_ASSERT_EQUAL(count, small + 1);
  sqlite3_close(reader);
  CU_ASSERT_EQUAL(kit_put(&kit, "more", data, SMALL), SLUICE_OK);
  end(&kit);
  free(data);
}

/* Room that is too little for the reserve is left to removes. */
static void test_uploads_wait_until_room_is_kept_again(void) {
  struct kit kit;
  char *data = kit_bytes(1, LARGE);
  start(&kit);
  CU_ASSERT_EQUAL(kit_put(&kit, "old", data, 1), SLUICE_OK);
  take_all(&kit);
  datadir_give_room(&kit.local->datadir); /* as a remove that found no room */
  take_all(&kit);
  give_some(&kit, 100000);
  struct call call = {.kit = &kit, .key = "a", .data = data, .length = 20000};
  call_put(&call);
  call_wait(&call);
  CU_ASSERT_EQUAL(call.status, SLUICE_ENOSPC);
  CU_ASSERT_EQUAL(call.turns, 2); /* without a byte written */
  call_fini(&call);
  CU_ASSERT_EQUAL(kit_put(&kit, "b", data, 1), SLUICE_ENOSPC);
  CU_ASSERT_EQUAL(kit_remove(&kit, "old"), SLUICE_OK);
  CU_ASSERT_EQUAL(kit_files(&kit, "blobs"), 0);
  give_all(&kit);
  CU_ASSERT_EQUAL(kit_put(&kit, "a", data, LARGE), SLUICE_OK);
  CU_ASSERT_FALSE(atomic_load(&kit.local->datadir.full));
  CU_ASSERT_EQUAL(kit_put(&kit, "b", data, 1), SLUICE_OK);
  end(&kit);
  free(data);
}

static void test_ping_notices_a_full_disk(void) {
  struct kit kit;
  char why[ERRMSG_MAX];
  char *data = kit_bytes(1, LARGE);
  start(&kit);
  CU_ASSERT_EQUAL(kit_ping(&kit, why), SLUICE_OK);
  CU_ASSERT_EQUAL(kit_put(&kit, "old", data, 1), SLUICE_OK);
  take_all(&kit);
  CU_ASSERT_EQUAL(kit_ping(&kit, why), SLUICE_ENOSPC);
  CU_ASSERT(strstr(why, "no upload can be written: No space") != NULL);
  give_some(&kit, 100000);
  CU_ASSERT_EQUAL(kit_ping(&kit, why), SLUICE_OK);
  datadir_give_room(&kit.local->datadir); /* as a remove that found no room */
  CU_ASSERT_EQUAL(kit_ping(&kit, why), SLUICE_ENOSPC);
  give_all(&kit);
  CU_ASSERT_EQUAL(kit_ping(&kit, why), SLUICE_OK);
  CU_ASSERT_EQUAL(kit_put(&kit, "a", data, LARGE), SLUICE_OK);
  end(&kit);
  free(data);
}

static void check_start(struct kit *kit, const char *data, int large,
                        int small) {
  CU_ASSERT_FATAL(kit_start(kit));
  check_all(kit, data, LARGE, large);
  check_all(kit, data, SMALL, small);
  remove_all(kit, SMALL, small);
  remove_all(kit, LARGE, large);
  CU_ASSERT_EQUAL(kit_put(kit, "again", data, LARGE), SLUICE_OK);
}

static void test_full_disk_lets_the_gateway_stop_and_start(void) {
  struct kit kit;
  char *data = kit_bytes(1, LARGE);
  start(&kit);
  int large = fill(&kit, data, LARGE);
  int small = fill(&kit, data, SMALL);
  take_all(&kit);
  kit_stop(&kit);
  CU_ASSERT_EQUAL(kit_number(&kit, "SELECT value FROM state"
                                   " WHERE name = 'clean'"),
                  1);
  take_all(&kit);
  check_start(&kit, data, large, small);
  end(&kit);
  free(data);
}

struct filled {
  int large, small;
};

/* In a process that ends without a word. */
static struct filled fill_and_crash(struct kit *kit, const char *data) {
  struct filled filled = {0, 0};
  int ends[2];
  CU_ASSERT_FATAL(pipe(ends) == 0);
  fflush(stdout);
  pid_t child = fork();
  CU_ASSERT_FATAL(child >= 0);
  if (child == 0) {
    if (!kit_start(kit))
      _exit(1);
    filled.large = fill(kit, data, LARGE);
    filled.small = fill(kit, data, SMALL);
    _exit(write(ends[1], &filled, sizeof filled) != (ssize_t)sizeof filled);
  }
  close(ends[1]);
  CU_ASSERT(read(ends[0], &filled, sizeof filled) == (ssize_t)sizeof filled);
  close(ends[0]);
  CU_ASSERT_EQUAL(waitpid(child, NULL, 0), child);
  return filled;
}

static void test_crash_on_a_full_disk_lets_the_gateway_start(void) {
  struct kit kit;
  char *data = kit_bytes(1, LARGE);
  make_disk(&kit);
  struct filled filled = fill_and_crash(&kit, data);
  CU_ASSERT(filled.large > 0 && filled.small > 0);
  take_all(&kit);
  check_start(&kit, data, filled.large, filled.small);
  end(&kit);
  free(data);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_full_disk_is_no_space_and_loses_nothing),
      UNIT(test_full_disk_goes_on_after_a_removal),
      UNIT(test_what_fits_is_kept_beside_what_does_not),
      UNIT(test_removes_work_on_a_full_disk),
      UNIT(test_a_thousand_removes_at_once_work_on_a_full_disk),
      UNIT(test_removes_work_while_others_take_what_is_freed),
      UNIT(test_room_in_the_index_is_used_again),
      UNIT(test_removes_beside_uploads_work_on_a_full_disk),
      UNIT(test_removes_work_beside_a_reader_that_stays),
      UNIT(test_uploads_wait_until_room_is_kept_again),
      UNIT(test_ping_notices_a_full_disk),
      UNIT(test_full_disk_lets_the_gateway_stop_and_start),
      UNIT(test_crash_on_a_full_disk_lets_the_gateway_start),
      {NULL, NULL}};
  /* Mounts of a namespace of its own can't outlive the test. */
  if (unshare(CLONE_NEWNS) != 0 ||
      mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
    printf("skipped: no right to mount a small disk (%s)\n", strerror(errno));
    return UNIT_SKIP;
  }
  return unit_main("local disk", tests);
}
