/* SPDX-License-Identifier: MIT
 *
 * The backend `local` on a disk that is full: it says so, loses nothing, and
 * goes on when there is room again.  Needs to mount a small tmpfs.
 */
#include "localkit.h"
#include "unit.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#define LARGE 200000u
#define SMALL 10000u

static void start(struct kit *kit) {
  kit_init(kit, 16384);
  CU_ASSERT_FATAL(mount("none", kit->dir, "tmpfs", 0, "size=3m") == 0);
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

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_full_disk_is_no_space_and_loses_nothing),
      UNIT(test_full_disk_goes_on_after_a_removal),
      UNIT(test_what_fits_is_kept_beside_what_does_not),
      {NULL, NULL}};
  /* Mounts of a namespace of its own can't outlive the test. */
  if (unshare(CLONE_NEWNS) != 0 ||
      mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
    printf("skipped: no right to mount a small disk (%s)\n", strerror(errno));
    return UNIT_SKIP;
  }
  return unit_main("local disk", tests);
}
