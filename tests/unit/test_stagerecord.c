/* SPDX-License-Identifier: MIT
 *
 * A stage's record: it comes back as it was written, and no other text is
 * taken for one.
 */
#include "stagerecord.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD "sluice stage 1\n"

static struct stagerecord sample(void) {
  struct stagerecord record = {.part_size = 1000, .expires_s = 77};
  record.state.size = 3;
  memcpy(record.state.bytes,
         "\0\xff"
         "a",
         3);
  stagerecord_add(&record, 5, 2);
  stagerecord_add(&record, UINT64_MAX, 1);
  record.pieces[0] = (struct stagepiece){9, 1, 600};
  record.pieces[1] = (struct stagepiece){9, UINT32_MAX, 100};
  record.piece_count = 2;
  return record;
}

static void test_stagerecord_comes_back_as_it_was(void) {
  struct stagerecord record = sample(), back;
  struct buf text;
  buf_init(&text, STAGERECORD_MAX);
  CU_ASSERT(stagerecord_write(&text, &record));
  CU_ASSERT_FATAL(stagerecord_read(&back, text.data));
  CU_ASSERT(back.part_size == 1000 && back.expires_s == 77);
  CU_ASSERT(back.state.size == 3 &&
            memcmp(back.state.bytes, record.state.bytes, 3) == 0);
  CU_ASSERT_EQUAL(stagerecord_segments(&back), 3);
  CU_ASSERT_EQUAL(stagerecord_tail(&back), 700);
  CU_ASSERT_EQUAL(stagerecord_offset(&back), 3700);
  CU_ASSERT_EQUAL(stagerecord_session(&back, 1), 5);
  CU_ASSERT_EQUAL(stagerecord_session(&back, 2), UINT64_MAX);
  CU_ASSERT(back.pieces[1].number == UINT32_MAX && !back.committing);
  stagerecord_fini(&back);
  stagerecord_fini(&record);
  buf_fini(&text);
}

static void test_stagerecord_says_what_a_commit_will_do(void) {
  struct stagerecord record = sample(), back;
  struct buf text;
  buf_init(&text, STAGERECORD_MAX);
  snprintf(record.key, sizeof record.key, "%s", "a/\xc3\xa9\nb %");
  record.length = INT64_MAX;
  record.done_expires_s = 99;
  record.done_state.size = SLUICE_STAGE_STATE_MAX;
  memset(record.done_state.bytes, 7, SLUICE_STAGE_STATE_MAX);
  stagerecord_write(&text, &record);
  CU_ASSERT(stagerecord_write_commit(&text, &record));
  CU_ASSERT_FATAL(stagerecord_read(&back, text.data));
  CU_ASSERT(back.committing && strcmp(back.key, record.key) == 0);
  CU_ASSERT(back.length == INT64_MAX && back.done_expires_s == 99);
  CU_ASSERT_EQUAL(back.done_state.size, SLUICE_STAGE_STATE_MAX);
  CU_ASSERT_EQUAL(stagerecord_offset(&back), 3700);
  stagerecord_fini(&back);
  stagerecord_fini(&record);
  buf_fini(&text);
}

