/* SPDX-License-Identifier: MIT
 *
 * Any bytes as an answer in XML, whole and byte by byte: both are refused, or
 * both tell the same.  Keys are UTF-8 and every text keeps its limit.
 */
#include "codec.h"
#include "xml.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text) {
  assert(strlen(text) <= XML_TEXT_MAX);
  assert(codec_utf8_valid(text, strlen(text)));
}

static bool on_object(void *arg, const struct xml_object *object) {
  check_text(object->key);
  check_text(object->etag);
  assert(object->size <= INT64_MAX);
  return buf_addf(arg, "o%s %s %llu %lld;", object->key, object->etag,
                  (unsigned long long)object->size,
                  (long long)object->mtime_ms);
}

static bool on_prefix(void *arg, const char *prefix) {
  check_text(prefix);
  return buf_addf(arg, "p%s;", prefix);
}

static bool on_upload(void *arg, const struct xml_upload *upload) {
  check_text(upload->key);
  check_text(upload->upload_id);
  return buf_addf(arg, "u%s %s %lld;", upload->key, upload->upload_id,
                  (long long)upload->initiated_ms);
}

static bool on_deletion(void *arg, const struct xml_deletion *deletion) {
  check_text(deletion->key);
  check_text(deletion->code);
  return buf_addf(arg, "d%s %s;", deletion->key, deletion->code);
}

static void check_result(struct buf *log, const struct xml_result *result) {
  const char *const texts[] = {result->code,
                               result->message,
                               result->request_id,
                               result->region,
                               result->bucket,
                               result->next_token,
                               result->next_key_marker,
                               result->next_upload_id_marker,
                               result->upload_id,
                               result->etag,
                               result->location};

  assert(result->kind != XML_ANY);
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    check_text(texts[i]);
    buf_addf(log, "%s|", texts[i]);
  }
  buf_addf(log, "%d%d", (int)result->kind, result->truncated);
}

static bool read_in(struct buf *log, const uint8_t *data, size_t size,
                    size_t piece) {
  const struct xml_events events = {on_object, on_prefix, on_upload,
                                    on_deletion, log};
  struct xml *xml = xml_new(XML_ANY, &events);
  const struct xml_result *result;
  bool going = true;

  assert(xml);
  for (size_t at = 0; at < size && going; at += piece)
    going = xml_feed(xml, (const char *)data + at,
                     size - at < piece ? size - at : piece);
  result = xml_end(xml);
  assert((result && going) == !*xml_fault(xml));
  if (result)
    check_result(log, result);
  xml_free(xml);
  return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct buf one, other;
  bool done;

  if (size > XML_TOKEN_MAX)
    return 0;
  buf_init(&one, SIZE_MAX / 2);
  buf_init(&other, SIZE_MAX / 2);
  done = read_in(&one, data, size, SIZE_MAX / 2);
  assert(read_in(&other, data, size, 1) == done);
  assert(!done || strcmp(one.data, other.data) == 0);
  buf_fini(&one);
  buf_fini(&other);
  return 0;
}
