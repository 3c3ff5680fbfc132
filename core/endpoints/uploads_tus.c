/* SPDX-License-Identifier: MIT
 *
 * tus 1.0.0 with creation, creation-with-upload, creation-defer-length,
 * checksum, expiration, termination and concatenation.
 */
#include <stdio.h>
#include <string.h>

#include "date.h"
#include "join.h"
#include "mime.h"
#include "reply.h"
#include "resumable.h"
#include "upload_expiry.h"
#include "uploads_names.h"

#define VERSION "1.0.0"

static const char *uploads_tus_field(struct exchange *ex, const char *name) {
  return head_get(&ex->head, name);
}

static bool uploads_tus_bad(struct exchange *ex, const char *what) {
  reply_error(ex, 400, "bad_request", "%s", what);
  return false;
}

bool uploads_is_tus(const struct exchange *ex) {
  return head_get(&ex->head, "Tus-Resumable") != NULL;
}

bool uploads_tus_refuses_version(struct exchange *ex) {
  const char *version = uploads_tus_field(ex, "Tus-Resumable");
  if (version == NULL)
    return false;
  reply_header(ex, "Tus-Resumable", VERSION);
  if (strcmp(version, VERSION) == 0)
    return false;
  reply_header(ex, "Tus-Version", VERSION);
  reply_error(ex, 412, "precondition_failed",
              "'Tus-Resumable' is of another version; this is " VERSION);
  return true;
}

/* ---- heads -------------------------------------------------------------- */

static bool read_length(struct exchange *ex) {
  const char *length = uploads_tus_field(ex, "Upload-Length");
  if (length == NULL)
    return true;
  return uploadhead_number(length, &resumable_of(ex)->said) ||
         uploads_tus_bad(ex, "'Upload-Length' isn't a number of bytes");
}

static bool read_checksum(struct exchange *ex) {
  struct resumable *r = resumable_of(ex);
  const char *said = uploads_tus_field(ex, "Upload-Checksum");
  if (said == NULL)
    return true;
  const char *fault = uploadhead_checksum(&r->checksum, said);
  r->summed = r->checked = fault == NULL;
  return fault == NULL || uploads_tus_bad(ex, fault);
}

static bool check_type(struct exchange *ex) {
  const char *type = uploads_tus_field(ex, "Content-Type");
  if (type != NULL && mime_is(type, uploads_tus.append_type))
    return true;
  reply_error(ex, 415, "unsupported_media_type", "An append is of the type %s",
              uploads_tus.append_type);
  return false;
}

/* The length is told or deferred, but for what is put together. */
static bool read_creation_length(struct exchange *ex) {
  const struct resumable *r = resumable_of(ex);
  const char *defer = uploads_tus_field(ex, "Upload-Defer-Length");
  bool told = uploads_tus_field(ex, "Upload-Length") != NULL;
  if (r->concat.len > 0)
    return true;
  if (defer != NULL && strcmp(defer, "1") != 0)
    return uploads_tus_bad(ex, "'Upload-Defer-Length' can only be 1");
  if (told == (defer != NULL))
    return uploads_tus_bad(ex, "A creation needs either 'Upload-Length', or "
                               "'Upload-Defer-Length: 1'");
  return read_length(ex);
}

static bool read_concat(struct exchange *ex, const char **parts) {
  struct resumable *r = resumable_of(ex);
  const char *concat = uploads_tus_field(ex, "Upload-Concat");
  *parts = NULL;
  if (concat == NULL)
    return true;
  switch (uploadhead_concat(concat, parts)) {
  case UPLOADHEAD_PARTIAL:
    r->id.partial = true;
    return true;
  case UPLOADHEAD_FINAL:
    buf_adds(&r->concat, concat);
    return true;
  case UPLOADHEAD_ODD:
    break;
  }
  return uploads_tus_bad(ex,
                         "'Upload-Concat' is neither partial nor final; with "
                         "addresses");
}

