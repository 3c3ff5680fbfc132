/* SPDX-License-Identifier: MIT
 *
 * Rows of the table `object`.
 */
#include "row.h"

#include "codec.h"
#include "index.h"

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

enum sluice_status row_load(struct row *row, sqlite3_stmt *from) {
  int64_t length = sqlite3_column_int64(from, 0);
  const void *md5 = sqlite3_column_blob(from, 2);
  if (length < 0 || !md5 || sqlite3_column_bytes(from, 2) != DIGEST_MD5_LEN)
    return SLUICE_EIO;
  row->length = (uint64_t)length;
  row->mtime_ms = sqlite3_column_int64(from, 1);
  memcpy(row->md5, md5, DIGEST_MD5_LEN);
  row->small = (uint64_t)sqlite3_column_int64(from, 3);
  row->blob = (uint64_t)sqlite3_column_int64(from, 4);
  const char *type = (const char *)sqlite3_column_text(from, 5);
  if (type && !(row->type = strdup(type)))
    return SLUICE_ENOMEM;
  const void *user = sqlite3_column_blob(from, 6);
  if (!buf_add(&row->user, user, (size_t)sqlite3_column_bytes(from, 6)))
    return SLUICE_ENOMEM;
  return row_is_whole(row) ? SLUICE_OK : SLUICE_EIO;
}

static void bind_number(sqlite3_stmt *to, int at, uint64_t number) {
  if (number > 0)
    sqlite3_bind_int64(to, at, (int64_t)number);
}

void row_bind(const struct row *row, sqlite3_stmt *to) {
  sqlite3_bind_int64(to, 2, (int64_t)row->length);
  sqlite3_bind_int64(to, 3, row->mtime_ms);
  index_bind(to, 4, row->md5, sizeof row->md5);
  bind_number(to, 5, row->small);
  bind_number(to, 6, row->blob);
  if (row->type)
    sqlite3_bind_text(to, 7, row->type, -1, SQLITE_STATIC);
  index_bind(to, 8, row->user.data, row->user.len);
}

bool row_tell(const struct row *row, struct sluice_op *op) {
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
  sluice_meta(op, &meta);
  free(pairs);
  return true;
}
