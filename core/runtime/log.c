/* SPDX-License-Identifier: MIT
 *
 * Log lines to stderr: one write(2) each, so that threads don't mix them.
 */
#include "log.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "codec.h"

static enum sluice_level log_level = SLUICE_LOG_INFO;

void log_set_level(enum sluice_level level) {
  log_level = level;
}

static size_t log_stamp(char *out, size_t size) {
  struct timespec now;
  struct tm tm;
  clock_gettime(CLOCK_REALTIME, &now);
  gmtime_r(&now.tv_sec, &tm);
  size_t n = strftime(out, size, "%Y-%m-%dT%H:%M:%S", &tm);
  return n +
         (size_t)snprintf(out + n, size - n, ".%03ldZ", now.tv_nsec / 1000000);
}

void log_vline(enum sluice_level level, const char *who, const char *fmt,
               va_list args) {
  static const char *const words[] = {"error", "warn", "info", "debug"};
  if (level > log_level)
    return;
  char line[LOG_LINE_MAX];
  const size_t room = sizeof line - 1; /* for the newline */
  size_t n = log_stamp(line, room);
  n += (size_t)snprintf(line + n, room - n, who ? " %s [%.64s] " : " %s ",
                        words[level], who);
  size_t message = n;
  int more = vsnprintf(line + n, room - n, fmt, args);
  if (more > 0)
    n += (size_t)more < room - n ? (size_t)more : room - n - 1;
  line[n] = '\0';
  codec_clean(line + message);
  line[n++] = '\n';
  ssize_t written = write(STDERR_FILENO, line, n);
  (void)written; /* there is nowhere to report it */
}

void log_line(enum sluice_level level, const char *who, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  log_vline(level, who, fmt, args);
  va_end(args);
}
