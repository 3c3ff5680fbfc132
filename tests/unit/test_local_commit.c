/* SPDX-License-Identifier: MIT
 *
 * Commits of the backend `local`: what they replace, what they refuse, and
 * how many of them share a transaction.
 */
#include "localkit.h"
#include "unit.h"

#include "index.h"

#include <stdio.h>
#include <stdlib.h>

#define INLINE 16384u

static void start_with(struct kit *kit, unsigned threads) {
  kit_init(kit, INLINE);
  kit->threads = threads;
  if (!kit_start(kit)) {
    printf("%s\n", kit->host.failure);
    abort();
  }
}

static void start(struct kit *kit) {
  start_with(kit, 4);
}

static void end(struct kit *kit) {
  kit_stop(kit);
  kit_fini(kit);
}

static enum sluice_status put_new(struct kit *kit, const char *data,
                                  size_t length) {
  struct call call = {.kit = kit,
                      .key = "a",
                      .data = data,
                      .length = length,
                      .exclusive = true};
  call_put(&call);
  call_wait(&call);
  call_fini(&call);
  return call.status;
}

static void test_exclusive_commit_never_replaces(void) {
  static const size_t sizes[] = {10, INLINE + 10};
  struct kit kit;
  char *old = kit_bytes(1, INLINE + 10), *other = kit_bytes(2, INLINE + 10);
  start(&kit);
  for (size_t i = 0; i < 4; i++) {
    size_t first = sizes[i / 2], second = sizes[i % 2];
    CU_ASSERT_EQUAL(put_new(&kit, old, first), SLUICE_OK);
    size_t files = kit_files(&kit, "blobs");
    CU_ASSERT_EQUAL(put_new(&kit, other, second), SLUICE_EEXIST);
    CU_ASSERT_EQUAL(kit_files(&kit, "blobs"), files);
    CU_ASSERT(kit_has(&kit, "a", old, first));
    CU_ASSERT_EQUAL(kit_put(&kit, "a", other, second), SLUICE_OK);
    CU_ASSERT(kit_has(&kit, "a", other, second));
    CU_ASSERT_EQUAL(kit_files(&kit, "blobs"), i % 2);
    kit_remove(&kit, "a");
  }
  CU_ASSERT(ledger_idle(&kit.local->ledger));
  kit_stop(&kit);
  CU_ASSERT_EQUAL(kit_number(&kit, "SELECT count(*) FROM small"), 0);
  CU_ASSERT_EQUAL(kit_number(&kit, "SELECT count(*) FROM garbage"), 0);
  CU_ASSERT_EQUAL(kit_number(&kit, "SELECT count(*) FROM recent"), 0);
  kit_fini(&kit);
  free(old);
  free(other);
}

static void test_commit_with_a_wrong_length_or_md5_is_refused(void) {
  static const struct {
    size_t claim;
    const char *md5;
  } table[] = {{2, NULL}, {4, NULL}, {0, "0123"}, {0, ""}};
  struct kit kit;
  start(&kit);
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    struct call call = {.kit = &kit,
                        .key = "a",
                        .data = "abc",
                        .length = 3,
                        .claim = table[i].claim,
                        .md5 = table[i].md5};
    call_put(&call);
    call_wait(&call);
    CU_ASSERT_EQUAL(call.status, SLUICE_EINVAL);
    CU_ASSERT_EQUAL(kit_head(&kit, "a"), SLUICE_ENOENT);
    call_fini(&call);
  }
  end(&kit);
}

static int count_commit(void *arg) {
  ++*(int *)arg;
  return 0;
}

/* All of them wait in the lane together. */
static void put_at_once(struct kit *kit, struct call *calls, size_t count) {
  kit_hold(kit);
  for (size_t i = 0; i < count; i++)
    call_put(&calls[i]);
  for (size_t i = 0; i < count; i++)
    call_wait_turns(&calls[i], 3);
  kit_release(kit);
  for (size_t i = 0; i < count; i++)
    call_wait(&calls[i]);
}

