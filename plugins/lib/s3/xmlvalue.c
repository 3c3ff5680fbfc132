/* SPDX-License-Identifier: MIT
 *
 * Values as S3 writes them into XML.  Called by xml; what isn't exactly of its
 * form is refused, since a size or a time that was guessed would be served.
 */
#include "xmlvalue.h"

#include "codec.h"

#include <string.h>
#include <time.h>

/* ---- times -------------------------------------------------------------- */

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/* `digits` digits and what follows them, unless that is NUL. */
static bool scan_number(const char **at, int digits, char then, int *value) {
  for (*value = 0; digits > 0; digits--, (*at)++) {
    if (!is_digit(**at))
      return false;
    *value = *value * 10 + (**at - '0');
  }
  if (!then)
    return true;
  return *(*at)++ == then;
}

/* Only a date that exists comes back from the calendar as it went in.  A leap
 * second is the second after it, as POSIX counts. */
static bool xmlvalue_seconds_of(const struct tm *civil, int64_t *seconds) {
  struct tm day = {.tm_year = civil->tm_year,
                   .tm_mon = civil->tm_mon,
                   .tm_mday = civil->tm_mday};

  *seconds = timegm(&day) + civil->tm_hour * 3600 + civil->tm_min * 60 +
             civil->tm_sec;
  return day.tm_mon == civil->tm_mon && day.tm_mday == civil->tm_mday &&
         civil->tm_hour < 24 && civil->tm_min < 60 && civil->tm_sec <= 60;
}

static bool scan_civil(const char **at, int64_t *seconds) {
  struct tm civil = {0};

  if (!scan_number(at, 4, '-', &civil.tm_year) ||
      !scan_number(at, 2, '-', &civil.tm_mon) ||
      !scan_number(at, 2, 'T', &civil.tm_mday) ||
      !scan_number(at, 2, ':', &civil.tm_hour) ||
      !scan_number(at, 2, ':', &civil.tm_min) ||
      !scan_number(at, 2, '\0', &civil.tm_sec))
    return false;
  civil.tm_year -= 1900;
  civil.tm_mon -= 1;
  return xmlvalue_seconds_of(&civil, seconds);
}

static bool scan_fraction(const char **at, int *ms) {
  int weight = 100;

  *ms = 0;
  if (**at != '.')
    return true;
  if (!is_digit(*++*at))
    return false;
  for (; is_digit(**at); ++*at, weight /= 10)
    *ms += (**at - '0') * weight;
  return true;
}

static bool scan_offset(const char **at, int *seconds) {
  char sign = *(*at)++;
  int hours, minutes;

  *seconds = 0;
  if (sign == 'Z')
    return true;
  if ((sign != '+' && sign != '-') || !scan_number(at, 2, ':', &hours) ||
      !scan_number(at, 2, '\0', &minutes) || hours > 23 || minutes > 59)
    return false;
  *seconds = (hours * 60 + minutes) * (sign == '-' ? -60 : 60);
  return true;
}

bool xmlvalue_time(const char *text, int64_t *ms) {
  int64_t seconds;
  int fraction, offset;

  if (!scan_civil(&text, &seconds) || !scan_fraction(&text, &fraction) ||
      !scan_offset(&text, &offset) || *text)
    return false;
  *ms = (seconds - offset) * 1000 + fraction;
  return true;
}

/* ---- others ------------------------------------------------------------- */

bool xmlvalue_size(const char *text, uint64_t *size) {
  uint64_t value = 0;

  if (!*text)
    return false;
  for (; *text; text++) {
    if (!is_digit(*text) || value > INT64_MAX / 10)
      return false;
    value = value * 10 + (uint64_t)(*text - '0');
  }
  *size = value;
  return value <= INT64_MAX;
}

bool xmlvalue_bool(const char *text, bool *value) {
  *value = strcmp(text, "true") == 0;
  return *value || strcmp(text, "false") == 0;
}

bool xmlvalue_etag(struct buf *out, const char *text) {
  size_t len = strlen(text);
  bool quoted = len >= 2 && text[0] == '"' && text[len - 1] == '"';

  return buf_add(out, text + quoted, len - 2 * quoted);
}

bool xmlvalue_key(struct buf *out, const char *text) {
  size_t start = out->len;

  return codec_unpercent(out, text, strlen(text), true) &&
         codec_utf8_valid(out->data + start, out->len - start);
}
