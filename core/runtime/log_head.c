/* SPDX-License-Identifier: MIT
 *
 * A line's beginning, for those who format it and for the writer's own notes.
 */
#include "log_writer.h"

#include <stdio.h>
#include <time.h>

size_t log_head(char *out, size_t size, const char *level, const char *who) {
  struct timespec now;
  struct tm tm;
  clock_gettime(CLOCK_REALTIME, &now);
  gmtime_r(&now.tv_sec, &tm);
  size_t n = strftime(out, size, "%Y-%m-%dT%H:%M:%S", &tm);
  n += (size_t)snprintf(out + n, size - n, ".%03ldZ", now.tv_nsec / 1000000);
  return n + (size_t)snprintf(out + n, size - n,
                              who != NULL ? " %s [%.64s] " : " %s ", level,
                              who);
}
