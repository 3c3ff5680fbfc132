/* SPDX-License-Identifier: MIT
 *
 * A query on hostile text.  What is found is UTF-8 of at most the buffer's
 * size, and escaped again it is found again.  The same text goes through the
 * parsers of header parameters and file names, which decode likewise.
 */
#include "codec.h"
#include "key.h"
#include "mime.h"
#include "query.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_MAX 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_found(const struct buf *value) {
  struct buf query, again;

  assert(value->len <= VALUE_MAX && strlen(value->data) == value->len);
  assert(codec_utf8_valid(value->data, value->len));
  buf_init(&query, 4 + 3 * VALUE_MAX);
  buf_init(&again, VALUE_MAX);
  buf_adds(&query, "key=");
  assert(codec_percent(&query, value->data, value->len, CODEC_UNRESERVED));
  assert(query_get(&again, query.data, "key") == QUERY_FOUND);
  assert(strcmp(again.data, value->data) == 0);
  buf_fini(&query);
  buf_fini(&again);
}

/* A name becomes one segment, which stands below another in every key, and its
   own if it is cleaned twice. */
static void check_filename(const char *text, size_t size) {
  char name[KEY_NAME_MAX + 1], again[KEY_NAME_MAX + 1];
  char key[2 + KEY_NAME_MAX + 1] = "d/";
  struct buf header;

  key_filename(name, text, size);
  memcpy(key + 2, name, strlen(name) + 1);
  assert(*name && !key_fault(key, strlen(key)) && !strpbrk(name, "/\\"));
  key_filename(again, name, strlen(name));
  assert(strcmp(again, name) == 0);
  buf_init(&header, 16 * KEY_NAME_MAX);
  assert(mime_disposition(&header, false, name));
  for (size_t i = 0; i < header.len; i++)
    assert(header.data[i] >= ' ' && header.data[i] < 0x7F);
  buf_fini(&header);
}

/* The header that is written for a name reads as that name. */
static void check_disposition(const char *name) {
  struct buf header, value, back;
  bool ascii = true;

  buf_init(&header, 16 + 4 * strlen(name) * 2 + 64);
  buf_init(&value, 4 * strlen(name) + 64);
  buf_init(&back, strlen(name) + 64);
  for (const char *at = name; *at; at++)
    ascii = ascii && (unsigned char)*at < 0x80;
  assert(mime_disposition(&header, true, name));
  assert(mime_parameter(&value, header.data, "filename") == MIME_FOUND);
  assert(!ascii || strcmp(value.data, name) == 0);
  if (!ascii) {
    assert(mime_parameter(&value, header.data, "filename*") == MIME_FOUND);
    assert(codec_unpercent(&back, value.data + 7, value.len - 7, false));
    assert(strcmp(back.data, name) == 0);
  }
  buf_fini(&header);
  buf_fini(&value);
  buf_fini(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *text = strndup((const char *)data, size);
  char name[KEY_NAME_MAX + 1];
  struct buf value;

  if (!text)
    return 0;
  buf_init(&value, VALUE_MAX);
  if (query_get(&value, text, "key") == QUERY_FOUND)
    check_found(&value);
  if (mime_parameter(&value, text, "name") == MIME_FOUND)
    assert(value.len <= VALUE_MAX && strlen(value.data) == value.len);
  if (mime_valid(text))
    assert(mime_parameter(&value, text, "not a name") == MIME_NONE);
  check_filename((const char *)data, size);
  key_filename(name, (const char *)data, size);
  check_disposition(name);
  buf_fini(&value);
  free(text);
  return 0;
}
