/* SPDX-License-Identifier: MIT
 *
 * A line that is built without the C library, and the end that must() makes.
 */
#include "clock.h"
#include "must.h"
#include "unit.h"
#include "urgent.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static bool holds(const struct urgent *line, const char *want) {
  return line->len == strlen(want) && memcmp(line->text, want, line->len) == 0;
}

static void test_numbers_are_written_in_full(void) {
  static const struct {
    uint64_t value;
    const char *decimal, *hex;
  } rows[] = {{0, "0", "0x0"},
              {9, "9", "0x9"},
              {255, "255", "0xff"},
              {UINT64_MAX, "18446744073709551615", "0xffffffffffffffff"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct urgent decimal = {.len = 0}, hex = {.len = 0};
    urgent_number(&decimal, rows[i].value);
    urgent_hex(&hex, rows[i].value);
    CU_ASSERT_TRUE(holds(&decimal, rows[i].decimal));
    CU_ASSERT_TRUE(holds(&hex, rows[i].hex));
  }
}

static void test_control_characters_become_question_marks(void) {
  struct urgent line = {.len = 0};
  urgent_text(&line, "a\nb\x7f\x1b[31m");
  urgent_text(&line, NULL);
  CU_ASSERT_TRUE(holds(&line, "a?b??[31m"));
}

static void test_a_line_that_is_full_takes_no_more(void) {
  struct urgent line = {.len = 0};
  for (size_t i = 0; i < URGENT_MAX - 1; i++) {
    urgent_text(&line, "x");
    CU_ASSERT_EQUAL(line.len, i + 1);
  }
  urgent_text(&line, "y");
  CU_ASSERT_EQUAL(line.len, URGENT_MAX - 1);
  CU_ASSERT_EQUAL(line.text[URGENT_MAX - 2], 'x');
}

static void test_the_stamp_is_that_of_the_log(void) {
  static const char shape[] = "dddd-dd-ddTdd:dd:dd.dddZ";
  struct urgent line = {.len = 0};
  urgent_stamp(&line);
  CU_ASSERT_EQUAL_FATAL(line.len, sizeof shape - 1);
  for (size_t i = 0; i < line.len; i++)
    CU_ASSERT_TRUE(shape[i] == 'd' ? line.text[i] >= '0' && line.text[i] <= '9'
                                   : line.text[i] == shape[i]);
}

static void no_core(void) {
  struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
}

/* The signal that ends a process, and its words on stderr before. */
static int last_words(void (*dies)(void), char *said, size_t size) {
  int ends[2], status = 0;
  CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
  pid_t pid = fork();
  if (pid == 0) {
    no_core();
    dup2(ends[1], STDERR_FILENO);
    dies();
    _exit(0);
  }
  close(ends[1]);
  size_t len = 0;
  for (ssize_t n;
       len < size - 1 && (n = read(ends[0], said + len, size - 1 - len)) > 0;)
    len += (size_t)n;
  said[len] = '\0';
  close(ends[0]);
  waitpid(pid, &status, 0);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void be_wrong(void) {
  int two = 2;
  must(two + two == 5);
}

static void test_must_names_what_failed_and_aborts(void) {
  char said[2 * URGENT_MAX];
  CU_ASSERT_EQUAL(last_words(be_wrong, said, sizeof said), SIGABRT);
  CU_ASSERT_PTR_NOT_NULL(strstr(
      said, " error assertion 'two + two == 5' failed in be_wrong(), "));
  CU_ASSERT_PTR_NOT_NULL(strstr(said, "test_urgent.c:"));
  CU_ASSERT_EQUAL(said[strlen(said) - 1], '\n');
}

static void be_right(void) {
  int count = 0;
  must(++count == 1);
  if (count != 1) /* it was evaluated once */
    abort();
}

static void test_must_evaluates_once_and_says_nothing_of_what_holds(void) {
  char said[URGENT_MAX];
  CU_ASSERT_EQUAL(last_words(be_right, said, sizeof said), 0);
  CU_ASSERT_STRING_EQUAL(said, "");
}

/* A pipe that nobody reads. */
static void write_into_full_pipe(void) {
  int ends[2];
  char page[4096] = {0};
  struct urgent line = {.len = 0};
  if (pipe2(ends, O_NONBLOCK) != 0)
    abort();
  while (write(ends[1], page, sizeof page) > 0)
    ;
  fcntl(ends[1], F_SETFL, 0);
  dup2(ends[1], STDERR_FILENO);
  alarm(5);
  urgent_text(&line, "never seen");
  urgent_write(&line);
}

static void test_a_full_pipe_is_not_waited_for(void) {
  char said[URGENT_MAX];
  CU_ASSERT_EQUAL(last_words(write_into_full_pipe, said, sizeof said), 0);
}

static void test_the_clock_goes_on_and_both_units_agree(void) {
  uint64_t us = clock_us(), ms = clock_ms(), later = clock_us();
  CU_ASSERT_TRUE(us / 1000 <= ms && ms <= later / 1000);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_numbers_are_written_in_full),
      UNIT(test_control_characters_become_question_marks),
      UNIT(test_a_line_that_is_full_takes_no_more),
      UNIT(test_the_stamp_is_that_of_the_log),
      UNIT(test_must_names_what_failed_and_aborts),
      UNIT(test_must_evaluates_once_and_says_nothing_of_what_holds),
      UNIT(test_a_full_pipe_is_not_waited_for),
      UNIT(test_the_clock_goes_on_and_both_units_agree),
      {NULL, NULL}};
  return unit_main("urgent", tests);
}
