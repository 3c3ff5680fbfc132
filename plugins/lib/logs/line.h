/* SPDX-License-Identifier: MIT
 *
 * A line of a log, built in place: numbers, times and the strings of clients,
 * escaped so that a line is one line and stays what its format promises.
 */
#ifndef LOGS_LINE_H
#define LOGS_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINE_BYTES_MAX 8192 /* of a record, with its newline */
#define LINE_SHORT_MAX 640  /* of a value that has a small limit elsewhere */
#define LINE_VALUE_MAX 1024 /* of any other; both count escapes, not quotes \
                             */

struct line { /* what doesn't fit is left out */
  char *data;
  size_t len, room;
};

void line_text(struct line *, const char *text); /* as it is */
void line_bytes(struct line *, const char *data, size_t len);
void line_number(struct line *, uint64_t);

/* A JSON string, or null for NULL.  Valid UTF-8 whatever comes: controls and
 * line separators become \uXXXX, a byte that isn't UTF-8 the four characters
 * \xHH.  What would be longer than `max` bytes is cut between characters and
 * ends in U+2026. */
void line_json(struct line *, const char *value, size_t max);

/* The inside of a quoted string as Apache writes it: \" \\ and \xHH for all
 * that isn't printable ASCII; with `word` for spaces too.  What is longer than
 * `max` bytes is cut and ends in three dots. */
void line_escaped(struct line *, const char *value, bool word, size_t max);

/* The wall clock, in words. */
struct line_clock {
  int64_t second; /* what the texts say */
  char iso[20];   /* "2026-06-14T12:34:56" */
  char clf[27];   /* "14/Jun/2026:12:34:56 +0000" */
};
/* "2026-06-14T12:34:56.789Z" */
void line_iso(struct line *, struct line_clock *, int64_t now_ms);
/* "14/Jun/2026:12:34:56 +0000" */
void line_clf(struct line *, struct line_clock *, int64_t now_ms);

#endif
