/* SPDX-License-Identifier: MIT
 *
 * An object's description out of an answer's head.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "date.h"
#include "expiry.h"
#include "key.h"
#include "metadata.h"
#include "task.h"

#define META_ROOM 8192

const char *const s3_meta_names[S3_META_NAMES] = {
    "original-filename", "md5",         "uploaded-by",
    "sluice-sha256",     "sluice-zstd", "sluice-zstd-above",
    EXPIRY_META};

void s3_etag(char out[160], const char *header) {
  out[0] = '\0';
  if (header == NULL)
    return;
  if (strncmp(header, "W/", 2) == 0)
    header += 2;
  size_t len = strlen(header);
  if (len >= 2 && header[0] == '"' && header[len - 1] == '"') {
    header++;
    len -= 2;
  }
  if (len >= 160)
    return;
  memcpy(out, header, len);
  out[len] = '\0';
}

/* Amazon S3 API reference, Object, ETag: encrypted by SSE-C or SSE-KMS it is
 * no MD5; without or by SSE-S3, which is called AES256, it is. */
bool s3_etag_tells(const struct s3_call *call) {
  static const char by[] = "x-amz-server-side-encryption";
  static const char customer[] =
      "x-amz-server-side-encryption-customer-algorithm";
  const char *encryption = s3_call_header(call, by);
  return (encryption == NULL || strcmp(encryption, "AES256") == 0) &&
         s3_call_header(call, customer) == NULL;
}

/* A number and the letter behind it. */
static bool meta_read_number(const char **at, char then, uint64_t *number) {
  char *end;
  if (**at < '0' || **at > '9')
    return false;
  errno = 0;
  *number = strtoull(*at, &end, 10);
  *at = end + 1;
  return errno == 0 && *end == then;
}

bool s3_length(const struct s3_call *call, uint64_t *length) {
  const char *text = s3_call_header(call, "Content-Length");
  return text != NULL && meta_read_number(&text, '\0', length);
}

bool s3_span(const struct s3_call *call, struct s3_span *span) {
  static const char unit[] = "bytes ";
  const char *text = s3_call_header(call, "Content-Range");
  uint64_t length, last;
  bool measured = s3_length(call, &length);
  if (text == NULL && s3_call_status(call) != 206) {
    *span = (struct s3_span){.count = length, .total = length};
    return measured;
  }
  if (text == NULL || strncmp(text, unit, sizeof unit - 1) != 0)
    return false;
  text += sizeof unit - 1;
  if (!meta_read_number(&text, '-', &span->first) ||
      !meta_read_number(&text, '/', &last) ||
      !meta_read_number(&text, '\0', &span->total) || span->first > last ||
      last >= span->total)
    return false;
  span->count = last - span->first + 1;
  return !measured || length == span->count;
}

/* A name of another tool's may have a path in it, and any length. */
static const char *cut_filename(char out[KEY_NAME_MAX + 1],
                                const struct buf *name) {
  key_filename(out, name->data, name->len);
  return out;
}

void s3_meta_tell(struct sluice_op *op, const struct s3_call *call,
                  uint64_t length) {
  struct sluice_meta meta = SLUICE_META;
  struct sluice_pair user[S3_META_NAMES + 1] = {{NULL, NULL}};
  struct buf texts[S3_META_NAMES];
  char etag[160], name[64], filename[KEY_NAME_MAX + 1];
  int64_t seconds;
  size_t n = 0;
  for (size_t i = 0; i < S3_META_NAMES; i++) {
    buf_init(&texts[i], META_ROOM);
    snprintf(name, sizeof name, "x-amz-meta-%s", s3_meta_names[i]);
    const char *value = s3_call_header(call, name);
    if (value == NULL || !metadata_decode(&texts[i], value, strlen(value)))
      continue;
    user[n++] = (struct sluice_pair){s3_meta_names[i],
                                     i == 0 && texts[i].len > 0
                                         ? cut_filename(filename, &texts[i])
                                         : texts[i].data};
  }
  s3_etag(etag, s3_call_header(call, "ETag"));
  meta.length = length;
  meta.etag = etag[0] == '\0' ? NULL : etag;
  meta.type = s3_call_header(call, "Content-Type");
  meta.user = user;
  meta.encoding = s3_call_header(call, "Content-Encoding");
  meta.language = s3_call_header(call, "Content-Language");
  meta.cache_control = s3_call_header(call, "Cache-Control");
  meta.expires = s3_call_header(call, "Expires");
  const char *modified = s3_call_header(call, "Last-Modified");
  if (modified != NULL &&
      date_http_parse(modified, date_now_ms() / 1000, &seconds))
    meta.mtime_ms = seconds * 1000;
  sluice_meta(op, &meta);
  for (size_t i = 0; i < S3_META_NAMES; i++)
    buf_fini(&texts[i]);
}
