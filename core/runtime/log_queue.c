/* SPDX-License-Identifier: MIT
 *
 * A ring of bytes: before each line stands its length, and a length of 0
 * stands before the number of those that were dropped.
 */
#include "log_queue.h"

#include <string.h>

#define NOTE_SIZE (LOG_QUEUE_HEAD + sizeof(uint64_t))

static void put_bytes(struct log_queue *queue, const void *from, size_t len) {
  size_t at = (queue->first + queue->used) % queue->size;
  size_t part = len < queue->size - at ? len : queue->size - at;
  memcpy(queue->bytes + at, from, part);
  memcpy(queue->bytes, (const char *)from + part, len - part);
  queue->used += len;
}

static void get_bytes(struct log_queue *queue, void *to, size_t len) {
  size_t at = queue->first;
  size_t part = len < queue->size - at ? len : queue->size - at;
  memcpy(to, queue->bytes + at, part);
  memcpy((char *)to + part, queue->bytes, len - part);
  queue->first = (at + len) % queue->size;
  queue->used -= len;
}

static bool has_room(const struct log_queue *queue, size_t len) {
  size_t left = queue->size - queue->used;
  if (queue->dropped == 0)
    return LOG_QUEUE_HEAD + len <= left;
  return queue->used <= queue->size / 2 &&
         NOTE_SIZE + LOG_QUEUE_HEAD + len <= left;
}

bool log_queue_add(struct log_queue *queue, const char *line, size_t len) {
  const uint16_t length = (uint16_t)len, none = 0;
  if (!has_room(queue, len)) {
    queue->dropped++;
    return false;
  }
  if (queue->dropped > 0) {
    put_bytes(queue, &none, sizeof none);
    put_bytes(queue, &queue->dropped, sizeof queue->dropped);
    queue->dropped = 0;
  }
  put_bytes(queue, &length, sizeof length);
  put_bytes(queue, line, len);
  return true;
}

struct log_queue_next log_queue_take(struct log_queue *queue, char *line) {
  struct log_queue_next next = {0, 0};
  uint16_t length = 0;
  if (queue->used == 0) {
    next.dropped = queue->dropped;
    queue->dropped = 0;
    return next;
  }
  get_bytes(queue, &length, sizeof length);
  next.len = length;
  if (length > 0)
    get_bytes(queue, line, length);
  else
    get_bytes(queue, &next.dropped, sizeof next.dropped);
  return next;
}
