/* SPDX-License-Identifier: MIT
 *
 * Lines that come again and again: which are written, and that none is
 * forgotten.
 */
#include "log.h"
#include "loop.h"
#include "repeat.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_MAX 65536

/* The log from begin to end, without its times. */
struct capture {
  int before, file;
  char text[TEXT_MAX];
};

static void capture_begin(struct capture *c) {
  char name[] = "/tmp/sluice-repeat-XXXXXX";
  c->file = mkstemp(name);
  unlink(name);
  c->before = dup(STDERR_FILENO);
  dup2(c->file, STDERR_FILENO);
}

static const char *capture_end(struct capture *c) {
  char raw[TEXT_MAX];
  dup2(c->before, STDERR_FILENO);
  close(c->before);
  ssize_t n = pread(c->file, raw, sizeof raw - 1, 0);
  raw[n < 0 ? 0 : n] = '\0';
  close(c->file);
  size_t len = 0;
  for (char *line, *rest = raw; (line = strsep(&rest, "\n")) != NULL;)
    if (strchr(line, ' ') != NULL)
      len += (size_t)snprintf(c->text + len, TEXT_MAX - len, "%s\n",
                              strchr(line, ' ') + 1);
  c->text[len] = '\0';
  return c->text;
}

static void say(struct repeats *repeats, struct loop *loop, const char *kind,
                int from, int to) {
  for (int i = from; i <= to; i++)
    repeat_line(repeats, loop, SLUICE_LOG_ERROR, "main", kind, "%s %d", kind,
                i);
}

/* One turn of the loop that waits for a timer. */
static void next_second(struct loop *loop) {
  event_base_loop(loop_base(loop), EVLOOP_ONCE);
}

static void test_the_first_is_told_at_once_and_the_others_are_counted(void) {
  struct loop *loop = loop_new();
  struct repeats repeats = {NULL};
  struct capture c;
  capture_begin(&c);
  say(&repeats, loop, "io", 1, 500);
  next_second(loop);
  say(&repeats, loop, "io", 501, 501);
  next_second(loop);
  next_second(loop); /* nothing came: it is over */
  say(&repeats, loop, "io", 502, 503);
  repeat_end(&repeats);
  CU_ASSERT_STRING_EQUAL(capture_end(&c),
                         "error [main] io 1\n"
                         "error [main] io 500 (the last of 499 like it)\n"
                         "error [main] io 501\n"
                         "error [main] io 502\n"
                         "error [main] io 503\n");
  loop_free(loop);
}

static void test_each_kind_is_counted_by_itself(void) {
  struct loop *loop = loop_new();
  struct repeats repeats = {NULL}, other = {NULL};
  struct capture c;
  capture_begin(&c);
  say(&repeats, loop, "io", 1, 3);
  say(&repeats, loop, "time", 1, 2);
  say(&other, loop, "io", 1, 1); /* another backend's */
  repeat_end(&repeats);
  repeat_end(&other);
  CU_ASSERT_STRING_EQUAL(capture_end(&c),
                         "error [main] io 1\n"
                         "error [main] time 1\n"
                         "error [main] io 1\n"
                         "error [main] time 2\n"
                         "error [main] io 3 (the last of 2 like it)\n");
  loop_free(loop);
}

static void test_a_hidden_level_says_nothing_and_starts_no_timer(void) {
  struct loop *loop = loop_new();
  struct repeats repeats = {NULL};
  struct capture c;
  capture_begin(&c);
  repeat_line(&repeats, loop, SLUICE_LOG_DEBUG, "main", "io", "x");
  repeat_end(&repeats);
  CU_ASSERT_STRING_EQUAL(capture_end(&c), "");
  CU_ASSERT_PTR_NULL(repeats.first);
  loop_free(loop);
}

static void test_a_loop_may_be_freed_while_something_is_counted(void) {
  struct loop *loop = loop_new();
  struct repeats repeats = {NULL};
  struct capture c;
  capture_begin(&c);
  say(&repeats, loop, "io", 1, 2);
  loop_free(loop);
  CU_ASSERT_STRING_EQUAL(capture_end(&c), "error [main] io 1\n");
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_the_first_is_told_at_once_and_the_others_are_counted),
      UNIT(test_each_kind_is_counted_by_itself),
      UNIT(test_a_hidden_level_says_nothing_and_starts_no_timer),
      UNIT(test_a_loop_may_be_freed_while_something_is_counted),
      {NULL, NULL}};
  return unit_main("repeat", tests);
}
