/* SPDX-License-Identifier: MIT
 *
 * Fuzzes chunked_next(): a body in one piece and in pieces gives the same
 * data, the same end, and the same rest.  The first byte of an input is the
 * length of the pieces.
 */
#include "buf.h"
#include "chunked.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
  struct buf data;
  enum chunked_result result;
  size_t used;
};

static void feed(struct run *run, struct chunked *c, const char *in,
                 size_t len) {
  size_t at = 0, used, data_len;
  const char *data;
  do {
    run->result = chunked_next(c, in + at, len - at, &used, &data, &data_len);
    assert(used <= len - at);
    if (run->result == CHUNKED_DATA) {
      assert(data_len && data >= in + at);
      assert(data + data_len == in + at + used);
      assert(buf_add(&run->data, data, data_len));
    }
    at += used;
  } while (run->result == CHUNKED_DATA);
  assert(run->result != CHUNKED_MORE || at == len);
  run->used += at;
}

static struct run decode(const char *in, size_t len, size_t piece) {
  struct chunked c = {.left = 0};
  struct run run = {.result = CHUNKED_MORE};
  buf_init(&run.data, len);
  for (size_t at = 0; run.result == CHUNKED_MORE && at < len; at += piece)
    feed(&run, &c, in + at, piece < len - at ? piece : len - at);
  return run;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (!size)
    return 0;
  const char *in = (const char *)data + 1;
  struct run whole = decode(in, size - 1, size);
  struct run pieces = decode(in, size - 1, 1 + data[0] % 32);
  assert(whole.result == pieces.result && whole.used == pieces.used);
  assert(whole.data.len == pieces.data.len);
  assert(!memcmp(whole.data.data, pieces.data.data, whole.data.len));
  buf_fini(&whole.data);
  buf_fini(&pieces.data);
  return 0;
}
