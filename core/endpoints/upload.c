/* SPDX-License-Identifier: MIT
 *
 * POST /files: the form's way into the backend.  The body is parsed piece by
 * piece; a file's bytes are gathered in one of two buffers while the backend
 * has the other; when neither has room, the client is held back.
 */
#include "upload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bodysum.h"
#include "codec.h"
#include "endpoints.h"
#include "filetype.h"
#include "mime.h"
#include "must.h"
#include "quantity.h"
#include "reply.h"
#include "upload_expiry.h"
#include "upload_once.h"

/* The bytes that a form may hold beside its file: each part's headers, text
 * and delimiter, and as much again before the first. */
#define FORM_SLACK            \
  ((FORMDATA_PARTS_MAX + 1) * \
   (uint64_t)(FORMDATA_HEADERS_MAX + UPLOAD_TEXT_MAX + BOUNDARY_MAX + 8))
#define PIECE_MIN 256 /* room for what a parser may hold back */

/* ---- parts -------------------------------------------------------------- */

static bool upload_bad(struct exchange *ex, const char *message) {
  reply_error(ex, 400, "bad_form", "%s", message);
  return false;
}

static void no_memory(struct exchange *ex) {
  reply_error(ex, 503, "overloaded",
              "The gateway has too many requests in flight; try again");
}

static bool has_file(const struct upload *upload) {
  return upload->backend != UPLOAD_UNASKED;
}

static bool open_file(struct exchange *ex) {
  struct upload *upload = ex->work;
  if (upload->size > upload_max(ex)) {
    upload_too_large(ex);
    return false;
  }
  return upload_open(ex);
}

/* The file is the part with a file name.  A text of the name `file` beside it
 * is a field like others; alone, it is the file.  An empty file name and no
 * bytes are what browsers send when no file was chosen. */
static bool begin_file(struct exchange *ex, const struct formdata_part *part) {
  struct upload *upload = ex->work;
  bool text = part->filename == NULL;
  if (text && (has_file(upload) || upload->has_chooser || upload->texts > 0)) {
    upload->texts++;
    return true;
  }
  if (has_file(upload) && part->filename_len > 0)
    return upload_bad(ex, "There is a second 'file' field");
  upload->has_chooser = !text;
  upload->texts = text ? 1 : 0;
  if (has_file(upload)) {
    upload->field = UPLOAD_SECOND;
    return true;
  }
  upload->field = UPLOAD_FILE;
  key_filename(upload->filename, text ? "" : part->filename,
               part->filename_len);
  upload_choose_type(ex, part->type, upload->filename);
  if (!upload_check_type(ex))
    return false;
  upload_begin(ex);
  return part->filename_len == 0 || open_file(ex);
}

static bool refuse_chunk(struct exchange *ex, const char *widget) {
  reply_error(ex, 400, "bad_form",
              "The form is one chunk of a file, as %s sends them, and chunks "
              "aren't put together here: turn chunking off, or use a client "
              "of a protocol for resumable uploads",
              widget);
  return false;
}

static bool begin_digest(struct exchange *ex) {
  struct upload *upload = ex->work;
  if (upload->has_digest)
    return upload_bad(ex, "There is a second 'sha256' field");
  upload->has_digest = true;
  upload->field = UPLOAD_SHA256;
  return updigest_need(ex, &upload->digest) != NULL;
}

static bool bad_digest(struct exchange *ex) {
  reply_error(ex, 400, "bad_digest",
              "The field 'sha256' isn't the SHA-256 of the file in 64 hex "
              "digits");
  return false;
}

/* The field is complete.  A file that isn't lent yet is hashed from here. */
static bool end_digest(struct exchange *ex) {
  struct upload *upload = ex->work;
  if (!updigest_read_field(upload->digest, upload->digest_text,
                           upload->text_len))
    return bad_digest(ex);
  if (!upload->lent)
    sums_make(&upload->digest->file, SHA2_256);
  return true;
}

static bool begin_expiry(struct exchange *ex) {
  struct upload *upload = ex->work;
  if (upload->has_expiry)
    return upload_bad(ex, "There is a second '" UPLOAD_EXPIRY_FIELD "' field");
  upload->has_expiry = true;
  upload->field = UPLOAD_EXPIRY;
  return true;
}

/* The field is complete; one that is too long is told by its length. */
static bool end_expiry(struct exchange *ex) {
  struct upload *upload = ex->work;
  bool whole = strlen(upload->expiry_text) == upload->text_len;
  return upload_expiry_wish(ex, whole ? upload->expiry_text : "",
                            UPLOAD_EXPIRY_FIELD, &upload->life_s);
}

