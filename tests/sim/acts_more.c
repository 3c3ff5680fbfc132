/* SPDX-License-Identifier: MIT
 *
 * Uploads by form, lists, and uploads in several requests.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acts.h"
#include "chance.h"
#include "schedule.h"

#define FORM_MAX (1u << 20)
#define STAGE_TRIES 30

static json_t *read_json(const struct answer *answer) {
  json_t *json = json_loadb(answer->body, answer->len, 0, NULL);
  if (json == NULL)
    trace_found("%d isn't JSON: %.*s", answer->status, (int)answer->len,
                answer->body);
  return json;
}

/* ---- forms -------------------------------------------------------------- */

/* A key that nobody had is said, and the object is there from then on. */
static void note_upload(const struct answer *answer, unsigned value) {
  json_t *json = read_json(answer);
  const char *key = json_string_value(json_object_get(json, "key"));
  const char *md5 = json_string_value(json_object_get(json, "md5"));
  json_int_t size = json_integer_value(json_object_get(json, "size_bytes"));
  if (key == NULL || (size_t)size != value_len(value) ||
      (md5 != NULL && strcmp(md5, value_etag(value)) != 0))
    trace_found("an upload is told as another one: %.*s", (int)answer->len,
                answer->body);
  struct record *record = history_record(key);
  if (!history_could(record, HISTORY_GONE, history_clock(), NULL))
    trace_found("%s is handed out twice", key);
  history_done(history_write(record, value));
  json_decref(json);
}

void act_form(struct actor *actor) {
  static const char first[] = "--b\r\nContent-Disposition: form-data; "
                              "name=\"file\"; filename=\"f\"\r\n\r\n",
                    last[] = "\r\n--b\r\nContent-Disposition: form-data; "
                             "name=\"prefix\"\r\n\r\ns/up\r\n--b--\r\n";
  struct request request = {.method = "POST",
                            .target = "/files",
                            .fields = "Content-Type: multipart/form-data; "
                                      "boundary=b\r\n"};
  struct answer answer;
  struct buf form;
  unsigned value = value_new();
  char *bytes = act_bytes(value);
  buf_init(&form, FORM_MAX);
  buf_adds(&form, first);
  buf_add(&form, bytes, value_len(value));
  buf_adds(&form, last);
  free(bytes);
  request.body = form.data;
  request.len = form.len;
  request.chunked = chance_percent(30);
  act_ask(actor, &request, &answer);
  buf_fini(&form);
  if (answer.status == 201)
    note_upload(&answer, value);
}

/* ---- lists -------------------------------------------------------------- */

static const json_t *find(const json_t *objects, const char *key) {
  size_t i;
  json_t *object;
  json_array_foreach(objects, i, object) {
    const char *is = json_string_value(json_object_get(object, "key"));
    if (is != NULL && strcmp(is, key) == 0)
      return object;
  }
  return NULL;
}

static void judge_entry(struct record *record, const json_t *object,
                        uint64_t since) {
  const char *etag = json_string_value(json_object_get(object, "etag"));
  unsigned value =
      object == NULL ? HISTORY_GONE : value_of_etag(etag, strlen(etag));
  if (object != NULL && value == 0)
    trace_found("%s: a list has nobody's ETag", history_key(record));
  if (object != NULL &&
      json_integer_value(json_object_get(object, "size_bytes")) !=
          (json_int_t)value_len(value))
    trace_found("%s: a list has another size", history_key(record));
  history_saw(record, value, since);
}

/* All keys are on one page. */
void act_list(struct actor *actor) {
  struct request request = {.method = "GET",
                            .target = "/files?prefix=s/&limit=1000"};
  struct answer answer;
  size_t known = history_count();
  uint64_t since = history_clock();
  act_ask(actor, &request, &answer);
  if (answer.status != 200)
    return;
  json_t *json = read_json(&answer);
  const json_t *objects = json_object_get(json, "objects");
  for (size_t i = 0; i < known; i++) {
    struct record *record = history_at(i);
    judge_entry(record, find(objects, history_key(record)), since);
  }
  json_decref(json);
}

/* ---- uploads in several requests ---------------------------------------- */

struct stage {
  struct actor *actor;
  unsigned value;
  char *bytes;
  char target[512];
  size_t told; /* offset: so many bytes are durable */
  size_t sent; /* so many went out at most */
};

static void aim_at(struct request *request, const struct stage *stage) {
  memcpy(request->target, stage->target, sizeof stage->target);
}

static bool take_target(struct stage *stage, const struct answer *answer) {
  const char *at;
  size_t len = client_field(answer, "Location", &at);
  const char *path = len > 0 ? memmem(at, len, "/files/", 7) : NULL;
  if (path == NULL || len >= sizeof stage->target)
    return false;
  len -= (size_t)(path - at);
  memcpy(stage->target, path, len);
  stage->target[len] = '\0';
  return true;
}

static void note_offset(struct stage *stage, const struct answer *answer) {
  const char *at;
  if (client_field(answer, "Upload-Offset", &at) == 0)
    return;
  size_t offset = strtoul(at, NULL, 10);
  if (offset < stage->told || offset > stage->sent)
    trace_found("an upload is at %zu: %zu was told, %zu went out", offset,
                stage->told, stage->sent);
  stage->told = offset;
}

static void ask_offset(struct stage *stage) {
  struct request request = {.method = "HEAD"};
  struct answer answer;
  aim_at(&request, stage);
  act_ask(stage->actor, &request, &answer);
  if (answer.status / 100 == 2)
    note_offset(stage, &answer);
  else if (answer.status == 404)
    trace_found("an upload at %zu isn't there any more", stage->told);
}

/* True: it is over, or nobody knows. */
static bool send_part(struct stage *stage) {
  struct request request = {.method = "PATCH"};
  struct answer answer;
  size_t left = value_len(stage->value) - stage->told;
  size_t len = chance_percent(50) ? left : chance_below(left + 1);
  bool complete = len == left;
  aim_at(&request, stage);
  snprintf(request.fields, sizeof request.fields,
           "Content-Type: application/partial-upload\r\n"
           "Upload-Offset: %zu\r\nUpload-Complete: ?%d\r\n",
           stage->told, complete);
  request.body = stage->bytes + stage->told;
  request.len = len;
  if (stage->told + len > stage->sent)
    stage->sent = stage->told + len;
  act_ask(stage->actor, &request, &answer);
  if (complete && answer.status / 100 == 2) {
    note_upload(&answer, stage->value);
    return true;
  }
  if (complete && answer.sent)
    return true;
  if (answer.status / 100 == 2)
    note_offset(stage, &answer);
  else
    ask_offset(stage);
  return false;
}

void act_stage(struct actor *actor) {
  struct request request = {
      .method = "POST",
      .target = "/files/uploads?filename=f&prefix=s/up",
      .fields = "Upload-Complete: ?0\r\nUpload-Draft-Interop-Version: 8\r\n",
      .body = ""};
  struct answer answer;
  act_ask(actor, &request, &answer);
  if (answer.status / 100 != 2)
    return;
  struct stage stage = {.actor = actor, .value = value_new()};
  if (!take_target(&stage, &answer))
    trace_found("an upload without an address");
  stage.bytes = act_bytes(stage.value);
  for (int i = 0; i < STAGE_TRIES && !send_part(&stage); i++)
    ;
  free(stage.bytes);
}
