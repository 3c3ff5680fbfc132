/* SPDX-License-Identifier: MIT
 *
 * Fuzzes formdata_next(): a form in one piece and in pieces gives the same
 * events and the same data.  The first byte of an input is the length of the
 * pieces, the second one chooses the boundary.
 */
#include "codec.h"
#include "formdata.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const boundaries[] = {"b", "--", "a b", "----boundary",
                                         "*&={}"};

static void add_part(struct buf *log, const struct formdata_part *part) {
  assert(part->name && strlen(part->name) <= FORMDATA_NAME_MAX);
  assert(codec_utf8_valid(part->name, strlen(part->name)));
  assert(!part->filename || part->filename_len <= FORMDATA_HEADERS_MAX);
  buf_addf(log, "<%s", part->name);
  if (part->filename)
    buf_add(log, part->filename, part->filename_len + 1);
  if (part->type)
    buf_adds(log, part->type);
  buf_addc(log, '>');
}

/* Events come in the order of the states that they lead to. */
static void check_order(enum formdata_event event, bool *in_part) {
  if (event == FORMDATA_MORE || event == FORMDATA_BAD)
    return;
  assert(*in_part == (event == FORMDATA_DATA || event == FORMDATA_END));
  *in_part = event == FORMDATA_PART || event == FORMDATA_DATA;
}

static bool over(enum formdata_event event) {
  return event == FORMDATA_DONE || event == FORMDATA_BAD;
}

static enum formdata_event feed(struct formdata *form, const char *in,
                                size_t len, struct buf *log, bool *in_part) {
  size_t at = 0, used, data_len;
  enum formdata_event event;
  do {
    event = formdata_next(form, in + at, len - at, &used);
    assert(used <= len - at);
    at += used;
    check_order(event, in_part);
    if (event == FORMDATA_PART)
      add_part(log, formdata_part(form));
    if (event == FORMDATA_END)
      buf_addc(log, ';');
    if (event == FORMDATA_DATA) {
      const char *data = formdata_data(form, &data_len);
      assert(data_len > 0);
      buf_add(log, data, data_len);
    }
  } while (event != FORMDATA_MORE && !over(event));
  assert(event == FORMDATA_BAD || at == len);
  return event;
}

static void run(struct buf *log, const char *boundary, const char *in,
                size_t len, size_t piece) {
  struct formdata *form = formdata_new(boundary);
  enum formdata_event event = FORMDATA_MORE;
  bool in_part = false;
  assert(form);
  buf_init(log, 4 * len + 4096);
  for (size_t at = 0; !over(event) && at < len; at += piece)
    event = feed(form, in + at, piece < len - at ? piece : len - at, log,
                 &in_part);
  buf_addf(log, "%d", (int)event);
  if (event == FORMDATA_BAD)
    buf_adds(log, formdata_fault(form));
  assert(!log->overflown);
  formdata_free(form);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2)
    return 0;
  const char *in = (const char *)data + 2;
  const char *boundary = boundaries[data[1] % 5];
  struct buf whole, pieces;
  run(&whole, boundary, in, size - 2, size);
  run(&pieces, boundary, in, size - 2, 1 + data[0] % 32);
  assert(whole.len == pieces.len);
  assert(!memcmp(whole.data, pieces.data, whole.len));
  buf_fini(&whole);
  buf_fini(&pieces);
  return 0;
}
