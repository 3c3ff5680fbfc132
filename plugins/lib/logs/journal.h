/* SPDX-License-Identifier: MIT
 *
 * The way of lines from the loops to a log, which never holds a loop up: each
 * loop builds its lines in a block of its own; full blocks, and after a short
 * while others, are written by a lane.  What the log doesn't take waits, up to
 * a limit, and is dropped and counted beyond.
 */
#ifndef LOGS_JOURNAL_H
#define LOGS_JOURNAL_H

#include <sluice/plugin.h>

#include "line.h"
#include "sink.h"

#define JOURNAL_BUFFER_MIN (256u << 10) /* bytes that lines may wait in */
#define JOURNAL_BUFFER_MAX (1u << 30)
#define JOURNAL_DELAY_MAX 10000 /* milliseconds */

struct journal_conf { /* lent as long as the journal */
  struct sink_conf sink;
  uint64_t buffer;
  int64_t delay_ms;
};

/* The options of every access log; `type` has a member `journal`. */
#define JOURNAL_OPTIONS(type)                                                \
  {"path", SLUICE_STRING, "-", offsetof(struct type, journal.sink.path),     \
   "file; -: standard output; syslog: or syslog:/socket"},                   \
      {"facility", SLUICE_STRING, "daemon",                                  \
       offsetof(struct type, journal.sink.facility), "of syslog"},           \
      {"tag", SLUICE_STRING, "sluice",                                       \
       offsetof(struct type, journal.sink.tag), "of syslog: the program"},   \
      {"buffer", SLUICE_SIZE, "4MiB", offsetof(struct type, journal.buffer), \
       "memory for lines that wait to be written"},                          \
  {                                                                          \
    "delay", SLUICE_TIME, "100ms", offsetof(struct type, journal.delay_ms),  \
        "how long a line may wait for others"                                \
  }

struct journal;      /* of a configured hook */
struct journal_loop; /* of one of its handles */

/* Writes the line that says how many were dropped; at most LINE_SHORT_MAX
 * bytes. */
typedef void journal_note(struct line *, uint64_t dropped);

/* NULL after sluice_fail(). */
struct journal *journal_start(const struct journal_conf *,
                              struct sluice_host *, journal_note *);
/* Writes what is left, for a few seconds at most. */
void journal_stop(struct journal *);
struct journal_loop *journal_open(struct journal *, struct sluice_host *);
void journal_close(struct journal_loop *);

/* Room for LINE_BYTES_MAX bytes less a newline; NULL: the line is dropped. */
struct line *journal_line(struct journal_loop *);
void journal_add(struct journal_loop *); /* the line is complete */
/* Lines that were added so far may still go to the old file, later ones
 * don't. */
void journal_reload(struct journal_loop *);

#endif
