/* SPDX-License-Identifier: MIT
 *
 * Descriptions of blobs, written and read.
 */
#include "blob.h"

#include "siphash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "SLUIBLOB"
#define FORMAT 1u
#define NO_TYPE UINT32_MAX
#define DESCRIPTION_MAX ((size_t)2 << 20)
#define READ_SIZE ((size_t)256 << 10)

enum { /* offsets in the tail */
       TAIL_KEY = 0,
       TAIL_TYPE = 4,
       TAIL_USER = 8,
       TAIL_FORMAT = 12,
       TAIL_LENGTH = 16,
       TAIL_MTIME = 24,
       TAIL_MD5 = 32,
       TAIL_SUM = 48,
       TAIL_MAGIC = 56
};
_Static_assert(TAIL_MAGIC + sizeof MAGIC - 1 == BLOB_TAIL_LEN, "as it says");

static const unsigned char sum_key[SIPHASH_KEY_LEN];

static void blob_put_number(unsigned char *at, uint64_t number, size_t bytes) {
  for (size_t i = 0; i < bytes; i++)
    at[i] = (unsigned char)(number >> 8 * i);
}

static uint64_t get_number(const unsigned char *at, size_t bytes) {
  uint64_t number = 0;
  for (size_t i = 0; i < bytes; i++)
    number |= (uint64_t)at[i] << 8 * i;
  return number;
}

/* ---- written ---- */

bool blob_describe(struct buf *out, const char *key, const struct row *row) {
  unsigned char tail[BLOB_TAIL_LEN] = {0};
  size_t key_len = strlen(key), type_len = row->type ? strlen(row->type) : 0;
  buf_init(out, DESCRIPTION_MAX);
  buf_add(out, key, key_len);
  buf_add(out, row->type ? row->type : "", type_len);
  buf_add(out, row->user.data, row->user.len);
  blob_put_number(tail + TAIL_KEY, key_len, 4);
  blob_put_number(tail + TAIL_TYPE, row->type ? type_len : NO_TYPE, 4);
  blob_put_number(tail + TAIL_USER, row->user.len, 4);
  blob_put_number(tail + TAIL_FORMAT, FORMAT, 4);
  blob_put_number(tail + TAIL_LENGTH, row->length, 8);
  blob_put_number(tail + TAIL_MTIME, (uint64_t)row->mtime_ms, 8);
  memcpy(tail + TAIL_MD5, row->md5, sizeof row->md5);
  if (!buf_add(out, tail, TAIL_SUM))
    return false;
  blob_put_number(tail + TAIL_SUM, siphash(sum_key, out->data, out->len), 8);
  memcpy(tail + TAIL_MAGIC, MAGIC, sizeof MAGIC - 1);
  return buf_add(out, tail + TAIL_SUM, BLOB_TAIL_LEN - TAIL_SUM);
}

/* ---- read ---- */

static bool read_at(int fd, void *data, size_t len, uint64_t offset) {
  char *at = data;
  while (len > 0) {
    ssize_t got = pread(fd, at, len, (off_t)offset);
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      return false;
    at += got;
    len -= (size_t)got;
    offset += (uint64_t)got;
  }
  return true;
}

struct tail {
  unsigned char bytes[BLOB_TAIL_LEN];
  size_t key, type, user; /* lengths */
  bool typed;
  uint64_t length; /* the object's */
};

/* False when the file's end isn't the tail of a file of that size. */
static bool blob_read_tail(int fd, struct tail *tail) {
  struct stat st;
  const unsigned char *bytes = tail->bytes;
  if (fstat(fd, &st) != 0 || st.st_size < (off_t)BLOB_TAIL_LEN ||
      !read_at(fd, tail->bytes, BLOB_TAIL_LEN,
               (uint64_t)st.st_size - BLOB_TAIL_LEN) ||
      memcmp(bytes + TAIL_MAGIC, MAGIC, sizeof MAGIC - 1) != 0 ||
      get_number(bytes + TAIL_FORMAT, 4) != FORMAT)
    return false;
  uint64_t type = get_number(bytes + TAIL_TYPE, 4);
  tail->key = get_number(bytes + TAIL_KEY, 4);
  tail->typed = type != NO_TYPE;
  tail->type = tail->typed ? type : 0;
  tail->user = get_number(bytes + TAIL_USER, 4);
  tail->length = get_number(bytes + TAIL_LENGTH, 8);
  uint64_t texts = (uint64_t)tail->key + tail->type + tail->user;
  uint64_t described = (uint64_t)st.st_size - BLOB_TAIL_LEN;
  return texts <= DESCRIPTION_MAX - BLOB_TAIL_LEN && texts <= described &&
         tail->length == described - texts;
}

