/* SPDX-License-Identifier: MIT
 *
 * The last line of a process that is about to die: built and written with
 * nothing but what a signal handler may call, and never waited for.  Its
 * callers are must() and the handler of crashes.
 */
#ifndef BASE_URGENT_H
#define BASE_URGENT_H

#include <stddef.h>
#include <stdint.h>

#define URGENT_MAX 512

struct urgent { /* zeroed: empty; what is too long is cut */
  char text[URGENT_MAX];
  size_t len;
};

/* Control characters become question marks.  NULL: nothing. */
void urgent_text(struct urgent *, const char *text);
void urgent_number(struct urgent *, uint64_t);
void urgent_hex(struct urgent *, uint64_t);
/* The time as the log writes it. */
void urgent_stamp(struct urgent *);
/* Ends the line and writes it to standard error, if that takes it at once. */
void urgent_write(struct urgent *);

#endif
