/* SPDX-License-Identifier: MIT
 *
 * The stages of the backend `local`: what was saved is there after anything,
 * one request at a time writes, and nothing is left of what is over.
 */
#include "localkit.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "date.h"
#include "digest.h"

#define FAR 4000000000 /* seconds since 1970 */

static bool unheard; /* are new ones such that nobody hears of at once? */

struct staging { /* one operation */
  struct sluice_op *op;
  char id[64];
  struct sluice_staged staged;
  char state[64];
  bool ready, done;
  enum sluice_status status;
};

static void on_staged(void *arg, const struct sluice_staged *staged) {
  struct staging *s = arg;
  s->staged = *staged;
  memcpy(s->state, staged->state, staged->state_size);
  s->state[staged->state_size] = '\0';
  if (op_text(s->op, 0) != NULL)
    snprintf(s->id, sizeof s->id, "%s", op_text(s->op, 0));
  s->ready = true;
}

static void on_next(void *arg) {
  ((struct staging *)arg)->ready = true;
}

static void on_done(void *arg, enum sluice_status status, const char *why) {
  struct staging *s = arg;
  (void)why;
  s->done = s->ready = true;
  s->status = status;
}

static const struct op_events events = {
    .staged = on_staged, .next = on_next, .done = on_done};

static void await(struct kit *kit, struct staging *s) {
  while (!s->ready)
    event_base_loop(loop_base(kit->loop), EVLOOP_ONCE);
  s->ready = false;
}

static struct sluice_save state(const char *text, int64_t expires_s) {
  return (struct sluice_save){text, strlen(text), expires_s};
}

static enum sluice_status make_for(struct kit *kit, struct staging *s,
                                   int64_t expires_s, uint64_t most) {
  struct sluice_save save = state("new", expires_s);
  *s = (struct staging){.ready = false};
  s->op = op_stage(&kit->backend,
                   &(struct sluice_stage){.save = &save,
                                          .length = -1,
                                          .owner = "alice",
                                          .owner_max = most,
                                          .unheard = unheard},
                   &events, s);
  await(kit, s);
  return s->status;
}

static void make(struct kit *kit, struct staging *s) {
  CU_ASSERT_EQUAL_FATAL(make_for(kit, s, FAR, 0), SLUICE_OK);
}

static enum sluice_status reopen(struct kit *kit, struct staging *s,
                                 const char *id) {
  char copy[64];
  snprintf(copy, sizeof copy, "%s", id);
  *s = (struct staging){.ready = false};
  s->op =
      op_stage(&kit->backend, &(struct sluice_stage){.id = copy}, &events, s);
  await(kit, s);
  return s->status;
}

static enum sluice_status add(struct kit *kit, struct staging *s,
                              const char *data, size_t len) {
  op_data(s->op,
          &(struct sluice_chunk){.data = data, .length = len, .fd = -1});
  await(kit, s);
  return s->status;
}

static enum sluice_status save(struct kit *kit, struct staging *s,
                               const char *text) {
  struct sluice_save what = state(text, FAR);
  op_save(s->op, &what);
  await(kit, s);
  return s->status;
}

static enum sluice_status commit(struct kit *kit, struct staging *s,
                                 const char *key, const char *data,
                                 size_t len) {
  struct sluice_save what = state("over", FAR);
  unsigned char md5[DIGEST_MD5_LEN];
  char hex[2 * DIGEST_MD5_LEN + 1];
  digest_md5(md5, data, len);
  codec_hex(hex, md5, sizeof md5);
  op_stage_commit(s->op,
                  &(struct sluice_object){.key = key,
                                          .type = "text/plain",
                                          .length = len,
                                          .md5 = hex,
                                          .user = &(struct sluice_pair){0},
                                          .exclusive = true},
                  &what);
  await(kit, s);
  return s->status;
}

static void leave(struct kit *kit, struct staging *s) {
  if (!s->done) {
    op_cancel(s->op);
    await(kit, s);
  }
}

static enum sluice_status drop(struct kit *kit, const char *id) {
  struct staging s = {.ready = false};
  s.op = op_stage_remove(&kit->backend, id, &events, &s);
  await(kit, &s);
  return s.status;
}

static void sweep(struct kit *kit, int64_t now_s) {
  struct staging s = {.ready = false};
  s.op = op_stage_sweep(&kit->backend, now_s, &events, &s);
  await(kit, &s);
  CU_ASSERT_EQUAL(s.status, SLUICE_OK);
}

