/* SPDX-License-Identifier: MIT
 *
 * An access log of JSON objects, one a line.  Guide: sluice-log_json(7).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "date.h"
#include "fields.h"
#include "journal.h"

struct conf {
  struct journal_conf journal;
  const char *const *fields;
};

struct instance {
  struct journal *journal;
  struct fields *fields;
};

struct handle {
  const struct instance *instance;
  struct journal_loop *journal;
  struct line_clock clock;
};

static const struct sluice_option options[] = {
    JOURNAL_OPTIONS(conf),
    {"fields", SLUICE_LIST,
     "[time, id, client, identity, method, path, query, protocol, operation, "
     "key, status, code, bytes_in, bytes_out, duration_us, referer, "
     "user_agent]",
     offsetof(struct conf, fields), "what a record says, in this order"},
    {0}};

static void note(struct line *line, uint64_t dropped) {
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

static void *start(const void *arg, struct sluice_host *host) {
  const struct conf *conf = arg;
  struct errmsg err;
  struct instance *instance = calloc(1, sizeof *instance);
  if (instance == NULL) {
    sluice_fail(host, "there is no memory; lower limits.memory");
    return NULL;
  }
  instance->fields = fields_new(conf->fields, &err);
  if (instance->fields == NULL)
    sluice_fail(host, "%s", err.text);
  else
    instance->journal = journal_start(&conf->journal, host, note);
  if (instance->journal != NULL)
    return instance;
  fields_free(instance->fields);
  free(instance);
  return NULL;
}

static void stop(void *arg) {
  struct instance *instance = arg;
  journal_stop(instance->journal);
  fields_free(instance->fields);
  free(instance);
}

static void *open_handle(void *arg, struct sluice_host *host) {
  struct instance *instance = arg;
  struct handle *handle = calloc(1, sizeof *handle);
  if (handle == NULL) {
    sluice_fail(host, "there is no memory; lower limits.memory");
    return NULL;
  }
  handle->instance = instance;
  handle->journal = journal_open(instance->journal, host);
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
  fields_write(handle->instance->fields, line, &handle->clock, date_now_ms(),
               request, record);
  journal_add(handle->journal);
}

static void reload(void *arg) {
  struct handle *handle = arg;
  journal_reload(handle->journal);
}

static const struct sluice_hook hook = {
    SLUICE_HEAD(sluice_hook),
    .name = "log_json",
    .version = SLUICE_VERSION,
    .summary = "logs each request as a JSON object",
    .options = options,
    .conf_size = sizeof(struct conf),
    .start = start,
    .stop = stop,
    .open = open_handle,
    .close = close_handle,
    .on_log = on_log,
    .reload = reload,
};

SLUICE_HOOK(log_json, hook)
