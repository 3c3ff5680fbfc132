/* SPDX-License-Identifier: MIT
 *
 * Lines of the log that wait to be written: as many bytes of them as fit,
 * first in, first out.  Once one didn't fit, those behind it are dropped too
 * until half of the room is free again, so that what is missing is missing in
 * one place, where its number is told.  The caller has the lock.
 */
#ifndef RUNTIME_LOG_QUEUE_H
#define RUNTIME_LOG_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A line takes so much beside its bytes. */
#define LOG_QUEUE_HEAD (sizeof(uint16_t))

struct log_queue {
  char *bytes; /* `size` of them, of the caller */
  size_t size;
  size_t first, used;
  uint64_t dropped; /* since the line that was added last */
};

/* The next thing to write: a line, or the number of those that were dropped
 * here; both 0: nothing is left. */
struct log_queue_next {
  size_t len;
  uint64_t dropped;
};

/* False: it is dropped, and counted.  `len` is 1 to UINT16_MAX. */
bool log_queue_add(struct log_queue *, const char *line, size_t len);
/* `line` has room for the longest that was added. */
struct log_queue_next log_queue_take(struct log_queue *, char *line);

#endif
