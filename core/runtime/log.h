/* SPDX-License-Identifier: MIT
 *
 * The gateway's own log: one line a call, to stderr.  Control characters in it
 * are replaced, so that nothing a client sent can forge a line.
 *
 * Between log_start() and log_stop() nobody waits for standard error: lines
 * go through a queue to a thread of the log's own, and what that has no room
 * for is dropped and counted (docs/decisions/0020).  Before and after, a line
 * is written by its caller, who waits for a while at most.
 */
#ifndef RUNTIME_LOG_H
#define RUNTIME_LOG_H

#include <sluice/plugin.h>
#include <stdarg.h>

#include "printflike.h"

#define LOG_LINE_MAX 2048
#define LOG_QUEUE_SIZE (256u << 10) /* bytes of lines that wait */
#define LOG_PATIENCE_MS 3000        /* at the end, with a log that stands */

void log_set_level(enum sluice_level); /* from any thread */
/* "error", "warn", "info" or "debug"; else false, and nothing changes. */
bool log_set_level_word(const char *);
const char *log_level_word(void);
bool log_shows(enum sluice_level);
/* Any thread.  `who`: a plugin's name or NULL. */
void log_line(enum sluice_level, const char *who, const char *fmt, ...)
    PRINTFLIKE(3, 4);
void log_vline(enum sluice_level, const char *who, const char *fmt, va_list)
    PRINTFLIKE(3, 0);
/* The same without time and level: what a command says to its user. */
void log_plain(const char *fmt, ...) PRINTFLIKE(1, 2);

/* False: no thread, then nothing changes. */
bool log_start(void);
/* Writes what waits, as long as the log gets on; once, by the thread that
 * started it, and no other writes lines any more. */
void log_stop(void);
/* Waits until all is written, or for `ms` with a log that stands.  From any
 * thread, also in a signal handler: for who is about to end the process. */
void log_settle(int ms);

#endif
