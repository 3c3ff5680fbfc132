/* SPDX-License-Identifier: MIT
 *
 * Lines of the log, from a format to one line of clean text.
 */
#include "log.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "codec.h"
#include "log_writer.h"

static _Atomic enum sluice_level log_level = SLUICE_LOG_INFO;

static const char *const level_words[] = {[SLUICE_LOG_ERROR] = "error",
                                          [SLUICE_LOG_WARN] = "warn",
                                          [SLUICE_LOG_INFO] = "info",
                                          [SLUICE_LOG_DEBUG] = "debug"};

void log_set_level(enum sluice_level level) {
  atomic_store_explicit(&log_level, level, memory_order_relaxed);
}

bool log_set_level_word(const char *word) {
  for (size_t i = 0; i < sizeof level_words / sizeof *level_words; i++)
    if (strcmp(word, level_words[i]) == 0) {
      log_set_level((enum sluice_level)i);
      return true;
    }
  return false;
}

const char *log_level_word(void) {
  return level_words[atomic_load_explicit(&log_level, memory_order_relaxed)];
}

bool log_shows(enum sluice_level level) {
  return level <= atomic_load_explicit(&log_level, memory_order_relaxed);
}

/* Puts the message behind the line's first `n` bytes, cleans it, ends the
 * line and sends it on its way. */
static void finish(char line[LOG_LINE_MAX], size_t n, const char *fmt,
                   va_list args) PRINTFLIKE(3, 0);

static void finish(char line[LOG_LINE_MAX], size_t n, const char *fmt,
                   va_list args) {
  const size_t room = LOG_LINE_MAX - 1; /* for the newline */
  size_t message = n;
  int more = vsnprintf(line + n, room - n, fmt, args);
  if (more > 0)
    n += (size_t)more < room - n ? (size_t)more : room - n - 1;
  line[n] = '\0';
  codec_clean(line + message);
  line[n++] = '\n';
  log_put(line, n);
}

void log_vline(enum sluice_level level, const char *who, const char *fmt,
               va_list args) {
  char line[LOG_LINE_MAX];
  if (log_shows(level))
    finish(line, log_head(line, sizeof line, level_words[level], who), fmt,
           args);
}

void log_line(enum sluice_level level, const char *who, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  log_vline(level, who, fmt, args);
  va_end(args);
}

void log_plain(const char *fmt, ...) {
  char line[LOG_LINE_MAX];
  va_list args;
  va_start(args, fmt);
  finish(line, 0, fmt, args);
  va_end(args);
}
