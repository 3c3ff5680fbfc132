/* SPDX-License-Identifier: MIT
 *
 * A hook that logs each request as one line of a format.  Its functions are
 * those of a struct sluice_hook, for every such hook alike.
 */
#ifndef LOGS_ACCESSLOG_H
#define LOGS_ACCESSLOG_H

#include "journal.h"

struct accesslog_format {
  journal_note *note; /* how many lines were dropped */
  /* One line without its newline, at most LINE_BYTES_MAX - 1 bytes. */
  void (*write)(const void *arg, struct line *, struct line_clock *,
                int64_t now_ms, const struct sluice_request *,
                const struct sluice_record *);
  void (*free)(void *arg); /* NULL: there is nothing to free */
};

struct accesslog; /* the instance */

/* Lent: the conf and the format.  `arg` is the format's, and is taken in any
 * case.  NULL after sluice_fail(). */
struct accesslog *accesslog_start(const struct journal_conf *,
                                  struct sluice_host *,
                                  const struct accesslog_format *, void *arg);
void accesslog_stop(void *log);
void *accesslog_open(void *log, struct sluice_host *);
void accesslog_close(void *handle);
void accesslog_on_log(void *handle, struct sluice_request *,
                      const struct sluice_record *);
void accesslog_reload(void *handle);

#endif
