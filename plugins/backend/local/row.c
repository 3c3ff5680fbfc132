/* SPDX-License-Identifier: MIT
 *
 * Rows of the table `object`.
 */
#include "row.h"

#include "codec.h"
#include "date.h"
#include "expiry.h"
#include "index.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#define USER_MAX (1u << 20) /* bytes; the gateway allows far fewer */

void row_init(struct row *row) {
  *row = (struct row){.length = 0};
  buf_init(&row->user, USER_MAX);
}

void row_fini(struct row *row) {
  free(row->type);
  buf_fini(&row->user);
  row_init(row);
}

enum sluice_status row_set(struct row *row,
                           const struct sluice_object *object) {
  row->length = object->length;
  if (!object->md5 || !codec_unhex(row->md5, sizeof row->md5, object->md5))
    return SLUICE_EINVAL;
  if (object->type && !(row->type = strdup(object->type)))
    return SLUICE_ENOMEM;
  for (const struct sluice_pair *p = object->user; p && p->name; p++) {
    buf_add(&row->user, p->name, strlen(p->name) + 1);
    buf_add(&row->user, p->value, strlen(p->value) + 1);
  }
  return row->user.overflown ? SLUICE_ENOMEM : SLUICE_OK;
}

static size_t count_texts(const struct buf *buf) {
  size_t count = 0;
  for (size_t i = 0; i < buf->len; i++)
    count += buf->data[i] == '\0';
  return count;
}

/* Pairs of texts, each with its NUL. */
bool row_is_whole(const struct row *row) {
  const struct buf *user = &row->user;
  return user->len == 0 ||
         (user->data[user->len - 1] == '\0' && count_texts(user) % 2 == 0);
}

/* ---- sums ---- */

/* One step for each word of eight bytes.  Each is a bijection of the sum, so a
 * change within one word is always seen, and another but for 1 in 2^64. */
static uint64_t sum_word(uint64_t sum, uint64_t word) {
  sum = (sum ^ word) * 0x9e3779b97f4a7c15u;
  return sum ^ sum >> 32;
}

static uint64_t row_sum_bytes(uint64_t sum, const void *bytes, size_t len) {
  const char *at = bytes;
  uint64_t word;
  for (; len >= sizeof word; len -= sizeof word, at += sizeof word) {
    memcpy(&word, at, sizeof word);
    sum = sum_word(sum, le64toh(word));
  }
  if (len == 0)
    return sum;
  word = 0;
  memcpy(&word, at, len);
  return sum_word(sum, le64toh(word));
}

/* Sums the fields that a list shows. */
static uint64_t sum_shown(const struct row_fields *of) {
  uint64_t sum = sum_word(1, of->length);
  sum = sum_word(sum, of->mtime);
  sum = sum_word(sum, of->key_len);
  sum = row_sum_bytes(sum, of->md5, DIGEST_MD5_LEN);
  return row_sum_bytes(sum, of->key, of->key_len);
}

/* The upper half is of what a list shows, the lower one of all fields.  Their
 * lengths go first, so that no byte changes its field unnoticed. */
static int64_t sum_all(const struct row_fields *of) {
  uint64_t shown = sum_shown(of), sum = sum_word(shown, of->small);
  sum = sum_word(sum, of->blob);
  sum = sum_word(sum, of->type ? of->type_len : UINT64_MAX);
  sum = sum_word(sum, of->user_len);
  sum = row_sum_bytes(sum, of->type, of->type_len);
  sum = row_sum_bytes(sum, of->user, of->user_len);
  return (int64_t)((shown & 0xffffffff00000000u) | sum >> 32);
}

static uint64_t number_in(sqlite3_stmt *from, int column) {
  return (uint64_t)sqlite3_column_int64(from, column);
}

static const void *bytes_in(sqlite3_stmt *from, int column, size_t *len) {
  const void *bytes = sqlite3_column_blob(from, column);
  *len = bytes ? (size_t)sqlite3_column_bytes(from, column) : 0;
  return bytes;
}

/* A text without bytes isn't NULL, as a blob without is. */
static const void *text_in(sqlite3_stmt *from, int column, size_t *len) {
  const void *text = sqlite3_column_text(from, column);
  *len = text ? (size_t)sqlite3_column_bytes(from, column) : 0;
  return text;
}

static bool read_shown(struct row_fields *fields, sqlite3_stmt *from,
                       int first) {
  size_t md5_len;
  fields->length = number_in(from, first);
  fields->mtime = number_in(from, first + 1);
  fields->md5 = bytes_in(from, first + 2, &md5_len);
  return md5_len == DIGEST_MD5_LEN && fields->length <= INT64_MAX;
}

