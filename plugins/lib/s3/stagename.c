/* SPDX-License-Identifier: MIT
 *
 * Numbers are written as what is left to their maximum, so that the byte order
 * of names has the newest first.
 */
#include "stagename.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "digest.h"

#define HEX "0123456789abcdef"
#define RECORD_LEN (8 + 1 + 16 + 1 + 8 + 1 + 10 + 1)

void stagename_make(char out[STAGENAME_TEXT_LEN + 1], const char *owner,
                    const unsigned char random[16]) {
  unsigned char sum[DIGEST_SHA256_LEN];
  digest_sha256(sum, owner, strlen(owner));
  codec_hex(out, sum, STAGENAME_OWNER_LEN / 2);
  out[STAGENAME_OWNER_LEN] = '/';
  codec_hex(out + STAGENAME_OWNER_LEN + 1, random, STAGENAME_ID_LEN / 2);
}

static bool is_text(const char *text) {
  return strspn(text, HEX) == STAGENAME_OWNER_LEN &&
         text[STAGENAME_OWNER_LEN] == '/' &&
         strspn(text + STAGENAME_OWNER_LEN + 1, HEX) == STAGENAME_ID_LEN;
}

bool stagename_base(char out[STAGENAME_BASE_LEN + 1], const char *text) {
  if (!is_text(text) || text[STAGENAME_TEXT_LEN] != '\0')
    return false;
  snprintf(out, STAGENAME_BASE_LEN + 1, STAGENAME_ROOT "%s/", text);
  return true;
}

bool stagename_folder(char out[STAGENAME_BASE_LEN + 1], const char *key) {
  size_t root = sizeof STAGENAME_ROOT - 1;
  if (strncmp(key, STAGENAME_ROOT, root) != 0 || !is_text(key + root) ||
      key[STAGENAME_BASE_LEN - 1] != '/')
    return false;
  memcpy(out, key, STAGENAME_BASE_LEN);
  out[STAGENAME_BASE_LEN] = '\0';
  return true;
}

const char *stagename_id(const char *base) {
  return base + sizeof STAGENAME_ROOT - 1 + STAGENAME_OWNER_LEN + 1;
}

void stagename_owner(char out[STAGENAME_MAX], const char *base) {
  snprintf(out, STAGENAME_MAX, "%.*s", (int)(stagename_id(base) - base), base);
}

void stagename_write(char out[STAGENAME_MAX], const char *base,
                     const struct stagename_record *record) {
  int64_t expires = record->expires_s;
  if (expires < 0)
    expires = 0;
  if (expires > STAGENAME_EXPIRES_MAX)
    expires = STAGENAME_EXPIRES_MAX;
  snprintf(out, STAGENAME_MAX, "%sr/%08x-%016llx-%08x-%010llx%c", base,
           UINT32_MAX - record->turn, (unsigned long long)record->session,
           UINT32_MAX - record->number, (unsigned long long)expires,
           (char)record->kind);
}

/* Digits up to a mark; moves behind both. */
static bool stagename_read_number(const char **at, size_t digits, char mark,
                                  uint64_t *number) {
  if (strspn(*at, HEX) < digits)
    return false;
  *number = 0;
  for (size_t i = 0; i < digits; i++)
    *number = *number << 4 | (uint64_t)(strchr(HEX, (*at)[i]) - HEX);
  *at += digits;
  return mark == '\0' || *(*at)++ == mark;
}

bool stagename_read(struct stagename_record *record, const char *key) {
  char base[STAGENAME_BASE_LEN + 1];
  uint64_t turn, number, expires;
  if (!stagename_folder(base, key))
    return false;
  const char *at = key + STAGENAME_BASE_LEN;
  if (strncmp(at, "r/", 2) != 0 || strlen(at) != 2 + RECORD_LEN)
    return false;
  at += 2;
  if (!stagename_read_number(&at, 8, '-', &turn) ||
      !stagename_read_number(&at, 16, '-', &record->session) ||
      !stagename_read_number(&at, 8, '-', &number) ||
      !stagename_read_number(&at, 10, '\0', &expires) ||
      strchr("cohdg", *at) == NULL)
    return false;
  record->turn = UINT32_MAX - (uint32_t)turn;
  record->number = UINT32_MAX - (uint32_t)number;
  record->expires_s = (int64_t)expires;
  record->kind = (enum stagename_kind) * at;
  return true;
}

void stagename_segment(char out[STAGENAME_MAX], const char *base,
                       uint32_t index, uint64_t session) {
  snprintf(out, STAGENAME_MAX, "%ss/%05u-%016llx", base, index,
           (unsigned long long)session);
}

void stagename_piece(char out[STAGENAME_MAX], const char *base,
                     uint64_t session, uint32_t number) {
  snprintf(out, STAGENAME_MAX, "%st/%016llx-%08x", base,
           (unsigned long long)session, number);
}

void stagename_look(struct stagename_look *look,
                    const struct stagename_record *record) {
  if (!look->any)
    look->newest = *record;
  look->any = true;
  switch (record->kind) {
  case STAGENAME_TAKEN:
  case STAGENAME_GOING:
    break;
  case STAGENAME_OPEN:
    if (!look->has_open)
      look->open = *record;
    look->has_open = true;
    break;
  case STAGENAME_DONE:
  case STAGENAME_GONE:
    look->ended = true;
    break;
  }
}

bool stagename_lives(const struct stagename_look *look, int64_t now_s) {
  return look->has_open && !look->ended && look->open.expires_s > now_s;
}
