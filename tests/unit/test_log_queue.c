/* SPDX-License-Identifier: MIT
 *
 * The queue of the log's lines: its order, its bound and one byte past it, and
 * where it tells of what it dropped.
 */
#include "log_queue.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#define SIZE 64u
#define LINE_MAX 64u

static struct log_queue queue_new(size_t size) {
  return (struct log_queue){.bytes = malloc(size), .size = size};
}

/* The next thing, in one text: a line, "-N" for N dropped, "": nothing. */
static const char *taken(struct log_queue *queue) {
  static char text[LINE_MAX + 1];
  struct log_queue_next next = log_queue_take(queue, text);
  text[next.len] = '\0';
  if (next.dropped > 0) {
    CU_ASSERT_EQUAL(next.len, 0);
    text[0] = '-';
    text[1] = (char)('0' + next.dropped % 10);
    text[2] = '\0';
  }
  return text;
}

static bool add(struct log_queue *queue, const char *line) {
  return log_queue_add(queue, line, strlen(line));
}

static void test_lines_come_out_as_they_went_in_wherever_the_ring_ends(void) {
  for (size_t size = 16; size < 40; size++) {
    struct log_queue queue = queue_new(size);
    for (int i = 0; i < 200; i++) {
      char line[8] = {(char)('a' + i % 26), 'x', '\0'};
      line[2 - i % 2] = '\0';
      CU_ASSERT_TRUE(add(&queue, line));
      CU_ASSERT_TRUE(add(&queue, "next"));
      CU_ASSERT_STRING_EQUAL(taken(&queue), line);
      CU_ASSERT_STRING_EQUAL(taken(&queue), "next");
    }
    CU_ASSERT_STRING_EQUAL(taken(&queue), "");
    free(queue.bytes);
  }
}

static void test_the_last_byte_is_used_and_none_past_it(void) {
  char line[LINE_MAX + 1];
  memset(line, 'x', sizeof line);
  for (size_t len = SIZE - LOG_QUEUE_HEAD - 1;
       len <= SIZE - LOG_QUEUE_HEAD + 1; len++) {
    struct log_queue queue = queue_new(SIZE);
    CU_ASSERT_EQUAL(log_queue_add(&queue, line, len),
                    len <= SIZE - LOG_QUEUE_HEAD);
    CU_ASSERT_TRUE(queue.used <= SIZE);
    free(queue.bytes);
  }
}

static void fill(struct log_queue *queue) {
  while (add(queue, "1234567"))
    ;
}

static void test_an_empty_queue_tells_what_was_dropped_once(void) {
  struct log_queue queue = queue_new(SIZE);
  fill(&queue);
  CU_ASSERT_FALSE(add(&queue, "lost"));
  for (int i = 0; i < 7; i++)
    CU_ASSERT_STRING_EQUAL(taken(&queue), "1234567");
  CU_ASSERT_STRING_EQUAL(taken(&queue), "-2");
  CU_ASSERT_STRING_EQUAL(taken(&queue), "");
  CU_ASSERT_TRUE(add(&queue, "again"));
  CU_ASSERT_STRING_EQUAL(taken(&queue), "again");
  free(queue.bytes);
}

/* So that nine of ten lines aren't told of one by one. */
static void test_what_was_dropped_is_told_where_it_is_missing(void) {
  struct log_queue queue = queue_new(SIZE);
  fill(&queue); /* seven of nine bytes are in, and one was dropped */
  for (int i = 0; i < 3; i++) {
    CU_ASSERT_FALSE(add(&queue, "x")); /* more than half is used */
    CU_ASSERT_STRING_EQUAL(taken(&queue), "1234567");
  }
  CU_ASSERT_FALSE(add(&queue, "x")); /* 36 of 64 */
  CU_ASSERT_STRING_EQUAL(taken(&queue), "1234567");
  CU_ASSERT_TRUE(add(&queue, "after"));
  CU_ASSERT_TRUE(add(&queue, "last"));
  for (int i = 0; i < 3; i++)
    CU_ASSERT_STRING_EQUAL(taken(&queue), "1234567");
  CU_ASSERT_STRING_EQUAL(taken(&queue), "-5");
  CU_ASSERT_STRING_EQUAL(taken(&queue), "after");
  CU_ASSERT_STRING_EQUAL(taken(&queue), "last");
  CU_ASSERT_STRING_EQUAL(taken(&queue), "");
  free(queue.bytes);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_lines_come_out_as_they_went_in_wherever_the_ring_ends),
      UNIT(test_the_last_byte_is_used_and_none_past_it),
      UNIT(test_an_empty_queue_tells_what_was_dropped_once),
      UNIT(test_what_was_dropped_is_told_where_it_is_missing),
      {NULL, NULL}};
  return unit_main("log_queue", tests);
}
