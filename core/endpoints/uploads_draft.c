/* SPDX-License-Identifier: MIT
 *
 * Resumable Uploads for HTTP (draft-ietf-httpbis-resumable-upload), of interop
 * version 8, and of 6 where it differs.  The fields are structured ones: what
 * isn't of its type is as nothing.
 */
#include <stdio.h>
#include <string.h>

#include "date.h"
#include "mime.h"
#include "must.h"
#include "reply.h"
#include "resumable.h"
#include "uploads_names.h"

static const char *uploads_draft_field(struct exchange *ex, const char *name) {
  return head_get(&ex->head, name);
}

static void read_common(struct exchange *ex) {
  struct resumable *r = resumable_of(ex);
  const char *version =
      uploads_draft_field(ex, "Upload-Draft-Interop-Version");
  if (!uploadhead_integer(uploads_draft_field(ex, "Upload-Length"), &r->said))
    r->said = -1;
  if (version != NULL && strcmp(version, "8") == 0)
    r->interop = 8;
  else if (version != NULL && strcmp(version, "6") == 0)
    r->interop = 6;
}

static bool uploads_draft_read_create(struct exchange *ex) {
  struct resumable *r = resumable_of(ex);
  read_common(ex);
  must(uploadhead_boolean(uploads_draft_field(ex, "Upload-Complete"),
                          &r->last));
  return uploads_names_read(ex, NULL);
}

static bool uploads_draft_read_append(struct exchange *ex) {
  struct resumable *r = resumable_of(ex);
  const char *type = uploads_draft_field(ex, "Content-Type");
  read_common(ex);
  if (type == NULL || !mime_is(type, uploads_draft.append_type)) {
    reply_error(ex, 415, "unsupported_media_type",
                "An append is of the type %s", uploads_draft.append_type);
    return false;
  }
  if (uploadhead_integer(uploads_draft_field(ex, "Upload-Offset"), &r->at) &&
      uploadhead_boolean(uploads_draft_field(ex, "Upload-Complete"), &r->last))
    return true;
  reply_error(ex, 400, "bad_request",
              "An append needs 'Upload-Offset', a number, and "
              "'Upload-Complete', ?0 or ?1");
  return false;
}

static bool uploads_draft_ends(const struct resumable *r) {
  return r->last && (r->length < 0 || (uint64_t)r->length == r->upload.size);
}

/* ---- answers ------------------------------------------------------------ */

void uploads_draft_limits(struct exchange *ex, const struct resumable *r) {
  const struct settings_uploads *settings = &ex->gate->settings->uploads;
  int64_t age = settings->expires_ms / 1000;
  struct buf limits;
  if (r != NULL)
    age = r->expires_s - date_now_ms() / 1000;
  buf_init(&limits, 256);
  buf_addf(&limits, "max-size=%llu, max-age=%lld",
           (unsigned long long)settings->max_bytes,
           (long long)(age > 0 ? age : 1));
  if (settings->min_append > 0)
    buf_addf(&limits, ", min-append-size=%llu",
             (unsigned long long)settings->min_append);
  if (r != NULL && r->interop == 6)
    buf_addf(&limits, ", expires=%lld", (long long)(age > 0 ? age : 1));
  reply_header(ex, "Upload-Limit", limits.data);
  buf_fini(&limits);
}

static void uploads_draft_describe(struct exchange *ex) {
  const struct resumable *r = resumable_of(ex);
  reply_number(ex, "Upload-Offset", r->saved);
  reply_header(ex, "Upload-Complete", r->complete ? "?1" : "?0");
  if (r->length >= 0)
    reply_number(ex, "Upload-Length", (uint64_t)r->length);
  uploads_draft_limits(ex, r);
}

static void uploads_draft_go_on(struct exchange *ex) {
  const struct resumable *r = resumable_of(ex);
  bool created = r->act == RESUMABLE_CREATE;
  uploads_draft_describe(ex);
  reply_header(ex, "Cache-Control", "no-store");
  if (created)
    resumable_say_location(ex);
  reply_empty(ex, created ? 201 : 204);
}

static void uploads_draft_stored(struct exchange *ex, json_t *document) {
  const struct resumable *r = resumable_of(ex);
  reply_number(ex, "Upload-Offset", r->upload.size);
  reply_header(ex, "Upload-Complete", "?1");
  upload_say_location(ex);
  updigest_say(ex, upload_sha256(&r->upload));
  reply_json(ex, 201, document);
}

/* The last one, whose answer was lost. */
static void uploads_draft_repeat(struct exchange *ex) {
  struct resumable *r = resumable_of(ex);
  int64_t size = ex->head.length < 0 ? 0 : ex->head.length;
  if (r->last && !ex->head.chunked && r->at + size == (int64_t)r->saved) {
    r->upload.answer = uploads_draft_stored;
    resumable_tell_object(ex);
    return;
  }
  uploads_draft_describe(ex);
  reply_error(ex, 409, "upload_complete", "The upload is complete");
}

const struct resumable_dialect uploads_draft = {
    .way = UPLOADID_DRAFT,
    .append_type = "application/partial-upload",
    .read_create = uploads_draft_read_create,
    .read_append = uploads_draft_read_append,
    .repeat = uploads_draft_repeat,
    .ends = uploads_draft_ends,
    .describe = uploads_draft_describe,
    .go_on = uploads_draft_go_on,
    .stored = uploads_draft_stored};
