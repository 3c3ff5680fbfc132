/* SPDX-License-Identifier: MIT
 *
 * Times as HTTP, JSON and keys write them.  Neither the locale nor the time
 * zone of the process has a say: the calendar is computed here, and one small
 * pattern language both prints and scans.
 */
#include "date.h"

#include <string.h>
#include <time.h>

#define DAY_SECONDS INT64_C(86400)
#define EPOCH_DAYS INT64_C(719528)        /* from 1 January 0000 to 1970 */
#define SECONDS_MIN INT64_C(-62167219200) /* 0000-01-01T00:00:00 */
#define SECONDS_MAX INT64_C(253402300799) /* 9999-12-31T23:59:59 */

static const char imf_fixdate[] = "%a, %d %b %Y %H:%M:%S GMT";
static const char rfc850[] = "%A, %d-%b-%y %H:%M:%S GMT";
static const char asctime_date[] = "%a %b %e %H:%M:%S %Y";

static const char *const day_names[] = {"Sunday",    "Monday",   "Tuesday",
                                        "Wednesday", "Thursday", "Friday",
                                        "Saturday"};
static const char *const month_names[] = {"Jan", "Feb", "Mar", "Apr",
                                          "May", "Jun", "Jul", "Aug",
                                          "Sep", "Oct", "Nov", "Dec"};

struct civil {
  int year;
  int month; /* 0..11 */
  int day;   /* 1..31 */
  int hour, minute, second;
  int weekday; /* 0: Sunday */
};

