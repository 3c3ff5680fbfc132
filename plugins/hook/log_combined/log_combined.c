/* SPDX-License-Identifier: MIT
 *
 * An access log as Apache writes it.  Guide: sluice-log_combined(7).
 */
#include "accesslog.h"
#include "combined.h"
#include "date.h"

struct conf {
  struct journal_conf journal;
};

static const struct sluice_option options[] = {JOURNAL_OPTIONS(conf), {0}};

/* Readers of such logs pass over lines that begin with #. */
static void log_combined_note(struct line *line, uint64_t dropped) {
  struct line_clock clock = {0};
  line_text(line, "# [");
  line_clf(line, &clock, date_now_ms());
  line_text(line, "] ");
  line_number(line, dropped);
  line_text(line, " lines were dropped");
}

static void write_combined(const void *arg, struct line *line,
                           struct line_clock *clock, int64_t now_ms,
                           const struct sluice_request *request,
                           const struct sluice_record *record) {
  (void)arg;
  combined_write(line, clock, now_ms, request, record);
}

static const struct accesslog_format format = {.note = log_combined_note,
                                               .write = write_combined};

static void *log_combined_start(const void *arg, struct sluice_host *host) {
  const struct conf *conf = arg;
  return accesslog_start(&conf->journal, host, &format, NULL);
}

static const struct sluice_hook hook = {
    SLUICE_HEAD(sluice_hook),
    .name = "log_combined",
    .version = SLUICE_VERSION,
    .summary = "logs each request in Apache's combined format",
    .options = options,
    .conf_size = sizeof(struct conf),
    .start = log_combined_start,
    .stop = accesslog_stop,
    .open = accesslog_open,
    .close = accesslog_close,
    .on_log = accesslog_on_log,
    .reload = accesslog_reload,
};

SLUICE_REACH({"path", SLUICE_REACH_WRITE, NULL})
SLUICE_HOOK(log_combined, hook)
