/* SPDX-License-Identifier: MIT
 *
 * Delays, without a clock or a state.
 */
#include "backoff.h"

#include <stddef.h>

#include "date.h"

int64_t backoff_ms(int64_t attempts, int64_t min_ms, int64_t max_ms,
                   uint32_t random) {
  int64_t ms = min_ms;
  while (--attempts > 0 && ms < max_ms)
    ms = ms > max_ms / 2 ? max_ms : ms * 2;
  if (ms > max_ms)
    ms = max_ms;
  int64_t half = ms / 2;
  return ms - (int64_t)((uint64_t)half * random >> 32);
}

static int64_t bounded(int64_t ms) {
  if (ms < 0)
    return 0;
  return ms < BACKOFF_AFTER_MAX_MS ? ms : BACKOFF_AFTER_MAX_MS;
}

int64_t backoff_after_ms(const char *retry_after, int64_t now_ms) {
  int64_t seconds = 0;
  if (retry_after == NULL || *retry_after == '\0')
    return 0;
  const char *at = retry_after;
  for (; *at >= '0' && *at <= '9'; at++)
    if (seconds < BACKOFF_AFTER_MAX_MS)
      seconds = seconds * 10 + (*at - '0');
  if (*at == '\0')
    return bounded(seconds * 1000);
  if (date_http_parse(retry_after, now_ms / 1000, &seconds))
    return bounded(seconds * 1000 - now_ms);
  return 0;
}
