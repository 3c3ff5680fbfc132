/* SPDX-License-Identifier: MIT
 *
 * Lines of the log that come with every request while something is broken: the
 * first of a kind is written at once, those of the second behind it are
 * counted, and the last of them is written with their number; and so on from
 * second to second.  So a dead disk is told of with its newest reason, and
 * doesn't fill the log.
 */
#ifndef RUNTIME_REPEAT_H
#define RUNTIME_REPEAT_H

#include <sluice/plugin.h>

#define REPEAT_MS 1000

struct loop;
struct repeat;

struct repeats { /* one loop's; zeroed: none */
  struct repeat *first;
};

/* On the loop's thread.  `kind` tells the lines apart that are counted
 * together; it stays valid as long as the loop, and `who`
 * until repeat_end(). */
void repeat_line(struct repeats *, struct loop *, enum sluice_level,
                 const char *who, const char *kind, const char *fmt, ...)
    SLUICE_PRINTF(6, 7);
/* Before the loop is freed, or who owns it has ended: writes what was counted
 * up to now. */
void repeat_end(struct repeats *);

#endif
