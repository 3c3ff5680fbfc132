/* SPDX-License-Identifier: MIT
 *
 * A head is: 8 bytes of magic; its own length, 4; the number of pairs, 4; the
 * object's length and its time, 8 each; texts, each as 2 bytes of length + 1,
 * its bytes and a NUL, or as 2 zeros where there is none; and the SHA-256 of
 * all that.  Numbers begin with their lowest byte.
 */
#include "cacheform.h"

#include <string.h>

#define MAGIC "slcache1"
#define TAIL_MAGIC "slcache."
#define FIXED 32
#define SUM DIGEST_SHA256_LEN
#define TEXTS 8

struct writer {
  unsigned char *at;
  size_t left;
  bool full;
};

struct reader {
  const unsigned char *at;
  size_t left;
  bool bad;
};

static void put_number(unsigned char *at, uint64_t number, size_t bytes) {
  for (size_t i = 0; i < bytes; i++)
    at[i] = (unsigned char)(number >> (8 * i));
}

static uint64_t get_number(const unsigned char *at, size_t bytes) {
  uint64_t number = 0;
  for (size_t i = 0; i < bytes; i++)
    number |= (uint64_t)at[i] << (8 * i);
  return number;
}

static void put_text(struct writer *to, const char *text) {
  size_t length = text == NULL ? 0 : strlen(text) + 1;
  if (length > UINT16_MAX || to->left < 2 + length) {
    to->full = true;
    return;
  }
  put_number(to->at, length, 2);
  if (length > 0)
    memcpy(to->at + 2, text, length);
  to->at += 2 + length;
  to->left -= 2 + length;
}

static const char *get_text(struct reader *from) {
  size_t length = from->left < 2 ? 0 : (size_t)get_number(from->at, 2);
  if (from->left < 2 || from->left - 2 < length ||
      (length > 0 &&
       memchr(from->at + 2, '\0', length) != from->at + 2 + length - 1)) {
    from->bad = true;
    from->left = 0;
    return NULL;
  }
  const char *text = (const char *)from->at + 2;
  from->at += 2 + length;
  from->left -= 2 + length;
  return length == 0 ? NULL : text;
}

size_t cacheform_write(unsigned char head[CACHEFORM_HEAD_MAX], const char *key,
                       const struct sluice_meta *meta) {
  const char *const texts[TEXTS] = {
      key,           meta->etag,         meta->type,
      meta->md5,     meta->encoding,     meta->language,
      meta->expires, meta->cache_control};
  struct writer to = {.at = head + FIXED,
                      .left = CACHEFORM_HEAD_MAX - FIXED - SUM};
  size_t pairs = 0;
  for (size_t i = 0; i < TEXTS; i++)
    put_text(&to, texts[i]);
  for (; meta->user != NULL && meta->user[pairs].name != NULL; pairs++) {
    put_text(&to, meta->user[pairs].name);
    put_text(&to, meta->user[pairs].value);
  }
  if (to.full || pairs > CACHEFORM_PAIRS_MAX)
    return 0;
  size_t used = (size_t)(to.at - head);
  memcpy(head, MAGIC, 8);
  put_number(head + 8, used + SUM, 4);
  put_number(head + 12, pairs, 4);
  put_number(head + 16, meta->length, 8);
  put_number(head + 24, (uint64_t)meta->mtime_ms, 8);
  digest_sha256(head + used, head, used);
  return used + SUM;
}

size_t cacheform_length(const unsigned char first[CACHEFORM_HEAD_MIN]) {
  size_t length = (size_t)get_number(first + 8, 4);
  bool fits = memcmp(first, MAGIC, 8) == 0 && length >= FIXED + SUM &&
              length <= CACHEFORM_HEAD_MAX;
  return fits ? length : 0;
}

static void read_texts(struct cacheform *form, struct reader *from) {
  const char **const texts[TEXTS] = {
      &form->key,          &form->meta.etag,         &form->meta.type,
      &form->meta.md5,     &form->meta.encoding,     &form->meta.language,
      &form->meta.expires, &form->meta.cache_control};
  for (size_t i = 0; i < TEXTS; i++)
    *texts[i] = get_text(from);
}

bool cacheform_read(struct cacheform *form, const unsigned char *head,
                    size_t size) {
  unsigned char sum[SUM];
  if (size < CACHEFORM_HEAD_MIN || cacheform_length(head) == 0 ||
      cacheform_length(head) > size)
    return false;
  *form =
      (struct cacheform){.head = cacheform_length(head), .meta = SLUICE_META};
  digest_sha256(sum, head, form->head - SUM);
  if (memcmp(sum, head + form->head - SUM, SUM) != 0)
    return false;
  struct reader from = {.at = head + FIXED, .left = form->head - FIXED - SUM};
  size_t pairs = (size_t)get_number(head + 12, 4);
  form->meta.length = get_number(head + 16, 8);
  form->meta.mtime_ms = (int64_t)get_number(head + 24, 8);
  read_texts(form, &from);
  if (pairs > CACHEFORM_PAIRS_MAX)
    return false;
  for (size_t i = 0; i < pairs; i++) {
    form->pairs[i].name = get_text(&from);
    form->pairs[i].value = get_text(&from);
    if (form->pairs[i].name == NULL || form->pairs[i].value == NULL)
      return false;
  }
  form->meta.user = pairs > 0 ? form->pairs : NULL;
  return !from.bad && from.left == 0 && form->key != NULL &&
         form->meta.etag != NULL;
}

void cacheform_tail(unsigned char tail[CACHEFORM_TAIL],
                    const unsigned char md5[DIGEST_MD5_LEN]) {
  memcpy(tail, TAIL_MAGIC, 8);
  memcpy(tail + 8, md5, DIGEST_MD5_LEN);
}

const unsigned char *
cacheform_tail_md5(const unsigned char tail[CACHEFORM_TAIL]) {
  return memcmp(tail, TAIL_MAGIC, 8) == 0 ? tail + 8 : NULL;
}

void cacheform_id(unsigned char id[CACHEFORM_ID_LEN], const char *key) {
  digest_sha256(id, key, strlen(key));
}

bool cacheform_same(const struct sluice_meta *a, const struct sluice_meta *b) {
  return a->etag != NULL && b->etag != NULL && a->length == b->length &&
         a->mtime_ms == b->mtime_ms && strcmp(a->etag, b->etag) == 0;
}
