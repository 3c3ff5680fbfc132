/* SPDX-License-Identifier: MIT
 *
 * Names: the first place that has one counts.
 */
#include "uploads_names.h"

#include <string.h>

#include "mime.h"
#include "query.h"
#include "rawbody.h"
#include "reply.h"
#include "upload.h"
#include "uploadhead.h"

#define UPLOADS_NAME_MAX 16384

struct names {
  struct exchange *ex;
  const char *metadata;
  bool bad; /* it was answered */
};

/* Is the word there, in `out`? */
static bool in_metadata(struct names *names, struct buf *out,
                        const char *const *words) {
  for (; *words != NULL && !names->bad; words++)
    switch (uploadhead_metadata(out, names->metadata, *words)) {
    case UPLOADHEAD_NONE:
      break;
    case UPLOADHEAD_FOUND:
      return true;
    case UPLOADHEAD_BAD:
      names->bad = true;
      reply_error(names->ex, 400, "bad_metadata",
                  "'Upload-Metadata' isn't a list of keys, each once, with "
                  "values in base64");
      break;
    }
  return false;
}

static bool in_query(struct names *names, struct buf *out, const char *word) {
  if (names->bad)
    return false;
  enum query_result result = query_get(out, names->ex->head.query, word);
  names->bad = result == QUERY_BAD;
  if (names->bad)
    reply_error(names->ex, 400, "bad_request",
                "'%s' in the query is there twice, or isn't UTF-8 in percent "
                "escapes",
                word);
  return result == QUERY_FOUND;
}

static void uploads_names_read_filename(struct names *names) {
  static const char *const words[] = {"filename", "name", NULL};
  struct upload *upload = names->ex->work;
  const char *disposition = head_get(&names->ex->head, "Content-Disposition");
  struct buf name;
  buf_init(&name, UPLOADS_NAME_MAX);
  if ((disposition != NULL && mime_filename(&name, disposition)) ||
      in_query(names, &name, "filename") || in_metadata(names, &name, words))
    key_filename(upload->filename, name.data, name.len);
  else if (!names->bad) /* the upload is there still */
    key_filename(upload->filename, "", 0);
  buf_fini(&name);
}

static void uploads_names_read_prefix(struct names *names) {
  static const char *const words[] = {"prefix", NULL};
  struct upload *upload = names->ex->work;
  struct buf prefix;
  buf_init(&prefix, UPLOADS_NAME_MAX);
  if (in_query(names, &prefix, "prefix") || in_metadata(names, &prefix, words))
    buf_add(&upload->prefix, prefix.data, prefix.len);
  buf_fini(&prefix);
  names->bad = names->bad || !upload_read_prefix(names->ex);
}

/* A type that frames the request says nothing of the file. */
static bool is_frame(const char *type) {
  return mime_is(type, "application/partial-upload") ||
         mime_is(type, "application/offset+octet-stream") ||
         mime_is(type, "application/x-www-form-urlencoded");
}

static void read_type(struct names *names) {
  static const char *const words[] = {"filetype", "type", NULL};
  struct exchange *ex = names->ex;
  struct upload *upload = ex->work;
  const char *said = head_get(&ex->head, "Content-Type");
  if (said != NULL && mime_is(said, "multipart/form-data")) {
    names->bad = true;
    reply_error(ex, 415, "unsupported_media_type",
                "The body is taken as it comes; a form goes to POST of the "
                "path above this one");
    return;
  }
  struct buf type;
  buf_init(&type, UPLOADS_NAME_MAX);
  if (said != NULL && is_frame(said))
    said = NULL;
  if (said == NULL && in_metadata(names, &type, words) &&
      strlen(type.data) == type.len)
    said = type.data;
  if (!names->bad)
    upload_choose_type(ex, said, upload->filename);
  buf_fini(&type);
}

bool uploads_names_read(struct exchange *ex, const char *metadata) {
  struct names names = {.ex = ex, .metadata = metadata};
  if (metadata == NULL)
    names.metadata = head_get(&ex->head, "Upload-Metadata");
  if (!rawbody_check_coding(ex))
    return false;
  uploads_names_read_filename(&names);
  if (!names.bad)
    read_type(&names);
  if (!names.bad)
    uploads_names_read_prefix(&names);
  return !names.bad;
}