static void begin(struct kit *kit) {
  kit_init(kit, 100);
  CU_ASSERT_FATAL(kit_start(kit));
}

static void end(struct kit *kit) {
  kit_stop(kit);
  kit_fini(kit);
}

/* ---- bytes -------------------------------------------------------------- */

static void test_what_was_saved_is_there_after_a_new_start(void) {
  struct kit kit;
  struct staging s;
  char id[64];
  begin(&kit);
  make(&kit, &s);
  snprintf(id, sizeof id, "%s", s.id);
  CU_ASSERT_EQUAL(add(&kit, &s, "hello", 5), SLUICE_OK);
  CU_ASSERT_EQUAL(save(&kit, &s, "five"), SLUICE_OK);
  CU_ASSERT_EQUAL(s.staged.offset, 5);
  CU_ASSERT_EQUAL(add(&kit, &s, "LOST", 4), SLUICE_OK);
  leave(&kit, &s);
  kit_stop(&kit);
  CU_ASSERT_FATAL(kit_start(&kit));
  CU_ASSERT_EQUAL(reopen(&kit, &s, id), SLUICE_OK);
  CU_ASSERT_EQUAL(s.staged.offset, 5);
  CU_ASSERT_STRING_EQUAL(s.state, "five");
  CU_ASSERT(!s.staged.complete);
  CU_ASSERT_EQUAL(add(&kit, &s, " wo", 3), SLUICE_OK);
  CU_ASSERT_EQUAL(commit(&kit, &s, "key", "hello wo", 8), SLUICE_OK);
  CU_ASSERT(kit_has(&kit, "key", "hello wo", 8));
  end(&kit);
}

static void test_a_complete_one_tells_so_and_leaves_its_object(void) {
  struct kit kit;
  struct staging s;
  char id[64];
  begin(&kit);
  make(&kit, &s);
  snprintf(id, sizeof id, "%s", s.id);
  CU_ASSERT_EQUAL(add(&kit, &s, "hello", 5), SLUICE_OK);
  CU_ASSERT_EQUAL(commit(&kit, &s, "key", "hello", 5), SLUICE_OK);
  CU_ASSERT_EQUAL(reopen(&kit, &s, id), SLUICE_OK);
  CU_ASSERT(s.staged.complete);
  CU_ASSERT_EQUAL(s.staged.offset, 5);
  CU_ASSERT_STRING_EQUAL(s.state, "over");
  leave(&kit, &s);
  CU_ASSERT_EQUAL(drop(&kit, id), SLUICE_OK);
  CU_ASSERT_EQUAL(drop(&kit, id), SLUICE_ENOENT);
  CU_ASSERT(kit_has(&kit, "key", "hello", 5));
  end(&kit);
}

static void test_one_of_no_bytes_becomes_an_object(void) {
  struct kit kit;
  struct staging s;
  begin(&kit);
  make(&kit, &s);
  CU_ASSERT_EQUAL(commit(&kit, &s, "key", "", 0), SLUICE_OK);
  CU_ASSERT(kit_has(&kit, "key", "", 0));
  end(&kit);
}

/* Up to inline_max, and where nothing was saved before. */
static void test_a_small_one_takes_no_file(void) {
  static const struct {
    size_t first, second;
    bool saved;
    int blobs;
  } cases[] = {{100, 0, false, 0},
               {60, 40, false, 0},
               {101, 0, false, 1},
               {60, 41, false, 1},
               {60, 40, true, 1}};
  static const char data[200] = "hello";
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct kit kit;
    struct staging s;
    size_t len = cases[i].first + cases[i].second;
    begin(&kit);
    make(&kit, &s);
    CU_ASSERT_EQUAL(add(&kit, &s, data, cases[i].first), SLUICE_OK);
    if (cases[i].saved)
      CU_ASSERT_EQUAL(save(&kit, &s, "some"), SLUICE_OK);
    CU_ASSERT_EQUAL(add(&kit, &s, data + cases[i].first, cases[i].second),
                    SLUICE_OK);
    CU_ASSERT_EQUAL(commit(&kit, &s, "key", data, len), SLUICE_OK);
    CU_ASSERT(kit_has(&kit, "key", data, len));
    kit_stop(&kit);
    CU_ASSERT_EQUAL(
        kit_number(&kit, "SELECT count(*) FROM object WHERE blob IS NOT NULL"),
        cases[i].blobs);
    CU_ASSERT_FATAL(kit_start(&kit));
    end(&kit);
  }
}

