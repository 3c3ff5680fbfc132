/* SPDX-License-Identifier: MIT
 *
 * Many keys removed at once by the backend `local`: each ends as a remove of
 * its own does, together they cost little, and they hold nobody up.
 */
#include "index.h"
#include "localkit.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define INLINE 1000u
#define LARGE 3000u
#define COUNT 1000u

static char texts[COUNT][24];
static const char *keys[COUNT];
static enum sluice_status ends[COUNT];
static char *data;

static void name_keys(void) {
  for (unsigned i = 0; i < COUNT; i++) {
    snprintf(texts[i], sizeof texts[i], "many/%u", i);
    keys[i] = texts[i];
    ends[i] = SLUICE_ECANCELED;
  }
}

static void start_with(struct kit *kit, unsigned threads) {
  kit_init(kit, INLINE);
  kit->threads = threads;
  name_keys();
  if (!kit_start(kit))
    abort();
}

/* And nothing was forgotten on the disk. */
static void end_with(struct kit *kit, size_t objects) {
  CU_ASSERT(ledger_idle(&kit->local->ledger));
  kit_stop(kit);
  CU_ASSERT_EQUAL(kit_number(kit, "SELECT count(*) FROM object"),
                  (int64_t)objects);
  CU_ASSERT_EQUAL(kit_number(kit, "SELECT count(*) FROM small WHERE id NOT IN"
                                  " (SELECT small FROM object WHERE small)"),
                  0);
  CU_ASSERT_EQUAL(kit_number(kit, "SELECT count(*) FROM garbage"), 0);
  CU_ASSERT_EQUAL(kit_number(kit, "SELECT value FROM state"
                                  " WHERE name = 'clean'"),
                  1);
  kit_fini(kit);
}

/* Of three keys one is small, one large, and one isn't there. */
static size_t length_of(unsigned number) {
  return number % 3 == 0 ? 100 : LARGE;
}

static void put_some(struct kit *kit, unsigned count) {
  for (unsigned i = 0; i < count; i++)
    if (i % 3 < 2)
      CU_ASSERT_EQUAL(kit_put(kit, keys[i], data, length_of(i)), SLUICE_OK);
}

static int count_commit(void *arg) {
  ++*(int *)arg;
  return 0;
}

static void test_each_key_is_gone_and_no_other(void) {
  struct kit kit;
  start_with(&kit, 4);
  put_some(&kit, 300);
  CU_ASSERT_EQUAL(kit_put(&kit, "many/1000", data, LARGE), SLUICE_OK);
  CU_ASSERT_EQUAL(kit_put(&kit, "many", data, 10), SLUICE_OK);
  CU_ASSERT_EQUAL(kit_files(&kit, "blobs"), 101);
  CU_ASSERT_EQUAL(kit_remove_many(&kit, keys, 300, ends), 0);
  for (unsigned i = 0; i < 300; i++) {
    CU_ASSERT_EQUAL(ends[i], SLUICE_OK);
    CU_ASSERT_EQUAL(kit_head(&kit, keys[i]), SLUICE_ENOENT);
  }
  CU_ASSERT_EQUAL(kit_files(&kit, "blobs"), 1);
  CU_ASSERT(kit_has(&kit, "many/1000", data, LARGE));
  CU_ASSERT(kit_has(&kit, "many", data, 10));
  end_with(&kit, 2);
}

static void test_none_and_a_key_named_twice_are_no_trouble(void) {
  const char *const twice[] = {"a", "a", "b"};
  struct kit kit;
  start_with(&kit, 4);
  CU_ASSERT_EQUAL(kit_remove_many(&kit, twice, 0, ends), 0);
  kit_put(&kit, "a", data, LARGE);
  CU_ASSERT_EQUAL(kit_remove_many(&kit, twice, 3, ends), 0);
  CU_ASSERT_EQUAL(kit_head(&kit, "a"), SLUICE_ENOENT);
  CU_ASSERT_EQUAL(kit_files(&kit, "blobs"), 0);
  end_with(&kit, 0);
}

/* A loop remembers it, and has to forget it. */
static void test_a_cached_object_is_gone(void) {
  struct kit kit;
  kit_init(&kit, INLINE);
  name_keys();
  kit.conf.cache = 1u << 20;
  CU_ASSERT_FATAL(kit_start(&kit));
  kit_put(&kit, keys[0], data, 100);
  CU_ASSERT(kit_has(&kit, keys[0], data, 100));
  CU_ASSERT(kit_has(&kit, keys[0], data, 100));
  CU_ASSERT_EQUAL(kit_remove_many(&kit, keys, 2, ends), 0);
  CU_ASSERT_EQUAL(kit_head(&kit, keys[0]), SLUICE_ENOENT);
  end_with(&kit, 0);
}

static void test_a_thousand_share_a_transaction(void) {
  struct kit kit;
  int commits = 0;
  start_with(&kit, 4);
  put_some(&kit, 100);
  sqlite3_commit_hook(kit.local->writer.db, count_commit, &commits);
  CU_ASSERT_EQUAL(kit_remove_many(&kit, keys, COUNT, ends), 0);
  CU_ASSERT_EQUAL(commits, 1);
  end_with(&kit, 0);
}

/* Three of a thousand wait before a put, which is in the first transaction
 * all the same, and there is one for each thousand. */
