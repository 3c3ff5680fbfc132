/* SPDX-License-Identifier: MIT
 *
 * Lines of the log, as they arrive at stderr.
 */
#include "log.h"
#include "unit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STAMP (sizeof "2026-06-14T12:34:56.789Z" - 1)
#define SAID_MAX (1 << 20)

/* While stderr is captured, it goes to a file. */
struct capture {
  int before, file;
  char *said;
  size_t len;
};

static void capture_begin(struct capture *c) {
  char name[] = "/tmp/sluice-log-XXXXXX";
  c->file = mkstemp(name);
  unlink(name);
  c->before = dup(STDERR_FILENO);
  dup2(c->file, STDERR_FILENO);
}

static void capture_end(struct capture *c) {
  dup2(c->before, STDERR_FILENO);
  close(c->before);
  c->said = calloc(1, SAID_MAX + 1);
  ssize_t n = pread(c->file, c->said, SAID_MAX, 0);
  c->len = n < 0 ? 0 : (size_t)n;
  close(c->file);
}

/* The line without its time, to be freed. */
static char *say(enum sluice_level level, const char *who, const char *text) {
  struct capture c;
  capture_begin(&c);
  log_line(level, who, "%s", text);
  capture_end(&c);
  char *rest = strdup(c.len > STAMP ? c.said + STAMP : c.said);
  free(c.said);
  return rest;
}

static void test_a_line_has_time_level_and_name(void) {
  char *line = say(SLUICE_LOG_WARN, "local", "disk is slow");
  CU_ASSERT_STRING_EQUAL(line, " warn [local] disk is slow\n");
  free(line);
  line = say(SLUICE_LOG_ERROR, NULL, "no");
  CU_ASSERT_STRING_EQUAL(line, " error no\n");
  free(line);
}

static void test_the_time_is_iso_8601_in_utc(void) {
  struct capture c;
  capture_begin(&c);
  log_line(SLUICE_LOG_INFO, NULL, "x");
  capture_end(&c);
  CU_ASSERT_FATAL(c.len > STAMP);
  static const char shape[] = "dddd-dd-ddTdd:dd:dd.dddZ";
  for (size_t i = 0; i < STAMP; i++)
    CU_ASSERT(shape[i] == 'd' ? c.said[i] >= '0' && c.said[i] <= '9'
                              : c.said[i] == shape[i]);
  free(c.said);
}

static void test_control_characters_are_replaced(void) {
  static const struct {
    const char *in, *want;
  } rows[] = {
      {"a\nb", " info a?b\n"},
      {"a\r\n2026-01-01T00:00:00.000Z error b", " info "
                                                "a??2026-01-01T00:00:00.000Z "
                                                "error b\n"},
      {"\x1b[31mred\x7f", " info ?[31mred?\n"},
      {"\t\v\f\b\a\x01\x1f", " info ???????\n"},
      {"gr\xc3\xbc\xc3\x9f", " info gr\xc3\xbc\xc3\x9f\n"},
      {"%s%n%d", " info %s%n%d\n"},
      {"", " info \n"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char *line = say(SLUICE_LOG_INFO, NULL, rows[i].in);
    CU_ASSERT_STRING_EQUAL(line, rows[i].want);
    free(line);
  }
}

static void test_a_long_name_is_cut(void) {
  char who[101];
  memset(who, 'w', 100);
  who[100] = '\0';
  char *line = say(SLUICE_LOG_INFO, who, "c");
  CU_ASSERT_EQUAL(strlen(line), strlen(" info [] c\n") + 64);
  free(line);
}

/* Of every length around the limit: one line, whole or cut, that ends. */
static void test_long_lines_are_cut_and_still_end(void) {
  size_t head = STAMP + strlen(" info ");
  for (size_t len = LOG_LINE_MAX - head - 5; len < LOG_LINE_MAX + 5; len++) {
    struct capture c;
    char *text = calloc(1, len + 1);
    memset(text, 'x', len);
    capture_begin(&c);
    log_line(SLUICE_LOG_INFO, NULL, "%s", text);
    capture_end(&c);
    size_t whole = head + len + 1;
    CU_ASSERT(c.len == whole ||
              (whole > LOG_LINE_MAX - 2 && c.len >= LOG_LINE_MAX - 2));
    CU_ASSERT(c.len <= LOG_LINE_MAX);
    CU_ASSERT_PTR_EQUAL(strchr(c.said, '\n'), c.said + c.len - 1);
    free(c.said);
    free(text);
  }
}

static void test_a_level_hides_those_below(void) {
  static const enum sluice_level levels[] = {
      SLUICE_LOG_ERROR, SLUICE_LOG_WARN, SLUICE_LOG_INFO, SLUICE_LOG_DEBUG};
  for (size_t i = 0; i < 4; i++)
    for (size_t j = 0; j < 4; j++) {
      log_set_level(levels[i]);
      char *line = say(levels[j], NULL, "x");
      CU_ASSERT_EQUAL(line[0] != '\0', j <= i);
      free(line);
    }
  log_set_level(SLUICE_LOG_INFO);
}

#define THREADS 4
#define LINES 200

static void *say_many(void *arg) {
  char text[1000];
  memset(text, *(const char *)arg, sizeof text);
  for (int i = 0; i < LINES; i++)
    log_line(SLUICE_LOG_INFO, NULL, "%.1000s", text);
  return NULL;
}

static void test_threads_do_not_mix_their_lines(void) {
  struct capture c;
  pthread_t threads[THREADS];
  size_t lines = 0, mixed = 0;
  capture_begin(&c);
  for (int i = 0; i < THREADS; i++)
    pthread_create(&threads[i], NULL, say_many, (void *)&"abcd"[i]);
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  capture_end(&c);
  for (char *at = c.said, *end; (end = strchr(at, '\n')) != NULL; at = end) {
    char *text = at + STAMP + strlen(" info ");
    mixed += end - text != 1000 || strspn(text, (char[]){*text, 0}) != 1000;
    lines++;
    end++;
  }
  CU_ASSERT_EQUAL(lines, THREADS * LINES);
  CU_ASSERT_EQUAL(mixed, 0);
  free(c.said);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_a_line_has_time_level_and_name),
      UNIT(test_the_time_is_iso_8601_in_utc),
      UNIT(test_control_characters_are_replaced),
      UNIT(test_a_long_name_is_cut),
      UNIT(test_long_lines_are_cut_and_still_end),
      UNIT(test_a_level_hides_those_below),
      UNIT(test_threads_do_not_mix_their_lines),
      {NULL, NULL}};
  return unit_main("log", tests);
}
