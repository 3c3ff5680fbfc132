/* SPDX-License-Identifier: MIT
 *
 * Marks and tables of compressed objects as anybody may have written them: the
 * first line is the mark, the second one the stored length, and the rest the
 * table, in pieces of seven bytes, and then bytes that may be a frame.
 */
#include "seekable.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take_mark(const char *text) {
  struct seekable shape, again;
  char mark[SEEKABLE_MARK_SIZE];
  if (!seekable_read_mark(&shape, text))
    return;
  assert(shape.plain > 0 && shape.count > 0);
  assert(shape.count <= SEEKABLE_FRAMES_MAX);
  assert(seekable_frame(&shape, shape.count - 1) > 0);
  seekable_write_mark(&shape, mark);
  assert(seekable_read_mark(&again, mark));
  assert(again.plain == shape.plain && again.count == shape.count);
}

static void take_table(const char *mark, uint64_t stored, const char *at,
                       size_t left) {
  struct seekable_table table = {.first = 0};
  if (!seekable_read_mark(&table.shape, mark) ||
      !seekable_frames(&table.shape, stored, &table.frames))
    return;
  table.last = table.shape.count - 1;
  table.first = table.last / 2;
  while (left > 0) {
    size_t count = left < 7 ? left : 7;
    if (!seekable_take(&table, at, count))
      return;
    at += count;
    left -= count;
  }
  if (!seekable_whole(&table))
    return;
  assert(table.begin < table.end && table.end == table.frames);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  size_t len = 0;
  char *text = malloc(size + 1);
  if (text == NULL)
    return 0;
  if (size > 0)
    memcpy(text, data, size);
  text[size] = '\0';
  if (seekable_look(text, size, &len) == SEEKABLE_FRAME)
    assert(len > 0 && len <= size);
  char *line = memchr(text, '\n', size);
  if (line != NULL) {
    *line++ = '\0';
    take_mark(text);
    char *end = memchr(line, '\n', size - (size_t)(line - text));
    if (end != NULL)
      take_table(text, strtoull(line, NULL, 10), end + 1,
                 size - (size_t)(end + 1 - text));
  }
  free(text);
  return 0;
}
