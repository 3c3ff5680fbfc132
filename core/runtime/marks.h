/* SPDX-License-Identifier: MIT
 *
 * Numbers by short names, that all loops of the process share: the
 * revocations of one storage, as somebody read them last, and those that were
 * made here since.  Its memory is taken from a budget.
 */
#ifndef RUNTIME_MARKS_H
#define RUNTIME_MARKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MARKS_NAME_LEN 16
#define MARKS_MAX 16384 /* names */

struct budget;
struct marks;

struct mark {
  unsigned char name[MARKS_NAME_LEN];
  uint64_t number;
};

struct marks *marks_new(struct budget *); /* NULL: no memory */
void marks_free(struct marks *);

/* All from any thread.  The number of a name; 0: it has none. */
uint64_t marks_find(struct marks *, const unsigned char name[MARKS_NAME_LEN]);
/* The greatest number that was ever seen. */
uint64_t marks_top(struct marks *);
size_t marks_count(struct marks *);
/* Of those whose names end so. */
size_t marks_count_ends(struct marks *, const void *end, size_t len);
/* Counts at least this number for the name; false: there is no memory, or
 * there are too many names. */
bool marks_raise(struct marks *, const struct mark *);

/* Somebody begins to read all of them at `now_ms`, by clock_ms(): hands the
 * result to marks_read(). */
uint64_t marks_begin(struct marks *);
/* Names that were read take the place of those known before that beginning;
 * the highest number of a name counts.  False: there is no memory. */
bool marks_read(struct marks *, const struct mark *, size_t count,
                uint64_t begun, uint64_t began_ms);
/* The time at which the last reading began that ended; 0: none yet. */
uint64_t marks_read_ms(struct marks *);
/* May the caller read them anew?  Once in so many milliseconds somebody may.
 */
bool marks_claim(struct marks *, uint64_t now_ms, uint64_t every_ms);

#endif
