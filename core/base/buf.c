/* SPDX-License-Identifier: MIT
 *
 * A growing byte buffer with a hard maximum from birth.  Called everywhere.
 * len <= max always, and data[len] is a NUL.
 */
#include "buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "must.h"

#define ROOM_MIN 64

void buf_init(struct buf *buf, size_t max) {
  *buf = (struct buf){.data = "", .max = max};
}

void buf_fini(struct buf *buf) {
  if (buf->room)
    free(buf->data);
  buf_init(buf, buf->max);
}

void buf_clear(struct buf *buf) {
  buf->len = 0;
  buf->overflown = false;
  if (buf->room)
    buf->data[0] = '\0';
}

static bool buf_refuse(struct buf *buf) {
  buf->overflown = true;
  return false;
}

/* Doubling keeps the cost of many small adds linear. */
static size_t room_for(const struct buf *buf, size_t need) {
  size_t room = buf->room ? buf->room : ROOM_MIN;

  while (room < need)
    room = room > SIZE_MAX / 2 ? need : room * 2;
  if (room > buf->max)
    room = buf->max + 1;
  return room;
}

/* Makes room for `more` bytes and the NUL. */
bool buf_reserve(struct buf *buf, size_t more) {
  size_t need;
  char *data;

  if (buf->overflown || more > buf->max - buf->len ||
      __builtin_add_overflow(buf->len + more, 1, &need))
    return buf_refuse(buf);
  if (need <= buf->room)
    return true;
  need = room_for(buf, need);
  data = realloc(buf->room ? buf->data : NULL, need);
  must_have(data);
  buf->data = data;
  buf->room = need;
  return true;
}

bool buf_add(struct buf *buf, const void *data, size_t len) {
  if (!len)
    return !buf->overflown;
  if (!buf_reserve(buf, len))
    return false;
  memcpy(buf->data + buf->len, data, len);
  buf->len += len;
  buf->data[buf->len] = '\0';
  return true;
}

bool buf_adds(struct buf *buf, const char *text) {
  return buf_add(buf, text, strlen(text));
}

bool buf_addc(struct buf *buf, char c) {
  if (!buf_reserve(buf, 1))
    return false;
  buf->data[buf->len++] = c;
  buf->data[buf->len] = '\0';
  return true;
}

/* Mostly there is room already, and the first attempt is the last. */
bool buf_addf(struct buf *buf, const char *fmt, ...) {
  va_list args, again;
  size_t room = buf->room ? buf->room - buf->len : 0;
  int len;
  bool added;

  if (buf->overflown)
    return false;
  va_start(args, fmt);
  va_copy(again, args);
  len = vsnprintf(room ? buf->data + buf->len : NULL, room, fmt, args);
  added = len >= 0 && (size_t)len < room;
  if (!added && room)
    buf->data[buf->len] = '\0';
  if (len < 0) {
    buf_refuse(buf);
  } else if (!added && buf_reserve(buf, (size_t)len)) {
    vsnprintf(buf->data + buf->len, (size_t)len + 1, fmt, again);
    added = true;
  }
  if (added)
    buf->len += (size_t)len;
  va_end(again);
  va_end(args);
  return added;
}

char *buf_take(struct buf *buf) {
  char *data = NULL;

  if (buf_reserve(buf, 0)) {
    data = buf->data;
    data[buf->len] = '\0';
    buf->room = 0;
  }
  buf_fini(buf);
  return data;
}