static void test_a_key_that_is_taken_leaves_the_stage(void) {
  struct kit kit;
  struct staging s;
  char id[64];
  begin(&kit);
  CU_ASSERT_EQUAL(kit_put(&kit, "key", "old", 3), SLUICE_OK);
  make(&kit, &s);
  snprintf(id, sizeof id, "%s", s.id);
  CU_ASSERT_EQUAL(add(&kit, &s, "hello", 5), SLUICE_OK);
  CU_ASSERT_EQUAL(save(&kit, &s, "five"), SLUICE_OK);
  CU_ASSERT_EQUAL(commit(&kit, &s, "key", "hello", 5), SLUICE_EEXIST);
  CU_ASSERT(kit_has(&kit, "key", "old", 3));
  CU_ASSERT_EQUAL(reopen(&kit, &s, id), SLUICE_OK);
  CU_ASSERT_EQUAL(s.staged.offset, 5);
  CU_ASSERT_EQUAL(commit(&kit, &s, "other", "hello", 5), SLUICE_OK);
  CU_ASSERT(kit_has(&kit, "other", "hello", 5));
  end(&kit);
}

/* ---- that nobody has heard of ------------------------------------------- */

static int rows(struct kit *kit) {
  return (int)kit_number(kit, "SELECT count(*) FROM stage");
}

static void test_what_nobody_has_heard_of_is_as_good(void) {
  unheard = true;
  test_what_was_saved_is_there_after_a_new_start();
  test_a_complete_one_tells_so_and_leaves_its_object();
  test_one_of_no_bytes_becomes_an_object();
  test_a_small_one_takes_no_file();
  test_a_key_that_is_taken_leaves_the_stage();
  unheard = false;
}

static void test_what_nobody_has_heard_of_leaves_nothing(void) {
  struct kit kit;
  struct staging s;
  unheard = true;
  begin(&kit);
  CU_ASSERT_EQUAL(kit_put(&kit, "key", "old", 3), SLUICE_OK);
  make(&kit, &s);
  CU_ASSERT_EQUAL(add(&kit, &s, "hello", 5), SLUICE_OK);
  CU_ASSERT_EQUAL(drop(&kit, s.id), SLUICE_ENOENT);
  CU_ASSERT_EQUAL(commit(&kit, &s, "key", "hello", 5), SLUICE_EEXIST);
  make(&kit, &s);
  CU_ASSERT_EQUAL(add(&kit, &s, "hello", 5), SLUICE_OK);
  leave(&kit, &s);
  CU_ASSERT_EQUAL(reopen(&kit, &s, s.id), SLUICE_ENOENT);
  kit_stop(&kit);
  CU_ASSERT_EQUAL(rows(&kit), 0);
  CU_ASSERT_EQUAL(kit_number(&kit, "SELECT count(*) FROM small"), 1);
  kit_fini(&kit);
  unheard = false;
}

/* One that is complete at once is none of those that aren't. */
static void test_what_nobody_has_heard_of_counts_from_its_row_on(void) {
  static const char data[101] = "more than goes into a row";
  struct kit kit;
  struct staging s;
  begin(&kit);
  make(&kit, &s);
  leave(&kit, &s);
  unheard = true;
  CU_ASSERT_EQUAL(make_for(&kit, &s, FAR, 1), SLUICE_OK);
  CU_ASSERT_EQUAL(add(&kit, &s, "hello", 5), SLUICE_OK);
  CU_ASSERT_EQUAL(save(&kit, &s, "five"), SLUICE_ERATE);
  CU_ASSERT_EQUAL(make_for(&kit, &s, FAR, 1), SLUICE_OK);
  CU_ASSERT_EQUAL(add(&kit, &s, data, sizeof data), SLUICE_ERATE);
  CU_ASSERT_EQUAL(make_for(&kit, &s, FAR, 1), SLUICE_OK);
  CU_ASSERT_EQUAL(commit(&kit, &s, "key", "", 0), SLUICE_OK);
  unheard = false;
  end(&kit);
}

/* ---- one at a time ------------------------------------------------------ */