/* A part's name and prefix are nobody's. */
static bool read_names(struct exchange *ex) {
  struct resumable *r = resumable_of(ex);
  const char *metadata = uploads_tus_field(ex, "Upload-Metadata");
  if (metadata == NULL)
    metadata = "";
  buf_adds(&r->metadata, metadata);
  return r->id.partial || uploads_names_read(ex, metadata);
}

static bool uploads_tus_read_create(struct exchange *ex) {
  const char *parts;
  bool body = ex->head.chunked || ex->head.length > 0;
  if (!read_concat(ex, &parts) || !read_creation_length(ex) ||
      !read_checksum(ex) || (body && !check_type(ex)) || !read_names(ex))
    return false;
  if (parts != NULL && body)
    return uploads_tus_bad(ex,
                           "What is put together has no content of its own");
  return parts == NULL || join_read(ex, parts);
}

static bool uploads_tus_read_append(struct exchange *ex) {
  struct resumable *r = resumable_of(ex);
  if (!check_type(ex))
    return false;
  if (!uploadhead_number(uploads_tus_field(ex, "Upload-Offset"), &r->at))
    return uploads_tus_bad(
        ex, "An append needs 'Upload-Offset', a number of bytes");
  if (r->concat.len > 0) {
    reply_error(ex, 403, "forbidden",
                "An upload that was put together takes no bytes");
    return false;
  }
  return read_length(ex) && read_checksum(ex);
}

static bool uploads_tus_ends(const struct resumable *r) {
  return !r->id.partial && r->length >= 0 &&
         (uint64_t)r->length == r->upload.size;
}

/* ---- answers ------------------------------------------------------------ */

static void say_expiry(struct exchange *ex) {
  char until[DATE_HTTP_SIZE];
  date_http(until, resumable_of(ex)->expires_s);
  reply_header(ex, "Upload-Expires", until);
}

static void uploads_tus_describe(struct exchange *ex) {
  const struct resumable *r = resumable_of(ex);
  if (!uploads_is_tus(ex))
    reply_header(ex, "Tus-Resumable", VERSION);
  reply_number(ex, "Upload-Offset", r->saved);
  if (r->length >= 0)
    reply_number(ex, "Upload-Length", (uint64_t)r->length);
  else
    reply_header(ex, "Upload-Defer-Length", "1");
  if (r->metadata.len > 0)
    reply_header(ex, "Upload-Metadata", r->metadata.data);
  if (r->concat.len > 0 || r->id.partial)
    reply_header(ex, "Upload-Concat",
                 r->id.partial ? "partial" : r->concat.data);
  say_expiry(ex);
}

static void uploads_tus_answer(struct exchange *ex) {
  const struct resumable *r = resumable_of(ex);
  bool created = r->act == RESUMABLE_CREATE;
  reply_number(ex, "Upload-Offset", r->upload.size);
  say_expiry(ex);
  if (created)
    resumable_say_location(ex);
  reply_empty(ex, created ? 201 : 204);
}

static void uploads_tus_stored(struct exchange *ex, json_t *document) {
  upload_expiry_say(ex, document);
  updigest_say(ex, upload_sha256(ex->work));
  uploads_tus_answer(ex);
}

static void uploads_tus_repeat(struct exchange *ex) {
  const struct resumable *r = resumable_of(ex);
  if (r->at == (int64_t)r->saved && !resumable_check_lengths(ex, r->saved))
    return;
  if (r->at == (int64_t)r->saved && !ex->head.chunked) {
    uploads_tus_answer(ex);
    return;
  }
  uploads_tus_describe(ex);
  reply_error(ex, 409, "upload_complete", "The upload is complete");
}

const struct resumable_dialect uploads_tus = {
    .way = UPLOADID_TUS,
    .append_type = "application/offset+octet-stream",
    .read_create = uploads_tus_read_create,
    .read_append = uploads_tus_read_append,
    .repeat = uploads_tus_repeat,
    .ends = uploads_tus_ends,
    .describe = uploads_tus_describe,
    .go_on = uploads_tus_answer,
    .stored = uploads_tus_stored,
    .bodiless = true};
