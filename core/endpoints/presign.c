/* SPDX-License-Identifier: MIT
 *
 * Links: POST /files/presign, and the one that an upload's answer carries.
 */
#include "presign.h"

#include <stdlib.h>
#include <string.h>

#include "date.h"
#include "endpoints.h"
#include "filetype.h"
#include "jsonbody.h"
#include "key.h"
#include "mime.h"
#include "must.h"
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

/* ---- asking for one ----------------------------------------------------- */

/* Links of the gateway are good at this place of it alone. */
static bool scope(const struct exchange *ex, struct buf *out) {
  return buf_addf(out, "sluice-link-1\nGET\n%s\n", ex->route->signed_path);
}

static void tell(struct presign_ask *ask, enum sluice_status status,
                 const char *why, const char *url, uint32_t seconds) {
  struct exchange *ex = ask->ex;
  ask->waits = false;
  ask->then(ex, &(struct presigned){status, why, url, seconds});
}

static void on_key_known(void *arg, const struct linksecret_keys *keys,
                         enum sluice_status status, const char *why) {
  struct presign_ask *ask = arg;
  struct buf url, of;
  buf_init(&url, SIGNEDLINK_MAX);
  buf_init(&of, URL_BASE_MAX);
  if (keys != NULL) {
    const struct signedlink link = {
        .key = ask->ex->key, .expires_s = date_now_ms() / 1000 + ask->seconds};
    bool ok = ownurl_add(ask->ex, &url, ask->ex->route->signed_path) &&
              buf_addc(&url, '?') && scope(ask->ex, &of) &&
              signedlink_make(&url, keys->links, of.data, &link);
    status = ok ? SLUICE_OK : SLUICE_EINVAL;
    why = ok ? NULL : "the link would be too long";
  }
  tell(ask, status, why, status == SLUICE_OK ? url.data : NULL, ask->seconds);
  buf_fini(&of);
  buf_fini(&url);
}

/* How long it is good, which may be less than was wanted. */
static uint32_t seconds_of(const struct sluice_op *op, uint32_t wanted) {
  const char *text = op_text(op, 1);
  int64_t seconds;
  if (text == NULL || !quantity_int(text, &seconds) || seconds < 0 ||
      seconds > wanted)
    return wanted;
  return (uint32_t)seconds;
}

static void on_made(void *arg, enum sluice_status status, const char *why) {
  struct presign_ask *ask = arg;
  const char *url = status == SLUICE_OK ? op_text(ask->ex->op, 0) : NULL;
  uint32_t seconds = seconds_of(ask->ex->op, ask->seconds);
  char *copy = url == NULL ? NULL : strdup(url);
  ask->ex->op = NULL;
  if (status == SLUICE_OK && copy == NULL) {
    op_violation(exchange_backend(ask->ex), "sluice_done",
                 "before sluice_text()");
    status = SLUICE_EUPSTREAM;
  }
  tell(ask, status, why, copy, seconds);
  free(copy);
}

static void on_alive(void *arg) {
  exchange_alive(((struct presign_ask *)arg)->ex);
}

static void ask_backend(struct presign_ask *ask, const char *filename) {
  static const struct op_events events = {.alive = on_alive, .done = on_made};
  struct exchange *ex = ask->ex;
  struct buf url, disposition;
  buf_init(&url, URL_BASE_MAX);
  buf_init(&disposition, 4 * KEY_MAX);
  const char *path = ex->route->signed_path;
  ownurl_add(ex, &url, path == NULL ? "" : path);
  /* The gateway itself finds the name when it serves the link. */
  bool named = filename != NULL &&
               exchange_backend(ex)->plugin->verify == NULL &&
               mime_disposition(&disposition, false, filename);
  struct sluice_link link = {.key = ex->key,
                             .method = "GET",
                             .expires_s = date_now_ms() / 1000 + ask->seconds,
                             .seconds = ask->seconds,
                             .disposition = named ? disposition.data : NULL,
                             .signed_url = url.data};
  ex->op = op_presign(exchange_backend(ex), &link, &events, ask);
  buf_fini(&url);
  buf_fini(&disposition);
}

void presign_link(struct exchange *ex, struct presign_ask *ask,
                  const char *filename, uint32_t seconds,
                  void (*then)(struct exchange *, const struct presigned *)) {
  *ask = (struct presign_ask){
      .ex = ex, .seconds = seconds, .then = then, .waits = true};
  ask->waiter = (struct linksecret_waiter){.told = on_key_known, .arg = ask};
  exchange_watch(ex);
  if (exchange_backend(ex)->plugin->presign != NULL)
    ask_backend(ask, filename);
  else if (ex->route->signed_path == NULL)
    tell(ask, SLUICE_ENOTSUP, "no route serves links", NULL, seconds);
  else
    linksecret_ask(ex->gate->links, ex->route->backend, &ask->waiter);
}

void presign_leave(struct presign_ask *ask) {
  if (ask->waits)
    linksecret_leave(ask->ex->gate->links, ask->ex->route->backend,
                     &ask->waiter);
  ask->waits = false;
}

/* ---- a link that came back ---------------------------------------------- */

const char *presign_check(struct exchange *ex, const struct digest_key *key,
                          struct signedlink_grant *grant) {
  struct buf of;
  buf_init(&of, URL_BASE_MAX);
  scope(ex, &of);
  const char *why = signedlink_check(grant, key, of.data, ex->head.query,
                                     date_now_ms() / 1000);
  buf_fini(&of);
  return why;
}

/* ---- POST /files/presign ------------------------------------------------ */

struct presign {
  struct presign_ask ask;
  char *type, *filename;
  uint64_t length;
  uint32_t seconds;
};

static void presign_free(void *work) {
  struct presign *presign = work;
  presign_leave(&presign->ask);
  free(presign->type);
  free(presign->filename);
  free(presign);
}

static void on_signed(struct exchange *ex, const struct presigned *link) {
  const struct presign *presign = ex->work;
  if (link->status != SLUICE_OK)
    reply_failure(ex, link->status, link->why);
  else
    reply_json(ex, 200,
               json_pack("{s:s, s:s, s:I, s:s, s:I}", "key", ex->key, "url",
                         link->url, "expires_in", (json_int_t)link->seconds,
                         "content_type", presign->type, "size_bytes",
                         (json_int_t)presign->length));
}

static void on_meta(void *arg, const struct sluice_meta *meta) {
  struct exchange *ex = arg;
  struct presign *presign = ex->work;
  presign->length = meta->length;
  presign->type = strdup(meta->type != NULL ? meta->type : FILETYPE_UNKNOWN);
  const char *filename = presign_filename(meta);
  presign->filename = filename == NULL ? NULL : strdup(filename);
  must(presign->type != NULL);
}

static void on_head(void *arg, enum sluice_status status, const char *why) {
  struct exchange *ex = arg;
  struct presign *presign = ex->work;
  ex->op = NULL;
  if (status == SLUICE_OK && presign->type == NULL)
    op_violation(exchange_backend(ex), "sluice_done", "before sluice_meta()");
  if (status != SLUICE_OK || presign->type == NULL)
    reply_failure(ex, status == SLUICE_OK ? SLUICE_EUPSTREAM : status, why);
  else
    presign_link(ex, &presign->ask, presign->filename, presign->seconds,
                 on_signed);
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
  must(presign != NULL);
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
