/* SPDX-License-Identifier: MIT
 *
 * An event's JSON.  Members that aren't known are left out: a receiver never
 * sees null.
 */
#include "event_body.h"

#include <jansson.h>

#include "date.h"

static int add_text(const char *text, size_t len, void *out) {
  return buf_add(out, text, len) ? 0 : -1;
}

static bool set(json_t *object, const char *name, const char *value) {
  return value == NULL ||
         json_object_set_new(object, name, json_string(value)) == 0;
}

static bool set_upload(json_t *object, const struct event_words *words) {
  return json_object_set_new(object, "size_bytes",
                             json_integer((json_int_t)words->size)) == 0 &&
         set(object, "content_type", words->content_type) &&
         set(object, "md5", words->md5) &&
         set(object, "filename", words->filename) &&
         set(object, "uploaded_by", words->uploaded_by);
}

bool event_body(struct buf *out, const struct event_words *words) {
  char time[DATE_ISO_SIZE];
  json_t *object = json_object();
  date_iso(time, words->time_ms / 1000);
  bool made = object != NULL && set(object, "id", words->id) &&
              set(object, "type", words->type) && set(object, "time", time) &&
              set(object, "key", words->key) &&
              set(object, "backend", words->backend) &&
              (!words->uploaded || set_upload(object, words)) &&
              set(object, "identity", words->identity) &&
              set(object, "request_id", words->request_id) &&
              set(object, "traceparent", words->traceparent) &&
              set(object, "tracestate", words->tracestate) &&
              json_dump_callback(object, add_text, out, JSON_COMPACT) == 0;
  json_decref(object);
  return made && !out->overflown;
}

static void add_header(struct buf *out, const json_t *object,
                       const char *name) {
  const char *value = json_string_value(json_object_get(object, name));
  if (value != NULL)
    buf_addf(out, "%s: %s", name, value);
}

void event_body_trace(const char *body, size_t len, struct buf *parent,
                      struct buf *state) {
  json_t *object = json_loadb(body, len, 0, NULL);
  add_header(parent, object, "traceparent");
  add_header(state, object, "tracestate");
  json_decref(object);
}
