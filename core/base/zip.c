/* SPDX-License-Identifier: MIT
 *
 * Section 4.3 of the APPNOTE, in its order.
 */
#include "zip.h"

#include <string.h>
#include <time.h>

#define FULL16 0xffffu     /* the value is elsewhere, in 64 bits */
#define FULL32 0xffffffffu /* so, too */

#define FLAGS ((1u << 3) | (1u << 11)) /* CRC behind the bytes; UTF-8 */
#define VERSION 20u
#define VERSION_64 45u
#define MADE_BY ((3u << 8) | VERSION_64) /* Unix: its modes count */
#define MODE_FILE (0100644u << 16)
#define MODE_FOLDER ((0040755u << 16) | 0x10u)

#define LOCAL 30u
#define CENTRAL 46u
#define END 22u
#define END_64 (56u + 20u) /* with its locator */
#define TIME_EXTRA 9u      /* seconds since 1970, in UTC */
#define LOCAL_EXTRA 20u

static bool put(struct buf *out, uint64_t value, size_t bytes) {
  unsigned char text[8];
  for (size_t i = 0; i < bytes; i++)
    text[i] = (unsigned char)(value >> 8 * i);
  return buf_add(out, text, bytes);
}

static bool put16(struct buf *out, uint64_t value) {
  return put(out, value, 2);
}

static bool put32(struct buf *out, uint64_t value) {
  return put(out, value, 4);
}

static uint64_t zip_least(uint64_t value, uint64_t most) {
  return value < most ? value : most;
}

static bool is_large(uint64_t value) {
  return value >= FULL32;
}

/* ---- times -------------------------------------------------------------- */

/* Two seconds are its unit, and 1980 to 2107 its years. */
static uint32_t dos_time(int64_t mtime_s) {
  time_t seconds = (time_t)mtime_s;
  struct tm tm;
  if (gmtime_r(&seconds, &tm) == NULL || tm.tm_year < 80)
    return (1u << 21) | (1u << 16);
  if (tm.tm_year > 80 + 127)
    tm = (struct tm){.tm_year = 80 + 127, .tm_mon = 11, .tm_mday = 31};
  unsigned second = (unsigned)(tm.tm_sec > 59 ? 59 : tm.tm_sec);
  return (unsigned)(tm.tm_year - 80) << 25 | (unsigned)(tm.tm_mon + 1) << 21 |
         (unsigned)tm.tm_mday << 16 | (unsigned)tm.tm_hour << 11 |
         (unsigned)tm.tm_min << 5 | second / 2;
}

static bool put_time_extra(struct buf *out, int64_t mtime_s) {
  int64_t seconds = mtime_s < 0           ? 0
                    : mtime_s > INT32_MAX ? INT32_MAX
                                          : mtime_s;
  return put16(out, 0x5455) && put16(out, 5) && put(out, 1, 1) &&
         put32(out, (uint64_t)seconds);
}

/* ---- a file ------------------------------------------------------------- */

static size_t name_len(const struct zip_entry *entry) {
  return strlen(entry->name);
}

size_t zip_local_size(const struct zip_entry *entry) {
  return LOCAL + name_len(entry) + TIME_EXTRA +
         (is_large(entry->size) ? LOCAL_EXTRA : 0);
}

/* Sizes are 0 where the CRC is told behind the bytes (4.4.4); that they are in
 * 64 bits there says the extra field here. */
bool zip_local(struct buf *out, const struct zip_entry *entry) {
  bool large = is_large(entry->size);
  put32(out, 0x04034b50);
  put16(out, large ? VERSION_64 : VERSION);
  put16(out, FLAGS);
  put16(out, 0); /* stored */
  put32(out, dos_time(entry->mtime_s));
  put32(out, 0);
  put32(out, large ? FULL32 : 0);
  put32(out, large ? FULL32 : 0);
  put16(out, name_len(entry));
  put16(out, TIME_EXTRA + (large ? LOCAL_EXTRA : 0));
  buf_adds(out, entry->name);
  if (large) {
    put16(out, 1);
    put16(out, 16);
    put(out, 0, 8);
    put(out, 0, 8);
  }
  return put_time_extra(out, entry->mtime_s);
}

size_t zip_descriptor_size(const struct zip_entry *entry) {
  return is_large(entry->size) ? 24 : 16;
}

bool zip_descriptor(struct buf *out, const struct zip_entry *entry) {
  size_t bytes = is_large(entry->size) ? 8 : 4;
  put32(out, 0x08074b50);
  put32(out, entry->crc);
  put(out, entry->size, bytes);
  return put(out, entry->size, bytes);
}

/* The fields that aren't in the header, in this order (4.5.3). */
static size_t central_extra(const struct zip_entry *entry) {
  size_t fields =
      (is_large(entry->size) ? 16u : 0u) + (is_large(entry->offset) ? 8u : 0u);
  return fields > 0 ? 4 + fields : 0;
}

size_t zip_central_size(const struct zip_entry *entry) {
  return CENTRAL + name_len(entry) + TIME_EXTRA + central_extra(entry);
}

bool zip_central(struct buf *out, const struct zip_entry *entry) {
  size_t extra = central_extra(entry), len = name_len(entry);
  bool folder = len > 0 && entry->name[len - 1] == '/';
  put32(out, 0x02014b50);
  put16(out, MADE_BY);
  put16(out, extra > 0 ? VERSION_64 : VERSION);
  put16(out, FLAGS);
  put16(out, 0);
  put32(out, dos_time(entry->mtime_s));
  put32(out, entry->crc);
  put32(out, zip_least(entry->size, FULL32));
  put32(out, zip_least(entry->size, FULL32));
  put16(out, len);
  put16(out, TIME_EXTRA + extra);
  put16(out, 0); /* no comment */
  put16(out, 0); /* the first disk */
  put16(out, 0);
  put32(out, folder ? MODE_FOLDER : MODE_FILE);
  put32(out, zip_least(entry->offset, FULL32));
  buf_adds(out, entry->name);
  if (extra > 0) {
    put16(out, 1);
    put16(out, extra - 4);
  }
  if (is_large(entry->size)) {
    put(out, entry->size, 8);
    put(out, entry->size, 8);
  }
  if (is_large(entry->offset))
    put(out, entry->offset, 8);
  return put_time_extra(out, entry->mtime_s);
}

/* ---- the end ------------------------------------------------------------ */

static bool needs_64(const struct zip_end *end) {
  return end->count >= FULL16 || is_large(end->at) || is_large(end->size);
}

size_t zip_end_size(const struct zip_end *end) {
  return END + (needs_64(end) ? END_64 : 0);
}

bool zip_end(struct buf *out, const struct zip_end *end) {
  if (needs_64(end)) {
    put32(out, 0x06064b50);
    put(out, 44, 8); /* bytes that follow in this record */
    put16(out, MADE_BY);
    put16(out, VERSION_64);
    put32(out, 0);
    put32(out, 0);
    put(out, end->count, 8);
    put(out, end->count, 8);
    put(out, end->size, 8);
    put(out, end->at, 8);
    put32(out, 0x07064b50);
    put32(out, 0);
    put(out, end->at + end->size, 8);
    put32(out, 1);
  }
  put32(out, 0x06054b50);
  put16(out, 0);
  put16(out, 0);
  put16(out, zip_least(end->count, FULL16));
  put16(out, zip_least(end->count, FULL16));
  put32(out, zip_least(end->size, FULL32));
  put32(out, zip_least(end->at, FULL32));
  return put16(out, 0);
}
