/* SPDX-License-Identifier: MIT
 *
 * The words that a check has for suite.c: one line each, a letter and texts
 * with tabs between.  F: it failed, by a rule ("": the check's own) and why;
 * L: the same, as the plugin was late; S: it is skipped, and why; V: a rule
 * with a line of its own was broken, and how; O: it is through.  Without a
 * process of its own they are printed for a person.
 */
#include "fixture.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORDS_MAX 1024

static void words_print(char letter, const char *name, const char *text) {
  static const struct {
    char letter;
    const char *word;
  } words[] = {
      {'F', "FAIL"}, {'L', "FAIL"}, {'S', "skip"}, {'V', "FAIL"}, {'O', "ok"}};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (words[i].letter == letter)
      printf("%-4s  %s%s%s\n", words[i].word, letter == 'V' ? name : "",
             letter == 'V' ? ": " : "", text);
  if ((letter == 'F' || letter == 'L') && *name != '\0')
    printf("        the rule: %s\n", name);
  fflush(stdout);
}

static void words_say(const struct fixture *fixture, char letter,
                      const char *name, const char *fmt, va_list args) {
  char text[WORDS_MAX], line[2 * WORDS_MAX];
  vsnprintf(text, sizeof text, fmt, args);
  for (char *at = text; *at != '\0'; at++)
    if (*at == '\n')
      *at = ' ';
  if (fixture->words < 0) {
    words_print(letter, name, text);
    return;
  }
  int len = snprintf(line, sizeof line, "%c%.800s\t%s\n", letter, name, text);
  ssize_t written = write(fixture->words, line, (size_t)len);
  (void)written; /* the end of the process says the rest */
}

void fixture_fail(struct fixture *fixture, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  words_say(fixture, 'F', "", fmt, args);
  va_end(args);
  _exit(1);
}

void fixture_fail_by(struct fixture *fixture, const char *rule,
                     const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  words_say(fixture, 'F', rule, fmt, args);
  va_end(args);
  _exit(1);
}

void fixture_fail_late(struct fixture *fixture, const char *rule,
                       const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  words_say(fixture, 'L', rule, fmt, args);
  va_end(args);
  _exit(1);
}

void fixture_skip(struct fixture *fixture, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  words_say(fixture, 'S', "", fmt, args);
  va_end(args);
  _exit(0);
}

void fixture_need(struct fixture *fixture, bool truth, const char *fmt, ...) {
  if (truth)
    return;
  va_list args;
  va_start(args, fmt);
  words_say(fixture, 'F', "", fmt, args);
  va_end(args);
  _exit(1);
}

void fixture_need_by(struct fixture *fixture, bool truth, const char *rule,
                     const char *fmt, ...) {
  if (truth)
    return;
  va_list args;
  va_start(args, fmt);
  words_say(fixture, 'F', rule, fmt, args);
  va_end(args);
  _exit(1);
}

void fixture_report(struct fixture *fixture, const char *name, const char *fmt,
                    ...) {
  va_list args;
  va_start(args, fmt);
  words_say(fixture, 'V', name, fmt, args);
  va_end(args);
  fixture->violated = true;
}

static void words_through(const struct fixture *fixture, const char *fmt,
                          ...) {
  va_list args;
  va_start(args, fmt);
  words_say(fixture, 'O', "", fmt, args);
  va_end(args);
}

/* By exit(), so that a sanitizer looks for leaks. */
void fixture_pass(struct fixture *fixture) {
  bool printed = fixture->words < 0;
  if (!printed || !fixture->violated)
    words_through(fixture, "%s", "it passes");
  exit(printed && fixture->violated ? 1 : 0);
}
