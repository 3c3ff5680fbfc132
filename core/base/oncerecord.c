/* SPDX-License-Identifier: MIT
 *
 * A line for each field, in the order of a table: its name, a space, its
 * value.
 */
#include "oncerecord.h"

#include <stdio.h>
#include <string.h>

#include "codec.h"
#include "digest.h"

#define HEADER "sluice once 1\n"
#define DIGITS_MAX 15

enum kind { TEXT, NUMBER };

#define FIELD(f) offsetof(struct oncerecord, f)
#define TEXT_OF(f) \
  { #f, TEXT, FIELD(f), sizeof((struct oncerecord *)NULL)->f }
#define NUMBER_OF(f) \
  { #f, NUMBER, FIELD(f), sizeof(uint64_t) }

static const struct field {
  const char *name;
  enum kind kind;
  size_t offset, size;
} fields[] = {NUMBER_OF(at_ms), NUMBER_OF(until_ms), TEXT_OF(owner),
              TEXT_OF(key),     TEXT_OF(prefix),     TEXT_OF(filename),
              TEXT_OF(type),    NUMBER_OF(size),     TEXT_OF(md5),
              TEXT_OF(sha256),  NUMBER_OF(keeps)};
#define FIELDS (sizeof fields / sizeof *fields)

static const char *const states[] = {[ONCERECORD_CLAIMED] = "claimed",
                                     [ONCERECORD_COMMITTING] = "committing",
                                     [ONCERECORD_DONE] = "done"};
#define STATES (sizeof states / sizeof *states)

void oncerecord_key(char out[ONCERECORD_KEY_SIZE], const char *identity,
                    const char *route, const char *name) {
  unsigned char sum[DIGEST_SHA256_LEN];
  char hex[2 * DIGEST_SHA256_LEN + 1];
  struct buf all;
  buf_init(&all, strlen(identity) + strlen(route) + strlen(name) + 3);
  buf_add(&all, identity, strlen(identity) + 1);
  buf_add(&all, route, strlen(route) + 1);
  buf_add(&all, name, strlen(name) + 1);
  digest_sha256(sum, all.data, all.len);
  buf_fini(&all);
  codec_hex(hex, sum, sizeof sum);
  snprintf(out, ONCERECORD_KEY_SIZE, "%s%s", ONCERECORD_PREFIX, hex);
}

/* ---- writing ------------------------------------------------------------ */

bool oncerecord_write(struct buf *out, const struct oncerecord *record) {
  buf_addf(out, HEADER "state %s\n", states[record->state]);
  for (size_t i = 0; i < FIELDS; i++) {
    const char *at = (const char *)record + fields[i].offset;
    uint64_t number;
    if (fields[i].kind == NUMBER) {
      memcpy(&number, at, sizeof number);
      buf_addf(out, "%s %llu\n", fields[i].name, (unsigned long long)number);
    } else if (strchr(at, '\n') == NULL) {
      buf_addf(out, "%s %s\n", fields[i].name, at);
    } else {
      return false;
    }
  }
  return !out->overflown && out->len <= ONCERECORD_MAX;
}

/* ---- reading ------------------------------------------------------------ */

struct line {
  const char *value;
  size_t len;
};

/* Cuts the line of that name off text[*at..len). */
static bool next_line(struct line *line, const char *name, const char *text,
                      size_t len, size_t *at) {
  const char *from = text + *at;
  const char *end = memchr(from, '\n', len - *at);
  size_t name_len = strlen(name);
  if (end == NULL || (size_t)(end - from) <= name_len ||
      memcmp(from, name, name_len) != 0 || from[name_len] != ' ')
    return false;
  line->value = from + name_len + 1;
  line->len = (size_t)(end - line->value);
  *at = (size_t)(end - text) + 1;
  return memchr(line->value, '\0', line->len) == NULL;
}

static bool oncerecord_read_number(void *out, const struct line *line) {
  uint64_t number = 0;
  if (line->len == 0 || line->len > DIGITS_MAX)
    return false;
  for (size_t i = 0; i < line->len; i++) {
    char digit = line->value[i];
    if (digit < '0' || digit > '9')
      return false;
    number = number * 10 + (uint64_t)(digit - '0');
  }
  memcpy(out, &number, sizeof number);
  return true;
}

static bool oncerecord_read_text(char *out, size_t size,
                                 const struct line *line) {
  if (line->len >= size)
    return false;
  memcpy(out, line->value, line->len);
  out[line->len] = '\0';
  return true;
}

static bool read_state(enum oncerecord_state *state, const struct line *line) {
  for (unsigned i = 0; i < STATES; i++)
    if (strlen(states[i]) == line->len &&
        memcmp(states[i], line->value, line->len) == 0) {
      *state = (enum oncerecord_state)i;
      return true;
    }
  return false;
}

bool oncerecord_read(struct oncerecord *record, const char *text, size_t len) {
  size_t at = sizeof HEADER - 1;
  struct line line;
  if (len < at || memcmp(text, HEADER, at) != 0 ||
      !next_line(&line, "state", text, len, &at) ||
      !read_state(&record->state, &line))
    return false;
  for (size_t i = 0; i < FIELDS; i++) {
    char *to = (char *)record + fields[i].offset;
    if (!next_line(&line, fields[i].name, text, len, &at))
      return false;
    if (fields[i].kind == NUMBER
            ? !oncerecord_read_number(to, &line)
            : !oncerecord_read_text(to, fields[i].size, &line))
      return false;
  }
  return at == len;
}