static void test_others_wait_for_a_thousand_at_most(void) {
  enum { BATCHES = 3 };
  static enum sluice_status each[BATCHES][COUNT];
  struct call batches[BATCHES];
  struct kit kit;
  int commits = 0;
  start_with(&kit, 1);
  sqlite3_commit_hook(kit.local->writer.db, count_commit, &commits);
  kit_hold(&kit);
  for (int i = 0; i < BATCHES; i++) {
    batches[i] = (struct call){
        .kit = &kit, .keys = keys, .key_count = COUNT, .each = each[i]};
    call_remove_many(&batches[i]);
  }
  struct call put = {.kit = &kit, .key = "put", .data = data, .length = 10};
  call_put(&put);
  call_wait_turns(&put, 3);
  kit_release(&kit);
  call_wait(&put);
  CU_ASSERT_EQUAL(put.status, SLUICE_OK);
  CU_ASSERT_FALSE(batches[BATCHES - 1].done);
  for (int i = 0; i < BATCHES; i++) {
    call_wait(&batches[i]);
    CU_ASSERT_EQUAL(each[i][COUNT - 1], SLUICE_OK);
    call_fini(&batches[i]);
  }
  CU_ASSERT_EQUAL(commits, BATCHES);
  call_fini(&put);
  end_with(&kit, 1);
}

/* A row that can't be removed for want of memory, as SQLite says. */
static void test_one_that_stays_is_told_and_keeps_no_other(void) {
  struct kit kit;
  start_with(&kit, 4);
  put_some(&kit, 99);
  kit_stop(&kit);
  CU_ASSERT(kit_sql(&kit, "CREATE TRIGGER stays BEFORE DELETE ON object"
                          " WHEN old.key = CAST('many/42' AS BLOB)"
                          " BEGIN INSERT INTO small VALUES(NULL, NULL); END"));
  CU_ASSERT_FATAL(kit_start(&kit));
  CU_ASSERT_EQUAL(kit_remove_many(&kit, keys, 99, ends), 1);
  CU_ASSERT_EQUAL(ends[42], SLUICE_ENOMEM);
  for (unsigned i = 0; i < 99; i++)
    CU_ASSERT_EQUAL(kit_head(&kit, keys[i]),
                    i == 42 ? SLUICE_OK : SLUICE_ENOENT);
  CU_ASSERT(kit_has(&kit, keys[42], data, length_of(42)));
  CU_ASSERT_EQUAL(kit_files(&kit, "blobs"), 0);
  end_with(&kit, 1);
}

/* One that was in a transaction is gone, and its blobs are; of one that
 * hadn't begun all keys stay. */
static void test_one_that_is_left_ends_between_transactions(void) {
  static enum sluice_status each[COUNT];
  const char *const own[] = {"own"};
  struct kit kit;
  start_with(&kit, 1);
  put_some(&kit, COUNT / 2);
  kit_put(&kit, "own", data, LARGE);
  size_t fds = kit_fds();
  kit_hold(&kit);
  struct call first = {
      .kit = &kit, .keys = keys, .key_count = COUNT, .each = each};
  struct call second = {
      .kit = &kit, .keys = own, .key_count = 1, .each = ends};
  first.leave = second.leave = CALL_LEAVES_AFTER;
  call_remove_many(&first);
  call_remove_many(&second);
  kit_release(&kit);
  call_wait(&first);
  call_wait(&second);
  CU_ASSERT(first.left && second.left);
  for (unsigned i = 0; i < COUNT; i++)
    CU_ASSERT_EQUAL(kit_head(&kit, keys[i]), SLUICE_ENOENT);
  CU_ASSERT(kit_has(&kit, "own", data, LARGE));
  CU_ASSERT_EQUAL(kit_files(&kit, "blobs"), 1);
  CU_ASSERT_EQUAL(kit_fds(), fds);
  call_fini(&first);
  call_fini(&second);
  end_with(&kit, 1);
}

/* A page that becomes free isn't written: a row of 4 KiB has one of its own,
 * and a thousand of them leave a short WAL. */
static void test_bytes_that_go_are_not_written_once_more(void) {
  enum { LENGTH = 4096, PAGES = 400 };
  struct kit kit;
  struct stat wal;
  char path[200];
  char *bytes = kit_bytes(1, LENGTH);
  kit_init(&kit, LENGTH);
  name_keys();
  CU_ASSERT_FATAL(kit_start(&kit));
  for (unsigned i = 0; i < COUNT; i++)
    CU_ASSERT_EQUAL(kit_put(&kit, keys[i], bytes, LENGTH), SLUICE_OK);
  kit_stop(&kit); /* the WAL begins anew */
  CU_ASSERT_FATAL(kit_start(&kit));
  CU_ASSERT_EQUAL(kit_remove_many(&kit, keys, COUNT, ends), 0);
  snprintf(path, sizeof path, "%s/index.db-wal", kit.dir);
  CU_ASSERT_FATAL(stat(path, &wal) == 0);
  CU_ASSERT(wal.st_size > 0 && wal.st_size < PAGES * 4096);
  free(bytes);
  end_with(&kit, 0);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_each_key_is_gone_and_no_other),
      UNIT(test_none_and_a_key_named_twice_are_no_trouble),
      UNIT(test_a_cached_object_is_gone),
      UNIT(test_a_thousand_share_a_transaction),
      UNIT(test_others_wait_for_a_thousand_at_most),
      UNIT(test_one_that_stays_is_told_and_keeps_no_other),
      UNIT(test_one_that_is_left_ends_between_transactions),
      UNIT(test_bytes_that_go_are_not_written_once_more),
      {NULL, NULL}};
  data = kit_bytes(1, LARGE);
  int result = unit_main("local many", tests);
  free(data);
  return result;
}
