/* SPDX-License-Identifier: MIT
 *
 * A document through xml, and what it told as one line.
 */
#include "xmltold.h"

#include "unit.h"

#include <string.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

static bool count_down(struct xmltold *told) {
  return told->left-- > 0;
}

static bool on_object(void *arg, const struct xml_object *object) {
  struct xmltold *told = arg;
  buf_addf(&told->log, "o %s %s %llu %lld;", object->key, object->etag,
           (unsigned long long)object->size, (long long)object->mtime_ms);
  return count_down(told);
}

static bool on_prefix(void *arg, const char *prefix) {
  struct xmltold *told = arg;
  buf_addf(&told->log, "p %s;", prefix);
  return count_down(told);
}

static bool on_upload(void *arg, const struct xml_upload *upload) {
  struct xmltold *told = arg;
  buf_addf(&told->log, "u %s %s %lld;", upload->key, upload->upload_id,
           (long long)upload->initiated_ms);
  return count_down(told);
}

static bool on_deletion(void *arg, const struct xml_deletion *deletion) {
  struct xmltold *told = arg;
  buf_addf(&told->log, "d %s %s;", deletion->key, deletion->code);
  return count_down(told);
}

static void log_result(struct buf *log, const struct xml_result *r) {
  buf_addf(log, "%d|%s|%s|%s|%s|%s|%s|%s|%s|%s|%s|%s|%d", (int)r->kind,
           r->code, r->message, r->request_id, r->region, r->bucket,
           r->next_token, r->next_key_marker, r->next_upload_id_marker,
           r->upload_id, r->etag, r->location, r->truncated);
}

bool xmltold_read(struct xmltold *told, enum xml_kind expected,
                  const char *text, size_t len, size_t piece,
                  unsigned events) {
  struct xml_events handlers = {on_object, on_prefix, on_upload, on_deletion,
                                told};
  struct xml *xml = xml_new(expected, &handlers);
  const struct xml_result *result;
  bool going = true;
  CU_ASSERT_FATAL(xml != NULL);
  told->left = events;
  buf_init(&told->log, 1 << 24);
  for (size_t at = 0; at < len && going; at += piece)
    going = xml_feed(xml, text + at, len - at < piece ? len - at : piece);
  result = xml_end(xml);
  CU_ASSERT(going || !result);
  if (result)
    log_result(&told->log, result);
  else
    buf_addf(&told->log, "!%s", xml_fault(xml));
  CU_ASSERT(!*xml_fault(xml) == (result != NULL));
  xml_free(xml);
  return result != NULL;
}

void xmltold_check(enum xml_kind expected, const char *text, size_t len,
                   const char *want) {
  static const size_t pieces[] = {SIZE_MAX / 2, 1, 7};
  for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
    struct xmltold told;
    bool done = xmltold_read(&told, expected, text, len, pieces[i], 100);
    ROW(text, done == (*want != '!'));
    ROW(told.log.data, done ? strcmp(told.log.data, want) == 0
                            : strstr(told.log.data, want + 1) != NULL);
    buf_fini(&told.log);
  }
}

void xmltold_check_rows(enum xml_kind expected,
                        const struct xmltold_row *rows) {
  for (; rows->text; rows++)
    xmltold_check(expected, rows->text, strlen(rows->text), rows->want);
}
