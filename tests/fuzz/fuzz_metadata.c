/* SPDX-License-Identifier: MIT
 *
 * Any bytes as a header of metadata, and as a text to put into one.  What is
 * read is UTF-8; what is written survives a storage, and every UTF-8 text
 * comes back.
 */
#include "codec.h"
#include "metadata.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_header(const char *header) {
  size_t len = strlen(header);

  assert(len && header[0] != ' ' && header[len - 1] != ' ');
  assert(!strstr(header, "  ") && !strstr(header, "=?"));
  for (size_t i = 0; i < len; i++)
    assert(header[i] >= ' ' && header[i] <= '~');
}

static void check_round_trip(const char *text) {
  struct buf header, back;

  buf_init(&header, 16 + 3 * strlen(text));
  buf_init(&back, strlen(text));
  assert(metadata_encode(&header, text));
  check_header(header.data);
  if (codec_utf8_valid(text, strlen(text))) {
    assert(metadata_decode(&back, header.data, header.len));
    assert(strcmp(back.data, text) == 0);
  }
  buf_fini(&header);
  buf_fini(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *text = strndup((const char *)data, size);
  struct buf out;

  if (!text)
    return 0;
  buf_init(&out, 3 * size);
  assert(metadata_decode(&out, (const char *)data, size));
  assert(strlen(out.data) == out.len && codec_utf8_valid(out.data, out.len));
  check_round_trip(out.data);
  check_round_trip(text);
  buf_fini(&out);
  free(text);
  return 0;
}
