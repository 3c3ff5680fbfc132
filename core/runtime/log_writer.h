/* SPDX-License-Identifier: MIT
 *
 * The way of whole lines to standard error, for log.c.
 */
#ifndef RUNTIME_LOG_WRITER_H
#define RUNTIME_LOG_WRITER_H

#include <stddef.h>

/* Any thread.  A line of 1 to LOG_LINE_MAX bytes, with its newline. */
void log_put(const char *line, size_t len);
/* The line's time and what follows it, before a message; its length. */
size_t log_head(char *out, size_t size, const char *level, const char *who);

#endif
