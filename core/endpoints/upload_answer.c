/* SPDX-License-Identifier: MIT
 *
 * The answer to an upload whose object is stored: its link, and its JSON.
 */
#include "upload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "ownurl.h"
#include "presign.h"
#include "reply.h"
#include "updigest.h"
#include "upload_expiry.h"

const char *upload_sha256(const struct upload *upload) {
  const struct updigest *digest = upload->digest;
  bool kept = digest != NULL && digest->keeps && digest->sha256[0] != '\0';
  return kept ? digest->sha256 : NULL;
}

/* The name that downloads show. */
static void shown_name(struct exchange *ex, char name[KEY_MAX + 1]) {
  const struct upload *upload = ex->work;
  if (upload->filename[0] == '\0')
    key_name(name, ex->key);
  else
    memcpy(name, upload->filename, strlen(upload->filename) + 1);
}

static void add_key(struct exchange *ex, struct buf *out) {
  buf_adds(out, "?key=");
  codec_percent(out, ex->key, strlen(ex->key), CODEC_PATH);
}

/* A backend without links is downloaded from through the gateway. */
static char *own_url(struct exchange *ex) {
  struct buf url;
  buf_init(&url, 8192);
  if (ex->route->download_path != NULL) {
    ownurl_add(ex, &url, ex->route->download_path);
    add_key(ex, &url);
  }
  char *text = buf_take(&url);
  buf_fini(&url);
  return text;
}

void upload_say_location(struct exchange *ex) {
  const struct upload *upload = ex->work;
  const char *path = ex->route->download_path;
  if (upload->by_key && ex->route->object_path != NULL)
    path = ex->route->object_path;
  if (path == NULL)
    return;
  struct buf location;
  buf_init(&location, 8192);
  ownurl_location(ex, &location, path);
  add_key(ex, &location);
  reply_header(ex, "Location", location.data);
  buf_fini(&location);
}

static void upload_answer_say_etag(struct exchange *ex, json_t *answer) {
  const struct upload *upload = ex->work;
  char quoted[UPLOAD_ETAG_MAX + 3];
  if (!upload->by_key || upload->etag[0] == '\0')
    return;
  snprintf(quoted, sizeof quoted, "\"%s\"", upload->etag);
  reply_header(ex, "ETag", quoted);
  json_object_set_new(answer, "etag", json_string(upload->etag));
}

static void upload_answer_answer(struct exchange *ex, const char *url,
                                 uint32_t seconds) {
  const struct upload *upload = ex->work;
  char name[KEY_MAX + 1];
  bool created = !upload->by_key || !upload->was_there;
  shown_name(ex, name);
  json_t *document =
      json_pack("{s:s, s:s, s:I, s:s, s:s, s:s?, s:I}", "key", ex->key,
                "filename", name, "size_bytes", (json_int_t)upload->size,
                "content_type", upload->type, "md5", upload->md5_hex,
                "download_url", url, "expires_in", (json_int_t)seconds);
  if (ex->link != NULL) { /* it gives no right to read */
    json_object_del(document, "download_url");
    json_object_del(document, "expires_in");
  }
  if (upload_sha256(upload) != NULL)
    json_object_set_new(document, "sha256",
                        json_string(upload_sha256(upload)));
  upload_expiry_say(ex, document);
  if (upload->answer != NULL) {
    upload->answer(ex, document);
    return;
  }
  if (created)
    upload_say_location(ex);
  upload_answer_say_etag(ex, document);
  updigest_say(ex, upload_sha256(upload));
  reply_json(ex, created ? 201 : 200, document);
}

static uint32_t default_seconds(const struct exchange *ex) {
  return (uint32_t)(ex->gate->settings->presign.default_ms / 1000);
}

/* The object is stored: an answer without a link beats an error that would
 * have the client upload it again. */
static void on_link(struct exchange *ex, const struct presigned *link) {
  char *own = link->url == NULL ? own_url(ex) : NULL;
  upload_answer_answer(ex, link->url != NULL ? link->url : own, link->seconds);
  free(own);
}

void upload_answer(struct exchange *ex) {
  struct upload *upload = ex->work;
  char name[KEY_MAX + 1];
  if (ex->link != NULL) {
    upload_answer_answer(ex, NULL, 0);
    return;
  }
  shown_name(ex, name);
  const char *who =
      strcmp(upload->uploader, UPLOAD_NOBODY) == 0 ? NULL : upload->uploader;
  presign_link(ex, &upload->link, name,
               upload_expiry_bound(upload->expires_s, default_seconds(ex)),
               who, on_link);
}
