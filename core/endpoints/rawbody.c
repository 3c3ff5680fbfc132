/* SPDX-License-Identifier: MIT
 *
 * A file's bytes, as they come: gathered in one of two buffers while the
 * backend has the other; when neither has room, the client is held back.
 */
#include "rawbody.h"

#include <string.h>
#include <strings.h>

#include "reply.h"
#include "upload.h"

/* Of all its lines: the coding "identity" changes nothing. */
static bool is_encoded(const struct head *head) {
  for (size_t i = 0; i < head->count; i++)
    if (strcasecmp(head->fields[i].name, "Content-Encoding") == 0 &&
        strcasecmp(head->fields[i].value, "identity") != 0)
      return true;
  return false;
}

bool rawbody_check_part(struct exchange *ex) {
  bool part = head_get(&ex->head, "Content-Range") != NULL;
  if (part)
    reply_error(ex, 400, "bad_request",
                "A Content-Range would store a part of an object; send all of "
                "it");
  return !part;
}

bool rawbody_check_coding(struct exchange *ex) {
  bool encoded = is_encoded(&ex->head);
  if (encoded) {
    reply_header(ex, "Accept-Encoding", "identity");
    reply_error(ex, 415, "unsupported_media_type",
                "The bytes are stored as they come: send them without a "
                "Content-Encoding");
  }
  return !encoded;
}

static bool is_too_large(const struct exchange *ex) {
  return ex->head.length > 0 && (uint64_t)ex->head.length > upload_max(ex);
}

bool rawbody_fits(const struct exchange *ex) {
  return !is_encoded(&ex->head) && !is_too_large(ex) && upload_takes_type(ex);
}

bool rawbody_check(struct exchange *ex) {
  if (ex->head.length < 0 && !ex->head.chunked) {
    reply_error(ex, 411, "length_required",
                "Send a Content-Length, or the body in chunks");
  } else if (!rawbody_check_coding(ex)) {
    return false;
  } else if (is_too_large(ex)) {
    upload_too_large(ex);
  } else {
    return upload_check_type(ex);
  }
  return false;
}

/* As much of data[0..len) as there is room for; false when it was answered. */
static bool rawbody_take(struct exchange *ex, const char *data, size_t len) {
  struct upload *upload = ex->work;
  struct upload_buffer *buffer = &upload->buffers[upload->filling];
  size_t room = upload_room(upload);
  if (len > room)
    len = room;
  if (len > upload_max(ex) - upload->size) {
    upload_too_large(ex);
    return false;
  }
  memcpy(buffer->data + buffer->len, data, len);
  buffer->len += len;
  upload->size += len;
  ex->bytes_in += len;
  ingress_body_take(ex->conn, len);
  return true;
}

/* Makes room; false: the backend's next() goes on. */
static bool rawbody_make_room(struct exchange *ex) {
  const struct upload *upload = ex->work;
  if (upload->backend == UPLOAD_SHOWS)
    return false;
  if (upload_room(upload) > 0 || upload_grow(ex))
    return true;
  upload_push(ex);
  return ex->work == upload && upload_room(upload) > 0;
}

static void rawbody_pump(struct exchange *ex) {
  struct upload *upload = ex->work;
  const char *data;
  size_t len;
  while (rawbody_make_room(ex))
    switch (ingress_body_next(ex->conn, &data, &len)) {
    case INGRESS_DATA:
      if (!rawbody_take(ex, data, len))
        return;
      break;
    case INGRESS_WAIT:
      return;
    case INGRESS_END:
      upload->body = UPLOAD_WHOLE;
      upload_push(ex);
      return;
    case INGRESS_CUT:
      reply_error(ex, 400, "bad_request", "The body ends early");
      return;
    case INGRESS_BAD:
      reply_error(ex, 400, "bad_request", "The body's chunks are malformed");
      return;
    }
}

struct upload *rawbody_new(struct exchange *ex) {
  struct upload *upload = upload_new(ex, rawbody_pump);
  ex->on_body = NULL; /* not before it is asked for */
  return upload;
}

void rawbody_start(struct exchange *ex) {
  struct upload *upload = ex->work;
  if (!upload_reserve(ex))
    return;
  updigest_of_file(upload->digest);
  upload_begin(ex);
  if (!upload_open(ex))
    return;
  ex->on_body = rawbody_pump;
  ingress_body_start(ex->conn);
  rawbody_pump(ex);
}