static void test_stagerecord_refuses_what_is_none(void) {
  static const char *const texts[] = {"",
                                      "sluice stage 2\npart 1000\n",
                                      HEAD,
                                      HEAD "part 0\n",
                                      HEAD "part 1000",
                                      HEAD "part 1000 \n1\n",
                                      HEAD "part 1000\nword 1\n",
                                      HEAD "part 1000\nword\n",
                                      HEAD "part -1\n",
                                      HEAD "part 99999999999999999999\n",
                                      HEAD "part 1000\nstate abc\n",
                                      HEAD "part 1000\nstate xy\n",
                                      HEAD "part 1000\nrun 5 0\n",
                                      HEAD "part 1000\nrun 5 10001\n",
                                      HEAD "part 1000\nrun 5 10000\nrun 6 1\n",
                                      HEAD "part 1000\npiece 5 1 0\n",
                                      HEAD "part 1000\npiece 5 1 1000\n",
                                      HEAD "part 1000\npiece 5 4294967296 1\n",
                                      HEAD "part 1000\nkey \n",
                                      HEAD "part 1000\nkey a%0\n",
                                      HEAD "part 1000\ncommit 1\n"};
  struct stagerecord record;
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    CU_ASSERT_FALSE(stagerecord_read(&record, texts[i]));
    CU_ASSERT(record.runs == NULL);
  }
  CU_ASSERT(stagerecord_read(&record, HEAD "part 1000\nrun 5 10000\n"));
  stagerecord_fini(&record);
  CU_ASSERT(stagerecord_read(&record, HEAD "part 1000\npiece 5 1 999\n"));
  stagerecord_fini(&record);
}

static void test_stagerecord_has_so_many_pieces_and_no_more(void) {
  struct stagerecord record;
  struct buf text;
  buf_init(&text, STAGERECORD_MAX);
  buf_adds(&text, HEAD "part 1000\n");
  for (int i = 0; i < STAGERECORD_PIECES; i++)
    buf_adds(&text, "piece 5 1 1\n");
  CU_ASSERT(stagerecord_read(&record, text.data));
  buf_adds(&text, "piece 5 1 1\n");
  CU_ASSERT_FALSE(stagerecord_read(&record, text.data));
  buf_fini(&text);
}

/* As the state has its length and one more. */
static void test_stagerecord_state_has_its_limit(void) {
  for (size_t more = 0; more < 2; more++) {
    struct stagerecord record;
    struct buf text;
    buf_init(&text, STAGERECORD_MAX);
    buf_adds(&text, HEAD "part 1000\nstate ");
    for (size_t i = 0; i < SLUICE_STAGE_STATE_MAX + more; i++)
      buf_adds(&text, "00");
    buf_adds(&text, "\n");
    CU_ASSERT_EQUAL(stagerecord_read(&record, text.data), more == 0);
    buf_fini(&text);
  }
}

/* Many appends of one size cost each byte a few times, and few pieces. */
static void test_stagerecord_merges_as_a_tail_grows(void) {
  struct stagerecord record = {.part_size = 1 << 24};
  uint64_t written = 0;
  size_t most = 0;
  for (int i = 0; i < 4096; i++) {
    uint64_t size = stagerecord_merge(&record, 1) + 1;
    record.pieces[record.piece_count++] = (struct stagepiece){1, 1, size};
    written += size;
    if (record.piece_count > most)
      most = record.piece_count;
  }
  CU_ASSERT_EQUAL(stagerecord_tail(&record), 4096);
  CU_ASSERT(most <= 13);
  CU_ASSERT(written <= 4096 * 24);
}

static void test_stagerecord_merge_keeps_below_the_most_pieces(void) {
  struct stagerecord record = {.part_size = INT64_MAX};
  for (size_t i = 0; i < STAGERECORD_PIECES; i++)
    record.pieces[record.piece_count++] =
        (struct stagepiece){1, 1, UINT64_C(1) << (STAGERECORD_PIECES - i + 4)};
  stagerecord_merge(&record, 1);
  CU_ASSERT(record.piece_count < STAGERECORD_PIECES);
}

static const struct unit_test tests[] = {
    UNIT(test_stagerecord_comes_back_as_it_was),
    UNIT(test_stagerecord_says_what_a_commit_will_do),
    UNIT(test_stagerecord_refuses_what_is_none),
    UNIT(test_stagerecord_has_so_many_pieces_and_no_more),
    UNIT(test_stagerecord_state_has_its_limit),
    UNIT(test_stagerecord_merges_as_a_tail_grows),
    UNIT(test_stagerecord_merge_keeps_below_the_most_pieces),
    {NULL, NULL},
};

int main(void) {
  return unit_main("stagerecord", tests);
}
