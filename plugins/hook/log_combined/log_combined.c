/* SPDX-License-Identifier: MIT
 *
 * An access log as Apache writes it.  Guide: sluice-log_combined(7).
 */
#include <stdlib.h>

#include "combined.h"
#include "date.h"
#include "journal.h"

struct conf {
  struct journal_conf journal;
};

struct handle {
  struct journal_loop *journal;
  struct line_clock clock;
};

static const struct sluice_option options[] = {JOURNAL_OPTIONS(conf), {0}};

/* What reads such logs passes over lines that begin with #. */
static void note(struct line *line, uint64_t dropped) {
  struct line_clock clock = {0};
  line_text(line, "# [");
  line_clf(line, &clock, date_now_ms());
  line_text(line, "] ");
  line_number(line, dropped);
  line_text(line, " lines were dropped");
}

static void *start(const void *arg, struct sluice_host *host) {
  const struct conf *conf = arg;
  return journal_start(&conf->journal, host, note);
}

static void stop(void *journal) {
  journal_stop(journal);
}

static void *open_handle(void *journal, struct sluice_host *host) {
  struct handle *handle = calloc(1, sizeof *handle);
  if (handle == NULL) {
    sluice_fail(host, "there is no memory; lower limits.memory");
    return NULL;
  }
  handle->journal = journal_open(journal, host);
  if (handle->journal != NULL)
    return handle;
  free(handle);
  return NULL;
}

static void close_handle(void *arg) {
  struct handle *handle = arg;
  journal_close(handle->journal);
  free(handle);
}

static void on_log(void *arg, struct sluice_request *request,
                   const struct sluice_record *record) {
  struct handle *handle = arg;
  struct line *line = journal_line(handle->journal);
  if (line == NULL)
    return;
  combined_write(line, &handle->clock, date_now_ms(), request, record);
  journal_add(handle->journal);
}

static void reload(void *arg) {
  struct handle *handle = arg;
  journal_reload(handle->journal);
}

static const struct sluice_hook hook = {
    SLUICE_HEAD(sluice_hook),
    .name = "log_combined",
    .version = SLUICE_VERSION,
    .summary = "logs each request in Apache's combined format",
    .options = options,
    .conf_size = sizeof(struct conf),
    .start = start,
    .stop = stop,
    .open = open_handle,
    .close = close_handle,
    .on_log = on_log,
    .reload = reload,
};

SLUICE_HOOK(log_combined, hook)