static bool is_leap(int year) {
  return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in(int year, int month) {
  static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

  return days[month] + (month == 1 && is_leap(year));
}

/* From 1 January 0000 to that of `year`; year 0 is a leap year. */
static int64_t days_before(int year) {
  int last = year - 1;

  return year > 0
             ? INT64_C(365) * year + last / 4 - last / 100 + last / 400 + 1
             : INT64_C(366) * year;
}

static int64_t seconds_of(const struct civil *civil) {
  int64_t days = days_before(civil->year) - EPOCH_DAYS + civil->day - 1;

  for (int month = 0; month < civil->month; month++)
    days += days_in(civil->year, month);
  return days * DAY_SECONDS + civil->hour * 3600 + civil->minute * 60 +
         civil->second;
}

/* Times out of range come from storages; they become the nearest in range. */
static struct civil civil_of(int64_t seconds) {
  struct civil civil = {0};
  int64_t days, rest;

  if (seconds < SECONDS_MIN)
    seconds = SECONDS_MIN;
  if (seconds > SECONDS_MAX)
    seconds = SECONDS_MAX;
  days = (seconds - SECONDS_MIN) / DAY_SECONDS;
  rest = (seconds - SECONDS_MIN) % DAY_SECONDS;
  civil.hour = (int)(rest / 3600);
  civil.minute = (int)(rest / 60 % 60);
  civil.second = (int)(rest % 60);
  civil.weekday = (int)((days + 6) % 7);
  civil.year = (int)(days / 366); /* never too late */
  while (days_before(civil.year + 1) <= days)
    civil.year++;
  days -= days_before(civil.year);
  for (; days >= days_in(civil.year, civil.month); civil.month++)
    days -= days_in(civil.year, civil.month);
  civil.day = (int)days + 1;
  return civil;
}

static char *put_number(char *at, int value, int digits) {
  for (int i = digits; i-- > 0; value /= 10)
    at[i] = (char)('0' + value % 10);
  return at + digits;
}

static char *put_name(char *at, const char *name) {
  memcpy(at, name, 3);
  return at + 3;
}

static char *put_field(char *at, char field, const struct civil *civil) {
  switch (field) {
  case 'a':
    return put_name(at, day_names[civil->weekday]);
  case 'b':
    return put_name(at, month_names[civil->month]);
  case 'Y':
    return put_number(at, civil->year, 4);
  case 'm':
    return put_number(at, civil->month + 1, 2);
  case 'd':
    return put_number(at, civil->day, 2);
  case 'H':
    return put_number(at, civil->hour, 2);
  case 'M':
    return put_number(at, civil->minute, 2);
  default:
    return put_number(at, civil->second, 2);
  }
}

static void print(char *out, const char *pattern, int64_t seconds) {
  struct civil civil = civil_of(seconds);

  for (; *pattern; pattern++)
    if (*pattern == '%')
      out = put_field(out, *++pattern, &civil);
    else
      *out++ = *pattern;
  *out = '\0';
}

static bool date_scan_number(const char **at, int digits, int *value) {
  for (*value = 0; digits > 0; digits--, (*at)++) {
    if (**at < '0' || **at > '9')
      return false;
    *value = *value * 10 + (**at - '0');
  }
  return true;
}

/* A name, or its first three letters. */
static bool scan_name(const char **at, const char *const *names, int count,
                      bool whole, int *index) {
  for (*index = 0; *index < count; (*index)++) {
    size_t len = whole ? strlen(names[*index]) : 3;
    if (strncmp(*at, names[*index], len) == 0) {
      *at += len;
      return true;
    }
  }
  return false;
}

static bool scan_field(const char **at, char field, struct civil *civil) {
  switch (field) {
  case 'a':
    return scan_name(at, day_names, 7, false, &civil->weekday);
  case 'A':
    return scan_name(at, day_names, 7, true, &civil->weekday);
  case 'b':
    return scan_name(at, month_names, 12, false, &civil->month);
  case 'm':
    if (!date_scan_number(at, 2, &civil->month))
      return false;
    civil->month--;
    return true;
  case 'Y':
    return date_scan_number(at, 4, &civil->year);
  case 'y':
    return date_scan_number(at, 2, &civil->year);
  case 'e': /* one digit has a space before it */
    if (**at != ' ')
      return date_scan_number(at, 2, &civil->day);
    ++*at;
    return date_scan_number(at, 1, &civil->day);
  case 'd':
    return date_scan_number(at, 2, &civil->day);
  case 'H':
    return date_scan_number(at, 2, &civil->hour);
  case 'M':
    return date_scan_number(at, 2, &civil->minute);
  default:
    return date_scan_number(at, 2, &civil->second);
  }
}

static bool date_scan(const char *text, const char *pattern,
                      struct civil *civil) {
  for (; *pattern; pattern++)
    if (*pattern == '%') {
      if (!scan_field(&text, *++pattern, civil))
        return false;
    } else if (*text++ != *pattern)
      return false;
  return !*text;
}

/* RFC 9110, section 5.6.7: the latest such year that isn't more than 50 years
 * ahead. */
static void place_year(struct civil *civil, int64_t now) {
  struct civil limit = civil_of(now);

  limit.year += 50;
  civil->year += limit.year / 100 * 100;
  if (seconds_of(civil) > seconds_of(&limit))
    civil->year -= 100;
}

/* A leap second is the second after it, as POSIX counts. */
static bool exists(const struct civil *civil) {
  return civil->year >= 0 && civil->year <= 9999 && civil->month >= 0 &&
         civil->month < 12 && civil->day > 0 &&
         civil->day <= days_in(civil->year, civil->month) &&
         civil->hour < 24 && civil->minute < 60 && civil->second <= 60;
}

void date_http(char out[DATE_HTTP_SIZE], int64_t seconds) {
  print(out, imf_fixdate, seconds);
}

bool date_http_parse(const char *text, int64_t now, int64_t *seconds) {
  struct civil civil = {0};

  if (date_scan(text, rfc850, &civil))
    place_year(&civil, now);
  else if (!date_scan(text, imf_fixdate, &civil) &&
           !date_scan(text, asctime_date, &civil))
    return false;
  if (!exists(&civil))
    return false;
  *seconds = seconds_of(&civil);
  return true;
}

/* "Z" or "+hh:mm": how far the written clock is ahead, in seconds. */
static bool scan_offset(const char *text, int *ahead) {
  int hours, minutes, sign = *text == '-' ? -1 : 1;

  *ahead = 0;
  if (strcmp(text, "Z") == 0)
    return true;
  if (*text != '+' && *text != '-')
    return false;
  text++;
  if (!date_scan_number(&text, 2, &hours) || *text++ != ':' ||
      !date_scan_number(&text, 2, &minutes) || hours > 23 || minutes > 59)
    return false;
  *ahead = sign * (hours * 3600 + minutes * 60);
  return *text == '\0';
}

bool date_rfc3339_parse(const char *text, int64_t *seconds) {
  char start[sizeof "2026-06-14T12:34:56"] = "";
  struct civil civil = {0};
  size_t len = sizeof start - 1;
  int ahead;

  if (strnlen(text, len) < len)
    return false;
  memcpy(start, text, len);
  text += len;
  if (*text == '.') {
    size_t digits = strspn(text + 1, "0123456789");
    if (digits == 0)
      return false;
    text += 1 + digits;
  }
  if (!date_scan(start, "%Y-%m-%dT%H:%M:%S", &civil) || !exists(&civil) ||
      !scan_offset(text, &ahead))
    return false;
  *seconds = seconds_of(&civil) - ahead;
  return true;
}

void date_iso(char out[DATE_ISO_SIZE], int64_t seconds) {
  print(out, "%Y-%m-%dT%H:%M:%S+00:00", seconds);
}

void date_day(char out[DATE_DAY_SIZE], int64_t seconds) {
  print(out, "%Y/%m/%d", seconds);
}

int64_t date_now_ms(void) {
  struct timespec now;

  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
