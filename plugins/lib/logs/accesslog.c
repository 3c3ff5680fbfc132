/* SPDX-License-Identifier: MIT
 *
 * A hook that logs each request: a journal for all loops, and on each loop the
 * clock's text, which changes once a second.
 */
#include "accesslog.h"

#include <stdlib.h>

#include "date.h"

struct accesslog {
  struct journal *journal;
  const struct accesslog_format *format;
  void *arg;
};

struct handle {
  const struct accesslog *log;
  struct journal_loop *journal;
  struct line_clock clock;
};

static void accesslog_free(struct accesslog *log) {
  if (log->format->free != NULL)
    log->format->free(log->arg);
  free(log);
}

struct accesslog *accesslog_start(const struct journal_conf *conf,
                                  struct sluice_host *host,
                                  const struct accesslog_format *format,
                                  void *arg) {
  struct accesslog *log = calloc(1, sizeof *log);
  if (log == NULL) {
    sluice_fail(host, "there is no memory; lower limits.memory");
    if (format->free != NULL)
      format->free(arg);
    return NULL;
  }
  *log = (struct accesslog){.format = format, .arg = arg};
  log->journal = journal_start(conf, host, format->note);
  if (log->journal != NULL)
    return log;
  accesslog_free(log);
  return NULL;
}

void accesslog_stop(void *arg) {
  struct accesslog *log = arg;
  journal_stop(log->journal);
  accesslog_free(log);
}

void *accesslog_open(void *log, struct sluice_host *host) {
  struct handle *handle = calloc(1, sizeof *handle);
  if (handle == NULL) {
    sluice_fail(host, "there is no memory; lower limits.memory");
    return NULL;
  }
  handle->log = log;
  handle->journal = journal_open(handle->log->journal, host);
  if (handle->journal != NULL)
    return handle;
  free(handle);
  return NULL;
}

void accesslog_close(void *arg) {
  struct handle *handle = arg;
  journal_close(handle->journal);
  free(handle);
}

void accesslog_on_log(void *arg, struct sluice_request *request,
                      const struct sluice_record *record) {
  struct handle *handle = arg;
  const struct accesslog *log = handle->log;
  struct line *line = journal_line(handle->journal);
  if (line == NULL)
    return;
  log->format->write(log->arg, line, &handle->clock, date_now_ms(), request,
                     record);
  journal_add(handle->journal);
}

void accesslog_reload(void *arg) {
  struct handle *handle = arg;
  journal_reload(handle->journal);
}
