/* SPDX-License-Identifier: MIT
 *
 * The log's thread before a reader that reads, one that doesn't, and one that
 * comes back: nobody waits, the order stays, and what is missing is counted.
 */
#include "clock.h"
#include "log.h"
#include "unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_MAX (16u << 20)

/* Standard error as a pipe, and what comes out of it. */
struct reader {
  int before, out;
  pthread_t thread;
  char *text;
  size_t len;
};

static void reader_init(struct reader *reader) {
  int ends[2];
  CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
  *reader = (struct reader){.out = ends[0], .text = malloc(TEXT_MAX + 1)};
  reader->before = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
  dup2(ends[1], STDERR_FILENO);
  close(ends[1]);
}

static void *read_on(void *arg) {
  struct reader *reader = arg;
  ssize_t n;
  while (reader->len < TEXT_MAX &&
         (n = read(reader->out, reader->text + reader->len,
                   TEXT_MAX - reader->len)) > 0)
    reader->len += (size_t)n;
  reader->text[reader->len] = '\0';
  return NULL;
}

static void reader_starts(struct reader *reader) {
  CU_ASSERT_EQUAL_FATAL(pthread_create(&reader->thread, NULL, read_on, reader),
                        0);
}

/* Standard error is what it was, so the pipe ends. */
static void reader_ends(struct reader *reader) {
  dup2(reader->before, STDERR_FILENO);
  close(reader->before);
  pthread_join(reader->thread, NULL);
  close(reader->out);
}

/* The lines "line N" and the notes between them. */
struct found {
  unsigned lines, notes, disorder;
  unsigned long dropped;
};

static struct found find(char *text) {
  struct found found = {0};
  unsigned last = 0;
  for (char *line, *rest = text; (line = strsep(&rest, "\n")) != NULL;) {
    const char *number = strstr(line, " info line ");
    const char *note = strstr(line, " warn ");
    if (number != NULL) {
      unsigned n = (unsigned)strtoul(number + 11, NULL, 10);
      found.disorder += n <= last;
      found.lines++;
      last = n;
    } else if (note != NULL && strstr(note, " dropped: ") != NULL) {
      found.notes++;
      found.dropped += strtoul(note + 6, NULL, 10);
    }
  }
  return found;
}

static void say_lines(unsigned count) {
  for (unsigned i = 1; i <= count; i++)
    log_line(SLUICE_LOG_INFO, NULL, "line %u", i);
}

static void test_nothing_is_lost_at_a_normal_end(void) {
  struct reader reader;
  reader_init(&reader);
  reader_starts(&reader);
  CU_ASSERT_TRUE_FATAL(log_start());
  say_lines(500);
  log_stop();
  log_plain("sluice: %s", "the last word");
  reader_ends(&reader);
  CU_ASSERT_PTR_NOT_NULL(strstr(reader.text, "\nsluice: the last word\n"));
  struct found found = find(reader.text);
  CU_ASSERT_EQUAL(found.lines, 500);
  CU_ASSERT_EQUAL(found.disorder, 0);
  CU_ASSERT_EQUAL(found.dropped, 0);
  free(reader.text);
}

static void test_a_log_that_nobody_reads_holds_nobody_up(void) {
  enum { COUNT = 50000 }; /* some 2 MB: many times pipe and queue */
  struct reader reader;
  reader_init(&reader);
  CU_ASSERT_TRUE_FATAL(log_start());
  alarm(60); /* it would be for ever */
  say_lines(COUNT);
  alarm(0);
  reader_starts(&reader); /* now somebody reads */
  log_settle(60000);
  log_line(SLUICE_LOG_INFO, NULL, "line %u", COUNT + 1);
  log_stop();
  reader_ends(&reader);
  struct found found = find(reader.text);
  CU_ASSERT_TRUE(found.lines > LOG_QUEUE_SIZE / 64);
  CU_ASSERT_EQUAL(found.disorder, 0);
  CU_ASSERT_EQUAL(found.notes, 1);
  CU_ASSERT_EQUAL(found.lines + found.dropped, COUNT + 1);
  free(reader.text);
}

static void test_the_end_waits_for_a_log_that_stands_but_not_for_ever(void) {
  struct reader reader;
  reader_init(&reader);
  CU_ASSERT_TRUE_FATAL(log_start());
  say_lines(10000);
  uint64_t started = clock_ms();
  log_settle(100);
  uint64_t took = clock_ms() - started;
  CU_ASSERT_TRUE(took >= 100 && took < LOG_PATIENCE_MS);
  reader_starts(&reader);
  log_stop();
  reader_ends(&reader);
  struct found found = find(reader.text);
  CU_ASSERT_EQUAL(found.lines + found.dropped, 10000);
  free(reader.text);
}

/* Somebody else who has the pipe may make it so. */
static void test_a_pipe_that_does_not_block_loses_nothing_either(void) {
  struct reader reader;
  reader_init(&reader);
  fcntl(STDERR_FILENO, F_SETFL, O_NONBLOCK);
  CU_ASSERT_TRUE_FATAL(log_start());
  say_lines(4000);
  reader_starts(&reader);
  log_stop();
  reader_ends(&reader);
  struct found found = find(reader.text);
  CU_ASSERT_EQUAL(found.lines, 4000);
  CU_ASSERT_EQUAL(found.disorder, 0);
  free(reader.text);
}

static void test_what_can_not_be_written_is_counted(void) {
  struct reader reader;
  reader_init(&reader);
  reader_starts(&reader);
  int out = dup(STDERR_FILENO), in = open("/dev/null", O_RDONLY | O_CLOEXEC);
  CU_ASSERT_TRUE_FATAL(log_start());
  dup2(in, STDERR_FILENO); /* which takes nothing */
  say_lines(3);
  log_settle(60000);
  dup2(out, STDERR_FILENO);
  log_line(SLUICE_LOG_INFO, NULL, "line 4");
  log_stop();
  close(in);
  close(out);
  reader_ends(&reader);
  struct found found = find(reader.text);
  CU_ASSERT_EQUAL(found.lines, 1);
  CU_ASSERT_EQUAL(found.dropped, 3);
  free(reader.text);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_nothing_is_lost_at_a_normal_end),
      UNIT(test_a_log_that_nobody_reads_holds_nobody_up),
      UNIT(test_the_end_waits_for_a_log_that_stands_but_not_for_ever),
      UNIT(test_a_pipe_that_does_not_block_loses_nothing_either),
      UNIT(test_what_can_not_be_written_is_counted),
      {NULL, NULL}};
  return unit_main("log_writer", tests);
}
