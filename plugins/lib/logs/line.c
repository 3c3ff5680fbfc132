/* SPDX-License-Identifier: MIT
 *
 * A line of a log.  Called for every request, so nothing is allocated and no
 * byte is looked at twice; called with what clients send, so nothing is
 * trusted.
 */
#include "line.h"

#include <string.h>
#include <time.h>

#include "codec.h"

#define ELLIPSIS "\xe2\x80\xa6"
#define ESCAPE_MAX 6 /* bytes that one character may become */

void line_bytes(struct line *line, const char *data, size_t len) {
  size_t left = line->room - line->len;
  if (len > left)
    len = left;
  memcpy(line->data + line->len, data, len);
  line->len += len;
}

void line_text(struct line *line, const char *text) {
  line_bytes(line, text, strlen(text));
}

void line_number(struct line *line, uint64_t number) {
  char digits[20];
  size_t at = sizeof digits;
  do {
    digits[--at] = (char)('0' + number % 10);
    number /= 10;
  } while (number > 0);
  line_bytes(line, digits + at, sizeof digits - at);
}

/* ---- strings ------------------------------------------------------------ */

/* Is it the same in JSON, in Apache's format and in ASCII? */
static bool is_plain(unsigned char byte) {
  return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

static size_t put_hex(char *out, const char *lead, uint32_t value,
                      unsigned digits) {
  static const char hex[] = "0123456789abcdef";
  size_t len = strlen(lead);
  memcpy(out, lead, len);
  while (digits-- > 0)
    out[len++] = hex[value >> 4 * digits & 15];
  return len;
}

/* One character that isn't plain: what it becomes, and how long it was. */
static size_t json_escape(char out[ESCAPE_MAX], const char *at, size_t left,
                          size_t *used) {
  size_t len = codec_utf8_len(at, left);
  const char *next = at;
  if (len == 0) {
    *used = 1;
    return put_hex(out, "\\\\x", (unsigned char)*at, 2);
  }
  *used = len;
  uint32_t character = codec_utf8_next(&next);
  if (character == '"' || character == '\\') {
    out[0] = '\\';
    out[1] = (char)character;
    return 2;
  }
  if (codec_control(character) || character == 0x2028 || character == 0x2029)
    return put_hex(out, "\\u", character, 4);
  memcpy(out, at, len);
  return len;
}

static size_t apache_escape(char out[ESCAPE_MAX], const char *at, size_t left,
                            size_t *used) {
  (void)left;
  *used = 1;
  if (*at != '"' && *at != '\\')
    return put_hex(out, "\\x", (unsigned char)*at, 2);
  out[0] = '\\';
  out[1] = *at;
  return 2;
}

struct escape {
  size_t (*one)(char out[ESCAPE_MAX], const char *at, size_t left,
                size_t *used);
  bool word; /* a space isn't plain */
  const char *mark;
};

static size_t plain_run(const char *at, size_t left, bool word) {
  size_t run = 0;
  while (run < left && is_plain((unsigned char)at[run]) &&
         !(word && at[run] == ' '))
    run++;
  return run;
}

/* Bytes that one more step takes; `out` has them when it isn't a run. */
static size_t step(const struct escape *escape, const char *at, size_t left,
                   char out[ESCAPE_MAX], size_t *used) {
  *used = plain_run(at, left, escape->word);
  return *used > 0 ? *used : escape->one(out, at, left, used);
}

/* `max` is at least as long as the mark. */
static void put_string(struct line *line, const struct escape *escape,
                       const char *value, size_t max) {
  char out[ESCAPE_MAX];
  size_t left = strlen(value), used, start = line->len;
  if (max > line->room - line->len)
    max = line->room - line->len;
  const size_t marked = max - strlen(escape->mark);
  size_t safe = 0; /* where it may be cut */
  for (bool fits = true; left > 0; left -= used, value += used) {
    size_t done = line->len - start;
    size_t len = step(escape, value, left, out, &used);
    bool run = len == used && is_plain((unsigned char)*value);
    fits = len <= max - done;
    if (!fits)
      len = run ? max - done : 0;
    line_bytes(line, run ? value : out, len);
    if (run && done <= marked)
      safe = done + len < marked ? done + len : marked;
    else if (done + len <= marked)
      safe = done + len;
    if (!fits) {
      line->len = start + safe;
      line_text(line, escape->mark);
      return;
    }
  }
}

void line_json(struct line *line, const char *value, size_t max) {
  static const struct escape escape = {json_escape, false, ELLIPSIS};
  if (value == NULL) {
    line_text(line, "null");
    return;
  }
  line_text(line, "\"");
  put_string(line, &escape, value, max);
  line_text(line, "\"");
}

void line_escaped(struct line *line, const char *value, bool word,
                  size_t max) {
  const struct escape escape = {apache_escape, word, "..."};
  put_string(line, &escape, value, max);
}

/* ---- times -------------------------------------------------------------- */

static void put_digits(char *out, unsigned value, unsigned digits) {
  while (digits-- > 0) {
    out[digits] = (char)('0' + value % 10);
    value /= 10;
  }
}

/* The calendar is asked once a second. */
static void clock_set(struct line_clock *clock, int64_t second) {
  static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
  struct tm tm = {0};
  time_t seconds = (time_t)second;
  gmtime_r(&seconds, &tm);
  unsigned year = (unsigned)(tm.tm_year + 1900);
  memcpy(clock->iso, "0000-00-00T00:00:00", sizeof clock->iso);
  memcpy(clock->clf, "00/Mon/0000:00:00:00 +0000", sizeof clock->clf);
  put_digits(clock->iso, year, 4);
  put_digits(clock->iso + 5, (unsigned)tm.tm_mon + 1, 2);
  put_digits(clock->iso + 8, (unsigned)tm.tm_mday, 2);
  put_digits(clock->iso + 11, (unsigned)tm.tm_hour, 2);
  put_digits(clock->iso + 14, (unsigned)tm.tm_min, 2);
  put_digits(clock->iso + 17, (unsigned)tm.tm_sec, 2);
  put_digits(clock->clf, (unsigned)tm.tm_mday, 2);
  memcpy(clock->clf + 3, months + 3 * tm.tm_mon, 3);
  put_digits(clock->clf + 7, year, 4);
  memcpy(clock->clf + 12, clock->iso + 11, 8);
  clock->second = second;
}

static void clock_see(struct line_clock *clock, int64_t now_ms) {
  if (clock->second != now_ms / 1000 || clock->iso[0] == '\0')
    clock_set(clock, now_ms / 1000);
}

void line_iso(struct line *line, struct line_clock *clock, int64_t now_ms) {
  char rest[] = ".000Z";
  clock_see(clock, now_ms);
  put_digits(rest + 1, (unsigned)(now_ms % 1000), 3);
  line_text(line, clock->iso);
  line_text(line, rest);
}

void line_clf(struct line *line, struct line_clock *clock, int64_t now_ms) {
  clock_see(clock, now_ms);
  line_text(line, clock->clf);
}
