/* SPDX-License-Identifier: MIT
 *
 * Range and the conditional headers (RFC 9110, sections 13 and 14).  Called by
 * downloads and by links that the gateway serves.  What is malformed counts as
 * absent, but for If-Match, which then fails: it guards.
 */
#include "range.h"

#include "codec.h"
#include "date.h"
#include "etags.h"
#include <string.h>

#define SPACE " \t"

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/* Digits, at least one; beyond 64 bits it stays at the most there is. */
static bool range_scan_number(const char **at, const char *end,
                              uint64_t *value) {
  const char *from = *at;

  *value = 0;
  for (; *at < end && is_digit(**at); (*at)++)
    if (__builtin_mul_overflow(*value, 10, value) ||
        __builtin_add_overflow(*value, (unsigned)(**at - '0'), value))
      *value = UINT64_MAX;
  return *at > from;
}

/* "-5": the last 5 bytes. */
static enum range_result suffix(const char *at, const char *end,
                                uint64_t length, struct range *range) {
  uint64_t count;

  if (!range_scan_number(&at, end, &count) || at < end)
    return RANGE_WHOLE;
  if (!count)
    return RANGE_BEYOND;
  if (!length)
    return RANGE_WHOLE;
  range->count = count < length ? count : length;
  range->first = length - range->count;
  return RANGE_PART;
}

/* One range-spec, without spaces around it. */
static enum range_result parse_one(const char *at, const char *end,
                                   uint64_t length, struct range *range) {
  uint64_t first, last = UINT64_MAX;

  if (*at == '-')
    return suffix(at + 1, end, length, range);
  if (!range_scan_number(&at, end, &first) || at == end || *at++ != '-')
    return RANGE_WHOLE;
  if (at < end && (!range_scan_number(&at, end, &last) || at < end))
    return RANGE_WHOLE;
  if (last < first)
    return RANGE_WHOLE;
  if (first >= length)
    return RANGE_BEYOND;
  if (last > length - 1)
    last = length - 1;
  range->first = first;
  range->count = last - first + 1;
  return RANGE_PART;
}

/* The list's only element that isn't empty; false when there are several or
 * none. */
static bool only_element(const char *list, const char **from,
                         const char **end) {
  *from = NULL;
  for (list += strspn(list, SPACE ","); *list;
       list += strspn(list, SPACE ",")) {
    if (*from)
      return false;
    *from = list;
    list += strcspn(list, ",");
    for (*end = list; strchr(SPACE, (*end)[-1]);)
      --*end;
  }
  return *from != NULL;
}

enum range_result range_parse(const char *header, uint64_t length,
                              struct range *range) {
  static const char unit[] = "bytes=";
  const char *from, *end;

  if (!header || strnlen(header, sizeof unit - 1) < sizeof unit - 1 ||
      !codec_same(header, sizeof unit - 1, unit) ||
      !only_element(header + sizeof unit - 1, &from, &end))
    return RANGE_WHOLE;
  return parse_one(from, end, length, range);
}

/* Is there a date, a valid one, and was the object modified after it?  -1:
 * there is none. */
static int modified_after(const char *date, int64_t modified, int64_t now) {
  int64_t seconds;

  if (!date || !date_http_parse(date, now, &seconds))
    return -1;
  return modified > seconds;
}

enum range_verdict range_conditions(const struct range_conditions *conditions,
                                    const char *etag, int64_t modified,
                                    int64_t now) {
  const struct range_conditions *is = conditions;

  if (is->if_match) {
    if (!etags_has(is->if_match, etag, false))
      return RANGE_FAILED;
  } else if (modified_after(is->if_unmodified_since, modified, now) == 1)
    return RANGE_FAILED;
  if (is->if_none_match)
    return etags_has(is->if_none_match, etag, true) ? RANGE_NOT_MODIFIED
                                                    : RANGE_GO;
  return modified_after(is->if_modified_since, modified, now) == 0
             ? RANGE_NOT_MODIFIED
             : RANGE_GO;
}

bool range_if_range(const struct range_conditions *conditions,
                    const char *etag) {
  return conditions->if_range == NULL || etags_is(conditions->if_range, etag);
}
