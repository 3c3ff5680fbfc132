/* SPDX-License-Identifier: MIT
 *
 * The zstd seekable format, as zstd publishes it (contrib/seekable_format):
 * its table is a skippable frame, so a reader that knows nothing of it reads
 * all the others one after the other.
 */
#include "seekable.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

#define HEAD_MAGIC 0x184D2A5Eu
#define FOOT_MAGIC 0x8F92EAB1u
#define FRAME_LEAST 9 /* a magic, a header of two bytes, a block's header */

static void put_le32(unsigned char *out, uint32_t value) {
  for (int i = 0; i < 4; i++)
    out[i] = (unsigned char)(value >> (8 * i));
}

static uint32_t get_le32(const unsigned char *in) {
  uint32_t value = 0;
  for (int i = 0; i < 4; i++)
    value |= (uint32_t)in[i] << (8 * i);
  return value;
}

/* ---- the mark ----------------------------------------------------------- */

bool seekable_init(struct seekable *shape, uint64_t plain, uint32_t frame) {
  uint64_t count = plain / frame + (plain % frame != 0);
  if (plain == 0 || count > SEEKABLE_FRAMES_MAX)
    return false;
  *shape = (struct seekable){
      .plain = plain, .frame = frame, .count = (uint32_t)count};
  return true;
}

/* Digits alone, and the character behind them. */
static bool read_decimal(const char **at, char then, uint64_t *value) {
  char *end;
  if (**at < '0' || **at > '9')
    return false;
  errno = 0;
  *value = strtoull(*at, &end, 10);
  *at = end + 1;
  return errno == 0 && *end == then;
}

bool seekable_read_mark(struct seekable *shape, const char *text) {
  uint64_t plain, frame;
  if (!read_decimal(&text, '/', &plain) || !read_decimal(&text, '/', &frame) ||
      frame < SEEKABLE_FRAME_MIN || frame > SEEKABLE_FRAME_MAX ||
      !seekable_init(shape, plain, (uint32_t)frame) ||
      strspn(text, "0123456789abcdef") != SEEKABLE_MD5 ||
      text[SEEKABLE_MD5] != '\0')
    return false;
  memcpy(shape->md5, text, SEEKABLE_MD5 + 1);
  return true;
}

void seekable_write_mark(const struct seekable *shape,
                         char out[SEEKABLE_MARK_SIZE]) {
  snprintf(out, SEEKABLE_MARK_SIZE, "%" PRIu64 "/%" PRIu32 "/%s", shape->plain,
           shape->frame, shape->md5);
}

/* ---- sizes -------------------------------------------------------------- */

uint32_t seekable_frame(const struct seekable *shape, uint32_t index) {
  uint64_t left = shape->plain - (uint64_t)index * shape->frame;
  return left < shape->frame ? (uint32_t)left : shape->frame;
}

/* With the sum at its end, which ZSTD_compressBound() counts too. */
size_t seekable_bound(size_t plain) {
  return ZSTD_compressBound(plain) + 32;
}

bool seekable_frames(const struct seekable *shape, uint64_t stored,
                     uint64_t *frames) {
  uint64_t table = SEEKABLE_TABLE(shape->count);
  if (stored < table + (uint64_t)shape->count * FRAME_LEAST)
    return false;
  *frames = stored - table;
  return *frames <= shape->count * (uint64_t)seekable_bound(shape->frame);
}

/* ---- the table ---------------------------------------------------------- */

static size_t unit_size(const struct seekable *shape, uint32_t unit) {
  return unit == shape->count + 1 ? SEEKABLE_FOOT : SEEKABLE_ENTRY;
}

static void unit_write(const struct seekable *shape, const uint32_t *sizes,
                       uint32_t unit, unsigned char *out) {
  if (unit == 0) {
    put_le32(out, HEAD_MAGIC);
    put_le32(out + 4,
             (uint32_t)(SEEKABLE_TABLE(shape->count) - SEEKABLE_ENTRY));
  } else if (unit <= shape->count) {
    put_le32(out, sizes[unit - 1]);
    put_le32(out + 4, seekable_frame(shape, unit - 1));
  } else {
    put_le32(out, shape->count);
    out[4] = 0; /* no sums in the table: each frame has its own */
    put_le32(out + 5, FOOT_MAGIC);
  }
}

size_t seekable_write_table(const struct seekable *shape,
                            const uint32_t *sizes, uint32_t *unit,
                            unsigned char *out, size_t room) {
  size_t len = 0;
  while (*unit < shape->count + 2 && room - len >= unit_size(shape, *unit)) {
    unit_write(shape, sizes, *unit, out + len);
    len += unit_size(shape, *unit);
    ++*unit;
  }
  return len;
}

static bool entry_take(struct seekable_table *table) {
  uint32_t index = table->unit - 1, size = get_le32(table->bytes);
  uint32_t plain = seekable_frame(&table->shape, index);
  if (size < FRAME_LEAST || size > seekable_bound(plain) ||
      get_le32(table->bytes + 4) != plain)
    return false;
  if (index == table->first)
    table->begin = table->sum;
  table->sum += size;
  if (index == table->last)
    table->end = table->sum;
  return table->sum <= table->frames;
}

static bool unit_take(struct seekable_table *table) {
  const struct seekable *shape = &table->shape;
  unsigned char want[SEEKABLE_FOOT];
  if (table->unit > 0 && table->unit <= shape->count)
    return entry_take(table);
  unit_write(shape, NULL, table->unit, want);
  return memcmp(want, table->bytes, unit_size(shape, table->unit)) == 0 &&
         (table->unit == 0 || table->sum == table->frames);
}

bool seekable_whole(const struct seekable_table *table) {
  return table->unit == table->shape.count + 2;
}

bool seekable_take(struct seekable_table *table, const void *data,
                   size_t len) {
  const unsigned char *at = data;
  while (len > 0 && !seekable_whole(table)) {
    size_t size = unit_size(&table->shape, table->unit);
    size_t room = size - table->have;
    size_t count = len < room ? len : room;
    memcpy(table->bytes + table->have, at, count);
    table->have += count;
    at += count;
    len -= count;
    if (table->have < size)
      break;
    if (!unit_take(table))
      return false;
    table->have = 0;
    table->unit++;
  }
  return len == 0;
}

/* ---- frames ------------------------------------------------------------- */

enum seekable_look seekable_look(const void *data, size_t have, size_t *len) {
  size_t found = ZSTD_findFrameCompressedSize(data, have);
  if (!ZSTD_isError(found)) {
    *len = found;
    return SEEKABLE_FRAME;
  }
  return ZSTD_getErrorCode(found) == ZSTD_error_srcSize_wrong
             ? SEEKABLE_MORE
             : SEEKABLE_BROKEN;
}
