/* SPDX-License-Identifier: MIT
 *
 * Two gateways with one directory, as while one takes over from the other:
 * here both are in this process, as what they share doesn't tell.
 */
#include "hold.h"
#include "index.h"
#include "localkit.h"
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define INLINE ((size_t)1 << 20)
#define LARGE (INLINE + 1)
#define SOON 10 /* seconds since 1970: it is over */

static char *bytes;

static void begin(struct kit *first) {
  kit_init(first, INLINE);
  first->conf.cache = 4 * INLINE;
  CU_ASSERT_FATAL(kit_start(first));
}

static void end(struct kit *kit) {
  kit_stop(kit);
  kit_fini(kit);
}

/* It looks every now and then. */
static void wait_until_alone(struct kit *kit) {
  const struct timespec pause = {.tv_nsec = 5000000};
  while (share_among(&kit->local->share))
    nanosleep(&pause, NULL);
}

/* ---- who writes, and who looks ---- */

static struct {
  struct kit *kit; /* NULL: nobody watches */
  int fd;          /* of the memory: others' locks are seen by it */
  unsigned writes, copied, without_turn, without_reserve;
} watch;

static bool is_file(int fd, const char *name, struct stat *st) {
  struct stat file;
  char path[200];
  snprintf(path, sizeof path, "%s/%s", watch.kit->dir, name);
  return stat(path, st) == 0 && fstat(fd, &file) == 0 &&
         st->st_ino == file.st_ino;
}

static ssize_t watched_pwrite(int fd, const void *data, size_t len,
                              off_t offset) {
  struct stat st;
  if (watch.kit != NULL &&
      (is_file(fd, "index.db", &st) || is_file(fd, "index.db-wal", &st))) {
    watch.writes++;
    watch.copied += is_file(fd, "index.db", &st);
    if (!shm_is_locked(watch.fd, F_WRLCK, SHM_TURNS + 1, 1))
      watch.without_turn++;
    is_file(fd, "reserve", &st);
    if (st.st_blocks == 0)
      watch.without_reserve++;
  }
  return pwrite(fd, data, len, offset);
}

static void set_pwrite(sqlite3_syscall_ptr call) {
  sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
  vfs->xSetSystemCall(vfs, "pwrite", call);
  vfs->xSetSystemCall(vfs, "pwrite64", call);
}

static void watch_begin(struct kit *kit) {
  watch.writes = watch.copied = watch.without_turn = watch.without_reserve = 0;
  watch.fd = shm_again(kit->local->share.memory);
  watch.kit = kit;
}

static void watch_end(void) {
  watch.kit = NULL;
  close(watch.fd);
}

/* ---- facts ---- */

/* A WAL that SQLite itself would copy back at the next COMMIT. */
static void fill_log(struct kit *kit) {
  int hold = hold_take(kit->local->datadir.dir, HOLD_COPY);
  char key[8];
  for (int i = 0; i < 5; i++) {
    snprintf(key, sizeof key, "f%d", i);
    CU_ASSERT_EQUAL(kit_put(kit, key, bytes, INLINE), SLUICE_OK);
  }
  hold_end(hold);
}

static void test_nothing_is_written_to_the_index_without_a_turn(void) {
  struct kit first, second;
  set_pwrite((sqlite3_syscall_ptr)watched_pwrite);
  begin(&first);
  fill_log(&first);
  watch_begin(&first);
  CU_ASSERT_FATAL(kit_join(&second, &first));
  CU_ASSERT(watch.writes > 0);
  CU_ASSERT_EQUAL(watch.copied, 0);
  CU_ASSERT_EQUAL(watch.without_turn, 0);
  CU_ASSERT_EQUAL(watch.without_reserve, 0);
  CU_ASSERT_EQUAL(kit_put(&second, "a", bytes, INLINE), SLUICE_OK);
  CU_ASSERT(watch.copied > 0); /* as the log is long */
  CU_ASSERT_EQUAL(kit_put(&second, "b", bytes, LARGE), SLUICE_OK);
  CU_ASSERT_EQUAL(kit_remove(&second, "b"), SLUICE_OK);
  CU_ASSERT_EQUAL(watch.without_turn, 0);
  watch.writes = watch.copied = 0;
  kit_stop(&second);
  CU_ASSERT(watch.writes > watch.copied);
  CU_ASSERT(watch.copied > 0);
  CU_ASSERT_EQUAL(watch.without_turn, 0);
  watch_end();
  set_pwrite(NULL);
  CU_ASSERT(kit_has(&first, "a", bytes, INLINE));
  end(&first);
}