bool row_read(struct row_fields *fields, sqlite3_stmt *from, const void *key,
              size_t key_len) {
  fields->key = key;
  fields->key_len = key_len;
  fields->small = number_in(from, 3);
  fields->blob = number_in(from, 4);
  fields->type = text_in(from, 5, &fields->type_len);
  fields->user = bytes_in(from, 6, &fields->user_len);
  return read_shown(fields, from, 0) &&
         (sqlite3_column_int64(from, 7) == sum_all(fields) ||
          sqlite3_column_type(from, 7) == SQLITE_NULL);
}

bool row_is_over(const struct row_fields *of) {
  int64_t moment_s = expiry_in_texts(of->user, of->user_len);
  return moment_s > 0 && expiry_is_over(moment_s, date_now_ms());
}

bool row_shown_is_over(sqlite3_stmt *from) {
  struct row_fields fields;
  fields.user = bytes_in(from, 5, &fields.user_len);
  return row_is_over(&fields);
}

bool row_read_shown(struct row_fields *fields, sqlite3_stmt *from) {
  fields->key = bytes_in(from, 0, &fields->key_len);
  return read_shown(fields, from, 1) &&
         ((number_in(from, 4) ^ sum_shown(fields)) >> 32 == 0 ||
          sqlite3_column_type(from, 4) == SQLITE_NULL);
}

/* ---- in and out ---- */

enum sluice_status row_load(struct row *row, sqlite3_stmt *from,
                            const char *key) {
  struct row_fields fields;
  if (!row_read(&fields, from, key, strlen(key)))
    return SLUICE_EIO;
  row->length = fields.length;
  row->mtime_ms = (int64_t)fields.mtime;
  memcpy(row->md5, fields.md5, DIGEST_MD5_LEN);
  row->small = fields.small;
  row->blob = fields.blob;
  if (fields.type && !(row->type = strndup(fields.type, fields.type_len)))
    return SLUICE_ENOMEM;
  if (!buf_add(&row->user, fields.user, fields.user_len))
    return SLUICE_ENOMEM;
  return row_is_whole(row) ? SLUICE_OK : SLUICE_EIO;
}

static void row_bind_number(sqlite3_stmt *to, int at, uint64_t number) {
  if (number > 0)
    sqlite3_bind_int64(to, at, (int64_t)number);
}

void row_bind(const struct row *row, sqlite3_stmt *to, const char *key) {
  struct row_fields fields = {.key = key,
                              .key_len = strlen(key),
                              .type = row->type,
                              .type_len = row->type ? strlen(row->type) : 0,
                              .user = row->user.data,
                              .user_len = row->user.len,
                              .length = row->length,
                              .mtime = (uint64_t)row->mtime_ms,
                              .small = row->small,
                              .blob = row->blob,
                              .md5 = row->md5};
  index_bind(to, 1, key, fields.key_len);
  sqlite3_bind_int64(to, 2, (int64_t)row->length);
  sqlite3_bind_int64(to, 3, row->mtime_ms);
  index_bind(to, 4, row->md5, sizeof row->md5);
  row_bind_number(to, 5, row->small);
  row_bind_number(to, 6, row->blob);
  if (row->type)
    sqlite3_bind_text(to, 7, row->type, -1, SQLITE_STATIC);
  index_bind(to, 8, row->user.data, row->user.len);
  sqlite3_bind_int64(to, 9, sum_all(&fields));
}

bool row_tell(const struct row *row, struct sluice_op *op,
              enum sluice_before before, bool verify) {
  char etag[2 * DIGEST_MD5_LEN + 1];
  size_t count = count_texts(&row->user) / 2;
  struct sluice_pair *pairs = calloc(count + 1, sizeof *pairs);
  if (!pairs)
    return false;
  const char *at = row->user.data;
  for (size_t i = 0; i < count; i++) {
    pairs[i].name = at;
    pairs[i].value = at + strlen(at) + 1;
    at = pairs[i].value + strlen(pairs[i].value) + 1;
  }
  codec_hex(etag, row->md5, sizeof row->md5);
  struct sluice_meta meta = SLUICE_META;
  meta.length = row->length;
  meta.mtime_ms = row->mtime_ms;
  meta.etag = etag;
  meta.type = row->type;
  meta.user = pairs;
  meta.before = (int)before;
  meta.md5 = verify ? etag : NULL;
  sluice_meta(op, &meta);
  free(pairs);
  return true;
}

void row_tell_stored(const struct row *row, struct sluice_op *op,
                     enum sluice_before before) {
  char etag[2 * DIGEST_MD5_LEN + 1];
  struct sluice_meta meta = SLUICE_META;
  codec_hex(etag, row->md5, sizeof row->md5);
  meta.length = row->length;
  meta.mtime_ms = row->mtime_ms;
  meta.etag = etag;
  meta.type = row->type;
  meta.before = (int)before;
  sluice_meta(op, &meta);
}
