/* SPDX-License-Identifier: MIT
 *
 * Moments in decimal, and in the keys of notes in ten hexadecimal digits,
 * before a part of the object's key's SHA-256.
 */
#include "expiry.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "digest.h"
#include "quantity.h"

#define MOMENT_DIGITS 10
#define HASHED 16 /* bytes of the digest */
#define CLOCKS_APART_MS 5000
#define IDLE_FIRST_MS (30 * 1000)
#define IDLE_MAX_MS (8 * 60 * 1000)

bool expiry_parse(const char *text, int64_t *seconds) {
  size_t digits = strspn(text, "0123456789");
  return digits > 0 && text[digits] == '\0' && quantity_int(text, seconds) &&
         *seconds >= 1 && *seconds <= EXPIRY_MAX_S;
}

int64_t expiry_moment(int64_t now_ms, int64_t seconds) {
  int64_t now_s = (now_ms + 999) / 1000;
  return seconds > EXPIRY_MAX_S - now_s ? EXPIRY_MAX_S : now_s + seconds;
}

bool expiry_is_over(int64_t moment_s, int64_t now_ms) {
  return moment_s <= now_ms / 1000;
}

bool expiry_clocks_agree(int64_t wall_ms, int64_t passed_ms) {
  int64_t ahead = wall_ms - passed_ms;
  return ahead >= -CLOCKS_APART_MS && ahead <= CLOCKS_APART_MS;
}

int64_t expiry_idle_ms(int64_t before_ms) {
  if (before_ms == 0)
    return IDLE_FIRST_MS;
  return before_ms < IDLE_MAX_MS / 2 ? 2 * before_ms : IDLE_MAX_MS;
}

int64_t expiry_in_texts(const char *texts, size_t len) {
  const char *at = texts, *end = len == 0 ? texts : texts + len;
  int64_t moment;
  while (at < end) {
    const char *name = at;
    at += strnlen(name, (size_t)(end - at)) + 1;
    if (at >= end)
      return 0;
    const char *value = at;
    size_t size = strnlen(value, (size_t)(end - at));
    at += size + 1;
    if (strcmp(name, EXPIRY_META) == 0)
      return value + size < end && expiry_parse(value, &moment) ? moment : 0;
  }
  return 0;
}

void expiry_note_key(char out[EXPIRY_KEY_SIZE], int64_t moment_s,
                     const char *key) {
  unsigned char sum[DIGEST_SHA256_LEN];
  char hex[2 * HASHED + 1];
  digest_sha256(sum, key, strlen(key));
  codec_hex(hex, sum, HASHED);
  snprintf(out, EXPIRY_KEY_SIZE, EXPIRY_FOLDER "%010" PRIx64 "-%s",
           (uint64_t)moment_s & UINT64_C(0xffffffffff), hex);
}

bool expiry_note_moment(const char *note_key, int64_t *moment_s) {
  static const char digits[] = "0123456789abcdef";
  const char *at = note_key + sizeof EXPIRY_FOLDER - 1;
  if (strncmp(note_key, EXPIRY_FOLDER, sizeof EXPIRY_FOLDER - 1) != 0 ||
      strspn(at, digits) != MOMENT_DIGITS || at[MOMENT_DIGITS] != '-' ||
      strspn(at + MOMENT_DIGITS + 1, digits) != 2 * (size_t)HASHED ||
      at[MOMENT_DIGITS + 1 + 2 * HASHED] != '\0')
    return false;
  *moment_s = (int64_t)strtoull(at, NULL, 16);
  return true;
}

bool expiry_note_is_of(const char *note_key, const char *key) {
  char made[EXPIRY_KEY_SIZE];
  int64_t moment_s;
  if (!expiry_note_moment(note_key, &moment_s))
    return false;
  expiry_note_key(made, moment_s, key);
  return strcmp(made, note_key) == 0;
}
