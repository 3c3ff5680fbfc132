/* SPDX-License-Identifier: MIT
 *
 * The fields of a JSON record.
 */
#include "fields.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "words.h"

#define LEAD_MAX 20 /* ,"duration_us": */

struct source {
  const struct sluice_request *request;
  const struct sluice_record *record;
  struct line_clock *clock;
  int64_t now_ms;
};

typedef void put_field(struct line *, const struct source *);

static void put_time(struct line *line, const struct source *from) {
  line_text(line, "\"");
  line_iso(line, from->clock, from->now_ms);
  line_text(line, "\"");
}

static void put_id(struct line *line, const struct source *from) {
  line_json(line, sluice_request_id(from->request), LINE_SHORT_MAX);
}

static void put_client(struct line *line, const struct source *from) {
  line_json(line, sluice_request_client(from->request), LINE_SHORT_MAX);
}

static void put_peer(struct line *line, const struct source *from) {
  line_json(line, sluice_request_peer(from->request), LINE_SHORT_MAX);
}

static void put_identity(struct line *line, const struct source *from) {
  line_json(line, sluice_request_identity(from->request), LINE_SHORT_MAX);
}

/* Of a head that was refused nothing is known. */
static const char *known(const char *text) {
  return text == NULL || *text == '\0' ? NULL : text;
}

static void put_subject(struct line *line, const struct source *from) {
  line_json(line, sluice_request_subject(from->request), LINE_VALUE_MAX);
}

static void put_method(struct line *line, const struct source *from) {
  line_json(line, known(sluice_request_method(from->request)), LINE_SHORT_MAX);
}

static void put_path(struct line *line, const struct source *from) {
  line_json(line, known(sluice_request_path(from->request)), LINE_VALUE_MAX);
}

static void put_query(struct line *line, const struct source *from) {
  char id[ACCESS_ID_SIZE];
  line_json(line, access_query(from->request, id), LINE_VALUE_MAX);
}

static void put_protocol(struct line *line, const struct source *from) {
  line_json(line, sluice_request_protocol(from->request), LINE_SHORT_MAX);
}

static void put_host(struct line *line, const struct source *from) {
  line_json(line, sluice_request_header(from->request, "Host"),
            LINE_SHORT_MAX);
}

static void put_operation(struct line *line, const struct source *from) {
  line_json(line, sluice_request_operation(from->request), LINE_SHORT_MAX);
}

static void put_key(struct line *line, const struct source *from) {
  line_json(line, sluice_request_key(from->request), LINE_VALUE_MAX);
}

static void put_status(struct line *line, const struct source *from) {
  line_number(line, (uint64_t)from->record->status);
}

static void put_code(struct line *line, const struct source *from) {
  line_json(line, from->record->code, LINE_SHORT_MAX);
}

static void put_ended_by(struct line *line, const struct source *from) {
  line_json(line, from->record->ended_by, LINE_SHORT_MAX);
}

static void put_bytes_in(struct line *line, const struct source *from) {
  line_number(line, from->record->bytes_in);
}

static void put_bytes_out(struct line *line, const struct source *from) {
  line_number(line, from->record->bytes_out);
}

static void put_duration(struct line *line, const struct source *from) {
  line_number(line, from->record->usec);
}

static void put_client_us(struct line *line, const struct source *from) {
  line_number(line, from->record->client_us);
}

static void put_hooks_us(struct line *line, const struct source *from) {
  line_number(line, from->record->hooks_us);
}

static void put_backend_us(struct line *line, const struct source *from) {
  line_number(line, from->record->backend_us);
}

/* Nothing of it is known where a request was refused to be asked anew. */
static const struct sluice_effort *effort_of(const struct source *from) {
  static const struct sluice_effort none = {.size = sizeof none};
  const struct sluice_effort *effort = sluice_request_effort(from->request);
  return effort == NULL ? &none : effort;
}

static void put_hash_us(struct line *line, const struct source *from) {
  line_number(line, effort_of(from)->hash_us);
}

static void put_attempts(struct line *line, const struct source *from) {
  line_number(line, effort_of(from)->attempts);
}

static void put_refused_by(struct line *line, const struct source *from) {
  line_json(line, effort_of(from)->refused_by, LINE_SHORT_MAX);
}

static void put_trace_id(struct line *line, const struct source *from) {
  char id[ACCESS_TRACE_SIZE];
  line_json(line, access_trace(from->request, id), LINE_SHORT_MAX);
}

