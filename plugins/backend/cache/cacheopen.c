/* SPDX-License-Identifier: MIT
 *
 * An entry's file is believed when its head is as it was written (SHA-256),
 * and is that of the key, and the file is as long as that says and has a tail.
 * A small object's bytes are compared with their MD5 here, each time; a larger
 * one's by a cachefill, once.
 */
#include "cacheopen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec.h"

struct cachebody *cacheopen_new(void) {
  struct cachebody *body = calloc(1, sizeof *body);
  if (body != NULL)
    body->fd = -1;
  return body;
}

void cacheopen_free(struct cachebody *body) {
  if (body->fd >= 0)
    close(body->fd);
  free(body->head);
  free(body->copy);
  free(body);
}

uint64_t cacheopen_size(const struct cachebody *body) {
  return body->form.head + body->form.meta.length + CACHEFORM_TAIL;
}

static bool read_all(int fd, void *data, size_t size, uint64_t at) {
  while (size > 0) {
    ssize_t got = pread(fd, data, size, (off_t)at);
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      return false;
    data = (char *)data + got;
    size -= (size_t)got;
    at += (uint64_t)got;
  }
  return true;
}

bool cacheopen_write(int fd, const void *data, size_t size, uint64_t at) {
  while (size > 0) {
    ssize_t put = pwrite(fd, data, size, (off_t)at);
    if (put < 0 && errno == EINTR)
      continue;
    if (put < 0)
      return false;
    data = (const char *)data + put;
    size -= (size_t)put;
    at += (uint64_t)put;
  }
  return true;
}

static enum cacheopen_found read_head(struct cachebody *body, uint64_t size) {
  unsigned char first[CACHEFORM_HEAD_MIN];
  if (size < sizeof first || !read_all(body->fd, first, sizeof first, 0))
    return CACHEOPEN_BAD;
  size_t length = cacheform_length(first);
  if (length == 0 || length > size)
    return CACHEOPEN_BAD;
  body->head = malloc(length);
  if (body->head == NULL)
    return CACHEOPEN_UNKNOWN;
  return read_all(body->fd, body->head, length, 0) &&
                 cacheform_read(&body->form, body->head, length)
             ? CACHEOPEN_GOOD
             : CACHEOPEN_BAD;
}

static enum cacheopen_found
read_small(struct cachebody *body, const unsigned char md5[DIGEST_MD5_LEN]) {
  unsigned char sum[DIGEST_MD5_LEN];
  size_t length = (size_t)body->form.meta.length;
  body->copy = malloc(length + 1);
  if (body->copy == NULL)
    return CACHEOPEN_UNKNOWN;
  if (!read_all(body->fd, body->copy, length, body->form.head))
    return CACHEOPEN_BAD;
  digest_md5(sum, body->copy, length);
  return memcmp(sum, md5, sizeof sum) == 0 ? CACHEOPEN_GOOD : CACHEOPEN_BAD;
}

static enum cacheopen_found read_file(struct cachebody *body, const char *key,
                                      bool checked) {
  unsigned char tail[CACHEFORM_TAIL];
  struct stat st;
  if (fstat(body->fd, &st) != 0)
    return CACHEOPEN_BAD;
  enum cacheopen_found found = read_head(body, (uint64_t)st.st_size);
  if (found != CACHEOPEN_GOOD)
    return found;
  uint64_t size = (uint64_t)st.st_size;
  if (strcmp(body->form.key, key) != 0 ||
      body->form.meta.length != size - body->form.head - CACHEFORM_TAIL ||
      size - body->form.head < CACHEFORM_TAIL ||
      !read_all(body->fd, tail, sizeof tail, size - sizeof tail))
    return CACHEOPEN_BAD;
  const unsigned char *md5 = cacheform_tail_md5(tail);
  if (md5 == NULL)
    return CACHEOPEN_BAD;
  codec_hex(body->md5, md5, DIGEST_MD5_LEN);
  body->have = body->form.meta.length;
  bool small = size <= CACHEOPEN_SMALL;
  body->state = small || checked ? CACHEBODY_WHOLE : CACHEBODY_CHECKING;
  return small ? read_small(body, md5) : CACHEOPEN_GOOD;
}

enum cacheopen_found cacheopen_file(struct cachebody **out, int fd,
                                    const char *key, bool checked) {
  struct cachebody *body = cacheopen_new();
  if (body == NULL) {
    close(fd);
    return CACHEOPEN_UNKNOWN;
  }
  body->fd = fd;
  enum cacheopen_found found = read_file(body, key, checked);
  if (found == CACHEOPEN_GOOD)
    *out = body;
  else
    cacheopen_free(body);
  return found;
}

enum cacheopen_found cacheopen_failed(int error) {
  static const int shortages[] = {EMFILE, ENFILE, ENOMEM, EIO};
  for (size_t i = 0; i < sizeof shortages / sizeof *shortages; i++)
    if (error == shortages[i])
      return CACHEOPEN_UNKNOWN;
  return CACHEOPEN_BAD;
}

bool cacheopen_describe(struct cachebody *body, const char *key,
                        const struct sluice_meta *meta) {
  unsigned char *room = malloc(CACHEFORM_HEAD_MAX);
  size_t length = room == NULL ? 0 : cacheform_write(room, key, meta);
  body->head = length == 0 ? NULL : malloc(length);
  if (body->head != NULL)
    memcpy(body->head, room, length);
  free(room);
  return body->head != NULL && cacheform_read(&body->form, body->head, length);
}