static void test_who_opens_it_ends_the_older(void) {
  struct kit kit;
  struct staging older, newer;
  begin(&kit);
  make(&kit, &older);
  CU_ASSERT_EQUAL(add(&kit, &older, "hello", 5), SLUICE_OK);
  CU_ASSERT_EQUAL(reopen(&kit, &newer, older.id), SLUICE_OK);
  CU_ASSERT_EQUAL(newer.staged.offset, 0);
  CU_ASSERT_EQUAL(save(&kit, &older, "five"), SLUICE_EPRECOND);
  CU_ASSERT_EQUAL(add(&kit, &newer, "HELLO", 5), SLUICE_OK);
  CU_ASSERT_EQUAL(save(&kit, &newer, "mine"), SLUICE_OK);
  CU_ASSERT_EQUAL(commit(&kit, &newer, "key", "HELLO", 5), SLUICE_OK);
  CU_ASSERT(kit_has(&kit, "key", "HELLO", 5));
  end(&kit);
}

static void test_the_older_writes_no_byte_and_commits_nothing(void) {
  struct kit kit;
  struct staging first, second, third;
  begin(&kit);
  make(&kit, &first);
  CU_ASSERT_EQUAL(add(&kit, &first, "hello", 5), SLUICE_OK);
  CU_ASSERT_EQUAL(save(&kit, &first, "five"), SLUICE_OK);
  CU_ASSERT_EQUAL(reopen(&kit, &second, first.id), SLUICE_OK);
  CU_ASSERT_EQUAL(add(&kit, &first, "XXXXX", 5), SLUICE_EPRECOND);
  CU_ASSERT_EQUAL(reopen(&kit, &third, first.id), SLUICE_OK);
  CU_ASSERT_EQUAL(commit(&kit, &second, "key", "hello", 5), SLUICE_EPRECOND);
  CU_ASSERT_EQUAL(commit(&kit, &third, "key", "hello", 5), SLUICE_OK);
  CU_ASSERT(kit_has(&kit, "key", "hello", 5));
  end(&kit);
}

static void test_a_removed_one_takes_nothing(void) {
  struct kit kit;
  struct staging s;
  begin(&kit);
  make(&kit, &s);
  CU_ASSERT_EQUAL(add(&kit, &s, "hello", 5), SLUICE_OK);
  CU_ASSERT_EQUAL(drop(&kit, s.id), SLUICE_OK);
  CU_ASSERT_EQUAL(save(&kit, &s, "five"), SLUICE_EPRECOND);
  CU_ASSERT_EQUAL(kit_files(&kit, "blobs"), 0);
  end(&kit);
}

/* ---- what is over ------------------------------------------------------- */

static void test_what_expired_is_gone_with_its_bytes(void) {
  struct kit kit;
  struct staging s, other;
  char id[64];
  int64_t now_s = date_now_ms() / 1000;
  begin(&kit);
  make(&kit, &other);
  make(&kit, &s);
  snprintf(id, sizeof id, "%s", s.id);
  CU_ASSERT_EQUAL(add(&kit, &s, "hello", 5), SLUICE_OK);
  CU_ASSERT_EQUAL(save(&kit, &s, "five"), SLUICE_OK);
  leave(&kit, &s);
  CU_ASSERT_EQUAL(kit_files(&kit, "blobs"), 1);
  sweep(&kit, now_s);
  CU_ASSERT_EQUAL(kit_files(&kit, "blobs"), 1);
  sweep(&kit, FAR);
  CU_ASSERT_EQUAL(kit_files(&kit, "blobs"), 0);
  CU_ASSERT_EQUAL(reopen(&kit, &s, id), SLUICE_ENOENT);
  leave(&kit, &other);
  end(&kit);
}

static void test_what_expired_is_not_there_before_it_is_swept(void) {
  struct kit kit;
  struct staging s;
  begin(&kit);
  CU_ASSERT_EQUAL(make_for(&kit, &s, date_now_ms() / 1000 - 1, 0), SLUICE_OK);
  leave(&kit, &s);
  CU_ASSERT_EQUAL(reopen(&kit, &s, s.id), SLUICE_ENOENT);
  end(&kit);
}