/* False when it was answered. */
static bool begin_part(struct exchange *ex) {
  struct upload *upload = ex->work;
  const struct formdata_part *part = formdata_part(upload->form);
  const char *widget = chunkform_see(&upload->chunkform, part->name);
  upload->text_len = 0;
  upload->field = UPLOAD_IGNORED;
  if (widget != NULL)
    return refuse_chunk(ex, widget);
  if (strcmp(part->name, "file") == 0)
    return begin_file(ex, part);
  if (strcmp(part->name, "sha256") == 0)
    return begin_digest(ex);
  if (strcmp(part->name, UPLOAD_EXPIRY_FIELD) == 0)
    return begin_expiry(ex);
  if (strcmp(part->name, "prefix") == 0) {
    if (upload->has_prefix)
      return upload_bad(ex, "There is a second 'prefix' field");
    upload->has_prefix = true;
    upload->field = UPLOAD_PREFIX;
  }
  return true;
}

static bool take_text(struct exchange *ex, const char *data, size_t len) {
  struct upload *upload = ex->work;
  upload->text_len += len;
  if (upload->text_len > UPLOAD_TEXT_MAX) {
    reply_error(ex, 413, "field_too_large",
                "A text field is larger than 64 KiB");
    return false;
  }
  if (upload->field == UPLOAD_PREFIX)
    buf_add(&upload->prefix, data, len); /* of UPLOAD_TEXT_MAX */
  if (upload->field == UPLOAD_SHA256 && upload->text_len > UPDIGEST_HEX)
    return bad_digest(ex);
  if (upload->field == UPLOAD_SHA256)
    memcpy(upload->digest_text + upload->text_len - len, data, len);
  if (upload->field == UPLOAD_EXPIRY &&
      upload->text_len < sizeof upload->expiry_text)
    memcpy(upload->expiry_text + upload->text_len - len, data, len);
  return true;
}

/* A text may be a field still, which has another limit. */
static bool take_file(struct exchange *ex, const char *data, size_t len) {
  struct upload *upload = ex->work;
  struct upload_buffer *buffer = &upload->buffers[upload->filling];
  bool field = !has_file(upload) && !upload->has_chooser &&
               upload->size + len <= UPLOAD_TEXT_MAX;
  if (!field && !has_file(upload) && !open_file(ex))
    return false;
  if (!field && len > upload_max(ex) - upload->size) {
    upload_too_large(ex);
    return false;
  }
  must(len <= buffer->room - buffer->len);
  memcpy(buffer->data + buffer->len, data, len);
  buffer->len += len;
  upload->size += len;
  return true;
}

/* ---- the body ----------------------------------------------------------- */

/* How much of the body may be parsed now; 0: the backend must take some. */
static size_t room_for_input(struct exchange *ex) {
  const struct upload *upload = ex->work;
  if (upload->field != UPLOAD_FILE)
    return SIZE_MAX;
  const struct upload_buffer *buffer = &upload->buffers[upload->filling];
  size_t room = buffer->room - buffer->len;
  return room < PIECE_MIN ? 0 : room - PIECE_MIN / 2;
}

/* False when there is nothing to go on with: it was answered. */
static bool on_event(struct exchange *ex, enum formdata_event event) {
  struct upload *upload = ex->work;
  size_t len;
  const char *data;
  switch (event) {
  case FORMDATA_PART:
    return begin_part(ex);
  case FORMDATA_DATA:
    data = formdata_data(upload->form, &len);
    if (upload->field == UPLOAD_SECOND)
      return upload_bad(ex, "There is a second 'file' field");
    return upload->field == UPLOAD_FILE ? take_file(ex, data, len)
                                        : take_text(ex, data, len);
  case FORMDATA_END:
    if ((upload->field == UPLOAD_SHA256 && !end_digest(ex)) ||
        (upload->field == UPLOAD_EXPIRY && !end_expiry(ex)))
      return false;
    upload->field = UPLOAD_IGNORED;
    break;
  case FORMDATA_DONE:
    upload->body = UPLOAD_PARSED;
    break;
  case FORMDATA_BAD:
    return upload_bad(ex, formdata_fault(upload->form));
  case FORMDATA_MORE:
    break;
  }
  return true;
}

/* The body is complete. */
static void on_end(struct exchange *ex) {
  struct upload *upload = ex->work;
  const struct updigest *digest = upload->digest;
  if (upload->body == UPLOAD_READ) {
    upload_bad(ex, "The form ends early: there is no final boundary");
  } else if (!has_file(upload) && upload->size == 0) {
    reply_error(ex, 400, "missing_file", "Missing 'file' field");
  } else if (!has_file(upload) && upload->texts > 1) {
    upload_bad(ex, "There is a second 'file' field");
  } else if (digest != NULL && digest->body != NULL &&
             !bodysum_end(digest->body)) {
    return; /* it comes here again */
  } else if (upload_read_prefix(ex) && (has_file(upload) || open_file(ex))) {
    upload->body = UPLOAD_WHOLE;
    upload_push(ex);
  }
}