static void test_no_checkpoint_where_there_is_no_turn(void) {
  struct kit first, second;
  set_pwrite((sqlite3_syscall_ptr)watched_pwrite);
  begin(&first);
  CU_ASSERT_FATAL(kit_join(&second, &first));
  fill_log(&first);
  watch_begin(&first);
  first.local->share.wait_ms = 10;
  CU_ASSERT(shm_lock(watch.fd, F_WRLCK, SHM_TURNS, 2));
  CU_ASSERT_EQUAL(kit_put(&first, "a", bytes, 1), SLUICE_OK);
  CU_ASSERT_EQUAL(watch.copied, 0);
  CU_ASSERT(shm_lock(watch.fd, F_UNLCK, SHM_TURNS, 2));
  CU_ASSERT_EQUAL(kit_put(&first, "a", bytes, 1), SLUICE_OK);
  CU_ASSERT(watch.copied > 0);
  watch_end();
  set_pwrite(NULL);
  kit_stop(&second);
  end(&first);
}

static void test_what_others_changed_is_not_remembered_from_before(void) {
  struct kit first, second;
  begin(&first);
  CU_ASSERT_EQUAL(kit_put(&first, "a", bytes, 100), SLUICE_OK);
  CU_ASSERT(kit_has(&first, "a", bytes, 100)); /* and it is kept */
  CU_ASSERT_FATAL(kit_join(&second, &first));
  CU_ASSERT_EQUAL(kit_put(&second, "a", bytes + 1, 99), SLUICE_OK);
  kit_stop(&second);
  wait_until_alone(&first);
  CU_ASSERT(kit_has(&first, "a", bytes + 1, 99));
  end(&first);
}

/* It had to leave the blob, as somebody copied the store. */
static void test_garbage_of_one_that_has_gone_is_removed(void) {
  struct kit first, second;
  begin(&first);
  CU_ASSERT_FATAL(kit_join(&second, &first));
  CU_ASSERT_EQUAL(kit_put(&second, "a", bytes, LARGE), SLUICE_OK);
  CU_ASSERT_EQUAL(kit_put(&second, "b", bytes, LARGE), SLUICE_OK);
  int hold = hold_take(first.local->datadir.dir, HOLD_COPY);
  CU_ASSERT_EQUAL(kit_remove(&second, "a"), SLUICE_OK);
  kit_stop(&second);
  hold_end(hold);
  wait_until_alone(&first);
  CU_ASSERT_EQUAL(kit_files(&first, "blobs"), 2);
  CU_ASSERT_EQUAL(kit_put(&first, "c", bytes, 1), SLUICE_OK);
  CU_ASSERT_EQUAL(kit_files(&first, "blobs"), 1);
  CU_ASSERT(kit_has(&first, "b", bytes, LARGE));
  kit_stop(&first);
  CU_ASSERT_EQUAL(kit_number(&first, "SELECT count(*) FROM garbage"), 0);
  kit_fini(&first);
}

static void test_memory_of_another_version_is_refused(void) {
  struct kit first, second;
  begin(&first);
  struct share_board *board = first.local->share.board;
  board->layout++;
  CU_ASSERT_FALSE(kit_join(&second, &first));
  CU_ASSERT_PTR_NOT_NULL(
      strstr(second.host.failure, "shares a store in another way"));
  board->layout--;
  board->size++;
  CU_ASSERT_FALSE(kit_join(&second, &first));
  board->size--;
  CU_ASSERT(kit_join(&second, &first));
  kit_stop(&second);
  CU_ASSERT_EQUAL(kit_put(&first, "a", bytes, 1), SLUICE_OK);
  end(&first);
}

/* ---- uploads ---- */

struct staging {
  struct sluice_op *op;
  bool ready;
  enum sluice_status status;
};

