/* SPDX-License-Identifier: MIT
 *
 * The answers that the hook auth_request keeps: how long, how many, whose.
 */
#include "auth_memo.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static struct auth_answer *answer_of(int status) {
  size_t size = sizeof(struct auth_answer) + 2;
  struct auth_answer *answer = calloc(1, size);
  answer->refs = 1;
  answer->status = status;
  answer->size = size;
  answer->headers = answer->identity + 1;
  return answer;
}

static void put(struct memo *memo, int number, int64_t until) {
  unsigned char digest[DIGEST_SHA256_LEN];
  struct auth_answer *answer = answer_of(number);
  digest_sha256(digest, &number, sizeof number);
  memo_put(memo, digest, answer, until);
  auth_answer_release(answer);
}

/* The status, 0 when it isn't there. */
static int get(struct memo *memo, int number, int64_t now) {
  unsigned char digest[DIGEST_SHA256_LEN];
  digest_sha256(digest, &number, sizeof number);
  const struct auth_answer *answer = memo_get(memo, digest, now);
  return answer == NULL ? 0 : answer->status;
}

static void test_answer_is_there_until_its_time(void) {
  struct memo *memo = memo_new(65536);
  put(memo, 1, 1000);
  CU_ASSERT_EQUAL(get(memo, 1, 999), 1);
  CU_ASSERT_EQUAL(get(memo, 2, 999), 0);
  CU_ASSERT_EQUAL(get(memo, 1, 1000), 0);
  CU_ASSERT_EQUAL(memo_count(memo), 0);
  memo_free(memo);
}

static void test_newer_answer_takes_the_place(void) {
  struct memo *memo = memo_new(65536);
  put(memo, 1, 1000);
  put(memo, 1, 3000);
  CU_ASSERT_EQUAL(memo_count(memo), 1);
  CU_ASSERT_EQUAL(get(memo, 1, 2000), 1);
  memo_free(memo);
}

static void test_longest_unused_makes_room(void) {
  struct memo *memo = memo_new(65536);
  int count = 0;
  do
    put(memo, ++count, 1000);
  while (memo_count(memo) == (size_t)count);
  CU_ASSERT_EQUAL(get(memo, 1, 0), 0);
  CU_ASSERT_EQUAL(get(memo, 2, 0), 2); /* used: 3 is the next to go */
  put(memo, ++count, 1000);
  CU_ASSERT_EQUAL(get(memo, 2, 0), 2);
  CU_ASSERT_EQUAL(get(memo, 3, 0), 0);
  CU_ASSERT_EQUAL(get(memo, count, 0), count);
  memo_free(memo);
}

static void test_what_is_larger_than_all_is_not_kept(void) {
  struct memo *memo = memo_new(32);
  put(memo, 1, 1000);
  CU_ASSERT_EQUAL(memo_count(memo), 0);
  memo_free(memo);
}

static void test_cache_control_only_shortens(void) {
  static const struct {
    const char *control;
    int64_t time;
  } cases[] = {{NULL, 5000},
               {"", 5000},
               {"public", 5000},
               {"max-age=3", 3000},
               {"max-age=5", 5000},
               {"max-age=6", 5000},
               {"MAX-AGE=1", 1000},
               {"max-age=99999999999999999999999", 5000},
               {"public,max-age=4 , s-maxage=2", 2000},
               {"max-age=0", 0},
               {"max-age=", 0},
               {"max-age", 0},
               {"max-age=-1", 0},
               {"max-age=\"3\"", 0},
               {"no-store", 0},
               {"private, No-Store", 0},
               {"no-cache", 0},
               {"no-cache=\"X\"", 0},
               {"no-storey", 5000},
               {",,, ,\t", 5000}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    CU_ASSERT_EQUAL(auth_answer_time(cases[i].control, 5000), cases[i].time);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_answer_is_there_until_its_time),
      UNIT(test_newer_answer_takes_the_place),
      UNIT(test_longest_unused_makes_room),
      UNIT(test_what_is_larger_than_all_is_not_kept),
      UNIT(test_cache_control_only_shortens),
      {NULL, NULL}};
  return unit_main("auth_memo", tests);
}
