/* SPDX-License-Identifier: MIT
 *
 * The breaker's two states.  What was asked before it opened may still be
 * answered after: a good answer closes it, a bad one is no news.
 */
#include "breaker.h"

bool breaker_admit(struct breaker *breaker, int64_t now_ms, bool *probe) {
  *probe = false;
  if (!breaker->open)
    return true;
  if (breaker->probing || now_ms < breaker->until_ms)
    return false;
  breaker->probing = true;
  *probe = true;
  return true;
}

enum breaker_news breaker_note(struct breaker *breaker, bool worked,
                               int64_t now_ms, bool probe) {
  bool was_open = breaker->open;
  if (probe)
    breaker->probing = false;
  if (worked) {
    breaker->failures = 0;
    breaker->open = false;
    return was_open ? BREAKER_CLOSED : BREAKER_NOTHING;
  }
  if (was_open && probe)
    breaker->until_ms = now_ms + breaker->time_ms;
  if (was_open || breaker->failures_max == 0 ||
      ++breaker->failures < breaker->failures_max)
    return BREAKER_NOTHING;
  breaker->open = true;
  breaker->until_ms = now_ms + breaker->time_ms;
  return BREAKER_OPENED;
}

void breaker_leave(struct breaker *breaker, bool probe) {
  if (probe)
    breaker->probing = false;
}

int64_t breaker_wait(const struct breaker *breaker, int64_t now_ms) {
  return breaker->until_ms > now_ms ? breaker->until_ms - now_ms : 0;
}
