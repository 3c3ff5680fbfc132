/* SPDX-License-Identifier: MIT
 *
 * The gateway's own log: one line a call, to stderr.  Control characters in it
 * are replaced, so that nothing a client sent can forge a line.
 */
#ifndef RUNTIME_LOG_H
#define RUNTIME_LOG_H

#include <sluice/plugin.h>
#include <stdarg.h>

#include "printflike.h"

#define LOG_LINE_MAX 2048

void log_set_level(enum sluice_level); /* before threads are started */
/* Any thread.  `who`: a plugin's name or NULL. */
void log_line(enum sluice_level, const char *who, const char *fmt, ...)
    PRINTFLIKE(3, 4);
void log_vline(enum sluice_level, const char *who, const char *fmt, va_list)
    PRINTFLIKE(3, 0);

#endif