static void on_staged(void *arg, const struct sluice_staged *staged) {
  (void)staged;
  ((struct staging *)arg)->ready = true;
}

static void on_done(void *arg, enum sluice_status status, const char *why) {
  struct staging *staging = arg;
  (void)why;
  staging->ready = true;
  staging->status = status;
}

static const struct op_events events = {.staged = on_staged, .done = on_done};

static enum sluice_status await(struct kit *kit, struct staging *staging) {
  while (!staging->ready)
    event_base_loop(loop_base(kit->loop), EVLOOP_ONCE);
  staging->ready = false;
  return staging->status;
}

static void make(struct kit *kit, struct staging *staging, int64_t expires) {
  struct sluice_save save = {"new", 3, expires};
  *staging = (struct staging){.ready = false};
  staging->op = op_stage(
      &kit->backend,
      &(struct sluice_stage){.save = &save, .length = -1, .owner = "alice"},
      &events, staging);
  CU_ASSERT_EQUAL_FATAL(await(kit, staging), SLUICE_OK);
}

static void leave(struct kit *kit, struct staging *staging) {
  op_cancel(staging->op);
  await(kit, staging);
}

static enum sluice_status sweep(struct kit *kit, int64_t now_s) {
  struct staging staging = {.ready = false};
  staging.op = op_stage_sweep(&kit->backend, now_s, &events, &staging);
  return await(kit, &staging);
}

static void test_sweep_goes_on_behind_what_another_one_has_open(void) {
  struct kit first, second;
  struct staging open, left;
  begin(&first);
  make(&first, &open, SOON);
  make(&first, &left, SOON + 1);
  leave(&first, &left);
  CU_ASSERT_FATAL(kit_join(&second, &first));
  CU_ASSERT_EQUAL(sweep(&second, SOON + 1), SLUICE_OK);
  CU_ASSERT_EQUAL(kit_number(&first, "SELECT count(*) FROM stage"), 1);
  leave(&first, &open);
  CU_ASSERT_EQUAL(sweep(&second, SOON + 1), SLUICE_OK);
  CU_ASSERT_EQUAL(kit_number(&first, "SELECT count(*) FROM stage"), 0);
  kit_stop(&second);
  end(&first);
}

/* ---- an index that isn't to be had ---- */

static int count_waits(void *arg, int before) {
  (void)before;
  ++*(int *)arg;
  return 0; /* it has waited long enough */
}

static void test_batch_waits_once_for_an_index_that_is_busy(void) {
  const char *const keys[] = {"a", "b", "c"};
  enum sluice_status each[3];
  struct kit kit;
  int waits = 0;
  begin(&kit);
  for (int i = 0; i < 3; i++)
    CU_ASSERT_EQUAL(kit_put(&kit, keys[i], bytes, 10), SLUICE_OK);
  sqlite3 *other = kit_index(&kit);
  CU_ASSERT(index_exec(other, "BEGIN IMMEDIATE"));
  sqlite3_busy_handler(kit.local->writer.db, count_waits, &waits);
  CU_ASSERT_EQUAL(kit_remove_many(&kit, keys, 3, each), 3);
  CU_ASSERT_EQUAL(waits, 1);
  for (int i = 0; i < 3; i++)
    CU_ASSERT_EQUAL(each[i], SLUICE_EBUSY);
  CU_ASSERT(index_exec(other, "ROLLBACK"));
  sqlite3_close(other);
  CU_ASSERT_EQUAL(kit_remove_many(&kit, keys, 3, each), 0);
  end(&kit);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_nothing_is_written_to_the_index_without_a_turn),
      UNIT(test_no_checkpoint_where_there_is_no_turn),
      UNIT(test_what_others_changed_is_not_remembered_from_before),
      UNIT(test_garbage_of_one_that_has_gone_is_removed),
      UNIT(test_memory_of_another_version_is_refused),
      UNIT(test_sweep_goes_on_behind_what_another_one_has_open),
      UNIT(test_batch_waits_once_for_an_index_that_is_busy),
      {NULL, NULL}};
  bytes = kit_bytes(1, LARGE);
  int result = unit_main("local share", tests);
  free(bytes);
  return result;
}