/* Parses what may be parsed of data[0..len); false when it was answered. */
static bool upload_parse(struct exchange *ex, const char *data, size_t len,
                         bool *more) {
  struct upload *upload = ex->work;
  size_t used = len;
  *more = true;
  if (upload->body == UPLOAD_READ) {
    enum formdata_event event = formdata_next(upload->form, data, len, &used);
    *more = event == FORMDATA_MORE;
    if (!on_event(ex, event))
      return false;
  }
  if (upload->digest != NULL && upload->digest->body != NULL)
    bodysum_add(upload->digest->body, data, used);
  ex->bytes_in += used;
  ingress_body_take(ex->conn, used);
  return true;
}

/* Bytes of the body that may be seen now, whoever they are for; 0: its sum
 * goes on. */
static size_t room_for_sum(struct exchange *ex) {
  const struct updigest *digest = ((const struct upload *)ex->work)->digest;
  bool summed = digest != NULL && digest->body != NULL;
  return summed ? bodysum_room(digest->body) : SIZE_MAX;
}

/* The first bytes of the file are about to go, and the field of its digest
 * may follow it: then they can be had again, or it is made of all. */
static bool foresee_digest(struct exchange *ex) {
  struct upload *upload = ex->work;
  if (exchange_can(ex, SLUICE_CAN_REREAD))
    return true;
  if (!upload->lent && updigest_need(ex, &upload->digest) == NULL)
    return false;
  if (!upload->lent)
    sums_make(&upload->digest->file, SHA2_256);
  return true;
}

static void upload_pump(struct exchange *ex) {
  const struct upload *upload = ex->work;
  while (ex->work == upload && upload->backend != UPLOAD_SHOWS) {
    size_t room = room_for_input(ex);
    if (room == 0) {
      bool grown = upload_grow(ex);
      if (!grown && !has_file(ex->work)) { /* a text that may be the file */
        no_memory(ex);
        return;
      }
      if (!grown && !foresee_digest(ex))
        return;
      if (!grown)
        upload_push(ex);
      if (ex->work != upload) /* hooks refuse it */
        return;
      room = room_for_input(ex);
      if (room == 0)
        return; /* the backend's next() goes on */
    }
    size_t most = room_for_sum(ex);
    if (most == 0)
      return;
    if (room > most)
      room = most;
    const char *data = "";
    size_t len = 0;
    bool more;
    enum ingress_body got = ingress_body_next(ex->conn, &data, &len);
    if (got != INGRESS_DATA)
      len = 0;
    if (!upload_parse(ex, data, len < room ? len : room, &more))
      return;
    if (got == INGRESS_DATA || !more)
      continue;
    if (got == INGRESS_END)
      on_end(ex);
    else if (got == INGRESS_CUT)
      upload_bad(ex, "The body ends early");
    else if (got == INGRESS_BAD)
      upload_bad(ex, "The body's chunks are malformed");
    return;
  }
}

/* ---- the beginning ------------------------------------------------------ */

static void upload_take_on(struct exchange *ex) {
  ingress_body_start(ex->conn);
  upload_pump(ex);
}

static void upload_start(struct exchange *ex) {
  const char *type = head_get(&ex->head, "Content-Type");
  if (type == NULL || !mime_is(type, "multipart/form-data")) {
    reply_error(ex, 415, "unsupported_media_type",
                "An upload is a multipart/form-data body");
    return;
  }
  if (ex->head.length > 0 &&
      (uint64_t)ex->head.length > upload_max(ex) + FORM_SLACK) {
    upload_too_large(ex);
    return;
  }
  char boundary[BOUNDARY_MAX + 1];
  const char *fault = boundary_read(boundary, type);
  if (fault != NULL) {
    upload_bad(ex, fault);
    return;
  }
  struct formdata *form = formdata_new(boundary);
  must_have(form); /* charged with the request */
  upload_new(ex, upload_pump)->form = form;
  struct upload *upload = ex->work;
  if (!upload_reserve(ex) || !upload_read_uploader(ex) ||
      !upload_expiry_read(ex) || !updigest_read(ex, &upload->digest) ||
      !updigest_of_form(ex, upload->digest, upload_pump) ||
      !upload_once_read(ex))
    return;
  upload_once_claim(ex, upload_take_on);
}

const struct endpoint upload_endpoint = {.operation = OPERATION_UPLOAD,
                                         .method = "POST",
                                         .tail = "",
                                         .cost = EXCHANGE_COST,
                                         .gives_links = true,
                                         .start = upload_start};
