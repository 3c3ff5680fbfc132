/* SPDX-License-Identifier: MIT
 *
 * A circuit breaker: after so many failures in a row nobody is asked for a
 * time, then one request is the probe.  Of one loop; the clock is the
 * caller's, in milliseconds.
 */
#ifndef AUTH_BREAKER_H
#define AUTH_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

struct breaker {
  int64_t failures_max; /* 0: it never opens */
  int64_t time_ms;      /* that it stays open */
  int64_t failures;     /* in a row */
  int64_t until_ms;     /* while it is open: when the probe may go */
  bool open, probing;
};

enum breaker_news { BREAKER_NOTHING, BREAKER_OPENED, BREAKER_CLOSED };

/* May one be asked?  What was admitted ends in one breaker_note() or
 * breaker_leave(), with the same `probe`. */
bool breaker_admit(struct breaker *, int64_t now_ms, bool *probe);
enum breaker_news breaker_note(struct breaker *, bool worked, int64_t now_ms,
                               bool probe);
/* Nobody waited for the answer: it says nothing. */
void breaker_leave(struct breaker *, bool probe);
/* While it is open: the time until the probe, at least 0. */
int64_t breaker_wait(const struct breaker *, int64_t now_ms);

#endif