static void test_commits_that_wait_together_share_a_transaction(void) {
  enum { COUNT = SLUICE_LANE_BATCH + 1 };
  static struct call calls[COUNT];
  static char keys[COUNT][16];
  struct kit kit;
  int commits = 0;
  start_with(&kit, 1);
  sqlite3_commit_hook(kit.local->writer.db, count_commit, &commits);
  for (int i = 0; i < COUNT; i++) {
    snprintf(keys[i], sizeof keys[i], "%d", i);
    calls[i] = (struct call){
        .kit = &kit, .key = keys[i], .data = keys[i], .length = 1};
  }
  put_at_once(&kit, calls, COUNT);
  CU_ASSERT_EQUAL(commits, 2);
  for (int i = 0; i < COUNT; i++) {
    CU_ASSERT_EQUAL(calls[i].status, SLUICE_OK);
    CU_ASSERT(kit_has(&kit, keys[i], keys[i], 1));
    call_fini(&calls[i]);
  }
  end(&kit);
}

static void test_many_blobs_are_replaced_at_once(void) {
  enum { COUNT = 200 };
  static struct call calls[COUNT];
  static char keys[COUNT][16];
  struct kit kit;
  char *data = kit_bytes(3, INLINE + 2);
  start(&kit);
  for (size_t round = 0; round < 2; round++) {
    for (int i = 0; i < COUNT; i++) {
      snprintf(keys[i], sizeof keys[i], "%d", i);
      calls[i] = (struct call){.kit = &kit,
                               .key = keys[i],
                               .data = data + round,
                               .length = INLINE + 1,
                               .piece = 10000};
      call_put(&calls[i]);
    }
    for (int i = 0; i < COUNT; i++) {
      call_wait(&calls[i]);
      CU_ASSERT_EQUAL(calls[i].status, SLUICE_OK);
      call_fini(&calls[i]);
    }
    CU_ASSERT_EQUAL(kit_files(&kit, "blobs"), COUNT);
    CU_ASSERT(kit_has(&kit, "199", data + round, INLINE + 1));
  }
  free(data);
  end(&kit);
}

/* A batch that fails as a whole is tried again one by one. */
static void test_what_does_not_fit_spoils_nothing_beside_it(void) {
  enum { SMALL = 20, ALL = 60 };
  static struct call calls[ALL];
  static char keys[ALL][16];
  struct kit kit;
  char *data = kit_bytes(3, INLINE), sql[64];
  int full = 0;
  int64_t pages = 0;
  start_with(&kit, 1);
  sqlite3 *db = kit.local->writer.db;
  CU_ASSERT(index_number(db, "PRAGMA page_count", &pages));
  snprintf(sql, sizeof sql, "PRAGMA max_page_count = %d", (int)pages + 10);
  CU_ASSERT(index_exec(db, sql));
  for (int i = 0; i < ALL; i++) {
    snprintf(keys[i], sizeof keys[i], "%d", i);
    calls[i] = (struct call){.kit = &kit,
                             .key = keys[i],
                             .data = data,
                             .length = i < SMALL ? 10 : INLINE};
  }
  put_at_once(&kit, calls, ALL);
  for (int i = 0; i < ALL; i++) {
    CU_ASSERT(i >= SMALL || calls[i].status == SLUICE_OK);
    full += calls[i].status == SLUICE_ENOSPC;
    CU_ASSERT_EQUAL(kit_has(&kit, keys[i], data, calls[i].length),
                    calls[i].status == SLUICE_OK);
    call_fini(&calls[i]);
  }
  CU_ASSERT(full > ALL / 2);
  free(data);
  end(&kit);
}

/* A reader that stayed once doesn't let the WAL grow ever further. */
static void test_wal_limit_falls_when_the_wal_starts_over(void) {
  struct kit kit;
  char *data = kit_bytes(1, 1u << 20);
  kit_init(&kit, 1u << 20);
  CU_ASSERT_FATAL(kit_start(&kit));
  struct writer *writer = &kit.local->writer;
  int limit = writer->wal_limit;
  writer->wal_limit = 1000;
  for (int i = 0; i < 5; i++)
    CU_ASSERT_EQUAL(kit_put(&kit, i % 2 ? "a" : "b", data, 1u << 20),
                    SLUICE_OK);
  CU_ASSERT_EQUAL(writer->wal_limit, limit);
  free(data);
  kit_stop(&kit);
  kit_fini(&kit);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_exclusive_commit_never_replaces),
      UNIT(test_commit_with_a_wrong_length_or_md5_is_refused),
      UNIT(test_commits_that_wait_together_share_a_transaction),
      UNIT(test_many_blobs_are_replaced_at_once),
      UNIT(test_what_does_not_fit_spoils_nothing_beside_it),
      UNIT(test_wal_limit_falls_when_the_wal_starts_over),
      {NULL, NULL}};
  return unit_main("local commit", tests);
}