static void test_an_owner_has_as_many_as_are_allowed(void) {
  struct kit kit;
  struct staging s;
  begin(&kit);
  for (int i = 0; i < 2; i++) {
    CU_ASSERT_EQUAL(make_for(&kit, &s, FAR, 2), SLUICE_OK);
    leave(&kit, &s);
  }
  char id[64];
  snprintf(id, sizeof id, "%s", s.id);
  CU_ASSERT_EQUAL(make_for(&kit, &s, FAR, 2), SLUICE_ERATE);
  CU_ASSERT_EQUAL(drop(&kit, id), SLUICE_OK);
  CU_ASSERT_EQUAL(make_for(&kit, &s, FAR, 2), SLUICE_OK);
  leave(&kit, &s);
  end(&kit);
}

static void test_ids_that_are_none_are_not_there(void) {
  static const char *const ids[] = {"", "x", "0000000000000000",
                                    "00000000000000000", "zzzzzzzzzzzzzzzz"};
  struct kit kit;
  struct staging s;
  begin(&kit);
  for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
    CU_ASSERT_EQUAL(reopen(&kit, &s, ids[i]), SLUICE_ENOENT);
    CU_ASSERT_EQUAL(drop(&kit, ids[i]), SLUICE_ENOENT);
  }
  end(&kit);
}

/* A start after a crash looks at blobs that no object has. */
static void test_a_crash_leaves_its_blob(void) {
  struct kit kit;
  struct staging s;
  char id[64];
  begin(&kit);
  make(&kit, &s);
  snprintf(id, sizeof id, "%s", s.id);
  CU_ASSERT_EQUAL(add(&kit, &s, "hello", 5), SLUICE_OK);
  CU_ASSERT_EQUAL(save(&kit, &s, "five"), SLUICE_OK);
  leave(&kit, &s);
  kit_stop(&kit);
  CU_ASSERT(kit_sql(&kit, "UPDATE state SET value = 0 WHERE name = 'clean';"
                          "UPDATE state SET value = 1 WHERE name = 'low';"
                          "DELETE FROM recent"));
  CU_ASSERT_FATAL(kit_start(&kit));
  CU_ASSERT_EQUAL(reopen(&kit, &s, id), SLUICE_OK);
  CU_ASSERT_EQUAL(add(&kit, &s, "!", 1), SLUICE_OK);
  CU_ASSERT_EQUAL(commit(&kit, &s, "key", "hello!", 6), SLUICE_OK);
  CU_ASSERT(kit_has(&kit, "key", "hello!", 6));
  end(&kit);
}

static void test_a_store_of_version_2_gets_stages(void) {
  struct kit kit;
  struct staging s;
  begin(&kit);
  CU_ASSERT_EQUAL(kit_put(&kit, "key", "old", 3), SLUICE_OK);
  kit_stop(&kit);
  CU_ASSERT(kit_sql(&kit, "DROP TABLE stage; PRAGMA user_version = 2"));
  CU_ASSERT_FATAL(kit_start(&kit));
  make(&kit, &s);
  leave(&kit, &s);
  CU_ASSERT(kit_has(&kit, "key", "old", 3));
  kit_stop(&kit);
  CU_ASSERT_EQUAL(kit_number(&kit, "PRAGMA user_version"), 3);
  kit_fini(&kit);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_what_was_saved_is_there_after_a_new_start),
      UNIT(test_a_complete_one_tells_so_and_leaves_its_object),
      UNIT(test_one_of_no_bytes_becomes_an_object),
      UNIT(test_a_small_one_takes_no_file),
      UNIT(test_a_key_that_is_taken_leaves_the_stage),
      UNIT(test_what_nobody_has_heard_of_is_as_good),
      UNIT(test_what_nobody_has_heard_of_leaves_nothing),
      UNIT(test_what_nobody_has_heard_of_counts_from_its_row_on),
      UNIT(test_who_opens_it_ends_the_older),
      UNIT(test_the_older_writes_no_byte_and_commits_nothing),
      UNIT(test_a_removed_one_takes_nothing),
      UNIT(test_what_expired_is_gone_with_its_bytes),
      UNIT(test_what_expired_is_not_there_before_it_is_swept),
      UNIT(test_an_owner_has_as_many_as_are_allowed),
      UNIT(test_ids_that_are_none_are_not_there),
      UNIT(test_a_crash_leaves_its_blob),
      UNIT(test_a_store_of_version_2_gets_stages),
      {NULL, NULL}};
  return unit_main("local stage", tests);
}