static void put_span_id(struct line *line, const struct source *from) {
  char id[ACCESS_SPAN_SIZE];
  line_json(line, access_span(from->request, id), LINE_SHORT_MAX);
}

static void put_referer(struct line *line, const struct source *from) {
  char text[LINE_VALUE_MAX + 1];
  line_json(line, access_referer(from->request, text, sizeof text),
            LINE_VALUE_MAX);
}

static void put_agent(struct line *line, const struct source *from) {
  line_json(line, sluice_request_header(from->request, "User-Agent"),
            LINE_VALUE_MAX);
}

static const struct {
  const char *name;
  put_field *put;
} known_fields[] = {{"time", put_time},
                    {"id", put_id},
                    {"client", put_client},
                    {"peer", put_peer},
                    {"identity", put_identity},
                    {"subject", put_subject},
                    {"method", put_method},
                    {"path", put_path},
                    {"query", put_query},
                    {"protocol", put_protocol},
                    {"host", put_host},
                    {"operation", put_operation},
                    {"key", put_key},
                    {"status", put_status},
                    {"code", put_code},
                    {"ended_by", put_ended_by},
                    {"bytes_in", put_bytes_in},
                    {"bytes_out", put_bytes_out},
                    {"duration_us", put_duration},
                    {"client_us", put_client_us},
                    {"hooks_us", put_hooks_us},
                    {"backend_us", put_backend_us},
                    {"hash_us", put_hash_us},
                    {"attempts", put_attempts},
                    {"refused_by", put_refused_by},
                    {"trace_id", put_trace_id},
                    {"span_id", put_span_id},
                    {"referer", put_referer},
                    {"user_agent", put_agent}};

#define FIELDS (sizeof known_fields / sizeof *known_fields)

struct fields {
  size_t count;
  struct {
    char lead[LEAD_MAX]; /* {"time": or ,"id": */
    size_t lead_len;
    put_field *put;
  } list[FIELDS];
};

static bool fields_unknown(const char *name, struct errmsg *err) {
  const char *words[FIELDS + 1] = {NULL};
  char list[512];
  for (size_t i = 0; i < FIELDS; i++)
    words[i] = known_fields[i].name;
  const char *nearest = words_nearest(name, words);
  if (nearest != NULL)
    return errmsg_set(err, "fields: '%.64s' is not known; did you mean '%s'?",
                      name, nearest);
  words_join(list, sizeof list, words);
  return errmsg_set(err, "fields: '%.64s' is not known; known: %s", name,
                    list);
}

static bool fields_add(struct fields *fields, const char *name,
                       struct errmsg *err) {
  size_t i = 0;
  while (i < FIELDS && strcmp(known_fields[i].name, name) != 0)
    i++;
  if (i == FIELDS)
    return fields_unknown(name, err);
  for (size_t j = 0; j < fields->count; j++)
    if (fields->list[j].put == known_fields[i].put)
      return errmsg_set(err, "fields: '%s' is here twice; remove one", name);
  int len = snprintf(fields->list[fields->count].lead, LEAD_MAX,
                     "%c\"%s\":", fields->count == 0 ? '{' : ',', name);
  fields->list[fields->count].lead_len = (size_t)len;
  fields->list[fields->count++].put = known_fields[i].put;
  return true;
}

struct fields *fields_new(const char *const *names, struct errmsg *err) {
  struct fields *fields = calloc(1, sizeof *fields);
  bool ok = fields != NULL;
  if (!ok)
    errmsg_set(err, "there is no memory; lower limits.memory");
  if (ok && names[0] == NULL)
    ok = errmsg_set(err, "fields is empty; write some, or drop the line");
  for (; ok && *names != NULL; names++)
    ok = fields_add(fields, *names, err);
  if (ok)
    return fields;
  free(fields);
  return NULL;
}

void fields_free(struct fields *fields) {
  free(fields);
}

void fields_write(const struct fields *fields, struct line *line,
                  struct line_clock *clock, int64_t now_ms,
                  const struct sluice_request *request,
                  const struct sluice_record *record) {
  const struct source from = {request, record, clock, now_ms};
  for (size_t i = 0; i < fields->count; i++) {
    line_bytes(line, fields->list[i].lead, fields->list[i].lead_len);
    fields->list[i].put(line, &from);
  }
  line_text(line, "}");
}
