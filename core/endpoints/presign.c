/* SPDX-License-Identifier: MIT
 *
 * Links: POST /files/presign, and the one that an upload's answer carries.
 */
#include "presign.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "date.h"
#include "endpoints.h"
#include "filetype.h"
#include "jsonbody.h"
#include "key.h"
#include "mime.h"
#include "ownurl.h"
#include "quantity.h"
#include "reply.h"

#define URL_BASE_MAX 2048

const char *presign_filename(const struct sluice_meta *meta) {
  const struct sluice_pair *pair = meta->user;
  for (; pair != NULL && pair->name != NULL; pair++)
    if (strcmp(pair->name, "original-filename") == 0)
      return pair->value == NULL || *pair->value == '\0' ? NULL : pair->value;
  return NULL;
}

void presign_link(struct exchange *ex, const char *key, const char *filename,
                  uint32_t seconds, const struct op_events *events) {
  struct buf url, disposition;
  buf_init(&url, URL_BASE_MAX);
  buf_init(&disposition, 4 * KEY_MAX);
  const char *path = ex->route->signed_path;
  ownurl_add(ex, &url, path == NULL ? "" : path);
  /* The gateway itself finds the name when it serves the link. */
  bool named = filename != NULL &&
               exchange_backend(ex)->plugin->verify == NULL &&
               mime_disposition(&disposition, false, filename);
  struct sluice_link link = {.key = key,
                             .method = "GET",
                             .expires_s = date_now_ms() / 1000 + seconds,
                             .seconds = seconds,
                             .disposition = named ? disposition.data : NULL,
                             .signed_url = url.data};
  exchange_watch(ex);
  ex->op = op_presign(exchange_backend(ex), &link, events, ex);
  buf_fini(&url);
  buf_fini(&disposition);
}

uint32_t presign_seconds(const struct sluice_op *op, uint32_t wanted) {
  const char *text = op_text(op, 1);
  int64_t seconds;
  if (text == NULL || !quantity_int(text, &seconds) || seconds < 0 ||
      seconds > wanted)
    return wanted;
  return (uint32_t)seconds;
}

struct presign {
  char *type, *filename;
  uint64_t length;
  uint32_t seconds;
};

static void presign_free(void *work) {
  struct presign *presign = work;
  free(presign->type);
  free(presign->filename);
  free(presign);
}

static void on_signed(void *arg, enum sluice_status status, const char *why) {
  struct exchange *ex = arg;
  const struct presign *presign = ex->work;
  const char *url = op_text(ex->op, 0);
  json_t *answer = NULL;
  if (status == SLUICE_OK && url != NULL)
    answer = json_pack(
        "{s:s, s:s, s:I, s:s, s:I}", "key", ex->key, "url", url, "expires_in",
        (json_int_t)presign_seconds(ex->op, presign->seconds), "content_type",
        presign->type, "size_bytes", (json_int_t)presign->length);
  ex->op = NULL;
  if (status == SLUICE_OK && answer == NULL)
    op_breach(exchange_backend(ex), "sluice_done", "before sluice_text()");
  if (answer == NULL)
    reply_failure(ex, status == SLUICE_OK ? SLUICE_EUPSTREAM : status, why);
  else
    reply_json(ex, 200, answer);
}

static void on_meta(void *arg, const struct sluice_meta *meta) {
  struct exchange *ex = arg;
  struct presign *presign = ex->work;
  presign->length = meta->length;
  presign->type = strdup(meta->type != NULL ? meta->type : FILETYPE_UNKNOWN);
  const char *filename = presign_filename(meta);
  presign->filename = filename == NULL ? NULL : strdup(filename);
  assert(presign->type != NULL);
}

static void on_head(void *arg, enum sluice_status status, const char *why) {
  static const struct op_events events = {.alive = exchange_alive,
                                          .done = on_signed};
  struct exchange *ex = arg;
  const struct presign *presign = ex->work;
  ex->op = NULL;
  if (status == SLUICE_OK && presign->type == NULL)
    op_breach(exchange_backend(ex), "sluice_done", "before sluice_meta()");
  if (status != SLUICE_OK || presign->type == NULL)
    reply_failure(ex, status == SLUICE_OK ? SLUICE_EUPSTREAM : status, why);
  else
    presign_link(ex, ex->key, presign->filename, presign->seconds, &events);
}

static void on_key(struct exchange *ex) {
  static const struct op_events events = {
      .meta = on_meta, .alive = exchange_alive, .done = on_head};
  exchange_watch(ex);
  ex->op = op_head(exchange_backend(ex), ex->key, &events, ex);
}

/* False: no whole number. */
static bool read_seconds(const struct exchange *ex, const json_t *document,
                         uint32_t *seconds) {
  const struct settings_presign *limits = &ex->gate->settings->presign;
  const json_t *value = json_object_get(document, "expires");
  json_int_t wanted = limits->default_ms / 1000;
  if (value != NULL && !json_is_integer(value))
    return false;
  if (value != NULL)
    wanted = json_integer_value(value);
  if (wanted > limits->max_ms / 1000)
    wanted = limits->max_ms / 1000;
  if (wanted < limits->min_ms / 1000)
    wanted = limits->min_ms / 1000;
  *seconds = (uint32_t)wanted;
  return true;
}

static void on_json(struct exchange *ex, json_t *document) {
  uint32_t seconds;
  const char *key = jsonbody_key(ex, document, key_found_fault);
  if (key == NULL)
    return;
  if (!read_seconds(ex, document, &seconds)) {
    reply_error(ex, 400, "bad_expires",
                "'expires' isn't a whole number of seconds");
    return;
  }
  struct presign *presign = calloc(1, sizeof *presign);
  assert(presign != NULL);
  presign->seconds = seconds;
  ex->work = presign;
  ex->work_free = presign_free;
  exchange_check_key(ex, key, on_key);
}

static void presign_start(struct exchange *ex) {
  jsonbody_read(ex, on_json);
}

const struct endpoint presign_endpoint = {.operation = OPERATION_PRESIGN,
                                          .method = "POST",
                                          .tail = "/presign",
                                          .cost = EXCHANGE_COST,
                                          .gives_links = true,
                                          .start = presign_start};