const char *blob_mismatch(int fd, const struct row *row, bool described) {
  struct stat st;
  struct tail tail = {0};
  if (!described)
    return fstat(fd, &st) == 0 && (uint64_t)st.st_size == row->length
               ? NULL
               : "its blob hasn't the right length";
  if (!blob_read_tail(fd, &tail))
    return "its blob was cut or changed";
  if (tail.length != row->length ||
      memcmp(tail.bytes + TAIL_MD5, row->md5, sizeof row->md5) != 0)
    return "its blob holds another object";
  return NULL;
}

/* Cuts the texts, which stand before the tail, into key and row. */
static enum sluice_status take_texts(const struct tail *tail, char *texts,
                                     char **key, struct row *row) {
  char *user = texts + tail->key + tail->type;
  if (memchr(texts, '\0', tail->key + tail->type))
    return SLUICE_EIO;
  *key = strndup(texts, tail->key);
  if (tail->typed)
    row->type = strndup(texts + tail->key, tail->type);
  if (!*key || (tail->typed && !row->type) ||
      !buf_add(&row->user, user, tail->user))
    return SLUICE_ENOMEM;
  row->length = tail->length;
  row->mtime_ms = (int64_t)get_number(tail->bytes + TAIL_MTIME, 8);
  memcpy(row->md5, tail->bytes + TAIL_MD5, sizeof row->md5);
  return row_is_whole(row) ? SLUICE_OK : SLUICE_EIO;
}

enum sluice_status blob_read_description(int fd, char **key, struct row *row) {
  struct tail tail = {0};
  *key = NULL;
  if (!blob_read_tail(fd, &tail))
    return SLUICE_EIO;
  size_t len = tail.key + tail.type + tail.user;
  char *texts = malloc(len + BLOB_TAIL_LEN);
  if (!texts)
    return SLUICE_ENOMEM;
  enum sluice_status status = SLUICE_EIO;
  memcpy(texts + len, tail.bytes, TAIL_SUM);
  if (read_at(fd, texts, len, tail.length) &&
      siphash(sum_key, texts, len + TAIL_SUM) ==
          get_number(tail.bytes + TAIL_SUM, 8))
    status = take_texts(&tail, texts, key, row);
  free(texts);
  if (status == SLUICE_OK)
    return status;
  free(*key);
  *key = NULL;
  row_fini(row);
  return status;
}

static const char *blob_sum_bytes(int fd, uint64_t length, char *room,
                                  struct digest *md5) {
  for (uint64_t at = 0; at < length;) {
    uint64_t left = length - at;
    size_t len = left < READ_SIZE ? (size_t)left : READ_SIZE;
    if (!read_at(fd, room, len, at))
      return "its blob can't be read";
    digest_update(md5, room, len);
    at += len;
  }
  return NULL;
}

const char *blob_verify(int fd, const struct row *row) {
  unsigned char md5[DIGEST_MD5_LEN];
  char *room = malloc(READ_SIZE);
  struct digest *digest = digest_new(DIGEST_MD5);
  const char *wrong = "there is no memory to check it";
  if (room && digest) {
    wrong = blob_sum_bytes(fd, row->length, room, digest);
    digest_final(digest, md5);
    if (!wrong && memcmp(md5, row->md5, sizeof md5) != 0)
      wrong = "its blob's bytes aren't those that were stored";
  }
  digest_free(digest);
  free(room);
  return wrong;
}
