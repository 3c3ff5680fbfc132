/* SPDX-License-Identifier: MIT
 *
 * Marks, and the keys that say them: FOLDER, when it ends, its number, the
 * mark; in hexadecimal digits of a fixed number.
 */
#include "linkmark.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"

#define TEXT_MAX 8192
#define NOBODY "anonymous" /* as "uploaded-by" says it */
#define END_DIGITS 10
#define NUMBER_DIGITS 16

/* Some storages take /a//b for a/b. */
static void add_name(struct buf *text, enum linkmark_kind kind,
                     const char *name, size_t len) {
  bool is_key = kind == LINKMARK_KEY || kind == LINKMARK_PREFIX;
  for (size_t i = 0; i < len; i++)
    if (!is_key || name[i] != '/' || (i > 0 && name[i - 1] != '/'))
      buf_addc(text, name[i]);
}

void linkmark_owner(unsigned char out[LINKMARK_OWNER_LEN], const char *owner) {
  unsigned char sum[DIGEST_SHA256_LEN];
  struct buf text;
  buf_init(&text, TEXT_MAX);
  buf_adds(&text, "sluice-owner\n");
  buf_adds(&text, owner);
  digest_sha256(sum, text.data, text.len);
  memcpy(out, sum, LINKMARK_OWNER_LEN);
  buf_fini(&text);
}

static void make(unsigned char out[LINKMARK_LEN], enum linkmark_kind kind,
                 const char *name, size_t len, const char *owner,
                 const unsigned char end[LINKMARK_OWNER_LEN]) {
  unsigned char sum[DIGEST_SHA256_LEN];
  struct buf text;
  buf_init(&text, TEXT_MAX);
  buf_addf(&text, "sluice-mark\n%d%c", (int)kind, owner == NULL ? 'a' : 'o');
  add_name(&text, kind, name, len);
  buf_addc(&text, '\0');
  if (owner != NULL)
    buf_adds(&text, owner);
  digest_sha256(sum, text.data, text.len);
  memcpy(out, sum, LINKMARK_LEN);
  if (owner != NULL)
    memcpy(out + LINKMARK_LEN - LINKMARK_OWNER_LEN, end, LINKMARK_OWNER_LEN);
  buf_fini(&text);
}

void linkmark_make(unsigned char out[LINKMARK_LEN], enum linkmark_kind kind,
                   const char *name, const char *owner) {
  unsigned char end[LINKMARK_OWNER_LEN] = {0};
  if (owner != NULL)
    linkmark_owner(end, owner);
  make(out, kind, name, strlen(name), owner, end);
}

struct asking {
  const char *by;
  unsigned char end[LINKMARK_OWNER_LEN];
  bool (*test)(void *arg, const unsigned char *mark);
  void *arg;
};

/* Of all, and of its own. */
static bool both(const struct asking *asking, enum linkmark_kind kind,
                 const char *name, size_t len) {
  unsigned char mark[LINKMARK_LEN];
  make(mark, kind, name, len, NULL, NULL);
  if (asking->test(asking->arg, mark))
    return true;
  make(mark, kind, name, len, asking->by, asking->end);
  return asking->test(asking->arg, mark);
}

bool linkmark_any(const struct ownlink *link,
                  bool (*test)(void *arg, const unsigned char *mark),
                  void *arg) {
  unsigned char mark[LINKMARK_LEN];
  const char *by = link->by == NULL ? NOBODY : link->by;
  struct asking asking = {.by = by, .test = test, .arg = arg};
  linkmark_owner(asking.end, by);
  if (both(&asking, LINKMARK_ID, link->id, strlen(link->id)))
    return true;
  linkmark_make(mark, LINKMARK_IDENTITY, by, NULL);
  if (test(arg, mark))
    return true;
  size_t len = strlen(link->name);
  for (size_t i = 1; i < len; i++)
    if (link->name[i] == '/' && both(&asking, LINKMARK_PREFIX, link->name, i))
      return true;
  return both(&asking,
              link->method == OWNLINK_POST ? LINKMARK_PREFIX : LINKMARK_KEY,
              link->name, len);
}

void linkmark_key(char out[LINKMARK_KEY_SIZE], const struct linkmark *mark) {
  char hex[2 * LINKMARK_LEN + 1];
  codec_hex(hex, mark->mark, LINKMARK_LEN);
  snprintf(out, LINKMARK_KEY_SIZE,
           LINKMARK_FOLDER "%010" PRIx64 "-%016" PRIx64 "-%s",
           (uint64_t)mark->expires_s & UINT64_C(0xffffffffff), mark->number,
           hex);
}

static bool linkmark_read_hex(const char **at, size_t digits,
                              uint64_t *number) {
  static const char letters[] = "0123456789abcdef";
  *number = 0;
  for (size_t i = 0; i < digits; i++) {
    const char *found = **at == '\0' ? NULL : strchr(letters, **at);
    if (found == NULL)
      return false;
    *number = *number << 4 | (uint64_t)(found - letters);
    (*at)++;
  }
  return true;
}

bool linkmark_parse(struct linkmark *mark, const char *key) {
  uint64_t end;
  const char *at = key + sizeof LINKMARK_FOLDER - 1;
  if (strncmp(key, LINKMARK_FOLDER, sizeof LINKMARK_FOLDER - 1) != 0 ||
      !linkmark_read_hex(&at, END_DIGITS, &end) || *at++ != '-' ||
      !linkmark_read_hex(&at, NUMBER_DIGITS, &mark->number) || *at++ != '-' ||
      !codec_unhex(mark->mark, LINKMARK_LEN, at))
    return false;
  mark->expires_s = (int64_t)end;
  return true;
}

bool linkmark_is_over(const struct linkmark *mark, int64_t now_s,
                      uint64_t newest, uint64_t top) {
  return newest > mark->number ||
         (mark->expires_s < now_s && mark->number < top);
}
