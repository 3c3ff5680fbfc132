/* SPDX-License-Identifier: MIT
 *
 * An access log of JSON objects, one a line.  Guide: sluice-log_json(7).
 */
#include <inttypes.h>
#include <stdio.h>

#include "accesslog.h"
#include "date.h"
#include "fields.h"

struct conf {
  struct journal_conf journal;
  const char *const *fields;
};

static const struct sluice_option options[] = {
    JOURNAL_OPTIONS(conf),
    {"fields", SLUICE_LIST,
     "[time, id, client, identity, method, path, query, protocol, operation, "
     "key, status, code, ended_by, bytes_in, bytes_out, duration_us, "
     "referer, user_agent]",
     offsetof(struct conf, fields), "what a record says, in this order"},
    {0}};

static void log_json_note(struct line *line, uint64_t dropped) {
  struct line_clock clock = {0};
  char text[64];
  snprintf(text, sizeof text, "%" PRIu64 " lines were dropped", dropped);
  line_text(line, "{\"time\":\"");
  line_iso(line, &clock, date_now_ms());
  line_text(line, "\",\"notice\":");
  line_json(line, text, sizeof text);
  line_text(line, ",\"dropped\":");
  line_number(line, dropped);
  line_text(line, "}");
}

static void write_fields(const void *fields, struct line *line,
                         struct line_clock *clock, int64_t now_ms,
                         const struct sluice_request *request,
                         const struct sluice_record *record) {
  fields_write(fields, line, clock, now_ms, request, record);
}

static void free_fields(void *fields) {
  fields_free(fields);
}

static const struct accesslog_format format = {
    .note = log_json_note, .write = write_fields, .free = free_fields};

static void *log_json_start(const void *arg, struct sluice_host *host) {
  const struct conf *conf = arg;
  struct errmsg err;
  struct fields *fields = fields_new(conf->fields, &err);
  if (fields != NULL)
    return accesslog_start(&conf->journal, host, &format, fields);
  sluice_fail(host, "%s", err.text);
  return NULL;
}

static const struct sluice_hook hook = {
    SLUICE_HEAD(sluice_hook),
    .name = "log_json",
    .version = SLUICE_VERSION,
    .summary = "logs each request as a JSON object",
    .options = options,
    .conf_size = sizeof(struct conf),
    .start = log_json_start,
    .stop = accesslog_stop,
    .open = accesslog_open,
    .close = accesslog_close,
    .on_log = accesslog_on_log,
    .reload = accesslog_reload,
};

SLUICE_REACH({"path", SLUICE_REACH_WRITE, NULL})
SLUICE_HOOK(log_json, hook)
